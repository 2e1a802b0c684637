"""Each list has an index that gives it in its order, and each thing that belongs to a company is found by it."""

from collections.abc import Mapping

import pytest
from companies.api.areas import AreasAsked
from companies.api.audit import EntriesAsked, ReadsAsked
from companies.api.company_models import CompaniesAsked
from companies.api.contacts import ContactsAsked
from companies.api.fields import FieldsAsked
from companies.api.needs import NeedsAsked
from companies.api.notes import NotesAsked
from companies.api.potential_views import PotentialsAsked
from companies.api.sharing import JointVisitsAsked
from companies.api.visit_views import VisitsAsked
from companies.indexes import INDEXES
from tyrsky.listing import Listing

ALONG: Mapping[str, tuple[type[Listing], tuple[str, ...]]] = {
    "companies": (CompaniesAsked, ("college",)),
    "areas": (AreasAsked, ("college", "state.removed")),
    "fields": (FieldsAsked, ("college",)),
    "contacts": (ContactsAsked, ("college",)),
    "notes": (NotesAsked, ("college", "state.company_id")),
    "visits": (VisitsAsked, ("college",)),
    "needs": (NeedsAsked, ("college",)),
    "potentials": (PotentialsAsked, ("college",)),
    "audit": (EntriesAsked, ("row.college",)),
    "reads": (ReadsAsked, ("college",)),
}
"""Of each collection its list, and what every query of that names."""


def begin(collection: str) -> set[tuple[str, ...]]:
    """All that an index of a collection begins with."""
    names = [tuple(name for name, _ in index) for index in INDEXES[collection]]
    return {each[:length] for each in names for length in range(1, len(each) + 1)}


@pytest.mark.parametrize("collection", ALONG)
def test_a_list_comes_in_its_order(collection: str):
    listing, always = ALONG[collection]
    assert listing.sorts
    assert {field for field in listing.sorts.values() if (*always, field) not in begin(collection)} == set()


@pytest.mark.parametrize("collection", ["contacts", "visits", "needs", "potentials", "notes"])
def test_what_belongs_to_a_company_is_found_by_it(collection: str):
    assert ("college", "state.company_id") in begin(collection)


@pytest.mark.parametrize(
    ("collection", "field"), [("visits", "contact_id"), ("notes", "contact_id"), ("potentials", "instructor_id")]
)
def test_what_names_a_contact_is_found_by_them(collection: str, field: str):
    assert ("college", f"state.{field}") in begin(collection)


def test_what_somebody_comes_along_on_comes_in_its_order():
    assert {("college", "state.partners", field) for field in JointVisitsAsked.sorts.values()} <= begin("visits")
