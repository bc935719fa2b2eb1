"""Saying that a published text or photo shows something private. Nobody needs an account for it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm.exc import StaleDataError

from .. import accounts, publication, reports
from ..db import db
from ..reports import Photo, Report
from . import page

bp = Blueprint("flagging", __name__, url_prefix="/reports/<ref>/flags")
bp.before_request(page.anyone)

FLAGS_PER_HOUR = 10
"""From one address; more than anybody finds on a walk through the list, and too few to empty it."""
FLAGS_OF_ONE_PER_HOUR = 20
"""Of one report, from everywhere."""


def _form(ref: str, errors: dict[str, str] | None = None, status: int = 200) -> Response:
    """What is flagged is the text, or the photo whose key the address names."""
    found = publication.report(ref.upper())
    if found is None:
        abort(404)
    key = request.values.get("photo", "")[:100]
    photo = next((shown for shown in publication.photos(found.id) if shown.key == key), None)
    return page.page(
        "flagging/new.html",
        status=status,
        report=found,
        photo=photo,
        is_shown=photo is not None if key else found.text_publication == "published",
        reasons=reports.FLAG_REASONS,
        typed=request.form.get("reason", ""),
        errors=errors or {},
    )


@bp.get("/new")
def new(ref: str) -> Response:
    return _form(ref)


@bp.post("")
def create(ref: str) -> Any:
    reason, key = request.form.get("reason", ""), request.form.get("photo", "")[:100]
    if publication.report(ref.upper()) is None:
        abort(404)
    if reason not in reports.FLAG_REASONS:
        return _form(ref, {"reason": _("Choose what is wrong with it.")}, 422)
    try:
        accounts.bound("flag", page.address(), FLAGS_PER_HOUR)
        accounts.bound("flag-of", ref.upper(), FLAGS_OF_ONE_PER_HOUR)
        try:
            hidden = _flag(ref, reason, key)
            db.session.commit()
        except StaleDataError:
            # Staff changed the case at the same moment; what is private is hidden all the same.
            db.session.rollback()
            hidden = _flag(ref, reason, key)
            db.session.commit()
    except accounts.TooManyAttempts:
        db.session.rollback()
        return page.too_many()
    page.enqueue("deliver")
    return redirect(url_for("flagging.sent", ref=ref.upper(), hidden="yes" if hidden else None), 303)


def _flag(ref: str, reason: str, key: str) -> bool:
    """Flag what is shown of a report; whether it is hidden now."""
    report = reports.by_ref(ref)
    if report is None:
        abort(404)
    photo = next((photo for photo in report.photos if photo.public_key == key), None)
    if key and photo is None:
        abort(404)
    if (photo.publication if photo else report.text_publication) != "published":
        return True
    _made, hides = reports.flag(report, reason, page.address(), photo)
    if hides:
        _hide(report, photo)
    return hides


def _hide(report: Report, photo: Photo | None) -> None:
    if photo:
        reports.hold_photo(photo, None)
    else:
        reports.hold_text(report, None, act="flagged")


@bp.get("/sent")
def sent(ref: str) -> Response:
    found = publication.report(ref.upper())
    if found is None:
        abort(404)
    return page.page("flagging/sent.html", report=found, hidden=request.args.get("hidden") == "yes")
