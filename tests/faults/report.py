"""A run as a page: the machine, the seed, what each fault did, and each invariant as a count with the offending ids."""

import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime

import psutil

from tests.commit import current_commit
from tests.faults import faults
from tests.faults.invariants import Verdict
from tests.faults.planning import Planned
from tests.faults.running import Result, Segment

IDS_SHOWN = 20

INVARIANTS = {
    "I1": "acknowledged, but missing",
    "I2": "committed events that are on no topic",
    "I3": "effects twice, or of nobody's asking",
    "I4": "sequences that went back, events twice on a topic",
    "I5": "not at rest within 30 s of a fault's end",
    "I6": "quotas and reservations that are not exact",
    "I7": "parts and messages that need a person",
    "I8": "answers that no rule gives, and wishes without one",
}

AT_REST = (
    "At rest is when no outbox waits and no consumer group lags. It is measured from the last thing that the rig did "
    "to the system in a fault: a kill, a request to stop, a network or a clock that is right again; for Kafka and the "
    "store from their first answer after a kill, since how long they are away is the fault. Waiting for clients that "
    "still ask is part of it; operations/faults.md says what some faults measure themselves. Mails and webhooks may be "
    "due for longer: a sender that was killed holds its claim for "
    "some 40 s; at the end all are waited for, and I5 names those that did not go."
)


def page(result: Result) -> str:
    """The report in Markdown."""
    return "\n".join([*_head(result), *_invariants(result), *_faults(result), *_wrong(result), ""])


def _head(result: Result) -> list[str]:
    wanted, asked = result.wanted, result.asked
    outside = ", ".join(sorted(wanted.outside.parts)) or "none"
    how = "all amounts in full" if wanted.full else f"{wanted.minutes:g} minutes"
    return [
        "# Faults",
        "",
        f"Written by `python -m tests.faults`, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC; how to read and repeat it: "
        "[operations/faults.md](operations/faults.md).",
        "",
        f"- machine: {os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}; commit {current_commit()}",
        f"- seed {wanted.seed}, {how}, {result.seconds / 60:.0f} minutes in all; servers from outside: {outside}",
        f"- {asked['asked']} commands in {asked['tries']} tries: {asked['acknowledged']} acknowledged, "
        f"{asked['refused']} refused (I8: by which rules), {asked['gave up']} given up after two minutes "
        "without an answer",
        f"- **{_conclusion(result)}**",
        "",
        AT_REST,
        "",
    ]


def _conclusion(result: Result) -> str:
    if not result.holds:
        return "NOT EVERYTHING HELD: see below"
    return "every invariant held" + ("" if result.ran_in_full(faults.ALL) else ", of what was run")


def _invariants(result: Result) -> list[str]:
    rows = ["## Invariants", "", "| | what breaks it | after the faults | at the end | counted beside it |"]
    rows += ["| --- | --- | --- | --- | --- |"]
    for code, what in INVARIANTS.items():
        last = [verdict for verdict in result.verdicts if verdict.code == code]
        if not last:
            rows.append(f"| {code} | {what} | not checked | not checked | |")
            continue
        during = sum(len(v.wrong) for segment in result.segments for v in segment.verdicts if v.code == code)
        also = ", ".join(f"{name}: {count}" for name, count in last[0].also.items())
        rows.append(f"| {code} | {what} | {during} | {len(last[0].wrong)} | {also} |")
    return [*rows, ""]


def _faults(result: Result) -> list[str]:
    """A row for each fault there is, also for those that nobody asked for."""
    ran = {segment.planned.fault.code: segment for segment in result.segments}
    segments = [ran.get(each.code) or Segment(Planned(each, 0, "not asked for")) for each in faults.ALL]
    rows = ["## Faults", "", "| | fault | times | of | what took place | wrong | at rest after, s |"]
    rows += ["| --- | --- | --- | --- | --- | --- | --- |"]
    for segment in segments:
        fault, planned = segment.planned.fault, segment.planned
        if not planned.amount:
            rows.append(f"| {fault.code} | {fault.name} | not run: {planned.why_not} | {fault.full} | | | |")
            continue
        counts = ", ".join(f"{what}: {count}" for what, count in segment.outcome.counts.items())
        wrong = (
            segment.broke
            or segment.short
            or (len(segment.outcome.wrong) + sum(len(verdict.wrong) for verdict in segment.verdicts))
        )
        rows.append(
            f"| {fault.code} | {fault.name} | {segment.outcome.times} | {fault.full} | {counts} | {wrong} "
            f"| {segment.settled:.1f} |"
        )
    return [*rows, ""]


def _wrong(result: Result) -> list[str]:
    found: list[str] = [f"- the rig itself: {each}" for each in result.broken[:IDS_SHOWN]]
    found += [f"- {each.fault.code}: was to be run, and was not: {each.why_not}" for each in result.left_out]
    for segment in result.segments:
        code = segment.planned.fault.code
        found += [f"- {code}: {each}" for each in (segment.broke, segment.short) if each]
        found += [f"- {code}: {each}" for each in segment.outcome.wrong[:IDS_SHOWN]]
        found += _ids(f"after {code}", segment.verdicts)
    found += _ids("at the end", result.verdicts)
    return ["## What was wrong", "", *found] if found else []


def _ids(when: str, verdicts: Iterable[Verdict]) -> list[str]:
    lines: list[str] = []
    for verdict in verdicts:
        lines += [f"- {verdict.code} {when}: {each}" for each in verdict.wrong[:IDS_SHOWN]]
        if len(verdict.wrong) > IDS_SHOWN:
            lines.append(f"- {verdict.code} {when}: and {len(verdict.wrong) - IDS_SHOWN} more")
    return lines
