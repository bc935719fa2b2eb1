from datetime import datetime

import pytest

from gatami.policy import deadlines


@pytest.mark.parametrize(
    ("day", "working"),
    [
        ("2026-05-12", True),
        ("2026-05-14", False),  # Ascension Day.
        ("2026-05-16", False),  # A Saturday.
        ("2026-05-17", False),
        ("2026-05-25", False),  # Whit Monday.
        ("2026-04-02", False),  # Maundy Thursday.
        ("2026-04-06", False),  # Easter Monday.
        ("2026-12-24", True),
        ("2026-12-25", False),
    ],
)
def test_working_days(day, working):
    assert deadlines.is_working_day(datetime.fromisoformat(f"{day}T10:00:00+00:00")) == working


@pytest.mark.parametrize(
    ("at", "days", "due"),
    [
        ("2026-05-12T09:00:00+00:00", 3, "2026-05-18T14:00:00+00:00"),
        ("2026-05-12T09:00:00+00:00", 0, "2026-05-12T14:00:00+00:00"),
        ("2026-05-16T09:00:00+00:00", 0, "2026-05-18T14:00:00+00:00"),
        # Half past midnight in Oslo is still the day before in UTC.
        ("2026-05-11T22:30:00+00:00", 1, "2026-05-13T14:00:00+00:00"),
        ("2026-12-23T09:00:00+00:00", 2, "2026-12-28T15:00:00+00:00"),
    ],
)
def test_a_deadline_ends_a_working_day_at_four_in_oslo(at, days, due):
    found = deadlines.after_working_days(datetime.fromisoformat(at), days)
    assert found == datetime.fromisoformat(due)
