"""How long a college may know somebody: days, by the calendar. Pure."""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta

KEPT_MONTHS = 24
"""So long after somebody was last in use all that is held on them is erased."""

PERIOD_MONTHS = 3
"""So long after the end of the period that a workplace instructor guided, their e-mail address and telephone number are
erased: the rule of the national working-life feedback."""

PERIOD_YEARS_MAX = 5
"""So far ahead the end of a period may be: no training takes longer."""

WITHDRAWN_DAYS = 30
"""So long after a consent was withdrawn somebody is kept: time to see whether there is another basis."""

SETTLED = timedelta(minutes=2)
"""After so long whatever was under way when somebody was erased has been written, or never will be."""


def kept_until(used_on: date) -> date:
    """When somebody who was in use that day is erased."""
    return months_after(used_on, KEPT_MONTHS)


def addresses_until(period_ends_on: date) -> date:
    """When the addresses of the instructor of such a period are erased."""
    return months_after(period_ends_on, PERIOD_MONTHS)


def withdrawn_until(on: date) -> date:
    """When somebody is erased whose consent, withdrawn that day, was the only basis."""
    return on + timedelta(days=WITHDRAWN_DAYS)


def months_after(day: date, months: int) -> date:
    """The same day of a later month, or its last one."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def midnight(day: date) -> datetime:
    """When a day begins, in UTC."""
    return datetime.combine(day, time(), UTC)
