from datetime import UTC, datetime

import pytest

from gatami.policy.retention import Retention, months_after, months_before

AT = datetime(2026, 3, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("months", "month", "day"), [(1, 2, 28), (12, 3, 31), (25, 2, 29), (0, 3, 31), (4, 11, 30)]
)
def test_months_before_end_on_a_day_that_there_is(months, month, day):
    found = months_before(AT, months)
    assert (found.month, found.day, found.hour) == (month, day, 12)


def test_months_after_cross_the_year():
    assert months_after(AT, 11) == datetime(2027, 2, 28, 12, tzinfo=UTC)


def test_a_municipality_chooses_what_it_likes_and_keeps_the_defaults():
    chosen = Retention.of({"contact_days": 30, "public_photos_months": None})
    assert (chosen.contact_days, chosen.original_months, chosen.public_photos_months) == (30, 12, None)


@pytest.mark.parametrize(
    "chosen", [{"contact_days": None}, {"contact_days": -1}, {"contact_days": "90"}, {"contacts": 1}, {"original_months": True}]
)  # fmt: skip
def test_a_choice_that_makes_no_sense_stops_the_run(chosen):
    with pytest.raises(ValueError, match=r"contact|original"):
        Retention.of(chosen)
