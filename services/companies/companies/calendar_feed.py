"""Visits as a calendar (iCalendar, RFC 5545). Pure: the same visits give the same bytes, and so the same ETag."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from icalendar import Calendar, Event
from icalendar.enums import STATUS
from tyrsky.store import Loaded
from tyrsky_contracts.notifications import Language

from companies.visit_state import Status, Visit

BACK = timedelta(days=90)
AHEAD = timedelta(days=366)
VISITS_MAX = 2_000
"""A feed holds the visits of so many days, and so many of them at most: the first."""

REFRESH = timedelta(minutes=30)

STATES: dict[Status, STATUS] = {
    "planned": STATUS.TENTATIVE,
    "confirmed": STATUS.CONFIRMED,
    "recorded": STATUS.CONFIRMED,
    "declined": STATUS.CANCELLED,
    "cancelled": STATUS.CANCELLED,
}

NAMES: dict[Language, str] = {"fi": "Yrityskäynnit", "sv": "Företagsbesök", "en": "Visits to companies"}

SUMMARIES: dict[Language, dict[Status, str]] = {
    "fi": {
        "planned": "Käynti: {company}",
        "confirmed": "Käynti: {company} (vahvistettu)",
        "declined": "Aika ei sovi: {company}",
        "cancelled": "Peruttu: {company}",
        "recorded": "Käyty: {company}",
    },
    "sv": {
        "planned": "Besök: {company}",
        "confirmed": "Besök: {company} (bekräftat)",
        "declined": "Tiden passar inte: {company}",
        "cancelled": "Inställt: {company}",
        "recorded": "Besökt: {company}",
    },
    "en": {
        "planned": "Visit: {company}",
        "confirmed": "Visit: {company} (confirmed)",
        "declined": "Time does not suit: {company}",
        "cancelled": "Cancelled: {company}",
        "recorded": "Visited: {company}",
    },
}


def calendar(visits: Iterable[tuple[Loaded[Visit], datetime]], language: Language) -> bytes:
    """The feed of some visits, each with when it was last changed. It says where and when, and names nobody: neither
    contact nor notes are in it, for calendars lie with others."""
    made = Calendar.new(prodid="-//Tyrsky//Companies//EN", name=NAMES[language], refresh_interval=REFRESH)
    made.pop("UID", None)  # the library's own is random, and the calendar needs none
    for visit, changed_at in visits:
        made.add_component(_event(visit, changed_at, language))
    return made.to_ical()


def _event(visit: Loaded[Visit], changed_at: datetime, language: Language) -> Event:
    state = visit.state
    return Event.new(
        uid=str(visit.id),
        sequence=state.revision,
        stamp=changed_at.replace(microsecond=0),
        start=state.starts_at,
        end=state.ends_at,
        summary=SUMMARIES[language][state.status].format(company=state.company_name),
        location=state.company_name if state.manner == "on-site" else None,
        status=STATES[state.status],
    )
