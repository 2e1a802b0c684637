"""Rooms: seats that are reserved and given back, by several people in the same moment too."""

import time
from typing import Any
from uuid import uuid4

from hypothesis import strategies as st
from hypothesis.stateful import initialize

from tests.faults.asking import Answer, Request
from tests.faults.machine import COLLEAGUE, HERE, Machine, some, step, users
from tests.faults.model import Disagrees, Thing, holds

SHOWN_SECONDS = 30
"""How long a read model may stay behind. Kafka waits for ten seconds for a reader that was killed."""
LOOK_SECONDS = 0.05


class Rooms(Machine):
    """Rooms and reservations. The seats that are left are exact after each step."""

    @initialize(seats=st.integers(1, 4))
    def first_room(self, seats: int) -> None:
        """There is always one."""
        self.open_room(HERE, seats)

    @step(user=users, seats=st.integers(1, 4))
    def open_room(self, user: str, seats: int) -> None:
        """A room of a few seats, so that it gets full."""
        self.steps["open a room"] += 1
        asked = self.post(user, "/rooms", {"seats": seats}, kind="open-room", about="/rooms/{id}")
        self.made("room", asked, self.api.ask(asked), 1, {"seats": seats, "left": seats})

    @step(which=some, keys=st.lists(st.integers(0, 3), min_size=1, max_size=5))
    def reserve(self, which: int, keys: list[int]) -> None:
        """Several at once, some of them under the same key: each key one seat, as long as there are any."""
        self.steps["reserve" if len(keys) == 1 else "reserve at once"] += 1
        room = self.pick("room", which)
        wishes = [self._reservation(room, number) for number in range(4)]
        answers = self.api.at_once(*(wishes[number] for number in keys))
        by_key = {number: [a for n, a in zip(keys, answers, strict=True) if n == number] for number in keys}
        won: list[tuple[int, Answer]] = []
        for number, same in by_key.items():
            holds(len({str(answer.same) for answer in same if answer.status == 201}) <= 1, f"one key, {same}")
            if any(answer.status == 201 for answer in same):
                lost = sum(answer.tries - 1 for answer in same)
                first = sum(not answer.replayed for answer in same)
                holds(first <= 1 and first + lost >= 1, f"{first} of one key's answers were no replays: {same}")
            else:
                self.refused(same[0], 409, "room-full")
            holds(len({answer.status for answer in same}) == 1, f"one key, {same}")
            won += [(number, same[0])] if same[0].status == 201 else []
        left = room.body["left"]
        holds(len(won) == min(left, len(by_key)), f"{len(won)} of {len(by_key)} reserved, {left} were left")
        for number, answer in sorted(won, key=lambda each: each[1].version):
            self._reserved(room, wishes[number], answer)
        self.touched[room.path] = room

    def _reservation(self, room: Thing, number: int) -> Request:
        body = {"guest": f"Vieras {number}"}
        return self.post(
            room.user, f"{room.path}/reservations", body, kind="reserve-seat", about=room.path, within="room"
        )

    def _reserved(self, room: Thing, request: Request, answer: Answer) -> None:
        holds(answer.body["id"] not in room.reservations, "two reservations have one id")
        room.became({**room.body, "left": room.body["left"] - 1}, answer.version, 2)
        holds(answer.body["room"] == room.body, f"the answer shows {answer.body['room']}, and should {room.body}")
        room.reservations[answer.body["id"]] = "held"
        self.remember(request, answer, room)

    @step(which=some, reservation=some, at_once=st.integers(1, 3), reserving=st.booleans())
    def cancel(self, which: int, reservation: int, at_once: int, reserving: bool) -> None:
        """Give a seat back, once or several times at once, while somebody else perhaps wants one."""
        rooms = [room for room in self.of("room") if room.reservations]
        if not rooms:
            return
        self.steps["give a seat back" + " as another is wanted" * reserving] += 1
        room = rooms[which % len(rooms)]
        id = list(room.reservations)[reservation % len(room.reservations)]
        path = f"{room.path}/reservations/{id}/cancel"
        wishes = [self.post(room.user, path, kind="cancel-seat", about=room.path) for _ in range(at_once)]
        wanted = [self._reservation(room, 9)] if reserving else []
        answers = self.api.at_once(*wishes, *wanted)
        was_held, reserved = room.reservations[id] == "held", False
        # Those that changed something, in the order of the versions that they made; what changed nothing then fits in.
        both = zip([*wishes, *wanted], answers, strict=True)
        steps = sorted(both, key=lambda each: (each[1].version, each[0] not in wanted))
        known = {room.version: room.body}
        for request, answer in steps:
            if request in wanted:
                if answer.status == 201:
                    self._reserved(room, request, answer)
                    reserved = True
                else:
                    self.refused(answer, 409, "room-full")
            else:
                self.granted(answer, 200)
                changed = answer.version not in known
                if changed:
                    holds(room.reservations[id] == "held", f"{path} gave the seat back twice")
                    room.reservations[id] = "cancelled"
                    room.became({**room.body, "left": room.body["left"] + 1}, answer.version, 1)
                holds(answer.body == room.body, f"{path}: {answer.body}, and should be {room.body}")
                self.remember(request, answer, room, changed=changed and at_once == 1)
            known[room.version] = room.body
        holds(room.reservations[id] == "cancelled", f"{path} changed nothing")
        free_before = (room.body["left"] + reserved) - was_held
        holds(not wanted or reserved or free_before == 0, f"{room.path}: full, while {free_before} seats were left")
        self.touched[room.path] = room

    @step(which=some)
    def cancel_what_is_not_there(self, which: int) -> None:
        """A reservation that nobody made."""
        self.steps["give back what is not there"] += 1
        room = self.pick("room", which)
        asked = self.post(room.user, f"{room.path}/reservations/{uuid4()}/cancel")
        self.refused(self.api.ask(asked), 404, "reservation-unknown")
        self.touched[room.path] = room

    @step(which=some)
    def a_key_is_ones_own(self, which: int) -> None:
        """A colleague who happens to have the same key has a wish of their own."""
        rooms = [room for room in self.of("room") if room.college == "vaao" and room.body["left"] >= 2]
        if not rooms:
            return
        room = rooms[which % len(rooms)]
        self.steps["one key of two people"] += 1
        asked = self._reservation(room, 5)
        asked = [asked.but(user=HERE), asked.but(user=COLLEAGUE)]
        both = zip(asked, self.api.at_once(*asked), strict=True)
        for request, answer in sorted(both, key=lambda each: each[1].version):
            self.granted(answer, 201)
            self._reserved(room, request, answer)

    @step(when=lambda api: api.reacts, which=some)
    def the_read_model_comes_to_the_same(self, which: int) -> None:
        """The read model, soon, says what the room says."""
        self.steps["read model"] += 1
        room = self.pick("room", which)
        shown: Any = None
        until = time.monotonic() + SHOWN_SECONDS
        while time.monotonic() < until:
            shown = self.api.ask(Request(room.user, "GET", f"{room.path}/occupancy")).body
            if shown == {"seats": room.body["seats"], "left": room.body["left"]}:
                return
            time.sleep(LOOK_SECONDS)
        raise Disagrees(f"{room.path}: {room.body}, but its read model stays at {shown}")
