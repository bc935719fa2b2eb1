"""Forgetting: who sent a report, what was sent, and what was public of it. Each leaves a Discard, and nothing else.

Forgetting has two halves. The verbs empty the rows in the caller's transaction and note which data keys are to be destroyed.
Only when that is committed `shred` destroys them: a transaction that is undone must not have destroyed anything, and a
crash in between leaves a note that the next `shred` finds.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import delete, or_, select, update

from .. import media, notifications
from ..db import Private, db
from ..keys import keys
from .following import count_followers
from .moderating import Decision, Flag, Version
from .photos import choose_cover, take_down
from .rows import Discard, Event, Follow, Original, Report


def discard(report: Report, what: str, rule: str, at: datetime, key_name: bytes | None = None) -> None:
    db.session.add(Discard(report_id=report.id, at=at, what=what, rule=rule, key_name=key_name))


def forget_contact(report: Report, rule: str, at: datetime, *, followers: bool) -> None:
    """Forget who sent a report: contact details, their follow, the messages to them; with `followers` everybody's."""
    original = report.original
    key_name = original.contact_key
    for follow in db.session.scalars(select(Follow).where(_follows(report, followers))):
        own = isinstance(follow.email, Private) and follow.email.key_name == key_name
        if (followers and follow.report_id == report.id) or follow.is_reporter or own:
            db.session.delete(follow)
    db.session.flush()
    for number in filter(None, (report.id, report.duplicate_of_id)):
        count_followers(number)
    if key_name is not None:
        notifications.forget(key_name)
    original.contact_key = original.contact = original.email_fingerprint = None
    discard(report, "contact", rule, at, key_name)


def _follows(report: Report, followers: bool) -> Any:
    """The rows that may have to go: a duplicate's followers follow the other report too, under the same key."""
    mine = Follow.report_id == report.id
    if not followers:
        mine &= or_(Follow.is_reporter, Follow.email_fingerprint == report.original.email_fingerprint)
    if report.duplicate_of_id is None or report.original.email_fingerprint is None:
        return mine
    moved = Follow.email_fingerprint == report.original.email_fingerprint
    return or_(mine, (Follow.report_id == report.duplicate_of_id) & moved & ~Follow.is_reporter)


def forget_original(report: Report, rule: str, at: datetime) -> None:
    """Forget what was sent: text, answers, photos, and what was written about it behind the public page."""
    original = report.original
    discard(report, "original", rule, at, original.key)
    original.key = original.sealed = report.submission = None
    for photo in report.photos:
        if photo.publication != "published":
            photo.publication, photo.alt = "removed", None
    if report.text_publication not in ("published", "unpublished"):
        # What an incident took away altogether stays away.
        report.public_text, report.text_publication = None, "removed"
    # Who a case was given to is about staff; every other private word of an event is about what was sent.
    about = (Event.report_id == report.id, Event.kind != "assigned", Event.private.is_not(None))
    db.session.execute(update(Event).where(*about).values(private=None))
    db.session.execute(delete(Version).where(Version.report_id == report.id))
    words = {"reason": None, "objection": None, "answer": None}
    db.session.execute(update(Decision).where(Decision.report_id == report.id).values(words))
    db.session.execute(update(Flag).where(Flag.report_id == report.id).values(who=""))


def forget_public_text(report: Report, rule: str, at: datetime) -> None:
    report.public_text, report.changed_at = None, at
    if report.text_publication != "unpublished":
        report.text_publication = "removed"
    discard(report, "public_text", rule, at)


def forget_public_photos(report: Report, rule: str, at: datetime) -> None:
    for photo in report.photos:
        if photo.publication == "published":
            take_down(photo, "removed")
            photo.alt = None
    choose_cover(report)
    report.changed_at = at
    discard(report, "public_photos", rule, at)


def shred(most: int = 500) -> int:
    """Destroy the data keys and the files of what was forgotten and committed; how many. The door commits."""
    found = db.session.scalars(
        select(Discard).where(Discard.key_name.is_not(None)).order_by(Discard.id).limit(most)
    ).all()
    for done in found:
        assert done.key_name is not None
        if not _is_used(done.key_name):
            keys.destroy(done.key_name, done.rule)
        if done.what == "original":
            for photo in done.report.photos:
                media.private.delete_all(photo.folder)
        done.key_name = None
    return len(found)


def _is_used(key_name: bytes) -> bool:
    """Whether another report is sealed under the same key, as the demo's generated ones are: the last one destroys it."""
    used = select(Original.report_id).where(or_(Original.key == key_name, Original.contact_key == key_name))
    return db.session.scalar(used.limit(1)) is not None


def restored(most: int = 500) -> Iterator[list[Original]]:
    """After a backup was restored: the originals that had been forgotten since it was taken, in batches."""
    marks = keys.destroyed()
    while names := [name for name, _ in islice(marks, most)]:
        found = select(Original).where(or_(Original.key.in_(names), Original.contact_key.in_(names)))
        if rows := list(db.session.scalars(found)):
            yield rows
