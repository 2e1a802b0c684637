"""A small application with everything that the kit puts around a service's routes, and a client for it."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any, Literal

import httpx2
import pytest
from fastapi import Body, Depends, FastAPI, Query
from pydantic import BaseModel, ConfigDict, Field
from pymongo.errors import OperationFailure, ServerSelectionTimeoutError, WriteConcernError
from tyrsky import access, admission, auth, health, limits, metrics, openapi, problems
from tyrsky.aggregate import Rejected, Unknown
from tyrsky.listing import Listing
from tyrsky.problems import Problem, declare
from tyrsky.settings import Settings
from tyrsky.testing.tokens import Authority

of_tests = declare(
    Problem("trial-is-over", 409, fi="Käynti on ohi.", sv="Besöket är över.", en="The visit is over."),
    Problem("trial-unknown", 404, fi="Käyntiä ei ole.", sv="Besöket finns inte.", en="There is no such visit."),
    Problem(
        "trial-number-wrong", 422, fi="Tarkistusnumero on väärä.", sv="Fel kontrollsiffra.", en="Wrong check digit."
    ),
)


class Contact(BaseModel):
    """Whom to visit."""

    model_config = ConfigDict(extra="forbid")

    email: str = Field(max_length=20, description="Their address.", examples=["maija@x.example"])


class NewVisit(BaseModel):
    """A visit to plan."""

    place: str = Field(min_length=2, max_length=10, description="Where.", examples=["Valkeakoski"])
    kind: Literal["first", "next"] = Field("first", description="Which one.")
    contact: Contact


class Asked(Listing):
    """Which visits."""

    sorts = {"place": "state.place"}  # noqa: RUF012 - a class variable by its declaration in Listing

    sort: Literal["place", "-place"] = Field("place", description="By the place.")


Outreach = Annotated[auth.Caller, Depends(auth.role("outreach", "coordinator"))]


@pytest.fixture(scope="session")
def authority() -> Iterator[Authority]:
    with Authority() as found:
        yield found


@pytest.fixture
def settings(authority: Authority) -> Settings:
    return Settings(
        colleges=["vaao", "sasky"],
        oidc_issuer=authority.issuer,
        body_bytes_max=10_000,
        header_bytes_max=2_000,
        target_bytes_max=500,
        request_seconds=10,
        requests_max=2,
        requests_waiting_max=8,
        request_wait_seconds=0.05,
    )


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    made = admission.App(docs_url=None, redoc_url=None)
    auth.install(made, auth.Verifier(settings))
    health.install(made, health.Health())
    metrics.install(made)
    openapi.install(made)
    limits.install(made, settings)
    access.install(made)
    problems.install(made)
    _routes(made)
    return made


def _routes(app: FastAPI) -> None:
    @app.post("/visits", status_code=201, operation_id="planVisit", responses=of_tests("trial-is-over"))
    async def plan(new: NewVisit, staff: Outreach) -> NewVisit:
        """Plan a visit."""
        return new

    @app.get("/visits", operation_id="findVisits")
    async def find(
        asked: Annotated[Asked, Query()], by: Annotated[auth.Caller, Depends(auth.caller)]
    ) -> list[NewVisit]:
        """Visits of the caller's college."""
        return []

    @app.get("/me", include_in_schema=False)
    async def me(by: Annotated[auth.Caller, Depends(auth.caller)]) -> auth.Caller:
        return by

    @app.get("/fails/{how}", include_in_schema=False)
    async def fails(how: str) -> None:
        raise FAILURES[how]()

    @app.post("/echo", include_in_schema=False)
    async def echo(body: Annotated[Any, Body()]) -> Any:
        return body


FAILURES: dict[str, Callable[[], Exception]] = {
    "unexpected": lambda: ValueError("Maija Meikäläinen, maija@x.example"),
    "rejected": lambda: Rejected("trial-is-over", status="cancelled"),
    "unknown": lambda: Unknown("trial", 7),
    "undeclared": lambda: Rejected("nobody-wrote-this", field="place"),
    "undeclared-unknown": lambda: Unknown("thing", 7),
    "store": lambda: ServerSelectionTimeoutError("10.0.0.1:27017 is away"),
    "store-full": lambda: OperationFailure("no room", 14031),
    "store-alone": lambda: WriteConcernError("the others are away", 64),
    "store-command": lambda: OperationFailure("no such command", 59),
}


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as found:
        yield found
