"""Working days. Pure: the times are handed in, and the calendar of Norwegian public holidays is a library's."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

OSLO = ZoneInfo("Europe/Oslo")


@lru_cache(maxsize=16)
def _holidays(year: int) -> frozenset[object]:
    # Late, because the library brings the calendars of all countries along.
    from holidays.countries.norway import Norway

    return frozenset(Norway(years=year))


def is_working_day(at: datetime) -> bool:
    """Whether the aware time falls on a day in Oslo that is no Saturday, Sunday or public holiday."""
    day = at.astimezone(OSLO).date()
    return day.weekday() < 5 and day not in _holidays(day.year)


def after_working_days(at: datetime, days: int) -> datetime:
    """The end, at 16:00 in Oslo, of the working day that comes `days` working days after `at`.

    The day itself does not count: the day after it is the first (domstolloven § 148, used as a pattern). `days` 0
    gives the same day, or the next working day where `at` is a day off.
    """
    local = at.astimezone(OSLO)
    left = days
    while left > 0 or not is_working_day(local):
        local += timedelta(days=1)
        if left > 0 and is_working_day(local):
            left -= 1
    return local.replace(hour=16, minute=0, second=0, microsecond=0).astimezone(at.tzinfo)
