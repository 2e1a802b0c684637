"""On what terms a company could give places to students, and what the two forms of workplace-based learning ask.

Both are written, fixed-term and have a named responsible workplace instructor, and a period at a workplace lasts five
years at most. A training agreement (koulutussopimus) is no employment, is unpaid, and its hours are at most the
workplace's; an apprenticeship (oppisopimus) is a fixed-term employment, is paid, takes 25 hours a week on average at
least, and is for people of 15 years and more. Sources: the Act on Vocational Education and Training (531/2017), chapter
8; for the five years, the education administration's model of a period at a workplace (Opetushallitus/ehoks,
src/oph/ehoks/hoks/schema.clj: "max 5 years, >= alku").
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field
from tyrsky.aggregate import Rejected, State
from tyrsky_contracts.needs import Form, Places

WeeklyHours = Annotated[float, Field(gt=0, le=60)]
Age = Annotated[int, Field(ge=0, le=99)]

HELSINKI = ZoneInfo("Europe/Helsinki")
YEARS_MAX = 5
"""So long a period lasts at most, and so far ahead it begins at most."""


@dataclass(frozen=True)
class Rules:
    """What a form is by law. Pay and employment follow from it: nobody can chart an apprenticeship without pay."""

    employment: bool
    paid: bool
    weekly_hours_min: float = 0
    age_min: int = 0
    within_workplace_hours: bool = False


RULES: dict[Form, Rules] = {
    "training-agreement": Rules(employment=False, paid=False, within_workplace_hours=True),
    "apprenticeship": Rules(employment=True, paid=True, weekly_hours_min=25, age_min=15),
}


class Terms(State):
    """How many places, when, for whom. ``weekly_hours`` are the student's, ``workplace_hours`` what is usual there."""

    places: Places
    starts_on: date
    ends_on: date
    weekly_hours: WeeklyHours | None = None
    workplace_hours: WeeklyHours | None = None
    age_min: Age | None = None


def finnish_day(now: datetime) -> date:
    """The day in Finland."""
    return now.astimezone(HELSINKI).date()


def check(form: Form, terms: Terms, now: datetime) -> None:
    """Refuse what the form does not allow.

    :raises Rejected: with the field that is at fault.
    """
    _check_period(terms, finnish_day(now))
    rules = RULES[form]
    if terms.weekly_hours is not None:
        if terms.weekly_hours < rules.weekly_hours_min:
            raise Rejected("apprenticeship-hours-too-few", field="weekly_hours", hours=rules.weekly_hours_min)
        if rules.within_workplace_hours and terms.workplace_hours and terms.weekly_hours > terms.workplace_hours:
            raise Rejected("training-agreement-hours-too-many", field="weekly_hours", hours=terms.workplace_hours)
    if terms.age_min is not None and terms.age_min < rules.age_min:
        raise Rejected("apprentice-too-young", field="age_min", years=rules.age_min)


def _check_period(terms: Terms, day: date) -> None:
    if terms.ends_on < terms.starts_on:
        raise Rejected("period-ends-before-it-starts", field="ends_on")
    if terms.ends_on < day:
        raise Rejected("period-over", field="ends_on")
    if terms.starts_on > _years_after(day, YEARS_MAX):
        raise Rejected("period-too-far-ahead", field="starts_on", years=YEARS_MAX)
    if terms.ends_on > _years_after(terms.starts_on, YEARS_MAX):
        raise Rejected("period-too-long", field="ends_on", years=YEARS_MAX)


def _years_after(day: date, years: int) -> date:
    """The same day of a later year; of 29 February, the day before it where there is none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)
