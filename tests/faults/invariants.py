"""What must hold after all faults. Pure: paper in, counts with the offending ids out; ``checking.py`` fetches it.

An invariant is never weakened to pass. What the architecture says may happen (a repeat that says that it is one) is
counted beside it, under a name of its own.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.faults.ledger import Wish
from tests.faults.looking import Call, Kept, Record, Room


@dataclass(frozen=True)
class Verdict:
    """One invariant: what breaks it, each with its id; ``also`` is what was counted beside it."""

    code: str
    wrong: Sequence[str] = ()
    also: Mapping[str, int | float | str] = field(default_factory=dict[str, int | float | str])

    @property
    def holds(self) -> bool:
        """Whether nothing breaks it."""
        return not self.wrong


@dataclass(frozen=True)
class Shown:
    """An aggregate as the API shows it."""

    version: int
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Note:
    """A notification or a dispatch, as the service tells of it. ``unsure``: it may have been done twice."""

    id: str
    about: str
    status: str
    unsure: bool
    attempts: int = 1
    change: str = ""
    revision: int = 0


def acknowledged_is_there(
    wishes: Iterable[Wish], shown: Mapping[str, Shown | None], kept: Mapping[str, Kept]
) -> Verdict:
    """I1: what a client was told is done is there: at the version it was told of, or a later one, with its content.

    ``shown`` holds those aggregates that were asked for by now; ``kept`` is the whole store.
    """
    wrong: list[str] = []
    told = _told(wishes)
    for path, versions in told.items():
        highest = max(versions)
        in_store = kept.get(path.rsplit("/", 1)[-1])
        if in_store is None:
            wrong.append(f"{path}: not in the store")
        elif in_store.version < highest:
            wrong.append(f"{path}: version {highest} was acknowledged, the store has {in_store.version}")
        wrong += [f"{path}: version {v} was answered in two ways" for v, bodies in versions.items() if len(bodies) > 1]
        if path not in shown:
            continue
        now = shown[path]
        if now is None:
            wrong.append(f"{path}: the API does not know it")
        elif now.version < highest:
            wrong.append(f"{path}: version {highest} was acknowledged, the API shows {now.version}")
        elif now.version in versions and now.body not in versions[now.version]:
            wrong.append(f"{path}: version {now.version} has other content than was acknowledged")
    return Verdict("I1", wrong, {"aggregates acknowledged": len(told)})


def _told(wishes: Iterable[Wish]) -> dict[str, dict[int, list[Mapping[str, Any]]]]:
    """By aggregate: each version that a client was told of, with the content that it was shown."""
    told: dict[str, dict[int, list[Mapping[str, Any]]]] = {}
    for wish in wishes:
        if wish.acknowledged and wish.about and wish.version:
            bodies = told.setdefault(wish.about, {}).setdefault(wish.version, [])
            if wish.content not in bodies:
                bodies.append(wish.content)
    return told


def committed_is_published(
    kept: Mapping[str, Kept], records: Iterable[Record], later: Mapping[str, Kept] | None = None
) -> Verdict:
    """I2: every event of the store is on its topic; and nothing is there that no store has.

    An aggregate's sequence runs over all its topics together, from 1 without a gap. ``kept`` is the store before the
    topics were read, ``later`` after it: effects may still go on. What waits in an outbox is no loss, but late (I5).
    """
    later = later if later is not None else kept
    seen: defaultdict[str, set[int]] = defaultdict(set)
    for record in records:
        seen[record.key].add(record.sequence)
    wrong: list[str] = []
    for id, each in kept.items():
        missing = sorted(set(range(1, each.sequence - each.waiting + 1)) - seen[id])
        wrong += [f"{each.place} {id}: event {number} is on no topic" for number in missing]
    for id, each in later.items():
        wrong += [
            f"{each.place} {id}: event {n} is on a topic, the store has none" for n in seen[id] if n > each.sequence
        ]
    strangers = [key for key in seen if key not in later and seen[key]]
    wrong += [f"{key}: on a topic, in no store" for key in strangers]
    return Verdict("I2", wrong, {"events committed": sum(each.sequence for each in kept.values())})


def effects_once(
    wishes: Sequence[Wish],
    notes: Sequence[Note],
    mails: Counter[str],
    made: Mapping[str, Collection[str]],
) -> Verdict:
    """I3: no mail, no notification and no aggregate twice, and none that was not asked for.

    A mail may come again when its sender was killed before it knew the answer; its notification then says ``unsure``.
    That is the documented exception: it is counted apart. ``made`` are the ids in the store, by kind of wish.
    """
    wrong: list[str] = []
    about = Counter((note.about, note.revision) for note in notes)
    wrong += [f"{subject}: {times} notifications" for (subject, _), times in about.items() if times > 1]
    by_mail = {note.id: note for note in notes}
    repeats, repeated = 0, 0
    for message_id, times in mails.items():
        note = by_mail.get(message_id.strip("<>").split("@")[0])
        if note is None:
            wrong.append(f"mail {message_id}: of no notification")
        elif too_often := _too_often(f"mail {message_id}", times, note):
            wrong.append(too_often)
        elif times > 1:
            repeats, repeated = repeats + times - 1, repeated + 1
    for kind, ids in made.items():
        asked = [wish for wish in wishes if wish.asked.kind in kind.split()]
        unasked = set(ids) - {str(wish.body.get("id")) for wish in asked if wish.acknowledged}
        unanswered = sum(1 for wish in asked if not wish.status)
        if len(unasked) > unanswered:
            wrong += [f"{kind} {id}: nobody was told of it" for id in sorted(unasked)]
    also = {"notifications": len(notes), "mails": mails.total(), "unsure": sum(note.unsure for note in notes)}
    return Verdict("I3", wrong, {**also, "mails that came again and say so": repeats, "of notifications": repeated})


def calls_once(dispatches: Mapping[str, Note], calls: Sequence[Call], rooms: Mapping[str, Room]) -> Verdict:
    """I3 of webhooks: one call for each reservation, and none of nobody's asking.

    As with mails, a call may come again when the one before came to no known end (``dispatches`` says so of its id);
    it then has the same id, and the same body, which is signed as each is.
    """
    reserved = {id for room in rooms.values() for id in room.reservations}
    wrong = [f"dispatch {id}: of no reservation" for id in dispatches if id not in reserved]
    wrong += [f"webhook {call.id}: its signature is wrong" for call in calls if not call.genuine]
    bodies, repeats = defaultdict[str, list[str]](list), 0
    for call in calls:
        bodies[call.id].append(call.body)
    for id, told in bodies.items():
        if id not in dispatches:
            wrong.append(f"webhook {id}: of no dispatch")
        elif too_often := _too_often(f"webhook {id}", len(told), dispatches[id]):
            wrong.append(too_often)
        else:
            repeats += len(told) - 1
        if len(set(told)) > 1:
            wrong.append(f"webhook {id}: came with {len(set(told))} bodies")
    also = {"webhooks": len(calls), "webhooks that came again and say so": repeats}
    return Verdict("I3", wrong, {**also, "dispatches unsure": sum(each.unsure for each in dispatches.values())})


def _too_often(what: str, times: int, note: Note) -> str:
    """What is wrong with coming so many times; empty when nothing is."""
    if times > note.attempts:
        return f"{what}: came {times} times in {note.attempts} attempts"
    return f"{what}: came {times} times, and nobody says that it may" if times > 1 and not note.unsure else ""


def calls_came(wishes: Iterable[Wish], calls: Collection[str]) -> list[str]:
    """What I1 says of confirmations: each reservation that was acknowledged is told to the receiver."""
    reserved = [w.body["id"] for w in wishes if w.asked.kind == "reserve-seat" and w.acknowledged]
    return [f"reservation {id}: no webhook came" for id in reserved if id not in calls]


def together(*verdicts: Verdict) -> Verdict:
    """Several verdicts on one invariant as one."""
    also = {name: count for verdict in verdicts for name, count in verdict.also.items()}
    return Verdict(verdicts[0].code, [wrong for verdict in verdicts for wrong in verdict.wrong], also)


def never_back(records: Iterable[Record], rows: Iterable[str] = ()) -> Verdict:
    """I4: the sequence of an aggregate never goes back, in any topic or read model; no event is there twice, and no
    number is two events.

    ``records`` are what readers of what is committed find, without what the rig itself wrote. ``rows`` are read models
    that were seen to go back.
    """
    wrong, last, ids = list(rows), dict[tuple[str, str], int](), dict[tuple[str, int], str]()
    for each in sorted(records, key=lambda record: (record.topic, record.partition, record.offset)):
        where = f"{each.topic}[{each.partition}]@{each.offset} {each.key}"
        before = last.get((each.topic, each.key), 0)
        if each.sequence < before:
            wrong.append(f"{where}: {each.sequence} after {before}")
        last[each.topic, each.key] = max(before, each.sequence)
        if ids.setdefault((each.key, each.sequence), each.id) != each.id:
            wrong.append(f"{where}: {each.sequence} is two events")
        elif each.sequence == before:
            wrong.append(f"{where}: {each.sequence} is there twice")
    return Verdict("I4", wrong, {"events on topics": len(ids)})


def nobody_needed(
    processes: Mapping[str, str], waits: Mapping[str, str], parked: Iterable[str], ended: Iterable[str] = ()
) -> Verdict:
    """I7: every part runs and answers, none ended by itself, and no message waits for a person."""
    wrong = [f"{name}: {state}" for name, state in processes.items() if state not in ("RUNNING", "STOPPED")]
    wrong += [f"{name} waits for {what}" for name, what in waits.items() if what]
    wrong += [f"parked: {key}" for key in parked]
    wrong += [f"{end}, and the rig did not do it" for end in ended]
    return Verdict("I7", wrong, {"parts": len(processes)})
