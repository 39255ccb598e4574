"""Time as a district keeps it: days begin at midnight of +08:00."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone

from geo.errors import InputError

CHINA = timezone(timedelta(hours=8))
"""China's one time zone, without summer time since 1991."""


def here(value: datetime) -> datetime:
    """Return an instant in the district's time; one stated without a zone is meant so.

    Raises
    ------
    InputError
        If it lies before the year 1 or after 9999 there.
    """
    try:
        return value.replace(tzinfo=CHINA) if value.tzinfo is None else value.astimezone(CHINA)
    except OverflowError:
        raise InputError("The time lies beyond the calendar.", "Name one of the years 1 to 9999.") from None


def midnight(day: date) -> datetime:
    """Return the instant a day begins."""
    return datetime.combine(day, time(), CHINA)
