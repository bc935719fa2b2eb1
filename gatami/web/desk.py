"""The technical department's desk: the queue, a case, and everything that is done with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, abort, redirect, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import func, select
from sqlalchemy.orm.exc import StaleDataError

from .. import accounts, cases, media, reports
from ..accounts import User
from ..cases import Queue
from ..db import db, now
from ..municipalities import Category, Municipality
from ..policy import text as policy
from ..reports import Photo, Report
from . import page

bp = Blueprint("desk", __name__, url_prefix="/desk")
bp.before_request(page.requires("handle"))

PER_PAGE = 50


def _case(ref: str) -> Report:
    """The case, for who handles its municipality; for everybody else it is not there."""
    report = reports.by_ref(ref)
    if report is None or not accounts.may(current_user, "handle", report.municipality_id):
        abort(404)
    return report


@bp.get("")
def queue() -> Response:
    asked = request.args
    view = asked.get("view", "all")
    wanted = Queue(
        view=view if view in cases.VIEWS else "all",
        category=asked.get("category", "")[:60],
        state=asked.get("state", "")[:30],
        q=asked.get("q", "")[:100],
    )
    at, number = now(), page.page_number()
    found = cases.queue(current_user, wanted, at)
    total = (
        db.session.scalar(select(func.count()).select_from(found.order_by(None).options().subquery())) or 0
    )
    rows = db.session.scalars(found.limit(PER_PAGE).offset((number - 1) * PER_PAGE)).unique().all()
    return page.page(
        "desk/queue.html",
        part="desk/_queue.html",
        cases=[
            {
                "report": report,
                "overdue": cases.is_overdue(report, at),
                "held_photos": sum(photo.publication == "held" for photo in report.photos),
            }
            for report in rows
        ],
        counts=cases.counts(current_user, at),
        filters={"view": wanted.view, "category": wanted.category, "state": wanted.state, "q": wanted.q},
        categories=_categories(),
        total=total,
        page=number,
        pages=max(1, -(-total // PER_PAGE)),
    )


def _categories() -> list[Category]:
    """One of each slug, of the municipalities that the user handles."""
    mine = accounts.municipalities_of(current_user, "handle")
    found = (
        select(Category).where(Category.municipality_id.in_(mine)).order_by(Category.position, Category.id)
    )
    return list({category.slug: category for category in reversed(db.session.scalars(found).all())}.values())[
        ::-1
    ]


def _case_page(
    report: Report, errors: dict[str, str] | None = None, conflict: bool = False, status: int = 200
) -> Response:
    original = report.original.contents
    return page.page(
        "desk/case.html",
        status=status,
        report=report,
        original=original,
        proposal=original.masked if original.masked is not None else "",
        findings=_findings(original.text, report.municipality),
        photos=report.photos,
        events=list(cases.events(report)),
        last_change=cases.last_change(report) if conflict else None,
        staff=accounts.staff_of(report.municipality_id),
        transitions=cases.TRANSITIONS[report.state],
        needs_reason=cases.NEEDS_REASON,
        overdue=cases.is_overdue(report, now()),
        errors=errors or {},
        conflict=conflict,
        typed=request.form if request.method == "POST" else {},
        typed_photo=(request.view_args or {}).get("number"),
        map={"lat": report.lat, "lon": report.lon, "zoom": 16},
    )


def _findings(text: str, municipality: Municipality) -> list[policy.Finding]:
    """What the policy layer hid; nothing where it failed, which the held text tells already."""
    try:
        return policy.find(text, allowed=frozenset(municipality.public_contacts))
    except Exception:  # noqa: BLE001  (whatever broke the policy, the desk must open)
        return []


@bp.get("/<ref>")
def case(ref: str) -> Response:
    return _case_page(_case(ref))


def _do(report: Report, act: Callable[[], object]) -> Any:
    """Carry out one act on a case and commit it, or show the case again with what went wrong and what was typed."""
    ref = report.ref
    try:
        act()
        db.session.commit()
    except (cases.ChangedMeanwhile, StaleDataError):
        db.session.rollback()
        return _case_page(_case(ref), conflict=True, status=409)
    except cases.PersonalData as error:
        db.session.rollback()
        kinds = {page.named(dict(policy.KINDS[finding.kind].label)) for finding in error.findings}
        message = _(
            "This holds what must not be public: %(kinds)s. Take it out, then send.",
            kinds=", ".join(sorted(kinds)),
        )
        return _case_page(_case(ref), {"text": message}, status=422)
    except tuple(_WORDS) as error:
        db.session.rollback()
        field, words = _WORDS[type(error)]
        return _case_page(_case(ref), {field: words()}, status=422)
    page.enqueue("deliver")
    return redirect(url_for("desk.case", ref=ref), 303)


_WORDS: dict[type[Exception], tuple[str, Callable[[], str]]] = {
    cases.NoSuchTransition: ("state", lambda: _("The case cannot go to that state from where it is now.")),
    cases.ReasonMissing: ("text", lambda: _("Write the reason. Everyone can read it.")),
    cases.NoSuchTarget: (
        "duplicate_of",
        lambda: _(
            "Write the reference of another report in the same municipality, one that is not a duplicate itself."
        ),
    ),
    cases.NotStaffHere: ("assignee", lambda: _("This person does not handle cases in the municipality.")),
    cases.TextTooLong: (
        "text",
        lambda: _("The text is too long. It can have at most %(most)d characters.", most=reports.TEXT_MOST),
    ),
    cases.NotChecked: (
        "text",
        lambda: _(
            "The text could not be checked for personal data, so it was not sent. Try again in a while."
        ),
    ),
    cases.EmptyText: ("text", lambda: _("Write something first.")),
    reports.NothingToShow: (
        "public_text",
        lambda: _("There is nothing that can be shown. Write the public text first."),
    ),
}


def _version() -> int:
    return request.form.get("version", -1, type=int)


def _text(field: str = "text") -> str:
    return page.plain(request.form.get(field, ""))


@bp.post("/<ref>/assignment")
def assign(ref: str) -> Any:
    report = _case(ref)
    number = request.form.get("assignee", type=int)
    assignee = db.session.get(User, number) if number else None
    return _do(report, lambda: cases.assign(report, current_user, assignee, _version()))


@bp.post("/<ref>/state")
def change_state(ref: str) -> Any:
    report, form = _case(ref), request.form
    state, target = form.get("state", ""), form.get("duplicate_of", "")
    return _do(
        report,
        lambda: cases.change_state(report, current_user, state, _version(), _text(), duplicate_of=target),
    )


@bp.post("/<ref>/replies")
def reply(ref: str) -> Any:
    report = _case(ref)
    return _do(report, lambda: cases.reply(report, current_user, _text(), _version()))


@bp.post("/<ref>/notes")
def note(ref: str) -> Any:
    report = _case(ref)
    return _do(report, lambda: cases.note(report, current_user, _text()))


@bp.post("/<ref>/text")
def review_text(ref: str) -> Any:
    report, form = _case(ref), request.form
    if form.get("act") == "hold":
        return _do(report, lambda: cases.hold_text(report, current_user, _version()))
    text = _text("public_text")
    return _do(report, lambda: cases.release_text(report, current_user, text, _version()))


def _photo(report: Report, number: int) -> Photo:
    photo = next((photo for photo in report.photos if photo.id == number), None)
    if photo is None:
        abort(404)
    return photo


@bp.post("/<ref>/photos/<int:number>")
def review_photo(ref: str, number: int) -> Any:
    report = _case(ref)
    photo, form = _photo(report, number), request.form
    if form.get("act") == "hold":
        return _do(report, lambda: cases.hold_photo(photo, current_user, _version()))
    return _do(report, lambda: cases.release_photo(photo, current_user, _text("alt")[:300], _version()))


@bp.get("/<ref>/photos/<int:number>/<size>")
def photo(ref: str, number: int, size: str) -> Response:
    if size not in ("small", "large"):
        abort(404)
    try:
        data = reports.photo_bytes(_photo(_case(ref), number), size)
    except media.NoSuchMedia:
        abort(404)
    response = Response(data, mimetype="image/webp")
    response.headers["Cache-Control"] = "private, no-store"
    return response
