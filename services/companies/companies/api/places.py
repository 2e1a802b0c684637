"""Where companies are: in a region, or in one of the college's areas, as the municipalities that it has."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends
from tyrsky.aggregate import Rejected, Unknown
from tyrsky.handling import Handling, handling

from companies import area, classification
from companies.api.classifications import Classifications

Areas = Annotated[Handling[area.Area, area.AreaCommand], Depends(handling(area.aggregate))]


class Places:
    """What regions and areas come to."""

    def __init__(self, classes: Classifications, areas: Areas) -> None:
        self._classes = classes
        self._areas = areas

    async def municipalities(self, region: str | None, area: UUID | None) -> list[set[str]]:
        """The municipalities of each of the two that is named. Where a company is that is wanted, all of them have.

        :raises Rejected: ``region-unknown``, ``area-unknown``.
        """
        found: list[set[str]] = []
        if region is not None:
            found.append(await self._of_region(region))
        if area is not None:
            found.append(await self._of_area(area))
        return found

    async def _of_region(self, region: str) -> set[str]:
        """Those that have gone too: companies may still have their codes."""
        wanted = {"kind": "municipality", "parent": region}
        found = await self._classes.find(wanted, {"code": 1}).to_list(classification.MUNICIPALITIES_MAX)
        if not found:
            raise Rejected("region-unknown", field="region")
        return {each["code"] for each in found}

    async def _of_area(self, area_id: UUID) -> set[str]:
        drawn = (await self._areas.get(area_id)).state
        if drawn.removed:
            raise Unknown("area", area_id)
        return {*drawn.municipalities}


async def _places(classes: Classifications, areas: Areas) -> Places:
    return Places(classes, areas)


KnownPlaces = Annotated[Places, Depends(_places)]
