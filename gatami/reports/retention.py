"""How long what is kept: the nightly run, what makes a case wait, and what follows on a restored backup."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, exists, or_, select, update

from .. import notifications
from ..accounts import User
from ..db import changed, db
from ..keys import keys
from ..municipalities import Municipality
from ..policy.retention import TRACES, Retention, months_after, months_before
from .following import record
from .forgetting import (
    forget_contact,
    forget_original,
    forget_public_photos,
    forget_public_text,
    restored,
)
from .moderating import Act, Flag
from .rows import AreaFollow, Discard, Follow, Original, Photo, Report

log = logging.getLogger(__name__)

BATCH = 100
"""Reports of one step in one transaction, so that nobody waits long for the run."""


def _free(at: datetime) -> ColumnElement[bool]:
    """The cases that nothing stands in the way of forgetting: no hold, and no archive that still waits for them."""
    return and_(
        or_(Report.kept_until.is_(None), Report.kept_until <= at),
        or_(Report.must_archive.is_(False), Report.archived_at.is_not(None)),
    )


def waits_for(report: Report, at: datetime) -> str | None:
    """Why nothing of the case may be forgotten now: `hold` or `archive`."""
    if report.kept_until is not None and report.kept_until > at:
        return "hold"
    return "archive" if report.must_archive and report.archived_at is None else None


def retain(at: datetime, most: int = BATCH) -> Counter[str]:
    """Forget what was kept long enough, at most `most` of each kind in each municipality; how much of what.

    The door commits, calls `shred`, commits, and calls again until nothing comes back. A second run with the same clock
    finds nothing.
    """
    done: Counter[str] = Counter()
    asked = _free(at) & Report.erasure_asked_at.is_not(None) & Report.erased_at.is_(None)
    for report in _some(select(Report).where(asked), most):
        erase_now(report, at)
        done["asked"] += 1
    for municipality in db.session.scalars(select(Municipality).where(Municipality.active)).all():
        try:
            rules = Retention.of(municipality.retention or {})
        except ValueError as error:
            # Forgetting by a guess could not be undone, and the others must not wait for this one.
            log.error("Municipality %s keeps everything: its retention says %s.", municipality.number, error)
            continue
        here = and_(Report.municipality_id == municipality.id, Report.closed_at.is_not(None), _free(at))
        for what, found, forget in _steps(rules, at):
            for report in _some(found.where(here), most):
                forget(report)
                done[what] += 1
    done["mails"] += notifications.forget_sent(at - TRACES, most)
    done["flags"] += _forget_flags(at - TRACES, most)
    done["unconfirmed"] += sum(_forget_unconfirmed(kind, at - TRACES, most) for kind in (Follow, AreaFollow))
    return +done


def _some(found: Select[Report], most: int) -> list[Report]:
    return list(db.session.scalars(found.order_by(Report.id).limit(most)).unique())


def _steps(rules: Retention, at: datetime) -> list[tuple[str, Select[Report], Callable[[Report], None]]]:
    """What is forgotten, of which reports, and how."""
    archived = Report.archived_at <= at
    steps: list[tuple[str, Select[Report], Callable[[Report], None]]] = [
        (
            "original",
            select(Report)
            .join(Original)
            .where(Original.key.is_not(None), or_(Report.closed_at <= rules.original_before(at), archived)),
            lambda report: forget_original(report, _original_rule(report, rules, at), at),
        ),
        (
            "contact",
            select(Report)
            .join(Original)
            .where(
                Report.closed_at <= rules.contact_before(at),
                or_(Original.contact_key.is_not(None), exists().where(Follow.report_id == Report.id)),
            ),
            lambda report: forget_contact(report, "contact_days", at, followers=True),
        ),
    ]
    if rules.public_text_months is not None:
        steps.append((
            "public_text",
            select(Report).where(
                Report.text_publication == "published",
                Report.closed_at <= months_before(at, rules.public_text_months),
            ),
            lambda report: forget_public_text(report, "public_text_months", at),
        ))  # fmt: skip
    if rules.public_photos_months is not None:
        shown = exists().where(Photo.report_id == Report.id, Photo.publication == "published")
        steps.append((
            "public_photos",
            select(Report).where(shown, Report.closed_at <= months_before(at, rules.public_photos_months)),
            lambda report: forget_public_photos(report, "public_photos_months", at),
        ))  # fmt: skip
    return steps


def _original_rule(report: Report, rules: Retention, at: datetime) -> str:
    late = report.closed_at is not None and report.closed_at <= rules.original_before(at)
    return "original_months" if late else "archived"


def _forget_flags(before: datetime, most: int) -> int:
    """Who flagged something is a fingerprint of an IP address."""
    ids = db.session.scalars(select(Flag.id).where(Flag.at < before, Flag.who != "").limit(most)).all()
    return changed(update(Flag).where(Flag.id.in_(ids)).values(who="")) if ids else 0


def _forget_unconfirmed(kind: type[Follow] | type[AreaFollow], before: datetime, most: int) -> int:
    """An address that somebody typed and its owner never confirmed."""
    old = select(kind.id).where(kind.confirmed_at.is_(None), kind.created_at < before).limit(most)
    ids = db.session.scalars(old).all()
    return changed(delete(kind).where(kind.id.in_(ids))) if ids else 0


def erase_now(report: Report, at: datetime, rule: str = "asked") -> None:
    """Everything that the reporter gave, private and public; category, place, state, times and replies stay."""
    if report.original.contact_key is not None:
        forget_contact(report, rule, at, followers=False)
    if report.original.key is not None:
        forget_original(report, rule, at)
    if report.public_text is not None:
        forget_public_text(report, rule, at)
    if any(photo.publication == "published" for photo in report.photos):
        forget_public_photos(report, rule, at)
    report.erasure_asked_at = report.erasure_asked_at or at
    report.erased_at = at
    record(report, "erased", public=True, tell=False, at=at)


def replay(at: datetime) -> Counter[str]:
    """After a backup was restored: forget again what had been forgotten since it was taken. The door commits.

    The keys are gone already, so nothing private was readable; what this takes away is what the backup shows in public.
    """
    rules = dict(keys.destroyed())
    done: Counter[str] = Counter()
    for originals in restored():
        for original in originals:
            report = original.report
            own = {name: rules.get(name) for name in (original.key, original.contact_key) if name}
            if "asked" in own.values():
                erase_now(report, at)
                done["asked"] += 1
                continue
            if original.key and (rule := own[original.key]):
                forget_original(report, rule, at)
                done["original"] += 1
            if original.contact_key and (rule := own[original.contact_key]):
                forget_contact(report, rule, at, followers=True)
                done["contact"] += 1
    return done


def set_retention(municipality: Municipality, actor: User, chosen: dict[str, Any]) -> None:
    """Change how long the municipality keeps what, as an act that stays on record. Raises ValueError."""
    Retention.of(chosen)
    before = municipality.retention or {}
    if chosen != before:
        municipality.retention = chosen
        what = {"what": "retention", "before": before, "after": chosen}
        db.session.add(Act(municipality_id=municipality.id, actor_id=actor.id, **what))


# What makes a case wait ---------------------------------------------------------------------------------------


def keep(report: Report, until: datetime, why: str, actor: User | None = None, by: str = "") -> None:
    """Put a hold on the case: nothing of it is forgotten until then, whoever asks. `by` names who, without an account."""
    report.kept_until, report.kept_why = until, why.strip()
    report.kept_by = actor.name if actor else by
    record(report, "kept", actor=actor, private=why.strip())


def let_go(report: Report, actor: User | None = None) -> None:
    report.kept_until = report.kept_why = report.kept_by = None
    record(report, "let_go", actor=actor)


def archive(report: Report, at: datetime | None, actor: User | None = None) -> None:
    """The case belongs in the archive, and came there at a time; None: it is not there yet, and waits."""
    report.must_archive, report.archived_at = True, at
    record(report, "archive", actor=actor)


def discards(report: Report) -> list[Discard]:
    return list(
        db.session.scalars(select(Discard).where(Discard.report_id == report.id).order_by(Discard.id))
    )


def plan(report: Report) -> dict[str, datetime | None]:
    """When what will be forgotten, as it looks now: `contact` and `original`; None as long as the case is open."""
    if report.closed_at is None:
        return {"contact": None, "original": None}
    rules = Retention.of(report.municipality.retention or {})
    days = report.closed_at - rules.contact_before(report.closed_at)
    return {
        "contact": report.closed_at + days,
        "original": months_after(report.closed_at, rules.original_months),
    }
