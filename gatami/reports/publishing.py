"""What becomes public, when, and how it is taken back."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select, update
from sqlalchemy.orm import undefer

from .. import media
from ..accounts import User
from ..db import changed, db, now
from ..policy import moderation
from ..policy import text as policy
from .following import announce, record
from .moderating import Incident, decide, judge, keep_version, open_incident, settle_flags, touch, versions
from .photos import NothingToShow, choose_cover, keep_back, take_down
from .rows import CONTACT_MOST, Report


class NotLiftable(Exception):
    """The words are not hidden as somebody's name, or the policy layer is sure that they are one."""


class NoSuchVersion(Exception):
    """The report has never had a public text of this number."""


class NotWithdrawable(Exception):
    """The case has come to an end, so there is nothing left to take back."""


def unreviewed(before: datetime) -> Select[int]:
    """Ids of the reports that the worker has not taken yet, though they came before a time."""
    return (
        select(Report.id).where(Report.reviewed_at.is_(None), Report.created_at < before).order_by(Report.id)
    )


def review(report_id: int, place_name: str | None = None) -> bool:
    """Tell the followers of the area of a report that came in, after its photos were drawn.

    Returns False where another worker was quicker; the door rolls back then, and commits otherwise.
    """
    report = db.session.get(Report, report_id, options=[undefer(Report.reviewed_at)])
    if report is None or report.reviewed_at is not None:
        return False
    taken = changed(
        update(Report)
        .where(Report.id == report_id, Report.reviewed_at.is_(None))
        .values(reviewed_at=now())
        .execution_options(synchronize_session=False)
    )
    if taken != 1:
        return False
    db.session.expire_all()
    if place_name and not report.place_name:
        report.place_name = place_name[:CONTACT_MOST]
    announce(report)
    return True


def publish_text(report: Report, text: str, actor: User, act: str = "released") -> None:
    """Show a text that a person looked at. It passes the policy layer once more. Raises NothingToShow."""
    if report.is_gone:
        raise NothingToShow
    lifted = report.original.contents.lifted
    verdict = judge(text, report.municipality, report.language, lifted) if text.strip() else None
    if verdict is None or not verdict.public:
        raise NothingToShow
    before, known = report.public_text, versions(report)
    as_it_was = known[-1].text if known else before
    was, report.public_text, report.text_publication = report.text_publication, verdict.public, "published"
    _keep(report, masked=verdict.public)
    # Nothing is edited silently: what the public read until now stays with the event, sealed.
    record(report, "text_published", actor=actor, private=before, public=True, tell=False)
    keep_version(report, act, actor)
    # Who shows again just what was flagged has found nothing private in it.
    settle_flags(report, right=verdict.public != as_it_was)
    hidden = judge(report.original.contents.text, report.municipality, report.language, lifted)
    masks = {kind for _, kind in policy.mask_parts(verdict.public) if kind}
    decide(report, act, hidden, actor=actor, why=(), kinds=masks, tell=was != "published")
    if report.reviewed_at:
        announce(report)


def restore_text(report: Report, number: int, actor: User) -> None:
    """Show an earlier public text in place of the present one. Raises NoSuchVersion, NothingToShow."""
    found = next((version for version in versions(report) if version.number == number), None)
    if found is None:
        raise NoSuchVersion
    publish_text(report, found.text, actor, "restored")


def hold_text(report: Report, actor: User | None, reason: str = "", act: str = "held") -> None:
    """Take the text from the public until a person publishes it again, or for good where `act` is `removed`.

    Without an actor somebody flagged it. The author is told, with the reason that staff gave.
    """
    if report.state == "withdrawn" or report.text_publication == "unpublished":
        raise NothingToShow
    before, report.public_text = report.public_text, None
    report.text_publication = "removed" if act == "removed" else "held"
    record(report, "text_held", actor=actor, private=before, public=True, tell=False)
    contents = report.original.contents
    verdict = judge(contents.text, report.municipality, report.language, contents.lifted)
    decide(report, act, verdict, actor=actor, reason=reason)
    if actor is not None:
        settle_flags(report, right=True)


def lift(report: Report, words: str, actor: User) -> None:
    """Let words through that the policy layer took for a name, though it was not sure: in this report alone.

    A text that is public as the policy layer left it is shown with the words at once, and one that waits is proposed with
    them. Where somebody has edited it, the words are put back by hand. Raises NotLiftable, NothingToShow.
    """
    if report.original.forgotten:
        raise NothingToShow
    contents = report.original.contents
    before = judge(contents.text, report.municipality, report.language, contents.lifted)
    uncertain = moderation.liftable(before) if before else []
    if before is None or words not in {contents.text[found.start : found.end] for found in uncertain}:
        raise NotLiftable
    lifted = sorted({*contents.lifted, words})
    after = judge(contents.text, report.municipality, report.language, lifted)
    if after is None:
        raise NotLiftable
    _keep(report, lifted=lifted)
    record(report, "name_lifted", actor=actor, private=words, tell=False)
    touch(report)
    if report.text_publication == "published" and report.public_text == before.public:
        publish_text(report, after.public, actor, "lifted")
        return
    if contents.masked == before.public:
        _keep(report, masked=after.public)
    decide(report, "lifted", after, actor=actor, why=(), tell=False)


def unpublish(report: Report, actor: User, text: str) -> Incident:
    """Take everything of a report from the public at once, and begin the log of a breach of personal data.

    Raises NothingToShow where that was done before.
    """
    if report.text_publication == "unpublished":
        raise NothingToShow
    incident = open_incident(report, actor, text)
    before, report.public_text, report.text_publication = report.public_text, None, "unpublished"
    for photo in report.photos:
        if photo.publication in ("published", "waiting"):
            keep_back(photo, actor)
    choose_cover(report)
    record(report, "unpublished", actor=actor, private=before, tell=False)
    report.changed_at = now()
    decide(report, "unpublished", actor=actor)
    return incident


def publish_again(report: Report, actor: User) -> None:
    """After an incident: the report is seen again, its text and photos held until they are released one by one."""
    if report.text_publication != "unpublished":
        raise NothingToShow
    gone = report.state == "withdrawn" or report.original.forgotten
    report.text_publication = "removed" if gone else "held"
    record(report, "text_held", actor=actor, public=True, tell=False)
    decide(report, "held", actor=actor, tell=False)


def _keep(report: Report, **changes: Any) -> None:
    """Change something in what is sealed of a report."""
    original = report.original
    if original.sealed is None:
        raise NothingToShow
    contents = json.loads(original.data_key.open(original.sealed))
    original.sealed = original.data_key.seal(json.dumps(contents | changes).encode())


def withdraw(report: Report) -> None:
    """The reporter takes it back: text and photos leave the public, the page says so. Raises NotWithdrawable."""
    if report.closed_at is not None:
        raise NotWithdrawable
    for photo in report.photos:
        take_down(photo, "removed")
    choose_cover(report)
    report.public_text, report.text_publication = None, "removed"
    before, report.state, report.closed_at = report.state, "withdrawn", now()
    record(report, "withdrawn", from_state=before, to_state="withdrawn", public=True)


def forget_drafts() -> int:
    """Delete the photos of forms that were never sent; how many."""
    return media.private.delete_older(media.DRAFTS, now() - media.DRAFT_LIFE)
