"""What a college's own service is asked for: rooms with few seats, and more guests than seats."""

from collections import deque
from dataclasses import dataclass, field

from tests.faults.load import Client

SEATS = (10, 20, 40)
ROOMS_OPEN = 4
RESERVATIONS_KEPT = 40


@dataclass
class Desk:
    """One person at a reception desk. All desks reserve in the rooms that any of them opened: ``rooms`` is shared."""

    rooms: deque[str]
    reserved: deque[tuple[str, str]] = field(default_factory=lambda: deque[tuple[str, str]](maxlen=RESERVATIONS_KEPT))

    async def script(self, client: Client) -> None:
        """One thing, by dice: mostly reservations, some given back, and a new room when the last ones are full."""
        dice = client.random.random()
        if not self.rooms:
            await self._open(client)
        elif dice < 0.15 and self.reserved:
            await self._cancel(client)
        elif dice < 0.25:
            room = f"/rooms/{client.random.choice(list(self.rooms))}"
            await client.get(client.random.choice([room, f"{room}/occupancy"]))
        else:
            await self._reserve(client)

    async def _open(self, client: Client) -> None:
        body = {"seats": client.random.choice(SEATS)}
        done = await client.ask("open-room", "POST", "/rooms", body, about="/rooms/{id}")
        if done.acknowledged:
            self.rooms.append(done.body["id"])

    async def _reserve(self, client: Client) -> None:
        room = client.random.choice(list(self.rooms))
        path, body = f"/rooms/{room}", {"guest": f"Vieras {client.random.randint(1, 999)}"}
        done = await client.ask("reserve-seat", "POST", f"{path}/reservations", body, about=path, within="room")
        if done.acknowledged:
            self.reserved.append((room, done.body["id"]))
        elif done.code == "room-full":
            await self._open(client)

    async def _cancel(self, client: Client) -> None:
        room, reservation = self.reserved.popleft()
        path = f"/rooms/{room}"
        await client.ask("cancel-seat", "POST", f"{path}/reservations/{reservation}/cancel", about=path)
