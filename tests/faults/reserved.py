"""I6: rooms and their seats. Pure, as ``invariants.py``."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from tests.faults.invariants import Verdict
from tests.faults.ledger import Wish
from tests.faults.looking import Room

FOR_EVER = float("inf")


def seats_exact(wishes: Sequence[Wish], rooms: Mapping[str, Room]) -> Verdict:
    """I6: no room has more guests than seats; who was promised a seat has it, and nobody else; all counts agree."""
    wrong, about = list[str](), defaultdict[str, list[Wish]](list)
    for wish in wishes:
        about[wish.asked.about].append(wish)
    for id, room in rooms.items():
        held = sum(status == "held" for status in room.reservations.values())
        if held != room.held:
            wrong.append(f"/rooms/{id}: {held} reservations, {room.held} counted")
        if held > room.seats:
            wrong.append(f"/rooms/{id}: {held} reservations of {room.seats} seats")
        if room.left_shown is None:
            wrong.append(f"/rooms/{id}: {room.seats - room.held} left, the read model has no row")
        elif room.left_shown != room.seats - room.held:
            wrong.append(f"/rooms/{id}: {room.seats - room.held} left, the read model says {room.left_shown}")
        wrong += _promises(f"/rooms/{id}", room, about[f"/rooms/{id}"])
    reservations = sum(len(room.reservations) for room in rooms.values())
    return Verdict("I6", wrong, {"rooms": len(rooms), "reservations": reservations})


def _promises(path: str, room: Room, mine: Sequence[Wish]) -> list[str]:
    promised = {wish.body["id"] for wish in mine if wish.asked.kind == "reserve-seat" and wish.acknowledged}
    given_back = defaultdict[str, list[Wish]](list)
    for wish in mine:
        if wish.asked.kind == "cancel-seat":
            given_back[wish.asked.path.split("/")[-2]].append(wish)
    unanswered = sum(1 for wish in mine if wish.asked.kind == "reserve-seat" and not wish.status)
    wrong = [f"{path}: reservation {id} was acknowledged, and is not there" for id in promised - set(room.reservations)]
    for id in promised & set(room.reservations):
        cancels = given_back[id]
        if room.reservations[id] == "cancelled" and not cancels:
            wrong.append(f"{path}: nobody gave reservation {id} back")
        elif room.reservations[id] == "cancelled" and all(each.status and not each.acknowledged for each in cancels):
            wrong.append(f"{path}: reservation {id} was refused to be given back, and is cancelled")
        if room.reservations[id] == "held" and any(each.acknowledged for each in cancels):
            wrong.append(f"{path}: reservation {id} was given back, and is held")
    strangers = sorted(set(room.reservations) - promised)
    wrong += _turned_away(path, room.seats, mine, len(strangers))
    if len(strangers) > unanswered:
        wrong += [f"{path}: nobody was told of reservation {id}" for id in strangers]
    return wrong


def _turned_away(path: str, seats: int, mine: Sequence[Wish], strangers: int) -> list[str]:
    """Who was told that it is full, though at no moment between the question and the answer it can have been.

    A seat may be taken from when it was asked for until it is told that it is given back. Of those who were never
    answered ``strangers`` have one.
    """
    given_back: dict[str, float] = {}
    for wish in mine:
        if wish.asked.kind == "cancel-seat" and wish.acknowledged:
            id = wish.asked.path.split("/")[-2]
            given_back[id] = min(wish.answered_at, given_back.get(id, FOR_EVER))
    reserving = [wish for wish in mine if wish.asked.kind == "reserve-seat"]
    taken = [(w.asked_at, given_back.get(w.body["id"], FOR_EVER)) for w in reserving if w.acknowledged]
    waiting = [wish.asked_at for wish in reserving if not wish.status]

    def perhaps(moment: float) -> int:
        unanswered = sum(since <= moment for since in waiting)
        return sum(since <= moment <= until for since, until in taken) + min(unanswered, strangers)

    def most(wish: Wish) -> int:
        begun = [since for since, _ in taken if wish.asked_at < since <= wish.answered_at]
        begun += [since for since in waiting if wish.asked_at < since <= wish.answered_at]
        found = 0
        for moment in (wish.answered_at, wish.asked_at, *begun):  # it grows at its beginnings alone
            found = max(found, perhaps(moment))
            if found >= seats:
                break
        return found

    return [
        f"{path}: {wish.asked.wish} was told that it is full, when at most {found} of {seats} seats were taken"
        for wish in reserving
        if wish.code == "room-full" and (found := most(wish)) < seats
    ]
