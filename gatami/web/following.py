"""Following a report, a circle on the map or a whole municipality by e-mail. Nobody needs an account for it."""

from __future__ import annotations

import contextlib
from typing import Any

from flask import Blueprint, Response, abort, current_app, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError

from .. import accounts, municipalities, publication, reports
from ..db import BadLink, db
from ..reports import AreaFollow, InvalidReport
from . import fields, page

bp = Blueprint("following", __name__)
bp.before_request(page.anyone)


def _mail_bound(email: str) -> None:
    """Raises accounts.TooManyAttempts: a form must not be a way to fill somebody's mailbox."""
    most: int = current_app.config["MAILS_PER_HOUR"]
    accounts.bound("mail", email, most)
    accounts.bound("mail-from", page.address(), 10 * most)


@bp.get("/reports/<ref>/follow")
def follow(ref: str) -> Response:
    report = publication.report(ref.upper())
    if report is None:
        abort(404)
    return page.page("following/follow.html", report=report, errors={}, form={"email": ""})


@bp.post("/reports/<ref>/follow")
def start_following(ref: str) -> Any:
    report = reports.by_ref(ref)
    if report is None:
        abort(404)
    email = request.form.get("email", "")
    try:
        if reports.is_email(email):
            _mail_bound(email)
        reports.follow(report, email, page.language())
    except accounts.TooManyAttempts:
        return page.too_many()
    except ValueError:
        errors = fields.explain(InvalidReport({"email": "email_invalid"}))
        shown = publication.report(ref.upper())
        return page.page(
            "following/follow.html", status=422, report=shown, errors=errors, form={"email": email}
        )
    with contextlib.suppress(IntegrityError):
        # Of two clicks at the same moment the first one counts, and its mail is on the way.
        db.session.commit()
    page.enqueue("deliver")
    return redirect(url_for("following.follow_sent"), 303)


@bp.get("/follow/sent")
def follow_sent() -> Response:
    return page.page("following/follow_sent.html")


def _area_page(form: dict[str, Any], errors: dict[str, str], status: int = 200) -> Response:
    active = list(db.session.scalars(municipalities.active()))
    shown = fields.chosen(active)
    lat, lon = fields.number(form["lat"]), fields.number(form["lon"])
    return page.page(
        "following/follow_area.html",
        status=status,
        form=form,
        errors=errors,
        municipalities=active,
        municipality=shown,
        categories=db.session.scalars(municipalities.categories_of(shown)).all() if shown else [],
        map={
            "lat": lat if lat is not None else shown.lat if shown else 65.0,
            "lon": lon if lon is not None else shown.lon if shown else 13.0,
            "zoom": shown.zoom if shown else 5,
        },
        radius_least=reports.RADIUS_M[0],
        radius_most=reports.RADIUS_M[1],
    )


def _area_typed() -> dict[str, Any]:
    values = request.values
    form: dict[str, Any] = {field: values.get(field, "") for field in ("email", "municipality", "lat", "lon")}
    form["extent"] = values.get("extent", "whole")
    form["radius_m"] = values.get("radius_m", "1000")
    form["frequency"] = values.get("frequency", "now")
    form["categories"] = values.getlist("category")[:50]
    return form


@bp.get("/follow")
def follow_area() -> Response:
    return _area_page(_area_typed(), {})


@bp.post("/follow")
def start_following_area() -> Any:
    form = _area_typed()
    errors: dict[str, str] = {}
    municipality = fields.chosen(list(db.session.scalars(municipalities.active())))
    if municipality is None:
        abort(404)
    circle = form["extent"] == "circle"
    lat, lon, radius_m = fields.number(form["lat"]), fields.number(form["lon"]), form["radius_m"]
    if not reports.is_email(form["email"]):
        errors |= fields.explain(InvalidReport({"email": "email_invalid"}))
    if circle:
        try:
            if lat is None or lon is None:
                errors |= fields.explain(InvalidReport({"place": "place_missing"}))
            else:
                municipality = municipalities.municipality_at(lat, lon)
        except municipalities.OutsideEveryMunicipality as outside:
            errors |= fields.explain(InvalidReport({"place": f"place_{outside.reason}"}, outside.names))
        least, most = reports.RADIUS_M
        if not (radius_m.isdecimal() and len(radius_m) < 7 and least <= int(radius_m) <= most):
            errors["radius_m"] = _(
                "Choose a radius between %(least)d and %(most)d metres.", least=least, most=most
            )
    known = {c.slug for c in db.session.scalars(municipalities.categories_of(municipality))}
    if form["categories"] and not known & set(form["categories"]):
        errors["category"] = fields.explain(InvalidReport({"category": "category_unknown"}))["category"]
    if errors:
        return _area_page(form, errors, status=422)
    try:
        _mail_bound(form["email"])
    except accounts.TooManyAttempts:
        return page.too_many()
    reports.follow_area(
        AreaFollow(
            municipality=municipality,
            email=form["email"].strip(),
            language=page.language(),
            lat=lat if circle else None,
            lon=lon if circle else None,
            radius_m=float(radius_m) if circle else None,
            categories=[slug for slug in form["categories"] if slug in known],
            frequency="daily" if form["frequency"] == "daily" else "now",
        )
    )
    db.session.commit()
    page.enqueue("deliver")
    return redirect(url_for("following.follow_sent"), 303)


def _followed(purpose: str, token: str) -> Any:
    try:
        return reports.follow_of(purpose, token)
    except BadLink:
        abort(404)


def _follow_text(found: Any) -> str:
    if found is None:
        return ""
    if isinstance(found, AreaFollow):
        return str(_("new reports in %(municipality)s", municipality=page.named(found.municipality.names)))
    parts = (page.named(found.report.category.names), found.report.place_name, found.report.ref)
    return ", ".join(filter(None, parts))


@bp.get("/follows/<token>")
def confirm_follow(token: str) -> Response:
    # A link in a mail is often opened by a program that looks for viruses, so only the button confirms.
    found = _followed("confirm", token)
    done = bool(found and found.confirmed_at)
    return page.page(
        "following/confirm_follow.html", follow_of=_follow_text(found), done=done, gone=not found, token=token
    )


@bp.post("/follows/<token>")
def confirm(token: str) -> Any:
    found = _followed("confirm", token)
    if found is not None:
        reports.confirm_follow(found)
        db.session.commit()
    return redirect(url_for("following.confirm_follow", token=token), 303)


@bp.route("/unsubscribe/<token>", methods=["GET", "POST"])
def unsubscribe(token: str) -> Response:
    """One click and no questions (RFC 8058). The token is the proof, so a mail program's POST needs no other."""
    found = _followed("unsubscribe", token)
    text = _follow_text(found)
    if request.method == "POST" and found is not None:
        reports.unfollow(found)
        db.session.commit()
        found = None
    return page.page("following/unsubscribe.html", follow_of=text, done=found is None, token=token)
