"""Nothing on a public topic can carry personal data: no field is named like a person's, and text is free in few places.

A public event is read by every college, and kept. Who adds a field of free text says here why no person is in it.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError
from tyrsky_contracts.addresses import HASH
from tyrsky_contracts.companies import CompanyTagged
from tyrsky_contracts.event import Envelope, Event
from tyrsky_contracts.schemas import events_of, schema_of
from tyrsky_contracts.topics import ALL

PUBLIC = events_of([topic for topic in ALL if topic.public])

FREE_TEXT = {
    "CompanyAdded.business_line": "a line of business, by its code",
    "CompanyAdded.municipality": "a municipality",
    "CompanyLineChanged.business_line": "the register's words for a line of business",
    "CompanyMoved.municipality": "a municipality",
    "CompanyRegistered.name": "a company's name in the public register",
    "CompanyRegistered.municipality": "a municipality",
    "CompanyRegistered.business_line": "the register's words for a line of business",
    "CompanyRenamed.name": "a company's name in the public register",
    "CompanyStageReached.because": "the kind of event that led to it: one of the program's own words",
    "CompanyTagged.tags[]": "the college's own labels of a company; the API says that they are public",
    "NotificationRefused.reason": "a status code, or one of the program's own words: never what a server wrote",
    "VisitPlanned.company_name": "a company's name in the public register",
}

CODES = {
    r"^[0-9]{7}-[0-9]$": "a business id",
    r"^[0-9]{2,6}$": "a field of education, or a qualification",
    HASH: "a salted hash of an address",
}
"""Forms that keep words out."""

PERSONAL = re.compile(
    r"e?mail|phone|mobile|person|first_?name|last_?name|surname|full_?name|to_name|birth|ssn|hetu|address|street"
    r"|note|comment|message|free_?text|description|by$|user|teacher|student"
)


@pytest.mark.parametrize("event", PUBLIC, ids=lambda event: event.__name__)
def test_no_field_of_a_public_event_is_named_like_personal_data(event: type[Event]):
    named = [path for path, _ in _leaves(schema_of(event), "") if PERSONAL.search(path)]
    assert not named


def test_text_is_free_only_where_it_is_said_why():
    free = {
        f"{event.__name__}{path}" for event in PUBLIC for path, leaf in _leaves(schema_of(event), "") if _is_free(leaf)
    }
    assert free == FREE_TEXT.keys()


def test_the_envelope_has_no_place_for_a_person():
    assert Envelope.model_fields.keys() == {
        *("id", "type", "source", "subject", "time", "college", "sequence", "correlationid", "causationid"),
        *("specversion", "dataschema", "traceparent", "partitionkey"),
    }


def test_a_tag_is_no_mail_address():
    with pytest.raises(ValidationError):
        CompanyTagged(company_id="0197f2c4-1b2c-7d4e-8f30-6c9f5a7b8d02", tags=("matti@esimerkki.example",))  # pyright: ignore[reportArgumentType]


def test_addresses_are_on_a_private_topic_and_for_days():
    carriers = [
        topic for topic in ALL for event in topic.events for path, _ in _leaves(schema_of(event), "") if "email" in path
    ]
    assert carriers
    for topic in carriers:
        assert not topic.public
        assert topic.retention is not None
        assert topic.retention.days <= 7


def _leaves(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    inner = [(f"{path}.{name}", field) for name, field in schema.get("properties", {}).items()]
    inner += [(path, one) for one in schema.get("anyOf", [])]
    inner += [
        (f"{path}[]", schema[key]) for key in ("items", "additionalProperties") if isinstance(schema.get(key), dict)
    ]
    for where, field in inner:
        yield from _leaves(field, where)
    if not inner:
        yield path, schema


def _is_free(leaf: dict[str, Any]) -> bool:
    """Text whose form does not keep words out."""
    if leaf.get("type") not in ("string", None):
        return False
    return not leaf.keys() & {"format", "enum", "const"} and leaf.get("pattern") not in CODES
