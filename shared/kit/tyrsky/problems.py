"""Problems as answers (RFC 9457): every refusal leaves as ``application/problem+json``, in the caller's language.

An aggregate, a route or the kit raises :class:`~tyrsky.aggregate.Rejected` with a code of the catalogue; this module
turns that, and everything that FastAPI, Starlette and the store raise, into one shape. What was sent is never sent
back, and an unexpected exception tells the caller nothing but a trace id.
"""

import logging
import random
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import FastAPI, Path, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from opentelemetry import trace
from opentelemetry.trace import Status, StatusCode
from pydantic import BaseModel, Field
from pymongo.errors import ConnectionFailure, ExecutionTimeout, OperationFailure
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tyrsky import mistakes
from tyrsky.aggregate import Rejected, Unknown
from tyrsky.catalogue import MEDIA_TYPE, TYPES, Problem, declare, declared, lookup, problems
from tyrsky.language import LANGUAGES, Language, preferred
from tyrsky.messages import known
from tyrsky.outages import passes

__all__ = ["Answer", "Problem", "Unexpected", "answer", "declare", "declared", "install", "lookup", "problems", "told"]

log = logging.getLogger(__name__)

RETRY_SECONDS = (2, 8)
ERRORS_MAX = 50
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")

NO_ERRORS = {"busy", "caller-busy"}
"""The service works as it should, and others are at work in it: their traces are no error's."""


class FieldError(BaseModel):
    """What is wrong with one part of the request."""

    where: str = Field(description="`body`, `query`, `path` or `header`.", examples=["body"])
    field: str = Field(
        description="The field, with dots between levels; what it was put into, when its name is none.",
        examples=["contact.email"],
    )
    code: str = Field(examples=["string-too-long"])
    message: str = Field(examples=["At most 200 characters."])


class Answer(BaseModel):
    """A problem, as RFC 9457 has it, with the code that programs go by."""

    type: str = Field(description="The problem's own page.", examples=["/problems/request-invalid"])
    title: str = Field(description="What is wrong, in the language of the answer.")
    status: int = Field(examples=[422])
    code: str = Field(description="What is wrong, for programs. Codes do not change.", examples=["request-invalid"])
    field: str | None = Field(default=None, description="The one field that is at fault.")
    about: dict[str, Any] | None = Field(default=None, description="Particulars of this time, by name.")
    errors: list[FieldError] | None = Field(default=None, description="All that is wrong, field by field.")
    trace_id: str | None = Field(default=None, description="What to tell those who run the service.")


def answer(
    scope: Scope,
    problem: Problem,
    *,
    code: str | None = None,
    field: str | None = None,
    about: Mapping[str, object] | None = None,
    errors: list[FieldError] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The response for a problem, in the language of the request."""
    language = preferred(Headers(scope=scope).get("accept-language"))
    if problem.code in NO_ERRORS:
        trace.get_current_span().set_status(Status(StatusCode.OK))  # holds when FastAPI calls each 5xx an error
    body = _body(problem, language, code=code, field=field, about=about, errors=errors)
    return JSONResponse(
        body.model_dump(mode="json", exclude_none=True, fallback=str),
        problem.status,
        {"Content-Language": language, "Vary": "Accept-Language", **_expected(problem), **(headers or {})},
        MEDIA_TYPE,
    )


def told(request: Request, refusal: Rejected) -> Answer:
    """A refusal as a part of an answer that tells of several things, in the language of the request."""
    language = preferred(request.headers.get("accept-language"))
    return _body(_problem(refusal), language, code=refusal.code, field=refusal.field, about=refusal.about)


def _body(
    problem: Problem,
    language: Language,
    *,
    code: str | None,
    field: str | None,
    about: Mapping[str, object] | None,
    errors: list[FieldError] | None = None,
) -> Answer:
    span = trace.get_current_span().get_span_context()
    return Answer(
        type=problem.type,
        title=problem.title(language),
        status=problem.status,
        code=code or problem.code,
        field=field,
        about=dict(about) if about else None,
        errors=errors,
        trace_id=trace.format_trace_id(span.trace_id) if span.is_valid else None,
    )


def _problem(refusal: Rejected) -> Problem:
    """The refusal's problem. A code that nobody declared (a test forbids it) is still one, in common words."""
    return lookup(refusal.code) or known("not-found" if isinstance(refusal, Unknown) else "rejected")


def _expected(problem: Problem) -> dict[str, str]:
    """Headers that the status calls for."""
    match problem.status:
        case 401 if problem.code == "token-missing":
            return {"WWW-Authenticate": "Bearer"}
        case 401:
            return {"WWW-Authenticate": f'Bearer error="invalid_token", error_description="{problem.code}"'}
        case 429 | 503:
            seconds = random.randint(*RETRY_SECONDS)  # noqa: S311 - so that they do not come back all at once
            return {"Retry-After": str(seconds)}
        case _:
            return {}


async def rejected(request: Request, refusal: Rejected) -> JSONResponse:
    """A refusal by code."""
    return answer(request.scope, _problem(refusal), code=refusal.code, field=refusal.field, about=refusal.about)


async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
    """FastAPI's own validation, field by field; a body that is not JSON at all is told apart."""
    found = error.errors()
    if isinstance(error.body, bytes):  # FastAPI leaves a body unread when its Content-Type is not JSON
        return answer(request.scope, known("body-not-json"))
    if found and found[0]["type"] == "json_invalid":
        return answer(request.scope, known("json-broken"), about=_place(str(error.body), int(found[0]["loc"][-1])))
    language = preferred(request.headers.get("accept-language"))
    errors = [
        FieldError(
            where=str(mistake["loc"][0]),
            field=".".join(_named(mistake))[:200],
            code=mistake["type"].replace("_", "-"),
            message=mistakes.of_field(mistake["type"], mistake.get("ctx") or {}, language),
        )
        for mistake in found[:ERRORS_MAX]
    ]
    return answer(request.scope, known("request-invalid"), errors=errors)


def _named(mistake: Mapping[str, Any]) -> list[str]:
    """Where a mistake is. The name of a field that nobody knows is the sender's own: it is said when it looks like a
    field's, mistyped, say, and not like anything else that went astray."""
    path = [str(part) for part in mistake["loc"][1:]]
    return path[:-1] if mistake["type"] == "extra_forbidden" and not FIELD_NAME.fullmatch(path[-1]) else path


def _place(text: str, position: int) -> dict[str, object]:
    before = text[:position]
    return {"position": position, "line": before.count("\n") + 1, "column": position - before.rfind("\n")}


async def http(request: Request, error: HTTPException) -> JSONResponse:
    """Starlette's own refusals: no such route, no such method, a body that cannot be decoded."""
    match error.status_code:
        case 400:
            problem = known("json-broken")
        case 404:
            problem = known("not-found")
        case 405:
            allowed = ", ".join(method for method in METHODS if _takes(request, method))
            return answer(request.scope, known("method-not-allowed"), headers={"Allow": allowed})
        case status:
            phrase = HTTPStatus(status).phrase
            problem = Problem(phrase.lower().replace(" ", "-"), status, fi=phrase, sv=phrase, en=phrase)
    return answer(request.scope, problem, headers=error.headers)


def _takes(request: Request, method: str) -> bool:
    """Whether a route at this address has the method. FastAPI tells those of the first route alone."""
    scope = {**request.scope, "method": method}
    return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)


async def store_down(request: Request, error: Exception) -> JSONResponse:
    """The store cannot be reached; the request may be repeated."""
    log.error("the store cannot be reached (%s)", type(error).__name__)
    trace.get_current_span().set_status(Status(StatusCode.ERROR))
    return answer(request.scope, known("store-unavailable"))


async def store_refuses(request: Request, error: OperationFailure) -> JSONResponse:
    """The store refused a command. When it is for want of room, or of others to keep it too, it will pass; what else it
    refuses is our own mistake."""
    if passes(error):
        return await store_down(request, error)
    raise error


class Unexpected:
    """Middleware: an exception that nobody expected becomes a problem, a log entry and an error on the span.

    It stands inside the tracing middleware, which would put the exception's message, and so perhaps a person's name, on
    the span. When the answer had begun, nothing can be said any more, and the server closes the connection.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception as error:
            log.exception("unexpected %s", type(error).__name__)
            span = trace.get_current_span()
            span.set_status(Status(StatusCode.ERROR))
            span.set_attribute("exception.type", type(error).__qualname__)
            if begun:
                raise
            await answer(scope, known("unexpected"))(scope, receive, send)


def install(app: FastAPI) -> None:
    """Answer with problems, and serve a page for each. Call it last of those that add middleware."""
    app.add_exception_handler(Rejected, rejected)  # pyright: ignore[reportArgumentType]
    app.add_exception_handler(RequestValidationError, invalid)  # pyright: ignore[reportArgumentType]
    app.add_exception_handler(HTTPException, http)  # pyright: ignore[reportArgumentType]
    app.add_exception_handler(ConnectionFailure, store_down)
    app.add_exception_handler(ExecutionTimeout, store_down)
    app.add_exception_handler(OperationFailure, store_refuses)  # pyright: ignore[reportArgumentType]
    app.add_middleware(Unexpected)
    app.add_api_route(
        TYPES + "{code}",
        _page,
        operation_id="explainProblem",
        summary="What a problem means",
        responses=problems("not-found"),
    )


class Explanation(BaseModel):
    """A problem's own page."""

    type: str = Field(examples=["/problems/token-expired"])
    code: str = Field(examples=["token-expired"])
    status: int
    title: dict[Language, str] = Field(examples=[{"fi": "...", "sv": "...", "en": "The session has expired."}])


async def _page(code: Annotated[str, Path(max_length=100, description="A problem's code.")]) -> Explanation:
    """What a problem's code means, in each language."""
    problem = lookup(code)
    if problem is None:
        raise Rejected("not-found")
    titles: dict[Language, str] = {language: problem.title(language) for language in LANGUAGES}
    return Explanation(type=problem.type, code=problem.code, status=problem.status, title=titles)
