"""A college's area: municipalities that it works in, under a name in its own words."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints
from tyrsky.aggregate import Aggregate, Command, Happening, PrivateEvent, Rejected, State, Unknown

MUNICIPALITIES_MAX = 320
"""Finland has some 308, and fewer each year."""

AreaName = Annotated[str, Field(min_length=1, max_length=100)]
Code = Annotated[str, StringConstraints(pattern=r"^[0-9]{3}$")]
Codes = Annotated[tuple[Code, ...], Field(max_length=MUNICIPALITIES_MAX)]


class Area(State):
    """What it is called, and which municipalities it has, in order. A removed one is as good as none."""

    name: AreaName
    municipalities: Codes
    removed: bool = False


class AreaDrawn(PrivateEvent):
    """There is a new area. How a college divides its region is its own affair."""

    name: AreaName
    municipalities: Codes


class AreaRenamed(PrivateEvent):
    """It has another name."""

    name: AreaName


class AreaRedrawn(PrivateEvent):
    """It has other municipalities."""

    municipalities: Codes


class AreaRemoved(PrivateEvent):
    """There is no such area any more."""


class AreaCommand(Command):
    """What can be asked of an area."""

    area_id: UUID


class DrawArea(AreaCommand):
    """Make a new area. ``known`` are those of its municipalities that the classification has."""

    name: AreaName
    municipalities: Codes
    known: frozenset[Code]


class ChangeArea(AreaCommand):
    """Name it, or draw it, anew. What is not set stays as it is."""

    name: AreaName | None = None
    municipalities: Codes | None = None
    known: frozenset[Code] = frozenset()


class RemoveArea(AreaCommand):
    """Take the area away. Companies, and what the register has, stay."""


def decide(area: Area | None, command: AreaCommand) -> Sequence[Happening]:
    """What a command comes to."""
    match area, command:
        case None, DrawArea():
            codes = _drawn(command.municipalities, command.known)
            return [AreaDrawn(name=command.name, municipalities=codes)]
        case Area(removed=True), RemoveArea():
            return []
        case ((None | Area(removed=True)), _):
            raise Unknown("area", command.area_id)
        case Area(), DrawArea():
            raise Rejected("area-already-drawn", area_id=command.area_id)
        case Area(), ChangeArea():
            return _changed(area, command)
        case Area(), RemoveArea():
            return [AreaRemoved()]
        case _:
            raise TypeError(f"an area cannot {type(command).__name__}")


def _changed(area: Area, command: ChangeArea) -> Sequence[Happening]:
    happenings: list[Happening] = []
    if command.name is not None and command.name != area.name:
        happenings.append(AreaRenamed(name=command.name))
    if command.municipalities is not None:
        # One that has gone since stays; it is only not added.
        codes = _drawn(command.municipalities, command.known | {*area.municipalities})
        if codes != area.municipalities:
            happenings.append(AreaRedrawn(municipalities=codes))
    return happenings


def _drawn(codes: Codes, known: frozenset[str]) -> Codes:
    if not codes:
        raise Rejected("area-empty", field="municipalities")
    if unknown := sorted({*codes} - known):
        raise Rejected("municipality-unknown", field="municipalities", unknown=unknown)
    return tuple(sorted({*codes}))


def evolve(area: Area | None, event: Happening) -> Area:
    """The area after what happened."""
    match area, event:
        case None, AreaDrawn():
            return Area(name=event.name, municipalities=event.municipalities)
        case Area(), AreaRenamed():
            return area.but(name=event.name)
        case Area(), AreaRedrawn():
            return area.but(municipalities=event.municipalities)
        case Area(), AreaRemoved():
            return area.but(removed=True)
        case _:
            raise TypeError(f"{type(event).__name__} does not happen to this area")


aggregate = Aggregate("area", Area, AreaCommand, decide, evolve, about=lambda id, _: id)
