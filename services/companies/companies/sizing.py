"""Size classes by Recommendation 2003/361/EC, where somebody knows them: the register's open data have no headcounts.

A CSV file (UTF-8; ``,``, ``;`` or tabs) with the columns ``business_id`` and ``size_class``, or the figures that it
follows from: ``people`` and ``turnover_eur`` or ``balance_eur``. It is told by companies of the register alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter
from pymongo import UpdateOne
from pymongo.collection import Collection
from tyrsky.aggregate import Rejected

from companies.register import SizeClass, parse_business_id
from companies.tabular import rows_of

Document = dict[str, Any]

BATCH = 500
FIGURE_DIGITS_MAX = 15
SIZE_CLASS: TypeAdapter[SizeClass] = TypeAdapter(SizeClass)

CEILINGS: tuple[tuple[SizeClass, int, int, int], ...] = (
    ("micro", 10, 2_000_000, 2_000_000),
    ("small", 50, 10_000_000, 10_000_000),
    ("medium", 250, 50_000_000, 43_000_000),
)
"""Of each class: fewer people than this, and turnover or balance of so many euros at most."""


def size_class(people: int, turnover_eur: int | None = None, balance_eur: int | None = None) -> SizeClass:
    """The class of a company with these figures; without money figures by its people alone."""
    for name, people_below, turnover_max, balance_max in CEILINGS:
        figures = [(turnover_eur, turnover_max), (balance_eur, balance_max)]
        known = [figure <= ceiling for figure, ceiling in figures if figure is not None]
        if people < people_below and (any(known) or not known):
            return name
    return "large"


@dataclass
class Report:
    """What an import of sizes did; ``errors`` are lines of the file with what is wrong there."""

    changed: int = 0
    same: int = 0
    unknown: int = 0
    errors: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])


def size(register: Collection[Document], data: bytes) -> Report:
    """Tell the register the sizes of the companies in a file.

    :raises NotReadable: when it is no such file; nothing was changed.
    """
    report = Report()
    wanted: dict[str, SizeClass] = {}
    for line, row in rows_of(data, required=("business_id",)):
        try:
            wanted[parse_business_id(row.get("business_id", ""))] = _size(row)
        except (Rejected, ValueError) as error:
            report.errors.append((line, error.code if isinstance(error, Rejected) else "size-wrong"))
    ids = list(wanted)
    for batch in (ids[i : i + BATCH] for i in range(0, len(ids), BATCH)):
        found = register.find({"_id": {"$in": batch}}, {"size_class": 1})
        stored = {each["_id"]: each.get("size_class") for each in found}
        changed = [each for each in batch if each in stored and stored[each] != wanted[each]]
        if changed:
            register.bulk_write(
                [UpdateOne({"_id": each}, {"$set": {"size_class": wanted[each]}}) for each in changed], ordered=False
            )
        report.changed += len(changed)
        report.same += len(stored) - len(changed)
        report.unknown += len(batch) - len(stored)
    return report


def _size(row: Mapping[str, str]) -> SizeClass:
    told = row.get("size_class", "")
    if told:
        return SIZE_CLASS.validate_python(told)
    people, turnover, balance = (_figure(row.get(name, "")) for name in ("people", "turnover_eur", "balance_eur"))
    if people is None:
        raise ValueError("no people")
    return size_class(people, turnover, balance)


def _figure(text: str) -> int | None:
    if text and not (text.isascii() and text.isdigit() and len(text) <= FIGURE_DIGITS_MAX):
        raise ValueError(text)
    return int(text) if text else None
