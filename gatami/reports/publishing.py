"""What becomes public, when, and how it is taken back: the worker's part and staff's."""

from __future__ import annotations

import json
import logging
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidTag
from sqlalchemy import Select, select, update
from sqlalchemy.orm import undefer

from .. import media
from ..accounts import User
from ..db import DataKey, changed, db, now
from ..policy import photos as pictures
from .following import announce, record
from .rows import CONTACT_MOST, Photo, Report
from .submitting import mask

log = logging.getLogger(__name__)


class NothingToShow(Exception):
    """A text cannot be published, because there is none or the policy layer failed on it."""


class NotWithdrawable(Exception):
    """The case has come to an end, so there is nothing left to take back."""


def unreviewed(before: datetime) -> Select[int]:
    """Ids of the reports that the worker has not taken yet, though they came before a time."""
    return (
        select(Report.id).where(Report.reviewed_at.is_(None), Report.created_at < before).order_by(Report.id)
    )


def review(report_id: int, seconds: int, memory: int, place_name: str | None = None) -> bool:
    """Make the photos' public sizes, held until staff release them, and tell the followers of the area.

    `seconds` and `memory` (bytes) bound each photo. Returns False where another worker was quicker; the door rolls
    back then, and commits otherwise.
    """
    report = db.session.get(Report, report_id, options=[undefer(Report.reviewed_at)])
    if report is None or report.reviewed_at is not None:
        return False
    key = report.original.data_key
    rendered = [
        _render(photo, key, seconds, memory) for photo in report.photos if photo.publication == "waiting"
    ]
    taken = changed(
        update(Report)
        .where(Report.id == report_id, Report.reviewed_at.is_(None))
        .values(reviewed_at=now())
        .execution_options(synchronize_session=False)
    )
    if taken != 1:
        return False
    for photo_id, values in rendered:
        # Only what still waits: the reporter may have withdrawn the report while the pictures were made.
        waiting = update(Photo).where(Photo.id == photo_id, Photo.publication == "waiting")
        changed(waiting.values(**values).execution_options(synchronize_session=False))
    db.session.expire_all()
    if place_name and not report.place_name:
        report.place_name = place_name[:CONTACT_MOST]
    announce(report)
    return True


def _render(photo: Photo, key: DataKey, seconds: int, memory: int) -> tuple[int, dict[str, Any]]:
    """Make and seal the photo's public sizes; its id, and what its row is to hold from now on."""
    try:
        original = key.open(media.private.get(photo.stored("original")))
        renditions = pictures.render(original, seconds, memory)
    except (pictures.Unreadable, media.NoSuchMedia, InvalidTag) as error:
        log.warning("Photo %s cannot be shown: %s %s", photo.id, type(error).__name__, error)
        return photo.id, {"publication": "removed", "failure": "unreadable"}
    for rendition in renditions:
        media.private.put(photo.stored(rendition.size), key.seal(rendition.data))
    largest = renditions[-1]
    return photo.id, {"publication": "held", "width": largest.width, "height": largest.height}


def photo_bytes(photo: Photo, size: str) -> bytes:
    """One size of a photo, or `original`, opened with the report's key. Raises media.NoSuchMedia."""
    return photo.report.original.data_key.open(media.private.get(photo.stored(size)))


def publish_text(report: Report, text: str, actor: User) -> None:
    """Show a text that a person looked at. It passes the policy layer once more. Raises NothingToShow."""
    if report.state == "withdrawn":
        raise NothingToShow
    masked = (
        mask(text, report.language, frozenset(report.municipality.public_contacts)) if text.strip() else None
    )
    if not masked:
        raise NothingToShow
    before = report.public_text
    report.public_text, report.text_publication = masked, "published"
    _keep_masked(report, masked)
    # Nothing is edited silently: what the public read until now stays with the event, sealed.
    record(report, "text_published", actor=actor, private=before, public=True, tell=False)
    if report.reviewed_at:
        announce(report)


def hold_text(report: Report, actor: User) -> None:
    """Take the text from the public until a person publishes it again."""
    if report.state == "withdrawn":
        raise NothingToShow
    before, report.public_text, report.text_publication = report.public_text, None, "held"
    record(report, "text_held", actor=actor, private=before, public=True, tell=False)


def _keep_masked(report: Report, masked: str) -> None:
    original = report.original
    contents = json.loads(original.data_key.open(original.sealed))
    original.sealed = original.data_key.seal(json.dumps(contents | {"masked": masked}).encode())


def publish_photo(photo: Photo, actor: User, alt: str = "") -> None:
    """Copy the photo's sizes into the store that the public reads."""
    if photo.width is None or photo.publication == "removed" or photo.report.state == "withdrawn":
        raise NothingToShow
    for size in pictures.SIZES:
        media.released.put(f"{photo.key}/{size}.webp", photo_bytes(photo, size))
    photo.publication = "published"
    photo.alt = mask(alt, photo.report.language) or None if alt.strip() else photo.alt
    _choose_cover(photo.report)
    record(photo.report, "photo_published", actor=actor, public=True, tell=False)


def hold_photo(photo: Photo, actor: User) -> None:
    if photo.publication == "removed":
        raise NothingToShow
    _unpublish_photo(photo, "held")
    _choose_cover(photo.report)
    record(photo.report, "photo_held", actor=actor, public=True, tell=False)


def _unpublish_photo(photo: Photo, publication: str) -> None:
    photo.publication = publication
    for size in pictures.SIZES:
        media.released.delete(f"{photo.key}/{size}.webp")


def _choose_cover(report: Report) -> None:
    cover = next((p for p in report.photos if p.publication == "published"), None)
    report.cover_key = cover.key if cover else None
    report.cover_alt = cover.alt if cover else None


def withdraw(report: Report) -> None:
    """The reporter takes it back: text and photos leave the public, the page says so. Raises NotWithdrawable."""
    if report.closed_at is not None:
        raise NotWithdrawable
    for photo in report.photos:
        _unpublish_photo(photo, "removed")
    _choose_cover(report)
    report.public_text, report.text_publication = None, "removed"
    before, report.state, report.closed_at = report.state, "withdrawn", now()
    record(report, "withdrawn", from_state=before, to_state="withdrawn", public=True)


def forget_drafts() -> int:
    """Delete the photos of forms that were never sent; how many."""
    return media.private.delete_older(media.DRAFTS, now() - media.DRAFT_LIFE)
