"""A day in Finland has 23, 24 or 25 hours."""

from datetime import UTC, date, datetime

import pytest
from companies.api.days import bounds


@pytest.mark.parametrize(
    ("day", "begins", "hours"),
    [
        (date(2026, 3, 29), datetime(2026, 3, 28, 22, tzinfo=UTC), 23),
        (date(2026, 9, 10), datetime(2026, 9, 9, 21, tzinfo=UTC), 24),
        (date(2026, 10, 25), datetime(2026, 10, 24, 21, tzinfo=UTC), 25),
        (date(2026, 12, 31), datetime(2026, 12, 30, 22, tzinfo=UTC), 24),
    ],
)
def test_a_day_begins_at_midnight_in_finland_and_ends_at_the_next(day: date, begins: datetime, hours: int):
    starts_at, ends_at = bounds(day)
    assert (starts_at, (ends_at - starts_at).total_seconds()) == (begins, hours * 3_600)
