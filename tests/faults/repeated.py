"""I3's exception: what is done outside may be done again when nobody can know how an attempt ended. Each time needs a
cause that is on paper. Pure, as ``invariants.py``.

An attempt is explained by harm to the very connection that it went out on, or by a cause that hurt while it was under
way: the death of a sender, or what befell the way between the service and its store. One cause explains as many
attempts as a sender, or all of them, may have in hand.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.faults.invariants import Verdict

EARLY_SECONDS = 1.0
"""What happened in one moment may be written down in another order."""

LATE_SECONDS = 5.0
"""A death is noted when it is seen. And an attempt that ran out of time is written down a moment after."""

Line = Mapping[str, Any]


@dataclass(frozen=True)
class Attempt:
    """An attempt at an effect came to no known end between these two moments."""

    id: str
    since: float
    until: float


@dataclass(frozen=True)
class Carried:
    """An effect as a proxy saw it go out; without an id, a connection that was harmed before it had any."""

    id: str
    since: float
    until: float
    harmed: bool

    @classmethod
    def of(cls, line: Line) -> "Carried":
        """As the ledger has it."""
        return cls(line["id"], line["since"], line["at"], bool(line["harm"]))


@dataclass(frozen=True)
class Cause:
    """What explains attempts that were under way then; ``most``: so many."""

    what: str
    since: float
    until: float
    most: float = math.inf


@dataclass(frozen=True)
class Sender:
    """A service that does something outside: its instances, how many attempts one of them has in hand at most, how
    long one may take, and between which parts effects and writes go."""

    service: str
    instances: Sequence[str]
    at_once: int
    seconds: float
    way_out: str

    @property
    def store(self) -> str:
        """The pair of the service and its store."""
        return f"{self.service}-mongo"


def causes(sender: Sender, hurt: Iterable[Line], broke: Iterable[Line], stood_still: Iterable[Line]) -> list[Cause]:
    """What the ledger knows that can have cut attempts of this sender in the middle."""
    all_in_hand, found = sender.at_once * len(sender.instances), list[Cause]()
    for line in hurt:
        if line["part"] in sender.instances:
            found.append(Cause(f"the death of {line['part']}", line["at"], line["at"], sender.at_once))
        elif line["part"] == "mongo":
            found.append(Cause("the store's death", line.get("since", line["at"]), line["at"], all_in_hand))
    for line in broke:
        if line["pair"] == sender.store:
            most = math.inf if line["how"] == "hole" else all_in_hand
            found.append(Cause(f"{line['how']} of {sender.store}", line["since"], line["at"], most))
    # Nothing goes through the rig then, so that nothing new is claimed either.
    return found + [Cause("the rig stood still", line["since"], line["at"], all_in_hand) for line in stood_still]


def explained(
    sender: Sender, unsure: Iterable[Line], carried: Iterable[Carried], causes: Sequence[Cause], told: Iterable[str]
) -> Verdict:
    """Each effect of which the service says that it is ``unsure``, and each that went out again, has a cause.

    ``unsure`` are the moments between which the rig saw it become so, ``told`` the ids that now say it.
    """
    by_id = defaultdict[str, list[Carried]](list)
    for each in sorted(carried, key=lambda each: each.since):
        by_id[each.id].append(each)
    nameless = [Cause("a connection without an effect", each.since, each.until, 1) for each in by_id.pop("", [])]
    seen = [Attempt(line["id"], line["since"], line["until"]) for line in unsure]
    wrong = [f"{sender.service} {id}: unsure, and never seen to become so" for id in set(told) - {a.id for a in seen}]
    by_death = [each for each in seen if not any(c.harmed and _meet(each, c) for c in by_id[each.id])]
    wrong += [
        f"{sender.service} {each.id}: unsure since {each.since:.1f} to {each.until:.1f}, and nothing explains it"
        for each in without_cause(by_death, [*causes, *nameless])
    ]
    again = [
        Attempt(each.id, each.since, each.until + LATE_SECONDS)
        for each in (each for one in by_id.values() for each in one[:-1])
        if not each.harmed
    ]
    wrong += [
        f"{sender.service} {each.id}: went out at {each.since:.1f}, and again, and nothing explains it"
        for each in without_cause(again, causes)
    ]
    repeats = sum(len(each) - 1 for each in by_id.values())
    counts = {"unsure by their own connection": len(seen) - len(by_death), "went out again": repeats}
    return Verdict("I3", wrong, {f"{sender.service}: {what}": count for what, count in counts.items()})


def without_cause(attempts: Sequence[Attempt], causes: Sequence[Cause]) -> list[Attempt]:
    """Attempts that are left when each cause has explained as many as it can: the fewest that can be left."""
    explains = defaultdict[int, list[Attempt]](list)

    def place(attempt: Attempt, tried: set[int]) -> bool:
        fitting = [n for n, cause in enumerate(causes) if n not in tried and _meet(attempt, cause)]
        for number in fitting:
            if len(explains[number]) < causes[number].most:
                explains[number].append(attempt)
                return True
        for number in fitting:
            if number in tried:
                continue
            tried.add(number)
            for index, other in enumerate(explains[number]):
                if place(other, tried):  # which has another cause too
                    explains[number][index] = attempt
                    return True
        return False

    return [attempt for attempt in attempts if not place(attempt, set())]


def _meet(attempt: Attempt, other: Cause | Carried) -> bool:
    return other.since <= attempt.until and other.until >= attempt.since - EARLY_SECONDS
