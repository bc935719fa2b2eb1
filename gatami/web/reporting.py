"""Reporting a fault. Nobody needs an account for it."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, Response, abort, current_app, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError

from .. import accounts, media, municipalities, publication, reports
from .. import addresses as register
from ..db import BadLink, db, keyring
from ..municipalities import Municipality
from ..policy import photos as pictures
from ..reports import InvalidReport, Submission
from . import fields, page

bp = Blueprint("reporting", __name__)
bp.before_request(page.anyone)

RECEIPT_S = 7 * 24 * 3600
RECEIPTS_PER_HOUR = 60
"""To one address; more than anybody reports on a walk along dark streetlights."""
PREVIEWS_PER_SUBMIT = 40
"""How many pauses somebody may make in writing a report that is sent; each of them asks for a preview."""
NAME_MOST = 100
"""Characters of a file's name that are shown again."""


# The form -----------------------------------------------------------------------------------------------------


def _typed() -> dict[str, Any]:
    """Everything that was typed, to be shown again as it was."""
    values = request.values
    fields = ("category", "lat", "lon", "address_query", "text", "name", "email", "phone")
    form: dict[str, Any] = {field: page.plain(values.get(field, "")) for field in fields}
    form["answers"] = {
        key[7:]: page.plain(value) for key, value in values.items() if key.startswith("answer-")
    }
    # Never from the address of the page, where somebody else could have put it.
    form["submission"] = request.form.get("submission", "")[:64] or secrets.token_urlsafe(16)
    return form


def _municipality(form: dict[str, Any]) -> Municipality | None:
    """The municipality of the place that was chosen, else the one that the page was opened for."""
    lat, lon = fields.number(form["lat"]), fields.number(form["lon"])
    if lat is not None and lon is not None:
        try:
            return municipalities.municipality_at(lat, lon)
        except municipalities.OutsideEveryMunicipality:
            pass
    return fields.chosen(list(db.session.scalars(municipalities.active())))


def _about(form: dict[str, Any], municipality: Municipality | None) -> dict[str, Any]:
    """What the place and the category together bring up: stop message, questions, open reports close by."""
    lat, lon = fields.number(form["lat"]), fields.number(form["lon"])
    category = municipalities.category(municipality, form["category"]) if municipality else None
    nearby = None
    if category and lat is not None and lon is not None:
        nearby = publication.nearby(lat, lon, category.slug, category.duplicate_radius_m)
    return {"form": form, "category": category, "nearby": nearby, "municipality": municipality}


def _form_page(
    form: dict[str, Any],
    errors: dict[str, str] | None = None,
    kept: list[dict[str, str]] | None = None,
    status: int = 200,
    **more: Any,
) -> Response:
    municipality = _municipality(form)
    lat, lon = fields.number(form["lat"]), fields.number(form["lon"])
    here = lat is not None and lon is not None
    return page.page(
        "reporting/new.html",
        status=status,
        errors=errors or {},
        kept_photos=kept or [],
        categories=db.session.scalars(municipalities.categories_of(municipality)).all()
        if municipality
        else [],
        map={
            "lat": lat if here else municipality.lat if municipality else 65.0,
            "lon": lon if here else municipality.lon if municipality else 13.0,
            "zoom": 16 if here else municipality.zoom if municipality else 5,
        },
        text_most=reports.TEXT_MOST,
        photos_most=reports.PHOTOS_MOST,
        photo_megabytes=current_app.config["PHOTO_BYTES"] // 1024**2,
        **{
            "addresses": None,
            "address_service_down": False,
            "preview": None,
            **_about(form, municipality),
            **more,
        },
    )


@bp.get("/reports/new")
def new() -> Response:
    return _form_page(_typed())


@bp.get("/reports/new/about")
def about() -> Response:
    form = _typed()
    return page.page("reporting/_about.html", errors={}, **_about(form, _municipality(form)))


@bp.get("/addresses")
def addresses() -> Response:
    return page.page(
        "reporting/_addresses.html", form=_typed(), **_addresses(request.args.get("address_query", ""))
    )


def _addresses(query: str) -> dict[str, Any]:
    config = current_app.config
    if not config["ADDRESS_URL"]:
        return {"addresses": [], "address_service_down": True}
    try:
        found = register.search(config["ADDRESS_URL"], query, config["ADDRESS_TIMEOUT_S"])
    except register.AddressServiceDown:
        return {"addresses": [], "address_service_down": True}
    return {"addresses": found, "address_service_down": False}


# What everyone will see ---------------------------------------------------------------------------------------


def _bound_previews() -> None:
    """Raises accounts.TooManyAttempts. Of what was typed nothing is counted or kept."""
    most = PREVIEWS_PER_SUBMIT * current_app.config["SUBMITS_PER_HOUR"]
    accounts.bound("preview", page.address(), most)
    db.session.commit()


@bp.post("/reports/new/preview")
def preview() -> Response:
    """The part of the form that shows while writing what everyone will see; empty where nothing is hidden."""
    form = _typed()
    if len(form["text"].strip()) > reports.TEXT_MOST:
        too_long = fields.explain(InvalidReport({"text": "text_too_long"}))["text"]
        return page.page("reporting/_preview.html", preview=None, error=too_long)
    try:
        _bound_previews()
    except accounts.TooManyAttempts:
        return page.too_many()
    municipality = _municipality(form)
    shown = reports.preview(form["text"], page.language(), municipality)
    return page.page("reporting/_preview.html", preview=shown, municipality=municipality)


def _unseen(submission: Submission) -> reports.Preview | None:
    """What the sender has not looked at yet; None where nothing is hidden. Raises InvalidReport."""
    municipality, _category = reports.check(submission)
    text, code = submission.text, submission.language
    if any(reports.was_seen(token, text, code, municipality) for token in request.form.getlist("seen")[:2]):
        return None
    shown = reports.preview(text, code, municipality)
    if shown:
        try:
            _bound_previews()
        except accounts.TooManyAttempts:
            # Looking first is a courtesy: what is nobody's business is hidden all the same.
            return None
    return shown


# Photos between two tries -------------------------------------------------------------------------------------


def _keep(photos: list[tuple[bytes, str]]) -> list[dict[str, str]]:
    """Put photos aside while the rest of the form is mended; a browser never sends a file twice by itself.

    As many as the caller's address may still put aside in this hour, so that nobody fills the disk.
    """
    kept = []
    for data, name in photos:
        try:
            accounts.bound("draft", page.address(), current_app.config["SUBMITS_PER_HOUR"])
        except accounts.TooManyAttempts:
            break
        key = f"{media.DRAFTS}/{media.new_key()}"
        media.private.put(key, keyring.seal(data))
        kept.append({"token": keyring.sign("draft", [key, name]), "filename": name})
        db.session.commit()
    return kept


def _kept() -> list[dict[str, str]]:
    """The photos put aside earlier that this form still names."""
    found = []
    for token in request.form.getlist("kept_photo")[: reports.PHOTOS_MOST]:
        try:
            key, name = keyring.signed("draft", token, int(media.DRAFT_LIFE.total_seconds()))
        except BadLink:
            continue
        if media.private.path(key).exists():
            found.append({"token": token, "filename": name})
    return found


def _kept_bytes(kept: list[dict[str, str]]) -> list[bytes]:
    return [keyring.open(media.private.get(keyring.signed("draft", photo["token"])[0])) for photo in kept]


def _forget(kept: list[dict[str, str]]) -> None:
    for photo in kept:
        media.private.delete(keyring.signed("draft", photo["token"])[0])


def _uploaded(most: int) -> tuple[list[tuple[bytes, str]], str | None]:
    """The pictures that came with the form, and what is wrong with the first one that cannot be taken."""
    taken: list[tuple[bytes, str]] = []
    error = None
    for file in request.files.getlist("photos"):
        # A large upload lies in a temporary file, which closing deletes at once.
        with file.stream:
            data = file.stream.read(current_app.config["PHOTO_BYTES"] + 1)
        if not file.filename:
            continue
        name = file.filename.replace("\\", "/").rpartition("/")[2][-NAME_MOST:]
        if len(taken) == most:
            return taken, error or _("You can send at most %(number)d photos.", number=reports.PHOTOS_MOST)
        try:
            taken.append((_checked(data), name))
        except pictures.NotAPicture:
            error = error or _(
                "“%(name)s” is not a picture that we can read. Send a JPEG, PNG, WebP or HEIC.", name=name
            )
        except pictures.TooManyPixels:
            error = error or _(
                "“%(name)s” has too many pixels. Make it smaller, or take a new photo.", name=name
            )
        except _TooLarge:
            most_mb = current_app.config["PHOTO_BYTES"] // 1024**2
            error = error or _(
                "“%(name)s” is too large. A photo can be at most %(most)d MB.", name=name, most=most_mb
            )
    return taken, error


class _TooLarge(Exception):
    pass


def _checked(data: bytes) -> bytes:
    if len(data) > current_app.config["PHOTO_BYTES"]:
        raise _TooLarge
    pictures.check(data)
    return data


# Sending ------------------------------------------------------------------------------------------------------


@bp.post("/reports/draft")
def draft() -> Response:
    """The form's steps for a browser without JavaScript: look up an address, look for the same fault, drop a photo."""
    form, action = _typed(), request.form.get("action", "")
    kept = _kept()
    if action.startswith("remove-"):
        gone = [photo for photo in kept if f"remove-{photo['token']}" == action]
        _forget(gone)
        kept = [photo for photo in kept if photo not in gone]
    photos, error = _uploaded(reports.PHOTOS_MOST - len(kept))
    kept += _keep(photos)
    more: dict[str, Any] = _addresses(form["address_query"]) if action == "search" else {}
    return _form_page(form, {"photos": error} if error else {}, kept, **more)


@bp.post("/reports")
def create() -> Any:
    form, kept = _typed(), _kept()
    photos, photo_error = _uploaded(reports.PHOTOS_MOST - len(kept))
    submission = Submission(
        category=form["category"],
        lat=fields.number(form["lat"]),
        lon=fields.number(form["lon"]),
        text=form["text"],
        language=page.language(),
        name=form["name"],
        email=form["email"],
        phone=form["phone"],
        answers=form["answers"],
        token=form["submission"] if request.form.get("submission") else "",
    )
    try:
        if photo_error:
            reports.check(submission)
            raise InvalidReport({})
        submission.photos = _kept_bytes(kept) + [data for data, _name in photos]
        if unseen := _unseen(submission):
            return _form_page(form, kept=kept + _keep(photos), preview=unseen)
        # Nothing is written before the photos lie on disk: SQLite's one write lock must not wait for them.
        with db.session.no_autoflush:
            most = current_app.config["SUBMITS_PER_HOUR"]
            accounts.bound("submit", page.address(), most)
            if reports.is_email(submission.email):
                # The address may be somebody else's, whose mailbox this form must not fill.
                accounts.bound("receipt", submission.email, min(most, RECEIPTS_PER_HOUR))
            report = reports.submit(submission)
        # Read before the commit, after which every look at the row would ask the database again.
        db.session.flush()
        report_id, ref = report.id, report.ref
        db.session.commit()
    except accounts.TooManyAttempts:
        db.session.rollback()
        error = {
            "submit": _(
                "Very many reports have come from your network in the last hour. Wait a little, then send again."
            )
        }
        return _form_page(form, error, kept, status=429)
    except InvalidReport as invalid:
        db.session.rollback()
        kept += _keep(photos)
        errors = fields.explain(invalid)
        if photo_error:
            errors["photos"] = photo_error
        return _form_page(form, errors, kept, status=422)
    except IntegrityError:
        # The same form came twice at the same moment, and the other one was quicker.
        db.session.rollback()
        report = reports.submit(submission)
        db.session.flush()
        report_id, ref = report.id, report.ref
        db.session.commit()
    _forget(kept)
    page.enqueue("review", report_id)
    return redirect(url_for("reporting.receipt", token=keyring.sign("receipt", ref)), 303)


@bp.get("/receipts/<token>")
def receipt(token: str) -> Response:
    try:
        report = reports.by_ref(keyring.signed("receipt", token, RECEIPT_S))
    except BadLink:
        abort(404)
    if report is None:
        abort(404)
    contents = report.original.contents
    return page.page(
        "reporting/receipt.html",
        report=report,
        category=report.category,
        private_url=url_for("mine.report", token=reports.private_token(report)),
        response_due_at=report.response_due_at,
        held=report.text_publication == "held",
        masked=report.text_publication == "published" and contents.masked != contents.text,
        has_photos=bool(report.photos),
        email_given=bool(contents.email),
    )
