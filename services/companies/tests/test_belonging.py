"""What belongs to a company when others go on as it, and who is told of a visit to it."""

from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID, uuid4

import pytest
from companies import (
    area,
    contact,
    feed,
    field,
    need,
    note,
    potential,
    priorities,
    reservation,
    visit,
)
from companies import company as company_
from companies.api.audit import Reads
from companies.api.charted import visit_at
from companies.api.companies import family, going_on, is_there, of_company, together
from companies.api.inviting import Inviting, visited
from companies.api.objections import Objections
from companies.api.sharing import their_contact
from companies.company import Company
from companies.contact_state import Contact
from companies.merging import Absorbed
from companies.views import Objected
from companies.visit_state import evolve
from tyrsky.aggregate import Rejected, State, Unknown
from tyrsky.auth import Caller
from tyrsky.store import Loaded
from tyrsky_contracts.addresses import AddressHashes

from .known import COMPANY, arranged
from .known_contacts import DAY, EMAIL, NOON

KEPT: Any = (company_, contact, visit, need, potential, note, field, area, feed, reservation, priorities)

S = TypeVar("S", bound=State)

OTHER, STRANGER = uuid4(), uuid4()
AINO = uuid4()
hashes = AddressHashes(["an-example-of-a-pepper-that-nobody-uses"])


def loaded(id: UUID, state: S) -> Loaded[S]:
    return Loaded(id, "vaao", 1, state)


class Known(Generic[S]):
    """As much of ``Handling`` as is asked here."""

    def __init__(self, **states: S) -> None:
        self.states = {UUID(id): state for id, state in states.items()}

    async def get(self, id: UUID) -> Loaded[S]:
        if id not in self.states:
            raise Unknown("thing", id)
        return loaded(id, self.states[id])


def company(**other: Any) -> Company:
    return Company.model_validate({"business_id": "0100130-4", "name": "Kahvila Oy", "municipality": "908", **other})


absorbed = Absorbed(company_id=OTHER, absorbed_at=datetime(2026, 9, 1, tzinfo=UTC))
whole, other = company(absorbed=(absorbed,)), company(merged_into=COMPANY)
companies: Any = Known(**{str(COMPANY): whole, str(OTHER): other, str(STRANGER): company()})


async def test_what_belongs_to_a_company_is_looked_for_under_those_that_go_on_as_it():
    both = [str(COMPANY), str(OTHER)]
    assert together(loaded(COMPANY, whole)) == both
    assert await family(companies, COMPANY) == await family(companies, OTHER) == both
    assert await family(companies, STRANGER) == [str(STRANGER)]
    assert await of_company(companies, COMPANY) == {"state.company_id": {"$in": both}}
    assert await of_company(companies, None) == {}


async def test_of_a_company_that_is_not_known_nothing_is_listed_rather_than_all():
    nowhere = uuid4()
    assert await of_company(companies, nowhere) == {"state.company_id": {"$in": [str(nowhere)]}}


async def test_nothing_new_belongs_to_a_company_that_goes_on_as_another():
    assert (await going_on(companies, COMPANY)).id == COMPANY
    with pytest.raises(Rejected, match="company-merged") as refused:
        await going_on(companies, OTHER)
    assert refused.value.about == {"into": COMPANY}
    assert (await going_on(companies, OTHER, sent_again=True)).id == OTHER
    assert await is_there(companies, OTHER)
    assert not await is_there(companies, uuid4())
    assert not await is_there(companies, None)


async def test_a_need_may_be_charted_on_a_visit_to_any_of_them():
    visits: Any = Known(**{str(AINO): evolve(None, arranged(company_id=OTHER))})
    found = await visit_at(AINO, loaded(COMPANY, whole), visits)
    assert found is not None
    assert found.state.company_id == OTHER
    assert await visit_at(None, loaded(COMPANY, whole), visits) is None
    with pytest.raises(Rejected, match="visit-of-another-company"):
        await visit_at(AINO, loaded(STRANGER, company()), visits)


def test_the_name_of_a_company_that_was_added_by_hand_is_not_public():
    assert visited(loaded(COMPANY, company())).name_is_public
    assert not visited(loaded(COMPANY, company(origin="by-hand"))).name_is_public
    assert visited(loaded(COMPANY, company(municipality="Valkeakoski"))).municipality is None


class Told:
    """As much of the rows of objections as is asked here."""

    def __init__(self, *addresses: str) -> None:
        self.rows = {hashes.of(address): Objected(at=NOON) for address in addresses}

    async def get_all(self, keys: set[str]) -> dict[str, Objected]:
        return {key: row for key, row in self.rows.items() if key in keys}


def inviting(contact: Contact, *objected: str) -> Inviting:
    class Settings:
        public_url = "https://tyrsky.example"

    request: Any = type("Request", (), {})()
    request.app = type("App", (), {"state": type("State", (), {"settings": Settings()})})
    known: Any = Told(*objected)
    contacts: Any = Known(**{str(AINO): contact})
    return Inviting(contacts, Objections(known, hashes), request)


aino = Contact(company_id=OTHER, name="Aino Esimerkki", language="sv", email=EMAIL)


async def test_whom_a_visit_tells_gets_a_link_of_their_own():
    told = [await inviting(aino).addressee(COMPANY, AINO) for _ in range(2)]
    assert told[0] is not None
    assert told[1] is not None
    assert (told[0].contact_id, told[0].name, told[0].email, told[0].language) == (AINO, aino.name, EMAIL, "sv")
    assert told[0].answer_url == f"https://tyrsky.example/visits/answer/{COMPANY}/{told[0].answer_key}?lang=sv"
    assert told[0].answer_key != told[1].answer_key


@pytest.mark.parametrize(
    "contact",
    [
        aino.but(email=None),
        aino.but(erased_at=NOON),
        aino.but(basis="consent"),
        aino.but(objection={"at": NOON - DAY, "how": "Soitti."}),
    ],
    ids=["no address", "erased", "no consent", "objects"],
)
async def test_who_may_not_be_written_to_is_not_told(contact: Contact):
    assert await inviting(Contact.model_validate(contact.model_dump())).addressee(COMPANY, AINO) is None


async def test_whose_address_objected_at_another_college_is_not_told_nor_is_nobody():
    assert await inviting(aino, EMAIL).addressee(COMPANY, AINO) is None
    assert await inviting(aino, "other@kahvila.example").addressee(COMPANY, AINO) is not None
    assert await inviting(aino).addressee(COMPANY, None) is None
    assert await inviting(aino).addressee(COMPANY, uuid4()) is None


async def test_the_contact_of_a_visit_is_one_of_any_of_them():
    await inviting(aino).check(loaded(COMPANY, whole), AINO)
    await inviting(aino).check(loaded(COMPANY, whole), None)
    with pytest.raises(Rejected, match="contact-of-another-company"):
        await inviting(aino).check(loaded(STRANGER, company()), AINO)


async def test_whose_data_is_shown_is_written_down_before():
    written: list[dict[str, Any]] = []

    class Collection:
        async def insert_one(self, entry: dict[str, Any]) -> None:
            written.append(entry)

    collection: Any = Collection()
    reads = Reads(collection, Caller(subject="aino", college="vaao", roles=frozenset({"outreach"})))
    await reads.of("contact")
    assert written == []
    await reads.of("contact", AINO, OTHER)
    [entry] = written
    assert {name: entry[name] for name in ("college", "by", "kind", "things")} == {
        "college": "vaao",
        "by": "aino",
        "kind": "contact",
        "things": [str(AINO), str(OTHER)],
    }


async def test_a_partner_sees_the_contact_when_the_college_shows_them_and_there_still_is_one():
    shown = evolve(None, arranged(contact_id=AINO, partners_see_contact=True))
    contacts: Any = Known(**{str(AINO): aino})
    found = await their_contact(shown, contacts)
    assert found is not None
    assert found.id == AINO
    assert await their_contact(shown.but(partners_see_contact=False), contacts) is None
    assert await their_contact(shown.but(contact_id=None), contacts) is None
    assert await their_contact(shown.but(contact_id=uuid4()), contacts) is None
    erased: Any = Known(**{str(AINO): Contact(company_id=OTHER, erased_at=NOON)})
    assert await their_contact(shown, erased) is None


def test_every_change_is_audited_and_about_the_company_that_it_belongs_to():
    about = {each.__name__.rpartition(".")[2]: each.aggregate.about for each in KEPT}
    assert all(about.values())
    state: Any = type("State", (), {"company_id": COMPANY})
    own = {name for name, of in about.items() if of and of(OTHER, state) == OTHER}
    assert own == {"company", "field", "area", "feed", "reservation", "priorities"}
    assert {of(OTHER, state) for name, of in about.items() if of and name not in own} == {COMPANY}
