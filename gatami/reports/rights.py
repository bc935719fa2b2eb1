"""What reporters may ask for by their private link: to see everything, to correct it, to have it erased (GDPR art. 15-17)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select

from .. import notifications
from ..db import db, now
from .following import record
from .moderating import alarm, decide, decisions, judge, keep_version, looks
from .publishing import _keep
from .retention import discards, erase_now, plan, waits_for
from .rows import Event, Report
from .submitting import TEXT_MOST, InvalidReport


class NotCorrectable(Exception):
    """The case is closed, or its text is forgotten."""


class OutOfDate(Exception):
    """The report was changed after the caller had read it; nothing was written."""


def can_be_corrected(report: Report) -> bool:
    return report.closed_at is None and not report.original.forgotten


def correct(report: Report, text: str, version: int) -> None:
    """The reporter puts another text in place of theirs. It passes the policy layer as the first one did.

    What was held stays held, and what was sent before stays with the event, sealed under the report's key. Raises
    NotCorrectable, OutOfDate, InvalidReport.
    """
    text = text.strip()
    if not can_be_corrected(report):
        raise NotCorrectable
    if report.version != version:
        raise OutOfDate
    if not text:
        raise InvalidReport({"text": "text_missing"})
    if len(text) > TEXT_MOST:
        raise InvalidReport({"text": "text_too_long"})
    before = report.original.contents
    if text == before.text:
        return
    verdict = judge(text, report.municipality, report.language, before.lifted)
    shown = verdict is not None and not verdict.held and report.text_publication == "published"
    _keep(report, text=text, masked=verdict.public if verdict else None)
    report.public_text = verdict.public if verdict and shown else None
    if not shown and report.text_publication != "unpublished":
        report.text_publication = "held"
    record(report, "text_corrected", private=before.text, public=True, tell=False)
    if verdict is None:
        decide(report, "held", why=("failed",), tell=False)
    elif verdict.held or verdict.findings:
        # The page that the reporter is sent back to says it, so no message goes out.
        decide(report, "held" if verdict.held else "masked", verdict, tell=False)
    if verdict and verdict.alarming:
        alarm(report)
    keep_version(report, "corrected")


def erase(report: Report, at: datetime | None = None) -> str | None:
    """Forget everything that the reporter gave. At once; or, where it must wait, as soon as it may, and why it waits.

    The door commits, then calls `shred`, which destroys the keys. A case that was archived waits for the night, so that
    the archive is known to have it.
    """
    at = at or now()
    report.erasure_asked_at = report.erasure_asked_at or at
    if (why := waits_for(report, at)) or report.must_archive:
        return why or "archive"
    erase_now(report, at)
    return None


def everything(report: Report) -> dict[str, Any]:
    """All that is stored about the one who reported, as JSON holds it (GDPR art. 15 and 20)."""
    contents = report.original.contents
    earlier = select(Event).where(Event.report_id == report.id, Event.kind == "text_corrected")
    return {
        "ref": report.ref,
        "municipality": report.municipality.number,
        "category": report.category.slug,
        "place": {"lat": report.lat, "lon": report.lon, "name": report.place_name},
        "state": report.state,
        "language": report.language,
        "sent_at": report.created_at,
        "changed_at": report.changed_at,
        "closed_at": report.closed_at,
        "text": contents.text,
        "text_shown": report.public_text,
        "text_publication": report.text_publication,
        "earlier_texts": [
            {"replaced_at": event.at, "text": event.private}
            for event in db.session.scalars(earlier.order_by(Event.id))
            if event.private is not None
        ],
        "name": contents.name,
        "email": contents.email,
        "phone": contents.phone,
        "answers": contents.answers,
        "photo_descriptions": contents.captions,
        "photos": [
            {
                "number": photo.id,
                "publication": photo.publication,
                "description": photo.alt,
                "width": photo.width,
                "height": photo.height,
                "sent_at": photo.created_at,
            }
            for photo in report.photos
            if photo.sent_by_id is None
        ],
        "messages": _messages(report),
        "looked_at_by_staff": [
            {"at": look.at, "what": look.what, "name": look.user.name} for look in looks(report)
        ],
        "decisions": [
            {
                "at": made.at,
                "act": made.act,
                "kinds": made.kinds,
                "rules": made.rules,
                "why": made.why,
                "grounds": made.grounds,
                "by_automation": made.actor_id is None,
                "reason": made.reason,
                "objected_at": made.objected_at,
                "objection": made.objection,
                "outcome": made.outcome,
                "answer": made.answer,
            }
            for made in decisions(report)
        ],
        "forgotten": [{"at": done.at, "what": done.what, "rule": done.rule} for done in discards(report)],
        "to_be_forgotten_at": plan(report),
        "erasure_asked_at": report.erasure_asked_at,
    }


def _messages(report: Report) -> list[dict[str, Any]]:
    key_name = report.original.contact_key
    if key_name is None:
        return []
    found = db.session.scalars(notifications.to(key_name))
    return [{"kind": mail.kind, "sent_at": mail.sent_at, "state": mail.state} for mail in found]
