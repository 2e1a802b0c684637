"""What must be true at the end of a run, whatever happened in it."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from tyrsky_contracts.event import Envelope, Event

from tests.simulation import domain
from tests.simulation.world import Violation, World


def check(world: World) -> None:
    """All of it.

    :raises Violation: at the first promise that was broken.
    """
    rooms = {document["_id"]: document for document in world.documents("rooms")}
    trays = {document["_id"]: document for document in world.documents("trays")}
    _acknowledged(world, rooms)
    published = {**_published(world, domain.ROOMS), **_published(world, domain.BADGES)}
    for id, document in {**rooms, **trays}.items():
        _all_published(id, document, published.get(id, []))
    _policies(rooms, trays)
    _read_models(world, rooms, trays)


def _must(right: bool, what: str) -> None:
    if not right:
        raise Violation(what)


def _acknowledged(world: World, rooms: dict[str, Any]) -> None:
    """What was answered is there, once; a repeat got the same answer; refused is only who found the room full."""
    for wish in world.wishes:
        document = rooms.get(str(wish.room_id))
        _must(document is not None, f"room {wish.room_id} is not there")
        guests: list[str] = document["state"]["guests"] if document else []
        seats = world.rooms[wish.room_id]
        _must(guests.count(wish.guest) <= 1, f"{wish.guest} has {guests.count(wish.guest)} seats")
        _must(len(guests) <= seats, f"{len(guests)} guests on {seats} seats")
        for answer in wish.answers:
            _must(wish.guest in guests, f"{wish.guest} was told to have a seat, and has none")
            _must(answer == wish.answers[0], f"{wish.guest} got two answers: {wish.answers}")
            _must(answer["guests"] == guests[: len(answer["guests"])], f"{wish.guest} was told of guests that are not")
        if wish.refused:
            _must(not wish.answers, f"{wish.guest} has a seat and was refused")
            _must(wish.refused == "room-full" and len(guests) == seats, f"{wish.guest} was refused: {wish.refused}")
        _must(bool(wish.answers) or bool(wish.refused), f"{wish.guest} got no answer")


def _published(world: World, topic: str) -> dict[str, list[tuple[Envelope, Event]]]:
    """What a reader of a topic finds of each subject: in order, without a hole, never back."""
    found: dict[str, list[tuple[Envelope, Event]]] = {}
    place: dict[str, Any] = {}
    for at, offset, stored in world.broker.visible(topic):
        event, about = domain.codec.decode(stored.headers, stored.value)
        first = found.setdefault(about.subject, [])
        where = f"{topic}/{at.partition}@{offset}: {about.subject}"
        _must(place.setdefault(about.subject, at) == at, f"{where} is in two partitions")
        last = first[-1][0].sequence if first else 0
        if about.sequence > last:
            _must(about.sequence == last + 1, f"{where} jumps from {last} to {about.sequence}")
            first.append((about, event))
        else:
            before = first[about.sequence - 1][0]
            _must(before.id == about.id, f"{where} has two events with the number {about.sequence}")
            _must(about.sequence == last, f"{where} goes back from {last} to {about.sequence}")
            _must(False, f"{where} has event {about.sequence} twice")
    return found


def _all_published(id: str, document: dict[str, Any], published: Sequence[tuple[Envelope, Event]]) -> None:
    _must(
        len(published) == document["sequence"],
        f"{id} has {document['sequence']} events, and {len(published)} were published",
    )
    _must(document["outbox"] == [] and "outbox_since" not in document, f"{id} has an outbox")
    told = tuple(event.guest for _, event in published if isinstance(event, domain.SeatTaken | domain.BadgePrinted))
    state = document["state"]
    _must(list(told) == state.get("guests", state.get("badges")), f"{id} is not what its events say: {told} {state}")


def _policies(rooms: dict[str, Any], trays: dict[str, Any]) -> None:
    """Everybody who sits has one badge, and they were printed in the order in which they sat down."""
    for document in rooms.values():
        tray = trays.get(str(domain.tray_of(domain.UUID(document["_id"]))))
        badges: list[str] = tray["state"]["badges"] if tray else []
        guests: list[str] = document["state"]["guests"]
        twice = [guest for guest, count in Counter(badges).items() if count > 1]
        _must(not twice, f"two badges for {twice}")
        _must(set(badges) == set(guests), f"badges {badges} for guests {guests}")
        _must(badges == guests, f"badges in another order: {badges} for {guests}")


def _read_models(world: World, rooms: dict[str, Any], trays: dict[str, Any]) -> None:
    """The rows are the fold of the events."""
    rows = {row["_id"]: row["row"] for row in world.documents("seen")}
    for id, document in rooms.items():
        wanted = {"seats": document["state"]["seats"], "guests": document["state"]["guests"]}
        _must(rows.get(id) == wanted, f"the row of {id} is {rows.get(id)}, and not {wanted}")
    wanted = {
        "seats": sum(each["state"]["seats"] for each in rooms.values()),
        "guests": sum(len(each["state"]["guests"]) for each in rooms.values()),
        "badges": sum(len(each["state"]["badges"]) for each in trays.values()),
    }
    counted = next((row["row"] for row in world.documents("counted")), None)
    _must(counted == wanted or not rooms, f"the row for all is {counted}, and not {wanted}")
