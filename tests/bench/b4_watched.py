"""What B4 sees of a reaction of the kit's: how much it has taken."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tyrsky.deliveries import Delivery, Edition, Reaction, Taken


@dataclass
class Watched:
    """A reaction, and how much it has taken. With each round it is another group, which reads all of the topic."""

    reaction: Reaction
    count: int
    group: str
    taken: int = 0
    done: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def events(self) -> Any:
        return self.reaction.events

    def wants(self, college: str) -> bool:
        return self.reaction.wants(college)

    async def edition(self) -> Edition:
        return await self.reaction.edition()

    async def take(self, queues: Mapping[str, Sequence[Delivery]], edition: Edition) -> Taken:
        taken = await self.reaction.take(queues, edition)
        self.taken += taken.count
        if self.taken >= self.count:
            self.done.set()
        return taken
