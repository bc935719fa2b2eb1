"""Reporting a fault, following one, and the reporter's own page. Nobody needs an account for any of it."""

from __future__ import annotations

import contextlib
import secrets
from typing import Any

from flask import Blueprint, Response, abort, current_app, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from .. import accounts, media, municipalities, publication, reports
from .. import addresses as register
from ..db import BadLink, db, keyring
from ..municipalities import Municipality
from ..policy import photos as pictures
from ..reports import AreaFollow, InvalidReport, Submission
from . import page

bp = Blueprint("reporting", __name__)
bp.before_request(page.anyone)

RECEIPT_S = 7 * 24 * 3600
RECEIPTS_PER_HOUR = 60
"""To one address; more than anybody reports on a walk along dark streetlights."""
NAME_MOST = 100
"""Characters of a file's name that are shown again."""


# The form -----------------------------------------------------------------------------------------------------


def _number(value: str) -> float | None:
    """A coordinate as people type it, with a comma or a point; None where it is none."""
    try:
        found = float(value.strip().replace(",", "."))
    except ValueError:
        return None
    return found if abs(found) <= 360 else None


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
    lat, lon = _number(form["lat"]), _number(form["lon"])
    if lat is not None and lon is not None:
        try:
            return municipalities.municipality_at(lat, lon)
        except municipalities.OutsideEveryMunicipality:
            pass
    return _chosen(list(db.session.scalars(municipalities.active())))


def _chosen(active: list[Municipality]) -> Municipality | None:
    """The municipality that was asked for, else the one that this site opens on."""
    number = request.values.get("municipality", "") or current_app.config["DEFAULT_MUNICIPALITY"]
    return next((m for m in active if m.number == number), active[0] if active else None)


def _about(form: dict[str, Any], municipality: Municipality | None) -> dict[str, Any]:
    """What the place and the category together bring up: stop message, questions, open reports close by."""
    lat, lon = _number(form["lat"]), _number(form["lon"])
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
    lat, lon = _number(form["lat"]), _number(form["lon"])
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
        **{"addresses": None, "address_service_down": False, **_about(form, municipality), **more},
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
        lat=_number(form["lat"]),
        lon=_number(form["lon"]),
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
        errors = explain(invalid)
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


def explain(invalid: InvalidReport) -> dict[str, str]:
    """Each error as a sentence for the field that it stands beside."""
    words = {
        "place_missing": _("Choose a place: tap on the map, use your location or search for an address."),
        "place_not_on_earth": _(
            "These coordinates are not a place on the map. Latitude comes first, then longitude."
        ),
        "place_sea": _("This place is in the sea. Move the mark to the nearest road, quay or shore."),
        "place_abroad": _(
            "This place is outside Norway. GataMi takes reports from Norwegian municipalities."
        ),
        "place_not_here": _(
            "This place is in %(municipality)s, which does not use GataMi. Contact that municipality directly.",
            municipality=page.named(invalid.outside),
        ),
        "category_missing": _("Choose what the report is about."),
        "category_unknown": _("The municipality does not have this category. Choose another one."),
        "text_missing": _("Write what is wrong. A short sentence is enough."),
        "text_too_long": _(
            "The text is too long. It can have at most %(most)d characters.", most=reports.TEXT_MOST
        ),
        "email_invalid": _("This does not look like an e-mail address. It should look like name@example.no."),
        "phone_invalid": _("This does not look like a phone number. Use digits, such as 400 00 000."),
        "too_long": _("This is too long."),
        "answer_missing": _("Answer this question."),
        "answer_unknown": _("Choose one of the answers."),
        "photos_too_many": _("You can send at most %(number)d photos.", number=reports.PHOTOS_MOST),
    }
    return {field: words[reason] for field, reason in invalid.errors.items()}


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
        private_url=url_for("reporting.mine", token=reports.private_token(report)),
        response_due_at=report.response_due_at,
        held=report.text_publication == "held",
        masked=report.text_publication == "published" and contents.masked != contents.text,
        has_photos=bool(report.photos),
        email_given=bool(contents.email),
    )


# Following ----------------------------------------------------------------------------------------------------


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
    return page.page("reporting/follow.html", report=report, errors={}, form={"email": ""})


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
        errors = explain(InvalidReport({"email": "email_invalid"}))
        shown = publication.report(ref.upper())
        return page.page(
            "reporting/follow.html", status=422, report=shown, errors=errors, form={"email": email}
        )
    with contextlib.suppress(IntegrityError):
        # Of two clicks at the same moment the first one counts, and its mail is on the way.
        db.session.commit()
    page.enqueue("deliver")
    return redirect(url_for("reporting.follow_sent"), 303)


@bp.get("/follow/sent")
def follow_sent() -> Response:
    return page.page("reporting/follow_sent.html")


def _area_page(form: dict[str, Any], errors: dict[str, str], status: int = 200) -> Response:
    active = list(db.session.scalars(municipalities.active()))
    shown = _chosen(active)
    lat, lon = _number(form["lat"]), _number(form["lon"])
    return page.page(
        "reporting/follow_area.html",
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
    municipality = _chosen(list(db.session.scalars(municipalities.active())))
    if municipality is None:
        abort(404)
    circle = form["extent"] == "circle"
    lat, lon, radius_m = _number(form["lat"]), _number(form["lon"]), form["radius_m"]
    if not reports.is_email(form["email"]):
        errors |= explain(InvalidReport({"email": "email_invalid"}))
    if circle:
        try:
            if lat is None or lon is None:
                errors |= explain(InvalidReport({"place": "place_missing"}))
            else:
                municipality = municipalities.municipality_at(lat, lon)
        except municipalities.OutsideEveryMunicipality as outside:
            errors |= explain(InvalidReport({"place": f"place_{outside.reason}"}, outside.names))
        least, most = reports.RADIUS_M
        if not (radius_m.isdecimal() and len(radius_m) < 7 and least <= int(radius_m) <= most):
            errors["radius_m"] = _(
                "Choose a radius between %(least)d and %(most)d metres.", least=least, most=most
            )
    known = {c.slug for c in db.session.scalars(municipalities.categories_of(municipality))}
    if form["categories"] and not known & set(form["categories"]):
        errors["category"] = explain(InvalidReport({"category": "category_unknown"}))["category"]
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
    return redirect(url_for("reporting.follow_sent"), 303)


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
        "reporting/confirm_follow.html", follow_of=_follow_text(found), done=done, gone=not found, token=token
    )


@bp.post("/follows/<token>")
def confirm(token: str) -> Any:
    found = _followed("confirm", token)
    if found is not None:
        reports.confirm_follow(found)
        db.session.commit()
    return redirect(url_for("reporting.confirm_follow", token=token), 303)


@bp.route("/unsubscribe/<token>", methods=["GET", "POST"])
def unsubscribe(token: str) -> Response:
    """One click and no questions (RFC 8058). The token is the proof, so a mail program's POST needs no other."""
    found = _followed("unsubscribe", token)
    text = _follow_text(found)
    if request.method == "POST" and found is not None:
        reports.unfollow(found)
        db.session.commit()
        found = None
    return page.page("reporting/unsubscribe.html", follow_of=text, done=found is None, token=token)


# The reporter's own page --------------------------------------------------------------------------------------


def _mine(token: str) -> reports.Report:
    try:
        report = reports.by_private_token(token)
    except BadLink:
        abort(404)
    if report is None:
        abort(404)
    return report


@bp.get("/mine/<token>")
def mine(token: str) -> Response:
    report = _mine(token)
    return page.page(
        "reporting/mine.html",
        report=report,
        original=report.original.contents,
        photos=[
            {
                "id": photo.id,
                "publication": photo.publication,
                "failure": photo.failure,
                "url": url_for("reporting.my_photo", token=token, number=photo.id) if photo.width else None,
            }
            for photo in report.photos
        ],
        events=publication.events(report.id),
        can_withdraw=report.closed_at is None,
        token=token,
    )


@bp.get("/mine/<token>/photos/<int:number>")
def my_photo(token: str, number: int) -> Response:
    photo = next((p for p in _mine(token).photos if p.id == number and p.width), None)
    if photo is None:
        abort(404)
    try:
        data = reports.photo_bytes(photo, "small")
    except media.NoSuchMedia:
        abort(404)
    response = Response(data, mimetype="image/webp")
    response.headers["Cache-Control"] = "private, no-store"
    return response


@bp.post("/mine/<token>/withdrawal")
def withdraw(token: str) -> Any:
    try:
        try:
            reports.withdraw(_mine(token))
            db.session.commit()
        except StaleDataError:
            # Staff changed the case at the same moment. Taking it back does not depend on what they did.
            db.session.rollback()
            reports.withdraw(_mine(token))
            db.session.commit()
    except reports.NotWithdrawable:
        abort(409)
    page.enqueue("deliver")
    return redirect(url_for("reporting.mine", token=token), 303)
