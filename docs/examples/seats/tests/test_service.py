"""The service at work: over HTTP, on the real store and Kafka, with a receiver of its webhook."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import pytest
from seats.views import Occupancy, occupancy
from tyrsky.rebuilding import rebuild
from tyrsky.rows import Shelves
from tyrsky.testing.openapi import faults
from tyrsky.testing.receiver import SECRET, Receiver, receiving
from tyrsky.testing.running import Running, running, until

pytestmark = pytest.mark.stack


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
async def seats(receiver: Receiver) -> AsyncIterator[Running]:
    webhook = {"webhook_url": receiver.url, "webhook_secret": SECRET, "webhook_retry_seconds": 0.1}
    async with running("seats", **webhook, webhook_poll_seconds=0.2, request_wait_seconds=30) as found:
        yield found


async def room(seats: Running, count: int) -> str:
    opened = await seats.post("/rooms", {"seats": count})
    assert opened.status_code == 201, opened.text
    return f"/rooms/{opened.json()['id']}"


async def left(seats: Running, room: str, count: int) -> bool:
    answer = await seats.get(f"{room}/occupancy")
    return answer.status_code == 200 and Occupancy.model_validate(answer.json()).left == count


def confirmed(receiver: Receiver, path: str) -> list[str]:
    """The reservations that the receiver took a confirmation of, in a room."""
    return [call.id for call in receiver.taken if call.content["data"]["room_id"] == path.removeprefix("/rooms/")]


async def test_of_many_who_want_the_last_seats_as_many_get_one_and_each_of_these_is_confirmed_once(
    seats: Running, receiver: Receiver
):
    path = await room(seats, 20)
    answers = await asyncio.gather(*(seats.post(f"{path}/reservations", {"guest": f"{n}"}) for n in range(100)))
    assert Counter(answer.status_code for answer in answers) == {201: 20, 409: 80}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"room-full"}
    mine = {answer.json()["id"] for answer in answers if answer.status_code == 201}

    async def all_confirmed() -> bool:
        return len(confirmed(receiver, path)) >= 20

    await until(all_confirmed)
    await until(lambda: left(seats, path, 0))
    assert Counter(confirmed(receiver, path)) == dict.fromkeys(mine, 1)
    assert all(call.genuine for call in receiver.calls)


async def test_a_wish_that_is_sent_twice_is_one_reservation(seats: Running):
    path, key = await room(seats, 5), uuid4().hex
    once = await seats.post(f"{path}/reservations", {"guest": "Aino"}, key=key)
    again = await seats.post(f"{path}/reservations", {"guest": "Aino"}, key=key)
    assert once.json() == again.json()
    assert (await seats.get(path)).json()["left"] == 4


async def test_a_seat_that_is_given_back_is_free(seats: Running):
    path = await room(seats, 1)
    reservation = (await seats.post(f"{path}/reservations", {"guest": "Aino"})).json()["id"]
    for _ in range(2):
        cancelled = await seats.post(f"{path}/reservations/{reservation}/cancel")
        assert cancelled.json()["left"] == 1
    assert (await seats.post(f"{path}/reservations", {"guest": "Eino"})).status_code == 201


async def test_a_confirmation_is_repeated_until_it_is_taken(seats: Running, receiver: Receiver):
    receiver.answers = [500, 503]
    path = await room(seats, 1)
    reservation = (await seats.post(f"{path}/reservations", {"guest": "Aino"})).json()["id"]

    async def taken() -> bool:
        return confirmed(receiver, path) == [reservation]

    await until(taken)
    calls = [call for call in receiver.calls if call.id == reservation]
    assert len({call.body for call in calls}) == 1

    async def known() -> bool:
        return (await seats.get(f"/dispatches/{reservation}")).json()["status"] == "sent"

    await until(known)
    assert (await seats.get("/dispatches?status=sent")).json()["items"][0]["id"] == reservation
    assert (await seats.get(f"/dispatches/{reservation}", college="sasky")).json()["code"] == "dispatch-unknown"


async def test_who_has_a_seat_is_told_to_nobody_outside(seats: Running, receiver: Receiver):
    path = await room(seats, 1)
    await seats.post(f"{path}/reservations", {"guest": "Aino Salainen"})

    async def taken() -> bool:
        return bool(confirmed(receiver, path))

    await until(taken)
    assert not any(b"Salainen" in call.body for call in receiver.calls)


async def test_a_foreign_college_finds_no_room_here(seats: Running):
    path = await room(seats, 1)
    for wish in (seats.get(path, college="sasky"), seats.post(f"{path}/reservations", {"guest": "X"}, college="sasky")):
        answer: Any = await wish
        assert (answer.status_code, answer.json()["code"]) == (404, "room-unknown")
    assert (await seats.get(path, role="operator")).status_code == 403


async def test_a_room_that_is_not_is_not_full(seats: Running):
    answer = await seats.get(f"/rooms/{uuid4()}/occupancy")
    assert (answer.status_code, answer.json()["code"]) == (404, "room-unknown")


async def test_the_read_model_rebuilt_from_the_first_event_is_the_same(seats: Running):
    path = await room(seats, 3)
    for guest in ("Aino", "Eino"):
        await seats.post(f"{path}/reservations", {"guest": guest})
    await until(lambda: left(seats, path, 1))
    service = seats.service
    shelves = Shelves(service.database, occupancy)
    rebuilt = await rebuild(
        occupancy,
        service.database,
        service="seats",
        bootstrap=service.settings.kafka_bootstrap,
        codec=service.codec,
        progress=lambda done, total: None,
    )
    mine = path.removeprefix("/rooms/")
    assert (await rebuilt.get([mine]))[mine][0].row == Occupancy(seats=3, left=1)
    assert rebuilt.collection.name == shelves.shelf(await shelves.current()).collection.name
    await seats.post(f"{path}/reservations", {"guest": "Väinö"})
    await until(lambda: left(seats, path, 0))


async def test_its_interface_is_documented(seats: Running):
    assert faults(seats.service.app) == []
