"""Days begin at midnight in Lithuania, wherever the server stands."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from clusterqa import clock


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 12, 31, 21, 59, tzinfo=UTC), date(2026, 12, 31)), (datetime(2026, 12, 31, 22, tzinfo=UTC), date(2027, 1, 1)),
        (datetime(2026, 6, 30, 21, tzinfo=UTC), date(2026, 7, 1)), (datetime(2026, 6, 30, 20, 59, tzinfo=UTC), date(2026, 6, 30)),
    ],
)  # fmt: skip
def test_a_day_begins_at_midnight_in_lithuania_in_winter_and_in_summer(moment: datetime, day: date) -> None:
    assert clock.local(moment).date() == day
