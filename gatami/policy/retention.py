"""How long what is kept: a municipality's choice per kind, and the day before which a case must have been closed."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

TRACES = timedelta(days=14)
"""What is derived from an IP address, addresses of mails that were sent, and follows that nobody confirmed."""


@dataclass(frozen=True, slots=True)
class Retention:
    """Counted from the day on which a case was closed. None: for as long as the case is shown."""

    contact_days: int = 90
    """Name, e-mail address and phone number of the reporter, and the addresses of those who follow the case."""
    original_months: int = 12
    """The text and the photos as they were sent, the answers, and what staff noted; sooner where the case is archived."""
    public_text_months: int | None = None
    public_photos_months: int | None = 24

    @classmethod
    def of(cls, chosen: Mapping[str, Any]) -> Retention:
        """From the municipality's own choices, with the defaults for the others. Raises ValueError."""
        known = {field.name for field in fields(cls)}
        for name, value in chosen.items():
            never = value is None and name.startswith("public_")
            if name not in known or not (never or (type(value) is int and value >= 0)):
                raise ValueError(name)
        return cls(**chosen)

    def contact_before(self, at: datetime) -> datetime:
        return at - timedelta(days=self.contact_days)

    def original_before(self, at: datetime) -> datetime:
        return months_before(at, self.original_months)


def months_before(at: datetime, months: int) -> datetime:
    """The same day so many months earlier; the month's last one where it has no such day."""
    return months_after(at, -months)


def months_after(at: datetime, months: int) -> datetime:
    year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
    return at.replace(year=year, month=month + 1, day=min(at.day, calendar.monthrange(year, month + 1)[1]))
