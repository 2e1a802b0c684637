"""A calendar of visits: which, in what words, and nobody's name."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from companies.calendar_feed import SUMMARIES, calendar
from companies.visit import aggregate
from companies.visit_state import Status, Visit
from icalendar import Calendar
from tyrsky.language import LANGUAGES, Language
from tyrsky.store import Loaded

from .known import AINO, HOUR, ID, KUNTA, NOON, TOMORROW, arranged

CHANGED = NOON.replace(microsecond=123_000)


def visit(id: UUID = ID, **other: Any) -> tuple[Loaded[Visit], datetime]:
    found = aggregate.fold(None, [arranged()])
    assert found is not None
    return Loaded(id, "vaao", 2, found.but(**other)), CHANGED


def events(*visits: tuple[Loaded[Visit], datetime], language: Language = "en") -> list[Any]:
    return Calendar.from_ical(calendar(visits, language)).walk("VEVENT")


def test_a_visit_is_an_entry_at_its_time():
    [event] = events(visit(revision=2))
    assert (event["UID"], event["SEQUENCE"]) == (str(ID), 2)
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (TOMORROW, TOMORROW + HOUR)
    assert event["DTSTAMP"].dt == NOON
    assert event["LOCATION"] == "Kahvila Oy"


STATES: list[tuple[Status, str]] = [
    ("planned", "TENTATIVE"),
    ("confirmed", "CONFIRMED"),
    ("recorded", "CONFIRMED"),
    ("declined", "CANCELLED"),
    ("cancelled", "CANCELLED"),
]


@pytest.mark.parametrize(("status", "told"), STATES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_its_state_is_told_in_words_and_to_machines(status: Status, told: str, language: Language):
    [event] = events(visit(status=status), language=language)
    assert event["STATUS"] == told
    assert event["SUMMARY"] == SUMMARIES[language][status].format(company="Kahvila Oy")


def test_it_names_nobody():
    found = calendar([visit(notes="Salainen", partners=(KUNTA,), answer_words="Terveisin Matti")], "fi")
    assert not [secret for secret in ("Salainen", "Matti", AINO, KUNTA) if secret in found.decode()]


def test_the_same_visits_are_the_same_bytes():
    several = [visit(), visit(uuid4()), visit(uuid4())]
    assert calendar(several, "fi") == calendar(several, "fi")
    assert calendar(several, "fi") != calendar(several[1:], "fi")


@pytest.mark.parametrize("name", ["X\r\nEND:VEVENT\r\nBEGIN:VEVENT", "X;Y,Z\\n:\"^'", "{company}{0}", "ä" * 300])
def test_no_name_is_more_than_a_name(name: str):
    [event] = events(visit(company_name=name))
    assert set(event.keys()) == set(events(visit())[0].keys())
    assert "VEVENT" not in str(event.get("STATUS"))


def test_without_visits_it_is_a_calendar():
    assert events() == []
