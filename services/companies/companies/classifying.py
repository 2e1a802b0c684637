"""Reads an official classification's CSV file, and brings what is stored up to it.

Columns ``code``, ``name_fi`` and, where the file has them, ``name_sv``, ``name_en``, ``level``, ``parent``
(``region_code`` of a municipality), in any order; others are passed by. The traps of the files that are published:
levels written ``1.0``, totals among the classes (``SSSSS``), placeholders (``00000 ------``), names missing in a
language, codes in quotes, and codes whose zeros a spreadsheet has eaten. A row that is wrong is told by its line, and
spoils no other.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pymongo import ReplaceOne, UpdateMany
from pymongo.collection import Collection
from tyrsky.language import LANGUAGES, Language

from companies.classification import FORMS, INDEXES, Class, Kind, document
from companies.tabular import NotReadable, rows_of

Document = dict[str, Any]

NAME_MAX = 300
ERRORS_KEPT = 1_000

GONE_FREELY = 5
GONE_SHARE = 0.1
"""More than this share of the classes, and more than a handful, are not marked gone unasked: the file may be cut."""

CALLED = {"region_code": "parent"}
"""What stands above a municipality has a name of its own."""

LEVEL = re.compile(r"([0-9])(?:\.0+)?")
TOTAL = re.compile("S{2,}")


@dataclass
class Report:
    """What an import did. ``errors`` are lines of the file with what is wrong there; ``held`` classes would be gone,
    and so many are not marked so without being told to."""

    rows: int = 0
    new: int = 0
    changed: int = 0
    same: int = 0
    gone: int = 0
    held: int = 0
    passed_by: Counter[str] = field(default_factory=Counter[str])
    refused: int = 0
    errors: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    untranslated: Counter[Language] = field(default_factory=Counter[Language])

    def refuse(self, line: int, reason: str) -> None:
        """Count a row that is wrong."""
        self.refused += 1
        if len(self.errors) < ERRORS_KEPT:
            self.errors.append((line, reason))


class _Wrong(ValueError):  # noqa: N818 - a verdict
    """What is wrong with one row."""


class _PassedBy(ValueError):  # noqa: N818 - a verdict
    """What a row is that is right, and no class."""


def classify(collection: Collection[Document], kind: Kind, data: bytes, *, gone: bool = False) -> Report:
    """Bring the stored classes of a kind up to a file. The same file again changes nothing.

    :raises NotReadable: when it is no file of that form at all.
    """
    for index in INDEXES:
        collection.create_index(index)
    report = Report()
    found, named = classes_of(kind, data, report)
    fields = {"code": 1, "digest": 1, "gone": 1}
    stored = {each["code"]: each for each in collection.find({"kind": kind}, fields)}
    writes: list[ReplaceOne[Document] | UpdateMany] = []
    for each in found:
        wanted = document(each)
        if each.code not in stored:
            report.new += 1
        elif stored[each.code]["digest"] != wanted["digest"] or stored[each.code]["gone"]:
            report.changed += 1
        else:
            report.same += 1
            continue
        writes.append(ReplaceOne({"_id": wanted["_id"]}, wanted, upsert=True))
    there = [code for code, each in stored.items() if not each["gone"]]
    missing = [f"{kind}/{code}" for code in there if code not in named]
    if missing and not gone and len(missing) > max(GONE_FREELY, GONE_SHARE * len(there)):
        report.held = len(missing)
    elif missing:
        report.gone = len(missing)
        writes.append(UpdateMany({"_id": {"$in": missing}}, {"$set": {"gone": True}}))
    if writes:
        collection.bulk_write(writes, ordered=False)
    return report


def classes_of(kind: Kind, data: bytes, report: Report) -> tuple[list[Class], set[str]]:
    """The classes of a file, and every code that it names, of wrong rows too: what is wrong is not gone."""
    lines: dict[str, int] = {}
    found: dict[str, Class] = {}
    named: set[str] = set()
    for line, row in rows_of(data, required=("code", "name_fi"), called=CALLED):
        report.rows += 1
        try:
            code = _code(kind, row)
            named.add(code)
            each = _class(kind, code, row)
            if each.code in found:
                raise _Wrong("code-twice")
        except _PassedBy as other:
            report.passed_by[str(other)] += 1
        except _Wrong as wrong:
            report.refuse(line, str(wrong))
        else:
            found[each.code], lines[each.code] = each, line
    if not named:
        raise NotReadable("it has no row with a code of this classification")
    for each in _beneath_nothing(kind, found):
        report.refuse(lines[each.code], "parent-wrong")
        del found[each.code]
    for each in found.values():
        report.untranslated.update(language for language in LANGUAGES if language not in each.names)
    return list(found.values()), named


def _beneath_nothing(kind: Kind, found: Mapping[str, Class]) -> list[Class]:
    """The classes whose parent is none that is above them. A municipality's region is in another file."""
    wrong: list[Class] = []
    for each in found.values():
        if each.parent is None or FORMS[kind].above:
            continue
        above = found.get(each.parent)
        level = each.level or 0
        if above is None or above is each or (each.level and above.level and above.level >= level):
            wrong.append(each)
    return wrong


def _code(kind: Kind, row: Mapping[str, str]) -> str:
    code = row.get("code", "").strip("'")
    if not code:
        raise _Wrong("code-missing")
    if TOTAL.fullmatch(code):
        raise _PassedBy("total")
    if not FORMS[kind].code.fullmatch(code):
        raise _Wrong("code-wrong")
    return code


def _class(kind: Kind, code: str, row: Mapping[str, str]) -> Class:
    names: dict[Language, str] = {}
    for language in LANGUAGES:
        name = " ".join(row.get(f"name_{language}", "").split())
        if len(name) > NAME_MAX or not name.isprintable():
            raise _Wrong("name-wrong")
        if any(letter.isalnum() for letter in name):
            names[language] = name
    if "fi" not in names:
        raise _PassedBy("placeholder") if row.get("name_fi") else _Wrong("name-missing")
    return Class(kind=kind, code=code, level=_level(row), parent=_parent(kind, row), names=names)


def _level(row: Mapping[str, str]) -> int | None:
    text = row.get("level", "")
    found = LEVEL.fullmatch(text)
    if text and not found:
        raise _Wrong("level-wrong")
    return int(found[1]) if found else None


def _parent(kind: Kind, row: Mapping[str, str]) -> str | None:
    parent = row.get("parent", "").strip("'")
    if not parent or TOTAL.fullmatch(parent):
        return None
    if not (FORMS[kind].above or FORMS[kind].code).fullmatch(parent):
        raise _Wrong("parent-wrong")
    return parent
