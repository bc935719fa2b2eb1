"""The reporter's own page, opened by a secret link: to see, download, correct, withdraw and erase what one sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, abort, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm.exc import StaleDataError

from .. import accounts, media, publication, reports
from ..db import BadLink, db, now
from ..policy import photos as pictures
from ..policy.retention import Retention
from ..reports import InvalidReport, Report
from . import fields, page, reasons

bp = Blueprint("mine", __name__, url_prefix="/mine/<token>")
bp.before_request(page.anyone)

_KINDS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "HEIF": "heic", "AVIF": "avif"}


def _mine(token: str) -> Report:
    try:
        found = reports.by_private_token(token)
    except BadLink:
        abort(404)
    if found is None:
        abort(404)
    return found


def _page(token: str, found: Report, errors: dict[str, str] | None = None, **more: Any) -> Response:
    if found.erased_at is not None or _was_erased(found):
        return page.page("mine/erased.html", report=found)
    original = found.original.contents
    theirs = {photo.id for photo in found.photos if photo.sent_by_id is not None}
    return page.page(
        "mine/report.html",
        report=found,
        original=original,
        forgotten=found.original.forgotten,
        photos=[_photo(token, photo, original.captions) for photo in _sent(found)],
        events=publication.events(found.id),
        decisions=[
            reasons.decision(made) for made in reports.decisions(found) if made.photo_id not in theirs
        ],
        looks=[] if found.original.forgotten else reports.looks(found),
        can_withdraw=found.closed_at is None,
        can_correct=reports.can_be_corrected(found),
        plan=reports.plan(found),
        retention=Retention.of(found.municipality.retention or {}),
        waits_for=reports.waits_for(found, now()) or "archive",
        text_most=reports.TEXT_MOST,
        token=token,
        errors=errors or {},
        **{"typed": original.text, "version": found.version, "conflict": False, **more},
    )


def _was_erased(found: Report) -> bool:
    """Whether a restored backup shows a report whose keys were destroyed because its author asked for it."""
    return found.original.key is not None and found.original.forgotten


def _sent(found: Report) -> list[reports.Photo]:
    """The reporter's own photos. Those that staff took are seen where everybody sees them."""
    return [photo for photo in found.photos if photo.sent_by_id is None]


def _photo(token: str, photo: reports.Photo, captions: list[str]) -> dict[str, Any]:
    there = not photo.report.original.forgotten
    small = url_for("mine.photo", token=token, number=photo.id) if there and photo.width else None
    full = url_for("mine.original_photo", token=token, number=photo.id) if there else None
    caption = captions[photo.position] if photo.position < len(captions) else ""
    return {"row": photo, "caption": caption, "url": small, "original_url": full}


@bp.get("")
def report(token: str) -> Response:
    return _page(token, _mine(token))


def _file(data: bytes, mimetype: str, name: str | None = None) -> Response:
    response = Response(data, mimetype=mimetype)
    response.headers["Cache-Control"] = "private, no-store"
    if name:
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _stored(token: str, number: int, size: str) -> bytes:
    photo = next((p for p in _sent(_mine(token)) if p.id == number), None)
    if photo is None:
        abort(404)
    try:
        return reports.photo_bytes(photo, size)
    except media.NoSuchMedia:
        abort(404)


@bp.get("/photos/<int:number>")
def photo(token: str, number: int) -> Response:
    return _file(_stored(token, number, "small"), "image/webp")


@bp.get("/photos/<int:number>/original")
def original_photo(token: str, number: int) -> Response:
    """The file as it was sent, to be kept and not shown: whatever it holds, no browser runs it here."""
    data = _stored(token, number, "original")
    kind = _KINDS.get(pictures.kind(data) or "", "bin")
    return _file(data, "application/octet-stream", f"gatami-{number}.{kind}")


@bp.get("/data")
def download(token: str) -> Response:
    """Everything that is stored, in a form that other programs read (GDPR art. 15 and 20)."""
    found = _mine(token)
    data = reports.everything(found)
    for item in data["photos"]:
        item["file"] = url_for("mine.original_photo", token=token, number=item["number"], _external=True)
    text = json.dumps(data, ensure_ascii=False, indent=2, default=_plain)
    return _file(text.encode(), "application/json", f"gatami-{found.ref}.json")


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)


@bp.post("/text")
def correct(token: str) -> Any:
    found, text = _mine(token), page.plain(request.form.get("text", ""))
    try:
        reports.correct(found, text, request.form.get("version", -1, type=int))
        db.session.commit()
    except InvalidReport as invalid:
        db.session.rollback()
        return _again(token, 422, fields.explain(invalid), typed=text)
    except (reports.OutOfDate, StaleDataError):
        db.session.rollback()
        return _again(token, 409, typed=text, conflict=True)
    except reports.NotCorrectable:
        abort(409)
    page.enqueue("deliver")
    return redirect(url_for("mine.report", token=token), 303)


def _again(token: str, status: int, errors: dict[str, str] | None = None, **more: Any) -> Response:
    """The page once more, with what is wrong and what was typed."""
    response = _page(token, _mine(token), errors, **more)
    response.status_code = status
    return response


def _insist(act: Callable[[], Any]) -> None:
    """Staff may change the case at the same moment. What its author decides does not depend on what they did."""
    try:
        act()
        db.session.commit()
    except StaleDataError:
        db.session.rollback()
        act()
        db.session.commit()


OBJECTIONS_PER_HOUR = 20
"""From one address. Each decision is objected to once, so this bounds only who tries."""


def _objection_page(token: str, number: int, error: str = "", status: int = 200) -> Response:
    found = _mine(token)
    made = next((made for made in reports.decisions(found) if made.id == number), None)
    if made is None or found.original.forgotten:
        abort(404)
    return page.page(
        "mine/objection.html",
        status=status,
        report=found,
        made=reasons.decision(made),
        token=token,
        most=reports.OBJECTION_MOST,
        typed=page.plain(request.form.get("text", "")),
        errors={"text": error} if error else {},
    )


@bp.get("/objections/<int:number>")
def objection(token: str, number: int) -> Response:
    """Where the link in the mail leads: the decision once more, and how to object to it."""
    return _objection_page(token, number)


@bp.post("/objections/<int:number>")
def object_to(token: str, number: int) -> Any:
    found, text = _mine(token), page.plain(request.form.get("text", "")).strip()
    made = next((made for made in reports.decisions(found) if made.id == number), None)
    if made is None or found.original.forgotten:
        abort(404)
    if not text:
        return _objection_page(token, number, _("Write why you disagree."), 422)
    if len(text) > reports.OBJECTION_MOST:
        too_long = _(
            "The text is too long. It can have at most %(most)d characters.", most=reports.OBJECTION_MOST
        )
        return _objection_page(token, number, too_long, 422)
    try:
        accounts.bound("objection", page.address(), OBJECTIONS_PER_HOUR)
        reports.object_to(made, text)
        db.session.commit()
    except accounts.TooManyAttempts:
        return page.too_many()
    except (reports.NothingToObjectTo, StaleDataError):
        # It was sent twice, or staff changed the case at this moment: the page tells which, and keeps what was typed.
        db.session.rollback()
        return _objection_page(token, number, _("Look once more at what was decided, then send."), 409)
    return redirect(url_for("mine.objection", token=token, number=number), 303)


@bp.post("/withdrawal")
def withdraw(token: str) -> Any:
    try:
        _insist(lambda: reports.withdraw(_mine(token)))
    except reports.NotWithdrawable:
        abort(409)
    page.enqueue("deliver")
    return redirect(url_for("mine.report", token=token), 303)


@bp.post("/erasure")
def erase(token: str) -> Any:
    if request.form.get("sure") != "yes":
        error = _("Tick the box to say that you are sure. What is erased cannot be brought back.")
        return _again(token, 422, {"sure": error})
    if _mine(token).erased_at is None:
        _insist(lambda: reports.erase(_mine(token)))
        # Only now: what was rolled back must not have destroyed anything.
        reports.shred()
        db.session.commit()
    return redirect(url_for("mine.report", token=token), 303)
