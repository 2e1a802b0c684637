"""Where a ranking looks: in all that is named."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from companies.api.outreach import RankingAsked
from companies.api.places import Places
from companies.area import Area
from tyrsky.aggregate import Rejected, Unknown
from tyrsky.store import Loaded

SOUTH, GONE = uuid4(), uuid4()
AREAS = {
    SOUTH: Area(name="Eteläinen", municipalities=("020", "908")),
    GONE: Area(name="Entinen", municipalities=("908",), removed=True),
}
REGIONS = {"06": ["020", "887", "908"], "14": ["989"]}


class Areas:
    """As much of the college's areas as is asked here."""

    async def get(self, id: UUID) -> Loaded[Area]:
        if id not in AREAS:
            raise Unknown("area", id)
        return Loaded(id, "vaao", 1, AREAS[id])


class Classes:
    """As much of the classification as is asked here."""

    def find(self, wanted: dict[str, str], shown: object) -> "Classes":
        self.found = [{"code": code} for code in REGIONS.get(wanted["parent"], [])]
        return self

    async def to_list(self, most: int) -> list[dict[str, str]]:
        return self.found


classes: Any = Classes()
areas: Any = Areas()
places = Places(classes, areas)


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ({"municipality": ["908", "989"]}, ["908", "989"]),
        ({"region": "06"}, ["020", "887", "908"]),
        ({"area": SOUTH}, ["020", "908"]),
        ({"area": SOUTH, "region": "06", "municipality": ["887", "908"]}, ["908"]),
        ({"area": SOUTH, "region": "14"}, []),
    ],
)
async def test_a_ranking_is_of_what_is_in_all_that_is_named(where: dict[str, Any], found: list[str]):
    assert await RankingAsked(**where).where(places) == found


@pytest.mark.parametrize(
    ("where", "code"),
    [
        ({}, "ranking-nowhere"),
        ({"municipality": []}, "ranking-nowhere"),
        ({"region": "99"}, "region-unknown"),
        ({"area": uuid4()}, "area-unknown"),
        ({"area": GONE}, "area-unknown"),
    ],
)
async def test_a_place_that_is_not_is_refused(where: dict[str, Any], code: str):
    with pytest.raises(Rejected, match=code):
        await RankingAsked(**where).where(places)
