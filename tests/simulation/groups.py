"""Consumer groups as a broker keeps them: offsets with notes, members, and the partitions shared out among them.

Eager, as aiokafka's are: everybody joins anew, and who does not come in time is out.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextvars import Context
from dataclasses import dataclass, field

from aiokafka import TopicPartition
from aiokafka.errors import IllegalGenerationError, RebalanceInProgressError, UnknownMemberIdError


@dataclass
class Member:
    """One member of a group."""

    id: str
    topics: tuple[str, ...]
    alive_at: float
    joined: "asyncio.Future[tuple[int, list[TopicPartition]]] | None" = None


@dataclass
class Group:
    """A consumer group: offsets, and who shares the work."""

    offsets: dict[TopicPartition, tuple[int, str]] = field(default_factory=dict[TopicPartition, tuple[int, str]])
    members: dict[str, Member] = field(default_factory=dict[str, Member])
    generation: int = 0
    joining_until: float | None = None


class Groups:
    """All groups. A member that gives no sign of life for ``session_seconds`` (aiokafka's default is 10) is out."""

    def __init__(
        self, partitions: Iterable[TopicPartition], *, session_seconds: float, rebalance_seconds: float
    ) -> None:
        self.groups: dict[str, Group] = {}
        self._all = partitions
        self._members = 0
        self._session_seconds = session_seconds
        self._rebalance_seconds = rebalance_seconds

    def new_member(self) -> int:
        """A number that no other member has."""
        self._members += 1
        return self._members

    def group(self, name: str) -> Group:
        """A group, whether anybody was ever in it or not."""
        return self.groups.setdefault(name, Group())

    def commit(self, group: str, member: str, generation: int, offsets: dict[TopicPartition, tuple[int, str]]) -> None:
        """Write down where a member of this generation is."""
        self._member(group, member, generation)
        self.group(group).offsets |= offsets

    def _member(self, name: str, member: str, generation: int) -> Member:
        group = self.group(name)
        if member not in group.members:
            raise UnknownMemberIdError
        if generation != group.generation:
            raise IllegalGenerationError
        return group.members[member]

    def heartbeat(self, name: str, member: str, generation: int) -> None:
        """A sign of life; says whether the group is being shared out anew."""
        known = self._member(name, member, generation)
        known.alive_at = self._now()
        if self.group(name).joining_until is not None:
            raise RebalanceInProgressError

    def join(self, name: str, id: str, topics: tuple[str, ...]) -> "asyncio.Future[tuple[int, list[TopicPartition]]]":
        """Become a member, or stay one; the answer comes when everybody has joined: generation and partitions."""
        group = self.group(name)
        if id not in group.members:
            self._watch(name, id)
        member = group.members.setdefault(id, Member(id, topics, self._now()))
        member.alive_at = self._now()
        joined = member.joined = asyncio.get_running_loop().create_future()
        if group.joining_until is None:
            self._share(name)
        self._joined(name)
        return joined

    def leave(self, name: str, id: str) -> None:
        """Go, so that others get the partitions at once."""
        group = self.group(name)
        if group.members.pop(id, None) is not None:
            if group.joining_until is None:
                self._share(name)
            self._joined(name)

    def wind_back(self, name: str, to: Callable[[int], int]) -> None:
        """What an operator's tool does to a group that has nobody: its offsets set back. Whoever was in it is out, and
        is told so if it is just joining."""
        group = self.group(name)
        for member in group.members.values():
            if member.joined is not None and not member.joined.done():
                member.joined.set_exception(UnknownMemberIdError())
        group.members.clear()
        group.offsets = {at: (to(offset), note) for at, (offset, note) in group.offsets.items()}

    def _share(self, name: str) -> None:
        group = self.group(name)
        group.joining_until = self._now() + self._rebalance_seconds
        self._later(self._rebalance_seconds, self._late, name, group.joining_until)

    def _late(self, name: str, until: float) -> None:
        """Those who have not come by now are out."""
        group = self.group(name)
        if group.joining_until == until:
            group.members = {id: member for id, member in group.members.items() if member.joined is not None}
            self._joined(name)

    def _joined(self, name: str) -> None:
        group = self.group(name)
        if any(member.joined is None for member in group.members.values()):
            return
        group.joining_until = None
        group.generation += 1
        members = sorted(group.members.values(), key=lambda member: member.id)
        topics = {topic for member in members for topic in member.topics}
        partitions = [at for at in self._all if at.topic in topics]
        shares: dict[str, list[TopicPartition]] = {member.id: [] for member in members}
        for number, at in enumerate(partitions):
            if members:
                shares[members[number % len(members)].id].append(at)
        for member in members:
            joined, member.joined = member.joined, None
            member.alive_at = self._now()
            if joined and not joined.done():
                joined.set_result((group.generation, shares[member.id]))

    def _watch(self, name: str, id: str) -> None:
        def look() -> None:
            group = self.group(name)
            member = group.members.get(id)
            if member is None:
                return
            left = member.alive_at + self._session_seconds - self._now()
            if left > 0 or member.joined is not None:
                self._later(max(left, 1.0), look)
            else:
                self.leave(name, id)

        self._later(self._session_seconds, look)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _later(self, seconds: float, what: Callable[..., None], *arguments: object) -> None:
        asyncio.get_running_loop().call_later(seconds, what, *arguments, context=Context())
