"""What a seed lets happen to a service's instances, and when: at any step, or just as a certain request arrives."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.simulation.instance import Instance, Outside
from tests.simulation.loop import Process
from tests.simulation.network import Weather

TROUBLE_SECONDS = 20

FAULTS = ("kill", "freeze", "hold", "restart", "clock", "more", "wind-back", "no-mark")

AMBUSHES = (
    *("kafka.produce", "kafka.end", "kafka.commit", "rooms.insert_one", "rooms.update_one", "rooms.bulk_write"),
    *("trays.update_one", "seen.bulk_write", "counted.bulk_write", "relays.update_one", "relays.delete_one"),
    *("dead_letters.update_one", "dead_letters.delete_one"),
)
"""Requests at which trouble may lie in wait: something happens to the sender of the next one, or it is held up."""


@dataclass(frozen=True)
class Plan:
    """What a seed makes of a run: how much of everything. Each seed has only some kinds of trouble (swarm testing)."""

    instances: int
    rooms: int
    customers: int
    wishes: int
    weather: Weather
    faults: tuple[str, ...]
    how_many: int
    again: float
    poison: float
    ambushes: tuple[str, ...] = AMBUSHES

    @classmethod
    def of(cls, random: Random) -> "Plan":
        """Drawn."""

        def rate(most: float) -> float:
            return random.random() * most if random.random() < 0.4 else 0.0

        crowd = random.random() < 0.1  # many at once: batches, and what goes together
        return cls(
            instances=random.choice((1, 2, 2, 2, 3)),
            rooms=4 if crowd else random.choice((1, 1, 2)),
            customers=9 if crowd else random.randint(1, 4),
            wishes=random.randint(1, 3),
            weather=Weather(late=random.random(), slow=rate(0.02), lost=rate(0.08)),
            faults=tuple(each for each in FAULTS if random.random() < 0.4),
            how_many=random.randint(0, 5),
            again=rate(0.3),
            poison=rate(0.3),
        )


class Trouble:
    """The instances, and what befalls them."""

    def __init__(self, outside: Outside, plan: Plan, random: Random, note: Callable[[str], None]) -> None:
        self.instances: list[Instance] = []
        self.gone: list[Instance] = []
        self.held_until = 0.0
        self._outside = outside
        self._plan = plan
        self._random = random
        self._note = note
        self._doing: list[asyncio.Task[None]] = []
        self._calm = False

    def begin(self, name: str) -> Instance:
        """One more instance."""
        instance = Instance(name, self._outside)
        instance.start()
        self.instances.append(instance)
        return instance

    async def run(self) -> None:
        """What the plan says."""
        if self._plan.faults:
            for _ in range(self._plan.how_many):
                if self._random.random() < 0.3:
                    await asyncio.sleep(self._random.random() * TROUBLE_SECONDS / 4)
                await self._outside.loop.after(self._random.randint(0, 300))
                fault = self._random.choice(self._plan.faults)
                seconds = self._random.random() * self._random.choice((1, 12, 40))
                if self._random.random() < 0.6:
                    self._lie_in_wait(self._random.choice(self._plan.ambushes), fault, seconds)
                else:
                    self._do(fault, self._random.choice(self.instances), seconds)
        await asyncio.sleep(self._random.random() * 5)

    def _lie_in_wait(self, request: str, fault: str, seconds: float) -> None:
        """Let a fault come at the very moment that a certain request arrives."""
        self._note(f"=== {fault} waits for {request}")

        def ambush(name: str, sender: Process | None) -> float:
            victim = next((each for each in self.instances if each.process is sender), None)
            if name != request or victim is None:
                return 0.0
            network.ambush = None
            if fault == "hold":
                self.held_until = max(self.held_until, asyncio.get_running_loop().time() + seconds)
                self._note(f"=== {request} of {victim.name} is held up for {seconds:.1f}")
                return seconds
            self._do(fault, victim, seconds)
            return 0.0

        network = self._outside.to_broker if request.startswith("kafka.") else self._outside.to_store
        network.ambush = ambush

    def _do(self, fault: str, victim: Instance, seconds: float) -> None:
        self._note(f"=== {fault} {victim.name} {seconds:.1f}")
        match fault:
            case "kill":
                victim.crash()
                self._later(self._replace(victim, seconds / 4))
            case "restart":
                self._later(self._restart(victim))
            case "freeze":
                if not victim.process.frozen and not victim.process.dead:
                    victim.process.frozen = True
                    self._outside.loop.call_later(seconds, self._thaw, victim)
            case "clock":
                victim.process.ahead = self._random.choice((-300, -5, -1, 1, 5, 300)) * self._random.random()
            case "more":
                if len(self.instances) < 4:
                    self.begin(f"i{len(self.instances)}+")
            case "wind-back":
                self._wind_back()
            case "no-mark":
                self._outside.broker.leaves_out = lambda _: self._random.random() < 0.7
            case _:  # nothing to hold up just now
                pass

    def _thaw(self, victim: Instance) -> None:
        if victim.process.frozen:
            self._note(f"=== {victim.name} goes on")
            self._outside.loop.thaw(victim.process)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        self._doing.append(self._outside.loop.spawn(None, work))

    async def _replace(self, victim: Instance, seconds: float) -> None:
        await asyncio.sleep(0 if self._calm else seconds)
        self._successor(victim)

    async def _restart(self, victim: Instance) -> None:
        if victim.process.dead or victim.process.frozen:
            return
        await victim.stop()
        self._successor(victim)

    def _successor(self, victim: Instance) -> None:
        if victim in self.instances:
            self.gone.append(victim)
            self.instances.remove(victim)
            self.begin(victim.name.partition("'")[0] + "'" * (1 + victim.name.count("'")))

    def _wind_back(self) -> None:
        """Somebody sets the offsets of all groups back."""
        for group in self._outside.broker.groups:
            self._outside.broker.wind_back(group, lambda offset: self._random.randint(0, offset))

    def clear_up(self) -> None:
        """No more trouble: whoever is frozen goes on, clocks are right, nothing is lost."""
        self._note("=== the weather clears up")
        self._calm = True
        weather = self._plan.weather
        weather.slow = weather.lost = 0.0
        self._outside.to_store.ambush = self._outside.to_broker.ambush = None
        self._outside.behaviour.again = 0.0
        self._outside.broker.leaves_out = None
        for instance in self.instances:
            instance.process.ahead = 0.0
            self._thaw(instance)
