"""What was acknowledged, against the store's documents and the topic's events."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence

from seats.contracts import RoomOpened, SeatFreed, SeatReserved

from tests.bench.bench import Document
from tests.bench.topics import Published, read_all
from tests.load.findings import Check
from tests.load.running import Running


async def accounts(running: Running, opened: Sequence[str], reserved: Mapping[str, str]) -> list[Check]:
    """Each room and reservation that was acknowledged is in the store, was given back, and has its events, each once.

    When the system is at rest: all events are published, and the policy has done its work.
    """
    rooms = await running.stored(opened)
    right = [id for id, room in reserved.items() if _status(rooms.get(room, {}), id) == "cancelled"]
    events = await read_all(running.bench.bootstrap, running.topic)
    of_rooms = Counter(each.key for each in events if each.type == RoomOpened.type)
    taken, freed = (_reservations(events, type) for type in (SeatReserved.type, SeatFreed.type))
    once = [id for id in reserved if taken[id] == freed[id] == 1]
    back = [key for key, sequences in _sequences(events).items() if sequences != list(range(1, len(sequences) + 1))]
    return [
        Check("every room that was acknowledged is in the store", _of(rooms, opened), rooms.keys() == set(opened)),
        Check(
            "every reservation that was acknowledged is in its room, and given back",
            _of(right, reserved),
            len(right) == len(reserved),
        ),
        Check(
            "and each has one event that it was made, and one that it was given back",
            _of(once, reserved) + f"; the topic has {taken.total()} and {freed.total()}",
            len(once) == len(reserved) and max(taken.values(), default=1) == max(freed.values(), default=1) == 1,
        ),
        Check(
            "each room has one event that it was opened, and its events are in order, without a gap",
            f"{sum(of_rooms[id] == 1 for id in opened)} of {len(opened)}; {len(back)} out of order",
            all(of_rooms[id] == 1 for id in opened) and not back,
        ),
    ]


def _of(found: Mapping[str, object] | Sequence[str], asked: Mapping[str, object] | Sequence[str]) -> str:
    return f"{len(found)} of {len(asked)}"


def _status(room: Document, reservation: str) -> str:
    reservations = room.get("state", {}).get("reservations", {})
    return reservations.get(reservation, {}).get("status", "missing")


def _reservations(events: Sequence[Published], type: str) -> Counter[str]:
    return Counter(json.loads(each.body)["reservation_id"] for each in events if each.type == type)


def _sequences(events: Sequence[Published]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for each in events:
        found.setdefault(each.key, []).append(each.sequence)
    return found
