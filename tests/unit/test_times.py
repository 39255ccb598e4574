from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from geo.errors import InputError
from geo.times import CHINA, here, midnight


def test_a_time_without_a_zone_is_meant_here():
    assert here(datetime(2026, 7, 1)) == midnight(date(2026, 7, 1)) == datetime(2026, 6, 30, 16, tzinfo=UTC)


def test_summer_time_elsewhere_is_the_same_instant_here():
    berlin = timezone(timedelta(hours=2))
    assert here(datetime(2026, 7, 1, 12, tzinfo=berlin)) == datetime(2026, 7, 1, 18, tzinfo=CHINA)


def test_the_calendar_ends():
    assert here(datetime(2999, 1, 1)).year == 2999
    for beyond in (
        datetime.max.replace(tzinfo=UTC),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
    ):
        with pytest.raises(InputError, match="beyond the calendar"):
            here(beyond)
