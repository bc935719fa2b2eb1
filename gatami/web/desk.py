"""The technical department's desk: the queue, a case, and everything that is done with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import func, select
from sqlalchemy.orm.exc import StaleDataError

from .. import accounts, cases, media, reports
from ..accounts import User
from ..cases import Queue
from ..db import db, now
from ..municipalities import Category
from ..policy import moderation
from ..policy import text as policy
from ..policy.differences import differences
from ..policy.moderation import Verdict
from ..policy.photos import FORMATS, SIZES, Box, Refused
from ..policy.photos.boxes import KINDS
from ..reports import Photo, Report
from . import fields, page, reasons

bp = Blueprint("desk", __name__, url_prefix="/desk")
bp.before_request(page.requires("handle"))

PER_PAGE = 50
BOXES_MOST = 200
ALT_MOST = 300
"""Characters of what a photo shows."""
NAME_MOST = 80
"""Characters of a file's name that are repeated when it cannot be taken."""


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
    forgotten = report.original.forgotten
    if not forgotten:
        # Whoever opens the page reads what was sent; its author can see who did.
        reports.looked(report, current_user, "text")
        db.session.commit()
    original = report.original.contents
    verdict = None
    if not forgotten:
        verdict = reports.judge(original.text, report.municipality, report.language, original.lifted)
    decisions = reports.decisions(report)
    return page.page(
        "desk/case.html",
        status=status,
        report=report,
        original=original,
        proposal=original.masked if original.masked is not None else "",
        findings=_findings(original.text, verdict, report.language),
        pieces=_pieces(original.text, verdict),
        masks=[
            (kind.mask[report.language], page.named(dict(kind.label)))
            for name, kind in policy.KINDS.items()
            if name != "UNREAD"
        ],
        versions=_versions(report),
        decisions=[reasons.decision(made) for made in decisions],
        held_because=_held_because(report, decisions),
        objections=[made for made in decisions if made.objected_at and not made.answered_at],
        flags=reports.open_flags(report),
        incidents=reports.incidents(report),
        leads=accounts.may(current_user, "lead", report.municipality_id),
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
        typed_number=(request.view_args or {}).get("number"),
        objection_most=reports.OBJECTION_MOST,
        map={"lat": report.lat, "lon": report.lon, "zoom": 16},
    )


def _findings(text: str, verdict: Verdict | None, language: str) -> list[dict[str, Any]]:
    """What the policy layer hid and why; nothing where it failed, which the held text tells already."""
    if verdict is None:
        return []
    liftable = moderation.liftable(verdict)
    return [
        {
            "words": text[found.start : found.end],
            "kind": found.kind,
            "label": policy.KINDS[found.kind].label,
            "mask": policy.KINDS[found.kind].mask[language],
            "reason": found.reason,
            "liftable": found in liftable,
        }
        for found in verdict.findings
    ]


def _pieces(text: str, verdict: Verdict | None) -> list[tuple[str, str | None]]:
    """The original in pieces: what is shown, and what is hidden with its kind."""
    pieces: list[tuple[str, str | None]] = []
    at = 0
    for found in verdict.findings if verdict else ():
        pieces += [(text[at : found.start], None), (text[found.start : found.end], found.kind)]
        at = found.end
    return [piece for piece in [*pieces, (text[at:], None)] if piece[0]]


def _versions(report: Report) -> list[dict[str, Any]]:
    """The public texts, the newest first, each with what it changed in the one before."""
    if report.original.forgotten:
        return []
    known, before = reports.versions(report), ""
    found: list[dict[str, Any]] = []
    for version in known:
        text = version.text
        found.append(
            {
                "row": version,
                "pieces": list(differences(before, text)) if found else [("same", text)],
                "is_shown": version is known[-1] and report.public_text == text,
            }
        )
        before = text
    return found[::-1]


def _held_because(report: Report, decisions: Sequence[reports.Decision]) -> list[str]:
    """Why the text waits, as ids that the page has words for."""
    if report.text_publication != "held":
        return []
    last = [made for made in decisions if made.photo_id is None and made.act in ("held", "flagged")]
    return last[-1].why if last else []


@bp.get("/<ref>")
def case(ref: str) -> Response:
    return _case_page(_case(ref))


def _do(report: Report, act: Callable[[], object], *, draws: bool = False) -> Any:
    """Carry out one act on a case and commit it, or show the case again with what went wrong and what was typed.

    `draws`: there is a photo that the worker has to draw afterwards.
    """
    ref, number = report.ref, report.id
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
        if isinstance(error, reports.NothingToShow) and "/photos" in request.path:
            field, words = "photo", _no_photo
        return _case_page(_case(ref), {field: words()}, status=422)
    page.enqueue("deliver")
    if draws:
        page.enqueue("draw", number)
    return redirect(url_for("desk.case", ref=ref), 303)


def _no_photo() -> str:
    return str(_("Nothing was saved: the photo, or the whole case, can be shown no more."))


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
    cases.ReasonUnsaid: ("reason", lambda: _("Write why. Only the one who reported can read it.")),
    reports.NothingToShow: (
        "public_text",
        lambda: _("There is nothing that can be shown. Write the public text first."),
    ),
    reports.TooManyPhotos: (
        "photo",
        lambda: _("There can be at most %(number)d photos of the work.", number=reports.STAFF_PHOTOS_MOST),
    ),
    reports.NotLiftable: (
        "public_text",
        lambda: _("These words cannot be let through: they are not among the uncertain names."),
    ),
    reports.NoSuchVersion: ("public_text", lambda: _("There is no such version of the text.")),
    reports.OwnDecision: (
        "answer",
        lambda: _("You made this decision yourself, so somebody else must answer the objection."),
    ),
    reports.NothingToObjectTo: ("answer", lambda: _("The objection is answered already.")),
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
    report, reason = _case(ref), _text("reason")
    if act := {"hold": "held", "remove": "removed"}.get(request.form.get("act", "")):
        return _do(report, lambda: cases.hold_text(report, current_user, _version(), reason, act))
    text = _text("public_text")
    return _do(report, lambda: cases.release_text(report, current_user, text, _version()))


@bp.post("/<ref>/names")
def lift(ref: str) -> Any:
    """Say of words that the policy layer hid as a name that they are none."""
    report, words = _case(ref), request.form.get("words", "")
    return _do(report, lambda: cases.lift(report, current_user, words, _version()))


@bp.post("/<ref>/versions/<int:number>")
def restore_text(ref: str, number: int) -> Any:
    report = _case(ref)
    return _do(report, lambda: cases.restore_text(report, current_user, number, _version()))


@bp.post("/<ref>/objections/<int:number>")
def answer_objection(ref: str, number: int) -> Any:
    report, outcome = _case(ref), request.form.get("outcome", "")
    decision = next((made for made in reports.decisions(report) if made.id == number), None)
    if decision is None:
        abort(404)
    return _do(
        report,
        lambda: cases.answer_objection(decision, current_user, outcome, _text("answer"), _version()),
    )


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
        return _do(report, lambda: cases.hold_photo(photo, current_user, _version(), _text("reason")))
    return _do(report, lambda: cases.release_photo(photo, current_user, _alt(), _version()))


def _alt() -> str | None:
    """What a photo shows, as it was typed; None where the form has no such field."""
    return _text("alt")[:ALT_MOST] if "alt" in request.form else None


@bp.post("/<ref>/photos")
def add_photo(ref: str) -> Any:
    """A photo of the work done, by who did it."""
    report = _case(ref)
    file = next((sent for sent in request.files.getlist("photo") if sent.filename), None)
    if file is None:
        return _case_page(report, {"photo": _("Choose a photo first.")}, status=422)
    name = (file.filename or "").replace("\\", "/").rpartition("/")[2][-NAME_MOST:]
    try:
        data = fields.read_photo(file)
    except Refused as error:
        return _case_page(report, {"photo": fields.refused(error, name)}, status=422)
    alt = _text("alt")[:ALT_MOST]
    with db.session.no_autoflush:
        return _do(report, lambda: cases.add_photo(report, current_user, data, alt, _version()), draws=True)


# What is covered in a photo -------------------------------------------------------------------------------------


@bp.get("/<ref>/photos/<int:number>/boxes")
def boxes(ref: str, number: int) -> Response:
    report = _case(ref)
    photo = _photo(report, number)
    if photo.publication == "removed" or report.original.forgotten:
        abort(404)
    return _boxes_page(photo, [_row(box) for box in photo.boxes])


def _boxes_page(
    photo: Photo,
    rows: list[dict[str, Any]],
    errors: dict[str, str] | None = None,
    status: int = 200,
    conflict: bool = False,
) -> Response:
    """The page on which a person says what is covered; `rows` are boxes as the form holds them, in per cent."""
    report, typed = photo.report, request.form if request.method == "POST" else {}
    return page.page(
        "desk/boxes.html",
        status=status,
        report=report,
        photo=photo,
        position=report.photos.index(photo) + 1,
        rows=rows,
        found=[_row(box) for box in photo.found],
        kinds=KINDS,
        boxes_most=BOXES_MOST,
        decimal_mark=page.decimal(0.5)[1],
        uncovered="uncovered" in request.values,
        flags=[flag for flag in reports.open_flags(report) if flag.photo_id == photo.id],
        last_change=cases.last_change(report) if conflict else None,
        errors=errors or {},
        conflict=conflict,
        typed=typed,
        version=typed.get("version", report.version) if not conflict else report.version,
    )


def _row(box: dict[str, Any]) -> dict[str, Any]:
    """A stored box as the form holds it: sides in per cent of the picture, and what found it."""
    sides = {side: page.decimal(box[side] * 100) for side in _SIDES}
    return sides | {"kind": box["kind"], "rule": box["rule"], "confidence": box["confidence"]}


_SIDES = ("left", "top", "width", "height")


def _typed_rows(photo: Photo) -> list[dict[str, Any]]:
    """The boxes as they were typed, each with what found it where it was left as it was; empty rows are none."""
    columns = [request.form.getlist(name)[: BOXES_MOST + 1] for name in ("kind", *_SIDES)]
    known = [_row(box) for box in [*photo.boxes, *photo.found]]
    rows = []
    for kind, *typed in zip(*columns, strict=False):
        values = [page.plain(value).strip()[:20] for value in typed]
        if not any(values):
            continue
        sides = dict(zip(_SIDES, values, strict=True))
        same = next((row for row in known if row["kind"] == kind and _same(row, sides)), None)
        rows.append(same or sides | {"kind": kind, "rule": "person", "confidence": 1.0})
    return rows


def _same(row: dict[str, Any], sides: dict[str, str]) -> bool:
    return all(fields.number(row[side]) == fields.number(sides[side]) for side in _SIDES)


def _chosen(photo: Photo, rows: list[dict[str, Any]], errors: dict[str, str]) -> list[Box]:
    """The boxes that the rows tell of. What was left as it was keeps its exact place."""
    if len(rows) > BOXES_MOST:
        errors["boxes"] = _("There can be at most %(most)d boxes.", most=BOXES_MOST)
    known, found = [*photo.boxes, *photo.found], []
    for number, row in enumerate(rows, 1):
        exact = next((box for box in known if _row(box) == row), None)
        if exact is not None:
            found.append(Box.of(exact))
            continue
        sides = [fields.number(row[side]) for side in _SIDES]
        left, top, width, height = (0.0 if side is None else side / 100 for side in sides)
        if (
            None in sides
            or row["kind"] not in KINDS
            or min(left, top) < 0
            or min(width, height) <= 0
            or max(left + width, top + height) > 1.001
        ):
            errors[f"box-{number}"] = _(
                "Box %(number)d does not lie in the picture. Write per cent of the picture, from 0 to 100.",
                number=number,
            )
            continue
        found.append(Box(row["kind"], left, top, min(width, 1 - left), min(height, 1 - top)))
    return found


@bp.post("/<ref>/photos/<int:number>/boxes")
def cover(ref: str, number: int) -> Any:
    """Have a photo drawn anew, covered as a person says; and the editor's steps for a browser without JavaScript."""
    report = _case(ref)
    photo, act = _photo(report, number), request.form.get("act", "")
    rows, errors = _typed_rows(photo), dict[str, str]()
    if act not in ("publish", "hold", "look"):
        return _boxes_page(photo, _stepped(photo, rows, act))
    chosen = _chosen(photo, rows, errors) if act != "look" else None
    if errors:
        return _boxes_page(photo, rows, errors, 422)
    alt, reason, report_id = _alt(), _text("reason"), report.id
    try:
        cases.redraw_photo(photo, current_user, _version(), chosen, act, alt, reason)
        db.session.commit()
    except (cases.ChangedMeanwhile, StaleDataError):
        db.session.rollback()
        return _boxes_page(_photo(_case(ref), number), rows, status=409, conflict=True)
    except cases.TextTooLong as error:
        db.session.rollback()
        return _boxes_page(photo, rows, {"reason": _WORDS[type(error)][1]()}, 422)
    except reports.NothingToShow:
        db.session.rollback()
        flash(_no_photo(), "warning")
        return redirect(url_for("desk.case", ref=ref), 303)
    page.enqueue("draw", report_id)
    page.enqueue("deliver")
    return redirect(url_for("desk.case", ref=ref, _anchor=f"photo-{number}"), 303)


def _stepped(photo: Photo, rows: list[dict[str, Any]], act: str) -> list[dict[str, Any]]:
    """The rows after a step that does not save: `add`, `all`, `again`, or `remove-` and the place of a box."""
    found = [_row(box) for box in photo.found]
    if act == "add" and len(rows) < BOXES_MOST:
        middle = {"left": "40", "top": "40", "width": "20", "height": "20"}
        return [*rows, middle | {"kind": "drawn", "rule": "person", "confidence": 1.0}]
    if act == "all":
        return [*rows, *(box for box in found if box not in rows)]
    if act == "again":
        return found
    place = act.removeprefix("remove-")
    if act.startswith("remove-") and place.isdecimal():
        return [row for at, row in enumerate(rows) if at != int(place)]
    return rows


@bp.get("/<ref>/photos/<int:number>/<size>")
def photo(ref: str, number: int, size: str) -> Response:
    if size not in (*SIZES, "plain"):
        abort(404)
    report = _case(ref)
    found = _photo(report, number)
    try:
        data = reports.photo_bytes(found, size)
    except media.NoSuchMedia:
        abort(404)
    if size == "plain" or found.is_bare:
        # What everyone may see anyway tells nobody anything by being looked at.
        reports.looked(report, current_user, f"photo {number}")
        db.session.commit()
    response = Response(data, mimetype=FORMATS["jpg" if size == "plain" else "webp"])
    response.headers["Cache-Control"] = "private, no-store"
    return response
