"""Which companies of the register a deployment keeps: those of some municipalities, or of the whole country."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pymongo.database import Database
from pymongo.errors import OperationFailure

from companies import classification
from companies.register import RegisterEntry

Document = dict[str, Any]


class NotSelectable(Exception):  # noqa: N818 - says what to do instead
    """What was asked for cannot be selected; says why."""


@dataclass(frozen=True)
class Selection:
    """``municipalities`` is None for the whole country."""

    municipalities: frozenset[str] | None = None

    def takes(self, entry: RegisterEntry) -> bool:
        """Whether the company is to be kept though it was not there before. One without a municipality is in none."""
        return self.municipalities is None or entry.municipality in self.municipalities

    def __str__(self) -> str:
        return "everywhere" if self.municipalities is None else ",".join(sorted(self.municipalities))


EVERYWHERE = Selection()


@dataclass(frozen=True)
class Wanted:
    """What somebody asked for, by whatever they know it. Nothing at all means what suits the store."""

    municipalities: Sequence[str] = ()
    regions: Sequence[str] = ()
    areas: Sequence[str] = ()
    college: str | None = None
    everything: bool = False

    @property
    def is_named(self) -> bool:
        """Whether some place was named."""
        return bool(self.municipalities or self.regions or self.areas)


def select(database: Database[Document], wanted: Wanted) -> Selection:
    """What is to be kept. When nothing was asked for: everything; where the store scans, the areas, if there are any.

    :raises NotSelectable: when a place is not known.
    """
    if wanted.everything and wanted.is_named:
        raise NotSelectable("Everything, or some places: not both.")
    if wanted.is_named:
        codes = {*_known(database, wanted.municipalities)}
        for region in wanted.regions:
            codes |= _municipalities_of(database, region)
        for area in wanted.areas:
            codes |= _area(database, area, wanted.college)
        return Selection(frozenset(codes))
    if wanted.everything or not scans(database):
        return EVERYWHERE
    drawn = {code for area in _areas(database, wanted.college) for code in area["state"]["municipalities"]}
    return Selection(frozenset(drawn)) if drawn else EVERYWHERE


def scans(database: Database[Document]) -> bool:
    """Whether the store is the embedded server, which reads the whole collection for each search."""
    try:
        database.client.admin.command("buildInfo")
    except OperationFailure:  # which that server does not know
        return True
    return False


def names_of(database: Database[Document], selection: Selection) -> list[str]:
    """The names, in Finnish and Swedish, of the municipalities that were selected.

    :raises NotSelectable: when the classification of municipalities lacks one.
    """
    codes = sorted(selection.municipalities or ())
    _known(database, codes, before_there_are_any=False)
    found = database[classification.COLLECTION].find({"kind": "municipality", "code": {"$in": codes}}).sort("code", 1)
    return list(dict.fromkeys(name for each in found for key, name in each["names"].items() if key != "en"))


def _known(database: Database[Document], codes: Sequence[str], *, before_there_are_any: bool = True) -> Sequence[str]:
    """Codes of municipalities, all of which the classification has; before it is imported they are taken at their word.

    :raises NotSelectable: when one is not there.
    """
    collection = database[classification.COLLECTION]
    found = {
        each["code"] for each in collection.find({"kind": "municipality", "code": {"$in": list(codes)}}, {"code": 1})
    }
    missing = sorted({*codes} - found)
    if not missing or (before_there_are_any and collection.find_one({"kind": "municipality"}) is None):
        return codes
    raise NotSelectable(
        f"There is no municipality {', '.join(missing)} in the classification. `tyrsky classifications import "
        "municipality FILE` brings what it has."
    )


def _municipalities_of(database: Database[Document], region: str) -> set[str]:
    """Those that have gone too: companies may still have their codes."""
    wanted = {"kind": "municipality", "parent": region}
    found = {each["code"] for each in database[classification.COLLECTION].find(wanted, {"code": 1})}
    if not found:
        raise NotSelectable(
            f"No municipality of region {region} is known: import the classification of municipalities."
        )
    return found


def _areas(database: Database[Document], college: str | None) -> list[Document]:
    of_whom = {} if college is None else {"college": college}
    return list(database["areas"].find({**of_whom, "state.removed": False}, {"college": 1, "state": 1}))


def _area(database: Database[Document], name: str, college: str | None) -> set[str]:
    """The municipalities of the one area with a name or an id."""
    found = [each for each in _areas(database, college) if name in (each["_id"], each["state"]["name"])]
    if not found:
        raise NotSelectable(f"There is no area {name}. `GET /areas` lists a college's.")
    if len(found) > 1:
        raise NotSelectable(f"There are {len(found)} areas {name}: say whose with --college, or give its id.")
    return set(found[0]["state"]["municipalities"])
