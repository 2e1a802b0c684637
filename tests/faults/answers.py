"""I8: what may be answered at all. Pure, as ``invariants.py``: nobody may be refused but by a rule that applies, nobody
may be left without an answer, and what is acknowledged has a version.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from tests.faults.invariants import Verdict
from tests.faults.ledger import Wish

KINDS = (
    "register-company",
    "add-contact",
    "plan-visit",
    "move-visit",
    "cancel-visit",
    "record-visit",
    "drop-in",
    "tag-company",
    "open-room",
    "reserve-seat",
    "cancel-seat",
)
"""What people of the load wish. Each was acknowledged at least once in every run, else the run proves nothing of it."""

Refusal = tuple[str, int, str]

RULES: frozenset[Refusal] = frozenset(
    {
        ("register-company", 409, "company-already-registered"),  # five companies are everybody's
        ("plan-visit", 422, "visit-in-the-past"),  # those that begin in two seconds, when the request took longer
        ("move-visit", 412, "version-stale"),
        ("tag-company", 412, "version-stale"),
        ("reserve-seat", 409, "room-full"),
    }
)
"""Refusals that the load can meet by the rules, as kind, status and code. Whatever else is refused is wrong."""

RULES_DURING: dict[str, frozenset[Refusal]] = {
    "F9": frozenset({("record-visit", 409, "visit-not-begun")}),  # by a clock that was turned back
}
"""The same while a fault is on."""

MODELLED = "machine"
"""The client that is the state machine (F16): it wishes what is refused on purpose, and judges each answer itself."""


def by_the_rules(wishes: Iterable[Wish], *, over: bool) -> Verdict:
    """Each refusal that no rule gives, each wish that nobody answered, each acknowledgement without a version.

    ``over``: the run is, so that nobody waits for an answer any more, and every kind has been acknowledged.
    """
    wrong, acknowledged, refused = list[str](), Counter[str](), Counter[str]()
    for wish in wishes:
        kind = wish.asked.kind
        who = f"{wish.asked.wish} {kind} {wish.asked.path}"
        if wish.acknowledged:
            acknowledged[kind] += 1
            wrong += _without_a_name(wish, who)
        elif wish.status:
            refused[f"refused by {wish.code or wish.status}"] += 1
            if wish.asked.client != MODELLED and not _may_be_refused(wish):
                wrong.append(f"{who}: answered {wish.status} {wish.code}, which no rule gives")
        elif wish.gave_up:
            wrong.append(f"{who}: nobody answered, in {wish.tries} tries")
        elif over:
            wrong.append(f"{who}: it has no answer, and nobody gave up")
    if over:
        wrong += [f"{kind}: none was ever acknowledged" for kind in KINDS if not acknowledged[kind]]
    return Verdict("I8", wrong, {"acknowledged": acknowledged.total(), **dict(sorted(refused.items()))})


def _without_a_name(wish: Wish, who: str) -> list[str]:
    """What an acknowledgement lacks, so that no other invariant could look for it."""
    if not wish.about or wish.about.endswith("/"):
        return [f"{who}: acknowledged without an id"]
    return [] if wish.version else [f"{who}: acknowledged without a version"]


def _may_be_refused(wish: Wish) -> bool:
    refusal = (wish.asked.kind, wish.status, wish.code)
    if refusal in RULES_DURING.get(wish.fault, frozenset()):
        return True
    if refusal not in RULES:
        return False
    body: Any = wish.asked.body or {}
    # Who is invited is invited for a day to come: only the others begin so soon that it may be too late.
    return wish.code != "visit-in-the-past" or not body.get("contact_id")
