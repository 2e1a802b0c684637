"""Who was to be invited, and was (part of I1): pure, as ``invariants.py``.

A contact without an address is called by staff, and gets no mail. Which contacts had one is known from what was asked
and answered: of a contact that was changed meanwhile, either is right.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from tests.faults.invariants import Note, Verdict
from tests.faults.ledger import Wish


def mails_came(wishes: Sequence[Wish], notes: Iterable[Note], mails: Mapping[str, int]) -> Verdict:
    """Each visit that was planned with a contact has its notification, and the mail; with one who has no address, it
    has neither."""
    by_visit = {note.about: note for note in notes if not note.change}
    boxes = {message_id.strip("<>").split("@")[0] for message_id, times in mails.items() if times}
    contacts, wrong = _Contacts(wishes), list[str]()
    counts = {"invitations": 0, "visits to somebody without an address": 0}
    for wish in wishes:
        if wish.asked.kind != "plan-visit" or not wish.acknowledged or not (wish.asked.body or {}).get("contact_id"):
            continue
        visit, reachable = str(wish.body["id"]), contacts.reachable(wish.asked.body["contact_id"], wish.asked_at)
        note = by_visit.get(visit)
        counts["invitations"] += note is not None
        if note is None:
            counts["visits to somebody without an address"] += False in reachable
            wrong += [f"/visits/{visit}: no notification"] if False not in reachable else []
        elif True not in reachable:
            wrong.append(f"/visits/{visit}: notification {note.id}, to somebody without an address")
        elif note.status != "sent":
            wrong.append(f"/visits/{visit}: its notification {note.id} is {note.status}")
        elif note.id not in boxes:
            wrong.append(f"/visits/{visit}: notification {note.id} is sent, and no mail came")
    return Verdict("I1", wrong, counts)


class _Contacts:
    """What is known of contacts' addresses."""

    def __init__(self, wishes: Iterable[Wish]) -> None:
        self._told = defaultdict[str, list[tuple[int, float, bool]]](list)
        self._perhaps = defaultdict[str, set[bool]](set)
        for wish in wishes:
            if wish.acknowledged and wish.about.startswith("/contacts/") and "email" in wish.body:
                self._told[wish.about].append((wish.version, wish.answered_at, wish.body["email"] is not None))
            elif (not wish.status or wish.tries > 1) and "email" in (wish.asked.body or {}):  # done, and not told so
                self._perhaps[wish.about].add(wish.asked.body["email"] is not None)

    def reachable(self, contact: str, since: float) -> set[bool]:
        """Whether a contact had an address when it was invited: at ``since`` or, as events take their time, later. A
        contact that nobody was told of has one, or so it is asked for."""
        path = f"/contacts/{contact}"
        told = sorted(self._told[path])
        before = [index for index, (_, at, _) in enumerate(told) if at < since]
        return {has for _, _, has in told[max(before, default=0) :]} | self._perhaps[path] or {True}
