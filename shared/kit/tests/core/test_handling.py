"""What a route makes of an aggregate, over HTTP: keys, versions, colleges, and answers that stay the same."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any, Literal, Self
from uuid import UUID, uuid4

import httpx2
import pytest
from fastapi import Depends, FastAPI, Query
from pydantic import BaseModel
from pymongo.asynchronous.database import AsyncDatabase
from tyrsky import auth, problems
from tyrsky.catalogue import Problem, declare
from tyrsky.deciding import Decider, Deciders
from tyrsky.handling import Handling, handling
from tyrsky.listing import Listing, Page
from tyrsky.remembering import Remembered
from tyrsky.settings import Settings
from tyrsky.store import Document, Loaded, Store
from tyrsky.testing.tokens import Authority

from .room import OpenRoom, Room, RoomCommand, TakeSeat, codec, room

pytestmark = pytest.mark.stack

declare(
    Problem("room-full", 409, fi="Huone on täynnä.", sv="Rummet är fullt.", en="No seat is left in the room."),
    Problem("room-unknown", 404, fi="Huonetta ei ole.", sv="Rummet finns inte.", en="There is no such room."),
)

Rooms = Annotated[Handling[Room, RoomCommand], Depends(handling(room))]


OtherRooms = Annotated[Handling[Room, RoomCommand], Depends(handling(room))]
"""As a route has it that works on two kinds of aggregates."""


class RoomView(BaseModel):
    """A room as its callers see it."""

    id: UUID
    left: int

    @classmethod
    def of(cls, loaded: Loaded[Room]) -> Self:
        return cls(id=loaded.id, left=loaded.state.left)


class NewRoom(BaseModel):
    seats: int


class RoomsAsked(Listing):
    sorts = {"left": "state.left"}  # noqa: RUF012 - a ClassVar of the base

    sort: Literal["left", "-left"] = "left"


class Guest(BaseModel):
    name: str


def application(database: AsyncDatabase[Document], authority: Authority) -> FastAPI:
    app = FastAPI()

    @app.post("/rooms", status_code=201)
    async def open_room(new: NewRoom, rooms: Rooms) -> RoomView:
        return await rooms.handle(OpenRoom(room_id=rooms.new_id(), seats=new.seats), RoomView)

    @app.post("/rooms/{id}/guests")
    async def take_seat(id: UUID, guest: Guest, rooms: Rooms) -> RoomView:
        if guest.name == "slow":
            await asyncio.sleep(0.5)
        return await rooms.handle(TakeSeat(room_id=id, guest=guest.name), RoomView)

    @app.post("/rooms/{id}/pairs")
    async def take_two(id: UUID, guest: Guest, rooms: Rooms, same: OtherRooms) -> RoomView:
        await rooms.handle(TakeSeat(room_id=id, guest=guest.name), RoomView)
        return await same.handle(TakeSeat(room_id=id, guest=f"{guest.name}'s guest"), RoomView)

    @app.put("/rooms/{id}/first-guest")
    async def put_guest(id: UUID, guest: Guest, rooms: Rooms) -> RoomView:
        return await rooms.handle(TakeSeat(room_id=id, guest=guest.name), RoomView)

    @app.get("/rooms/{id}")
    async def get_room(id: UUID, rooms: Rooms) -> RoomView:
        return await rooms.show(id, RoomView)

    @app.get("/rooms/{id}/neighbours")
    async def list_rooms(id: UUID, asked: Annotated[RoomsAsked, Query()], rooms: Rooms) -> Page[RoomView]:
        await rooms.get(id)
        return (await rooms.find(asked)).of(RoomView.of)

    settings = Settings(colleges=frozenset({"vaao", "sasky"}), oidc_issuer=authority.issuer)
    auth.install(app, auth.Verifier(settings))
    problems.install(app)
    deciders = Deciders()
    deciders.add(Decider(Store(database, room), codec("rooms"), lambda claim: None))
    app.state.deciders, app.state.wishes, app.state.remembered = deciders, set(), Remembered(database)
    return app


class Client:
    """A person at a college."""

    def __init__(self, http: httpx2.AsyncClient, authority: Authority) -> None:
        self.http, self.authority = http, authority

    async def send(
        self, method: str, path: str, body: Any = None, *, college: str = "vaao", key: str | None = "", **headers: str
    ) -> httpx2.Response:
        sent = {"Authorization": f"Bearer {self.authority.token(college=college)}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        if key is not None and method == "POST":
            sent["Idempotency-Key"] = key or str(uuid4())
        return await self.http.request(method, path, json=body, headers=sent)

    async def room(self, seats: int = 5) -> str:
        answer = await self.send("POST", "/rooms", {"seats": seats})
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    with Authority() as authority:
        yield authority


@pytest.fixture
async def client(database: AsyncDatabase[Document], authority: Authority) -> AsyncIterator[Client]:
    transport = httpx2.ASGITransport(app=application(database, authority))
    async with httpx2.AsyncClient(transport=transport, base_url="http://rooms") as http:
        yield Client(http, authority)


def problem(answer: httpx2.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["code"]


async def test_the_same_key_and_body_get_the_same_answer(client: Client) -> None:
    first = await client.send("POST", "/rooms", {"seats": 3}, key="the-same-key")
    await client.send("POST", f"/rooms/{first.json()['id']}/guests", {"name": "Aino"})
    again = await client.send("POST", "/rooms", {"seats": 3}, key="the-same-key")
    assert (again.status_code, again.json(), again.headers["etag"]) == (201, first.json(), first.headers["etag"])
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers


async def test_the_same_key_with_another_body_is_refused(client: Client) -> None:
    await client.send("POST", "/rooms", {"seats": 3}, key="the-same-key")
    assert problem(await client.send("POST", "/rooms", {"seats": 4}, key="the-same-key")) == (422, "key-reused")


async def test_a_key_that_was_used_for_another_room_is_refused(client: Client) -> None:
    first, second = await client.room(), await client.room()
    guest = {"name": "Aino"}
    assert (await client.send("POST", f"/rooms/{first}/guests", guest, key="the-same-key")).status_code == 200
    other = await client.send("POST", f"/rooms/{second}/guests", guest, key="the-same-key")
    assert problem(other) == (422, "key-reused")
    assert (await client.send("GET", f"/rooms/{second}")).json()["left"] == 5


async def test_the_answer_stays_the_same_however_much_has_happened_since(client: Client) -> None:
    id = await client.room(seats=700)
    first = await client.send("POST", f"/rooms/{id}/guests", {"name": "Aino"}, key="the-same-key")
    for many in range(0, 520, 130):
        await asyncio.gather(
            *(client.send("POST", f"/rooms/{id}/guests", {"name": f"g{many + one}"}) for one in range(130))
        )
    again = await client.send("POST", f"/rooms/{id}/guests", {"name": "Aino"}, key="the-same-key")
    assert (again.json(), again.headers["etag"]) == (first.json(), first.headers["etag"])
    assert again.headers["idempotent-replayed"] == "true"


async def test_a_list_has_no_etag_of_something_else(client: Client) -> None:
    id = await client.room()
    listed = await client.send("GET", f"/rooms/{id}/neighbours")
    assert [room["id"] for room in listed.json()["items"]] == [id]
    assert "etag" not in listed.headers


async def test_the_same_key_elsewhere_is_refused(client: Client) -> None:
    made = await client.send("POST", "/rooms", {"seats": 3}, key="the-same-key")
    id = made.json()["id"]
    assert problem(await client.send("POST", f"/rooms/{id}/guests", {"name": "A"}, key="the-same-key")) == (
        422,
        "key-reused",
    )


async def test_two_commands_of_one_request_are_both_carried_out_and_tell_its_moment(
    client: Client, database: AsyncDatabase[Document]
) -> None:
    id = await client.room()
    path = f"/rooms/{id}/pairs"
    first = await client.send("POST", path, {"name": "Aino"}, key="the-same-key")
    assert (first.status_code, first.json()["left"]) == (200, 3)
    again = await client.send("POST", path, {"name": "Aino"}, key="the-same-key")
    assert (again.json(), again.headers["idempotent-replayed"]) == (first.json(), "true")
    found = await database["rooms"].find_one({"_id": id})
    assert found is not None
    opened, one, other = (each["headers"]["ce_time"] for each in found["outbox"])
    assert opened != one == other


async def test_a_refused_requests_key_is_free(client: Client) -> None:
    empty = await client.room()
    assert (await client.send("POST", f"/rooms/{uuid4()}/guests", {"name": "A"}, key="the-same-key")).status_code == 404
    assert (await client.send("POST", f"/rooms/{empty}/guests", {"name": "A"}, key="the-same-key")).status_code == 200


async def test_a_key_is_its_callers_own(client: Client) -> None:
    mine = await client.send("POST", "/rooms", {"seats": 3}, key="the-same-key")
    theirs = await client.send("POST", "/rooms", {"seats": 4}, key="the-same-key", college="sasky")
    assert theirs.status_code == 201
    assert theirs.json()["id"] != mine.json()["id"]


async def test_a_wish_that_is_under_way_is_not_begun_twice(client: Client) -> None:
    id = await client.room()
    both = await asyncio.gather(
        *(client.send("POST", f"/rooms/{id}/guests", {"name": "slow"}, key="the-same-key") for _ in range(2))
    )
    assert sorted(answer.status_code for answer in both) == [200, 409]
    refused = next(answer for answer in both if answer.status_code == 409)
    assert problem(refused) == (409, "key-in-flight")
    after = await client.send("POST", f"/rooms/{id}/guests", {"name": "slow"}, key="the-same-key")
    assert after.status_code == 200


@pytest.mark.parametrize(("key", "code"), [(None, "key-missing"), ("short", "key-wrong"), ("with space", "key-wrong")])
async def test_every_post_needs_a_key(client: Client, key: str | None, code: str) -> None:
    assert problem(await client.send("POST", "/rooms", {"seats": 3}, key=key)) == (400, code)


async def test_a_change_says_what_it_changes(client: Client) -> None:
    id = await client.room()
    path, guest = f"/rooms/{id}/first-guest", {"name": "Aino"}
    etag = (await client.send("GET", f"/rooms/{id}")).headers["etag"]
    assert problem(await client.send("PUT", path, guest)) == (428, "if-match-missing")
    assert problem(await client.send("PUT", path, guest, If_Match="three")) == (400, "if-match-wrong")
    changed = await client.send("PUT", path, guest, If_Match=etag)
    assert (changed.status_code, changed.json()["left"]) == (200, 4)
    assert problem(await client.send("PUT", path, {"name": "Eino"}, If_Match=etag)) == (412, "version-stale")
    current = changed.headers["etag"]
    assert (await client.send("GET", f"/rooms/{id}")).headers["etag"] == current
    assert (await client.send("PUT", path, {"name": "Eino"}, If_Match=current)).status_code == 200


async def test_another_colleges_room_is_not_there(client: Client) -> None:
    id = await client.room()
    assert problem(await client.send("GET", f"/rooms/{id}", college="sasky")) == (404, "room-unknown")
    taken = await client.send("POST", f"/rooms/{id}/guests", {"name": "Aino"}, college="sasky")
    assert problem(taken) == (404, "room-unknown")
    changed = await client.send("PUT", f"/rooms/{id}/first-guest", {"name": "Aino"}, college="sasky", If_Match='"1"')
    assert problem(changed) == (404, "room-unknown")


async def test_the_rules_refusal_is_a_problem_in_the_callers_language(client: Client) -> None:
    id = await client.room(seats=1)
    await client.send("POST", f"/rooms/{id}/guests", {"name": "Aino"})
    refused = await client.send("POST", f"/rooms/{id}/guests", {"name": "Eino"}, Accept_Language="sv")
    assert problem(refused) == (409, "room-full")
    assert (refused.json()["title"], refused.json()["field"]) == ("Rummet är fullt.", "guest")
