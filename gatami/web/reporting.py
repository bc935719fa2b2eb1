"""Reporting a fault. Nobody needs an account for it."""

from __future__ import annotations

import contextlib
import secrets
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, abort, current_app, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError
from werkzeug.datastructures import FileStorage

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
ROWS_MOST = 2 * reports.PHOTOS_MOST
"""Photos of a form that are looked at, so that each one too many is told of."""


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
    photos: _Photos | None = None,
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
        kept_photos=photos.chosen if photos else [],
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
        caption_most=reports.CAPTION_MOST,
        photo_bytes=current_app.config["PHOTO_BYTES"],
        photo_pixels=pictures.PIXELS,
        refused={
            name: fields.refused(error, "{name}")
            for name, error in {
                "large": fields.TooLarge(),
                "pixels": pictures.TooManyPixels(0, 0),
                "many": fields.TooManyFiles(),
            }.items()
        },
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


# Photos before the form is sent -------------------------------------------------------------------------------


class _NoRoom(Exception):
    """Drafts take all the bytes that they may take."""


@dataclass(slots=True)
class _Chosen:
    """A photo of the form: put aside earlier under a token, or a file that came along with this request."""

    name: str
    caption: str = ""
    token: str = ""
    data: bytes | None = None

    @property
    def key(self) -> str:
        return str(keyring.signed("draft", self.token)[0])


@dataclass(slots=True)
class _Photos:
    """The photos of the form in their order, and what is wrong with the first one that cannot be taken."""

    chosen: list[_Chosen]
    error: str | None = None

    def put_aside(self) -> _Photos:
        """Keep what came along while the rest of the form is mended; a browser never sends a file twice by itself."""
        for photo in self.chosen:
            if photo.token:
                continue
            try:
                _bound_drafts()
                photo.token = _put_aside(photo.data or b"", photo.name)
            except (accounts.TooManyAttempts, _NoRoom):
                self.error = self.error or _(
                    "We could not keep “%(name)s” while you mend the rest. Choose it again.", name=photo.name
                )
        self.chosen = [photo for photo in self.chosen if photo.token]
        return self

    def contents(self) -> list[tuple[bytes, str]]:
        """Bytes and caption of each; without those that the same form, sent twice, has taken with it meanwhile."""
        found = []
        for photo in self.chosen:
            with contextlib.suppress(media.NoSuchMedia):
                data = keyring.open(media.private.get(photo.key)) if photo.data is None else photo.data
                found.append((data, photo.caption))
        return found

    def forget(self) -> None:
        for photo in self.chosen:
            if photo.token:
                media.private.delete(photo.key)


def _bound_drafts() -> None:
    """Raises accounts.TooManyAttempts. As many photos an hour as reports with all the photos that they may have."""
    accounts.bound("draft", page.address(), reports.PHOTOS_MOST * current_app.config["SUBMITS_PER_HOUR"])
    db.session.commit()


def _put_aside(data: bytes, name: str) -> str:
    """The token of a photo that is kept for a day. Raises _NoRoom, so that nobody fills the disk."""
    sender = keyring.fingerprint(page.address())[:16]
    most, most_each = current_app.config["DRAFT_BYTES"], current_app.config["DRAFT_BYTES_EACH"]
    if (
        media.private.weight(media.DRAFTS, sender) + len(data) > most_each
        or media.private.weight(media.DRAFTS) + len(data) > most
    ):
        raise _NoRoom
    key = f"{media.DRAFTS}/{sender}_{media.new_key()}"
    media.private.put(key, keyring.seal(data))
    return keyring.sign("draft", [key, name])


def _named(file: FileStorage) -> str:
    return (file.filename or "").replace("\\", "/").rpartition("/")[2][-NAME_MOST:]


def _photos() -> _Photos:
    """What the form holds of photos. A row with a token was put aside, and one without has its file in this request."""
    found = _Photos([])
    files = iter([file for file in request.files.getlist("photos") if file.filename])
    captions = iter(request.form.getlist("caption"))
    for token in request.form.getlist("kept_photo")[:ROWS_MOST]:
        caption = page.plain(next(captions, "")).strip()
        if token:
            _take_kept(found, token, caption)
        elif file := next(files, None):
            _take_file(found, file, caption)
    for file in files:
        _take_file(found, file, "")
    return found


def _take_kept(photos: _Photos, token: str, caption: str) -> None:
    try:
        key, name = keyring.signed("draft", token)
    except BadLink:
        return
    if not media.private.path(key).exists():
        photos.error = photos.error or _(
            "“%(name)s” was chosen more than a day ago and is gone. Choose it again.", name=name
        )
    elif len(photos.chosen) < reports.PHOTOS_MOST:
        photos.chosen.append(_Chosen(name, caption, token))


def _take_file(photos: _Photos, file: FileStorage, caption: str) -> None:
    name = _named(file)
    try:
        if len(photos.chosen) >= reports.PHOTOS_MOST:
            raise fields.TooManyFiles
        photos.chosen.append(_Chosen(name, caption, data=fields.read_photo(file)))
    except pictures.Refused as error:
        photos.error = photos.error or fields.refused(error, name)


@bp.post("/reports/photos")
def add_photo() -> Any:
    """One photo, sent as soon as it is chosen: `{"token"}` for the form's `kept_photo`, or `{"error"}`, a sentence."""
    photos = _Photos([])
    try:
        _bound_drafts()
        for file in request.files.getlist("photos")[:1]:
            _take_file(photos, file, "")
        if photos.error or not photos.chosen:
            return {"error": photos.error}, 422
        (photo,) = photos.chosen
        return {"token": _put_aside(photo.data or b"", photo.name)}, 201
    except (accounts.TooManyAttempts, _NoRoom):
        # The form itself may still bring it along.
        return {"error": None}, 429


@bp.delete("/reports/photos")
def remove_photo() -> Any:
    """A photo that was sent is not wanted after all; nothing is kept of it."""
    for token in request.form.getlist("kept_photo")[:ROWS_MOST]:
        with contextlib.suppress(BadLink):
            media.private.delete(keyring.signed("draft", token)[0])
    return "", 204


# Sending ------------------------------------------------------------------------------------------------------


@bp.post("/reports/draft")
def draft() -> Response:
    """The form's steps for a browser without JavaScript: find an address, find the same fault, add or drop a photo."""
    form, action = _typed(), request.form.get("action", "")
    photos = _photos()
    if action.startswith("remove-"):
        gone = _Photos([photo for photo in photos.chosen if f"remove-{photo.token}" == action])
        gone.forget()
        photos.chosen = [photo for photo in photos.chosen if photo not in gone.chosen]
    photos.put_aside()
    more: dict[str, Any] = _addresses(form["address_query"]) if action == "search" else {}
    return _form_page(form, {"photos": photos.error} if photos.error else {}, photos, **more)


@bp.post("/reports")
def create() -> Any:
    form, photos = _typed(), _photos()
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
        contents = photos.contents()
        submission.photos = [data for data, _caption in contents]
        submission.captions = [caption for _data, caption in contents]
        if photos.error and not (submission.token and reports.by_submission(submission.token)):
            # Everything else that is wrong is told at once with it.
            reports.check(submission)
            raise InvalidReport({})
        if unseen := _unseen(submission):
            photos.put_aside()
            return _form_page(form, {"photos": photos.error} if photos.error else {}, photos, preview=unseen)
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
        return _form_page(form, error, photos.put_aside(), status=429)
    except InvalidReport as invalid:
        db.session.rollback()
        photos.put_aside()
        errors = fields.explain(invalid)
        if photos.error:
            errors["photos"] = photos.error
        return _form_page(form, errors, photos, status=422)
    except IntegrityError:
        # The same form came twice at the same moment, and the other one was quicker.
        db.session.rollback()
        report = reports.submit(submission)
        db.session.flush()
        report_id, ref = report.id, report.ref
        db.session.commit()
    photos.forget()
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
        photos=[photo for photo in report.photos if photo.sent_by_id is None],
        email_given=bool(contents.email),
    )
