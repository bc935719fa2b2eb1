"""The photos of a report: drawn so that nobody is recognised, shown, held and drawn anew by a person's hand."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any

from cryptography.exceptions import InvalidTag
from sqlalchemy import Select, select, update
from sqlalchemy.orm.attributes import flag_modified

from .. import media
from ..accounts import User
from ..db import after_commit, after_rollback, changed, db, now
from ..keys import Destroyed
from ..policy import moderation
from ..policy import photos as pictures
from .following import record
from .moderating import decide, judge, open_flags, rules_of, settle_flags, touch
from .rows import Photo, Report

log = logging.getLogger(__name__)

Maker = Callable[..., pictures.Made]
"""`policy.photos.make`, or what takes its place where pictures are known beforehand."""

STAFF_PHOTOS_MOST = 12
"""Photos that staff may add to one case."""


class NothingToShow(Exception):
    """A text or a photo cannot be published: there is none, it is forgotten, or the policy layer failed on it."""


class TooManyPhotos(Exception):
    """Staff have added STAFF_PHOTOS_MOST to the case."""


def undrawn(report_id: int) -> Select[int]:
    """Ids of a report's photos that wait for the worker."""
    return (
        select(Photo.id)
        .where(Photo.report_id == report_id, Photo.publication == "waiting")
        .order_by(Photo.position, Photo.id)
    )


def with_undrawn() -> Select[int]:
    """Ids of the reports that were reviewed and have a photo that waits all the same: staff added it or drew boxes."""
    return (
        select(Photo.report_id)
        .join(Report)
        .where(Photo.publication == "waiting", Report.reviewed_at.is_not(None))
        .distinct()
    )


def draw(photo_id: int, seconds: int, memory: int, make: Maker = pictures.make) -> bool:
    """Make a waiting photo's files, and publish or hold it. Any doubt, error or time-out holds it.

    `seconds` and `memory` (bytes) bound what `make` does. Returns False where another worker was quicker or somebody changed
    the boxes meanwhile; the door rolls back then, and commits otherwise. Raises policy.photos.Unavailable where the photo
    must be tried again.
    """
    photo = db.session.get(Photo, photo_id, populate_existing=True)
    if photo is None or photo.publication != "waiting":
        return False
    drawing, chosen, folder = photo.drawing, photo.wish is not None, media.new_key()
    made, failed = _made(photo, folder, partial(make, seconds=seconds, memory=memory))
    forget = partial(media.private.delete_all, f"{photo.folder}/{folder}")
    after_rollback(forget)
    # Whoever changes the case writes its row first and the photo's after it. In that order nobody waits for each other.
    db.session.execute(select(Report.id).where(Report.id == photo.report_id).with_for_update())
    only = update(Photo).where(Photo.id == photo_id, Photo.publication == "waiting", Photo.drawing == drawing)
    values = _outcome(made, failed, chosen, first=photo.drawn_in is None)
    if changed(only.values(**values).execution_options(synchronize_session=False)) != 1:
        return False
    if made is not None and photo.drawn_in is not None:
        after_commit(partial(media.private.delete_all, f"{photo.folder}/{photo.drawn_in}"))
    # The making took seconds: what was read before it may be said no more, and from here on nobody changes it.
    db.session.refresh(photo.report)
    db.session.refresh(photo)
    if made is None:
        forget()
        return True
    photo.drawn_in = folder
    _settle(photo)
    return True


def _outcome(made: pictures.Made | None, failed: bool, chosen: bool, first: bool) -> dict[str, Any]:
    """The columns of a photo that was drawn, or could not be."""
    if made is None and first:
        return {"publication": "removed", "failure": "unreadable"}
    if made is None:
        # It was drawn before, so the file is a picture: a person may try again, and what is covered by now waits.
        return {"publication": "held", "doubts": ["failed"]}
    boxes = [box.asdict() for box in made.boxes]
    values: dict[str, Any] = {"publication": "held", "failure": None, "boxes": boxes}
    values |= {"width": made.width, "height": made.height}
    if chosen:
        return values | {"doubts": []}
    return values | {"found": boxes, "doubts": ["failed"] if failed else list(moderation.doubts(made))}


def _made(photo: Photo, folder: str, make: Maker) -> tuple[pictures.Made | None, bool]:
    """What was drawn and lies in a folder of the private store now, and whether the policy failed to look at it."""
    chosen = [pictures.Box.of(box) for box in photo.boxes] if photo.wish else None
    rules = moderation.stored(rules_of(photo.report.municipality))
    failed, made = False, None
    try:
        key = photo.report.original.data_key
        original = key.open(media.private.get(photo.original))
        try:
            made = make(original, boxes=chosen, rules=rules)
        except pictures.Unavailable:
            # No fault of the picture: it waits.
            raise
        except pictures.Unreadable as error:
            # The picture may be fine and only the looking too much: then a person gets to see it.
            log.warning("Photo %s could not be looked at: %s", photo.id, error)
            failed = True
            made = make(original, boxes=chosen or ())
    except pictures.Unavailable:
        raise
    except (pictures.Unreadable, media.NoSuchMedia, InvalidTag, Destroyed) as error:
        log.warning("Photo %s cannot be shown: %s %s", photo.id, type(error).__name__, error)
        return None, failed
    files = {"plain": made.plain} | {f"{one.size}.{one.format}": one.data for one in made.renditions}
    for name, data in files.items():
        media.private.put(f"{photo.folder}/{folder}/{name}", key.seal(data))
    return made, failed


def _settle(photo: Photo) -> None:
    """Publish a photo that was just drawn, or leave it held and say why."""
    report = photo.report
    person = db.session.get(User, photo.wished_by_id) if photo.wished_by_id else None
    kinds = {box["kind"].upper() for box in photo.boxes}
    if report.is_gone or photo.wish == "hold":
        return
    if photo.wish is None and (person is not None or any(f.photo_id == photo.id for f in open_flags(report))):
        # Somebody took it from the public, or asked the policy to look again: a person shows it, not the policy.
        return
    if photo.doubts:
        first = all(other.publication != "held" for other in report.photos if other is not photo)
        decide(report, "held", photo=photo, kinds=kinds, why=photo.doubts, tell=first)
        return
    _show(photo)
    actor = person or (db.session.get(User, photo.sent_by_id) if photo.sent_by_id else None)
    if actor is not None:
        record(report, "photo_published", actor=actor, public=True, tell=False)
    if person is not None:
        decide(report, "released", actor=person, photo=photo, kinds=kinds, tell=False)
    elif kinds:
        decide(report, "masked", photo=photo, kinds=kinds, tell=False)


def _show(photo: Photo) -> None:
    """Copy the newest drawing into the store that the public reads, under a name that nothing had before."""
    key, data_key = media.new_key(), photo.report.original.data_key
    after_rollback(partial(media.released.delete_all, key))
    for size in pictures.SIZES:
        for format_ in pictures.FORMATS:
            sealed = media.private.get(f"{photo.folder}/{photo.drawn_in}/{size}.{format_}")
            media.released.put(f"{key}/{size}.{format_}", data_key.open(sealed))
    take_down(photo, "published")
    photo.public_key = key
    choose_cover(photo.report)
    photo.report.changed_at = now()


def photo_bytes(photo: Photo, size: str) -> bytes:
    """`original`, `plain` (nothing is covered, a JPEG) or one size as WebP, opened with the report's key.

    Raises media.NoSuchMedia, also where the last drawing does not cover what it should by now.
    """
    drawn_in = photo.drawn_in if size == "plain" or photo.width is not None else None
    if size != "original" and drawn_in is None:
        raise media.NoSuchMedia
    names = {"original": photo.original, "plain": f"{photo.folder}/{drawn_in}/plain"}
    try:
        key = photo.report.original.data_key
    except Destroyed as error:
        raise media.NoSuchMedia from error
    return key.open(media.private.get(names.get(size) or f"{photo.folder}/{drawn_in}/{size}.webp"))


def publish_photo(photo: Photo, actor: User, alt: str | None = None) -> None:
    """Show a photo as it is drawn. Raises NothingToShow."""
    report = photo.report
    if photo.width is None or photo.publication not in ("held", "published") or report.is_gone:
        raise NothingToShow
    describe(photo, alt)
    _show(photo)
    record(report, "photo_published", actor=actor, public=True, tell=False)
    settle_flags(report, right=False, photo=photo)
    kinds = {box["kind"].upper() for box in photo.boxes}
    decide(report, "released", actor=actor, photo=photo, kinds=kinds, tell=False)


def redraw(
    photo: Photo,
    actor: User,
    boxes: Sequence[pictures.Box] | None,
    wish: str,
    alt: str | None = None,
    reason: str = "",
) -> None:
    """Cover just these boxes from now on, or what the policy finds where they are None. Raises NothingToShow.

    The photo leaves the public at once; the worker draws it anew, and then does what the `wish` says: `publish` or
    `hold`. What the policy finds by itself is held until a person shows it. The door enqueues `draw` after its commit.
    """
    report, was_shown = photo.report, photo.publication == "published"
    if photo.publication == "removed" or report.is_gone:
        raise NothingToShow
    describe(photo, alt)
    before, chosen = photo.boxes, [box.asdict() for box in boxes or ()]
    take_down(photo, "waiting")
    photo.drawing += 1
    photo.width = photo.height = None
    photo.boxes, photo.doubts = chosen, []
    photo.wish, photo.wished_by_id = wish if boxes is not None else None, actor.id
    for column in ("publication", "width", "height", "boxes", "doubts", "wish"):
        # A worker may have drawn it since it was read, so each is written whatever the row is believed to hold.
        flag_modified(photo, column)
    choose_cover(report)
    record(
        report,
        "photo_covered",
        actor=actor,
        private=reason.strip() or None,
        public=was_shown,
        tell=False,
    )
    touch(report)
    if boxes is not None:
        # Who covers other things, or holds it, says that whoever flagged it was right.
        settle_flags(report, right=wish == "hold" or _places(chosen) != _places(before), photo=photo)
    if was_shown and (boxes is None or wish == "hold"):
        decide(report, "held", actor=actor, photo=photo, reason=reason)


def _places(boxes: Sequence[dict[str, Any]]) -> set[tuple[float, ...]]:
    sides = ("left", "top", "width", "height")
    return {tuple(round(box[side], 3) for side in sides) for box in boxes}


def add_photo(report: Report, actor: User, data: bytes, alt: str = "", *, is_after: bool = True) -> Photo:
    """A photo that staff took; it goes the same way as a resident's. Raises NothingToShow, TooManyPhotos."""
    if report.is_gone:
        raise NothingToShow
    if sum(photo.sent_by_id is not None for photo in report.photos) >= STAFF_PHOTOS_MOST:
        raise TooManyPhotos
    place = max((photo.position for photo in report.photos), default=-1) + 1
    photo = Photo(key=media.new_key(), position=place, sent_by_id=actor.id, is_after=is_after)
    media.private.put(photo.original, report.original.data_key.seal(data))
    report.photos.append(photo)
    describe(photo, alt)
    record(report, "photo_added", actor=actor, tell=False)
    touch(report)
    return photo


def describe(photo: Photo, alt: str | None) -> None:
    """Give a photo words for those who do not see it; what is private in them is masked like in any text.

    An empty text takes the words away, and None leaves them as they are.
    """
    if alt is None:
        return
    if not alt.strip():
        photo.alt = None
        return
    verdict = judge(alt.strip(), photo.report.municipality, photo.report.language)
    photo.alt = verdict.public if verdict and not verdict.held else None


def hold_photo(photo: Photo, actor: User | None, reason: str = "") -> None:
    """Take a photo from the public. Without an actor somebody flagged it."""
    if photo.publication == "removed":
        raise NothingToShow
    keep_back(photo, actor)
    choose_cover(photo.report)
    record(photo.report, "photo_held", actor=actor, public=True, tell=False)
    decide(photo.report, "held" if actor else "flagged", actor=actor, photo=photo, reason=reason)
    if actor is not None:
        settle_flags(photo.report, right=True, photo=photo)


def keep_back(photo: Photo, actor: User | None) -> None:
    """Hold a photo that is shown, or see to it that the drawing which is under way is held."""
    if photo.publication == "waiting":
        photo.wish = "hold" if photo.wish else None
        photo.wished_by_id = actor.id if actor else photo.wished_by_id
    else:
        take_down(photo, "held")


def take_down(photo: Photo, publication: str) -> None:
    """Remove a photo's public files, if it has any, as soon as the row says so: it decides what is served."""
    photo.publication = publication
    if photo.public_key is not None:
        after_commit(partial(media.released.delete_all, photo.public_key))
        photo.public_key = None


def forget_strays(before: datetime) -> int:
    """Delete public files from before a time that no photo names, which a crash left beside the row; how many photos'.

    Files come before the commit that names them, and go after the commit that names them no more.
    """
    gone, found = 0, media.released.folders(before)
    while keys := set(islice(found, 500)):
        strays = keys - set(db.session.scalars(select(Photo.public_key).where(Photo.public_key.in_(keys))))
        for key in strays:
            media.released.delete_all(key)
        gone += len(strays)
    return gone


def choose_cover(report: Report) -> None:
    cover = next((p for p in report.photos if p.publication == "published"), None)
    report.cover_key = cover.public_key if cover else None
    report.cover_alt = cover.alt if cover else None
