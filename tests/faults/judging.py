"""All that was found, and the verdict on each invariant but I7. Pure, as ``invariants.py``: ``checking.py`` fetches it,
and has it judged in a thread, since it takes seconds."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.faults import answers, invariants, invited, reads, repeated, reserved
from tests.faults.invariants import Note, Shown, Verdict
from tests.faults.ledger import Look, Wish
from tests.faults.looking import Call, Kept, Record, Room
from tests.faults.repeated import Carried, Line, Sender
from tests.faults.resting import Rest, settles

MADE = {
    "register-company": "companies.companies",
    "add-contact": "companies.contacts",
    "plan-visit drop-in": "companies.visits",
    "open-room": "seats.rooms",
}
NOTES = ("hurt", "broke", "stood still", "unsure", "carried")
"""Kinds of notes in the ledger that say what befell effects."""


@dataclass(frozen=True)
class Stored:
    """What the services and the topics hold. ``before`` is the store as it was before the topics were read."""

    before: Mapping[str, Kept]
    kept: Mapping[str, Kept]
    records: Sequence[Record]
    shown: Mapping[str, Shown | None]
    looked_up: int
    gone_back: Sequence[str]


@dataclass(frozen=True)
class Outside:
    """What was done outside, what each service says of it (``told``), and what the ledger notes of it, by kind."""

    senders: Sequence[Sender]
    mails: Counter[str]
    calls: Sequence[Call]
    told: Mapping[str, Sequence[Note]]
    notes: Mapping[str, Sequence[dict[str, Any]]]


@dataclass(frozen=True)
class Found:
    """The paper, the store, what is outside, the rooms, and how long rest took. ``over``: the run is, so that all mails
    and calls have come."""

    wishes: Sequence[Wish]
    stored: Stored
    outside: Outside
    rooms: Mapping[str, Room]
    looks: Sequence[Look]
    rests: Sequence[Rest]
    not_sent: Sequence[str]
    over: bool


def judged(found: Found) -> list[Verdict]:
    """I1 to I6, and I8."""
    stored = found.stored
    return [
        _is_there(found),
        invariants.committed_is_published(stored.before, stored.records, stored.kept),
        _once(found),
        invariants.together(
            invariants.never_back(stored.records, stored.gone_back), reads.shown_goes_on(found.wishes, found.looks)
        ),
        invariants.together(settles(found.rests), Verdict("I5", found.not_sent)),
        reserved.seats_exact(found.wishes, found.rooms),
        answers.by_the_rules(found.wishes, over=found.over),
    ]


def _is_there(found: Found) -> Verdict:
    stored, outside = found.stored, found.outside
    there = invariants.acknowledged_is_there(found.wishes, stored.shown, stored.kept)
    counted = Verdict("I1", (), {"looked up through the API": stored.looked_up})
    if not found.over:
        return invariants.together(there, counted)
    missing = invariants.calls_came(found.wishes, {call.id for call in outside.calls})
    invitations = invited.mails_came(found.wishes, outside.told["notifications"], outside.mails)
    return invariants.together(there, counted, invitations, Verdict("I1", missing))


def _once(found: Found) -> Verdict:
    stored, outside = found.stored, found.outside
    made = {kind: [id for id, each in stored.kept.items() if each.place == place] for kind, place in MADE.items()}
    dispatches = {note.id: note for note in outside.told["seats"]}
    return invariants.together(
        invariants.effects_once(found.wishes, outside.told["notifications"], outside.mails, made),
        invariants.calls_once(dispatches, outside.calls, found.rooms),
        *(_explained(outside, sender) for sender in outside.senders),
        stalls(outside.notes["stood still"]),
    )


def _explained(outside: Outside, sender: Sender) -> Verdict:
    """Whether each effect that may have been done twice, and each that went out again, has a cause on paper."""
    notes = outside.notes
    return repeated.explained(
        sender,
        [line for line in notes["unsure"] if line["service"] == sender.service],
        [Carried.of(line) for line in notes["carried"] if line["pair"] == sender.way_out],
        repeated.causes(sender, notes["hurt"], notes["broke"], notes["stood still"]),
        [note.id for note in outside.told[sender.service] if note.unsure],
    )


def stalls(stood_still: Sequence[Line]) -> Verdict:
    """How often the rig itself stood still, and how long at most: it hurts what goes through it."""
    longest = max((line["at"] - line["since"] for line in stood_still), default=0.0)
    return Verdict("I3", (), {"the rig stood still": len(stood_still), "its longest, s": round(longest, 1)})
