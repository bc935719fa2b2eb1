"""The moderation desk: what waits for a person, the municipality's own rules, and breaches of personal data."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import func, select
from sqlalchemy.orm.exc import StaleDataError

from .. import accounts, cases, reports
from ..db import db, keyring, now
from ..municipalities import Municipality
from ..policy import moderation as policy
from ..policy.retention import Retention
from ..policy.text import KINDS
from ..reports import Incident, Photo, Report
from . import page

bp = Blueprint("moderation", __name__, url_prefix="/desk")
bp.before_request(page.requires("handle"))

PER_PAGE = 50
WORDS_MOST = 500
"""Words of one kind that a municipality may add."""
WORD_MOST = 100
"""Characters of one of them."""
PERIOD_MOST = 1200
"""Days or months that may be written."""
OWN_KINDS = ("PERSON", "ADDRESS", *policy.SENSITIVE)
"""Kinds that a municipality adds words to; what has a shape of its own is found by that."""


def _mine(act: str) -> list[int]:
    return accounts.municipalities_of(current_user, act)


def _leads(report: Report | None) -> Report:
    """The case, for who leads in its municipality; for everybody else it is not there."""
    if report is None or not accounts.may(current_user, "lead", report.municipality_id):
        abort(404)
    return report


# What waits -----------------------------------------------------------------------------------------------------


@bp.get("/moderation")
def queue() -> Response:
    """Held texts and photos, flags and objections, the riskiest and oldest first."""
    found = reports.waiting(_mine("handle"))
    counted = found.order_by(None).subquery()
    ranks = db.session.execute(select(counted.c.rank, func.count()).group_by(counted.c.rank)).all()
    counts = {reports.WAITING[rank]: number for rank, number in ranks}
    only = request.args.get("what", "")
    if only in reports.WAITING:
        found = found.where(found.selected_columns.rank == reports.WAITING.index(only))
    number = page.page_number()
    rows, more = page.paginate(
        lambda limit, offset: db.session.execute(found.limit(limit).offset(offset)).all(), number, PER_PAGE
    )
    some = select(Report).where(Report.id.in_({row.report_id for row in rows}))
    cases_of = {report.id: report for report in db.session.scalars(some).unique()}
    held = select(Photo).where(Photo.id.in_({row.photo_id for row in rows if row.photo_id is not None}))
    photos = {photo.id: photo for photo in db.session.scalars(held)}
    return page.page(
        "moderation/queue.html",
        part="moderation/_queue.html",
        rows=[
            {
                "what": reports.WAITING[row.rank],
                "at": row.at,
                "number": row.number,
                "report": cases_of[row.report_id],
                "photo": photos.get(row.photo_id),
            }
            for row in rows
        ],
        counts={what: counts.get(what, 0) for what in reports.WAITING},
        total=sum(counts.values()),
        only=only if only in reports.WAITING else "",
        incidents=db.session.scalars(reports.open_incidents(_mine("lead"))).all(),
        leads=bool(_mine("lead")),
        now=now(),
        page=number,
        more=more,
    )


# Breaches -------------------------------------------------------------------------------------------------------


@bp.get("/<ref>/incidents/new")
def new_incident(ref: str) -> Response:
    return _new_incident(_leads(reports.by_ref(ref)))


def _new_incident(report: Report, errors: dict[str, str] | None = None, status: int = 200) -> Response:
    return page.page(
        "moderation/new_incident.html",
        status=status,
        report=report,
        errors=errors or {},
        hours=reports.INCIDENT_HOURS,
        typed=request.form.get("text", ""),
        conflict=status == 409,
    )


@bp.post("/<ref>/incidents")
def open_incident(ref: str) -> Any:
    report = _leads(reports.by_ref(ref))
    text, version = page.plain(request.form.get("text", "")), request.form.get("version", -1, type=int)
    try:
        incident = cases.unpublish(report, current_user, text, version)
        db.session.commit()
    except (cases.ChangedMeanwhile, StaleDataError):
        db.session.rollback()
        return _new_incident(_leads(reports.by_ref(ref)), status=409)
    except cases.ReasonUnsaid:
        return _new_incident(
            report, {"text": _("Write what was shown, and how you came to know of it.")}, 422
        )
    except cases.TextTooLong:
        return _new_incident(report, {"text": _too_long()}, 422)
    except reports.NothingToShow:
        db.session.rollback()
        number = reports.incidents(report)[0].id
        return redirect(url_for("moderation.incident", ref=report.ref, number=number), 303)
    page.enqueue("deliver")
    return redirect(url_for("moderation.incident", ref=ref, number=incident.id), 303)


def _too_long() -> str:
    return str(_("The text is too long. It can have at most %(most)d characters.", most=reports.TEXT_MOST))


def _incident(ref: str, number: int) -> Incident:
    report = _leads(reports.by_ref(ref))
    found = next((incident for incident in reports.incidents(report) if incident.id == number), None)
    if found is None:
        abort(404)
    return found


def _incident_page(
    found: Incident, errors: dict[str, str] | None = None, status: int = 200, conflict: bool = False
) -> Response:
    return page.page(
        "moderation/incident.html",
        status=status,
        incident=found,
        report=found.report,
        now=now(),
        mails=reports.reached_by_mail(found.report),
        errors=errors or {},
        typed=request.form.get("text", ""),
        conflict=conflict,
    )


@bp.get("/<ref>/incidents/<int:number>")
def incident(ref: str, number: int) -> Response:
    return _incident_page(_incident(ref, number))


@bp.post("/<ref>/incidents/<int:number>/entries")
def log_incident(ref: str, number: int) -> Any:
    found, text = _incident(ref, number), page.plain(request.form.get("text", "")).strip()
    if found.closed_at is not None:
        return _incident_page(found, {"text": _("The log is closed.")}, 409)
    if not text:
        return _incident_page(found, {"text": _("Write something first.")}, 422)
    if len(text) > reports.TEXT_MOST:
        return _incident_page(found, {"text": _too_long()}, 422)
    reports.log_incident(found, current_user, text, close=request.form.get("act") == "close")
    db.session.commit()
    return redirect(url_for("moderation.incident", ref=ref, number=number), 303)


@bp.post("/<ref>/publication")
def publish_again(ref: str) -> Any:
    """After an incident the report is seen again, its text and photos held."""
    report = _leads(reports.by_ref(ref))
    found = reports.incidents(report)
    if not found:
        abort(404)
    try:
        cases.publish_again(report, current_user, request.form.get("version", -1, type=int))
        db.session.commit()
    except (cases.ChangedMeanwhile, StaleDataError):
        db.session.rollback()
        return _incident_page(_incident(ref, found[0].id), status=409, conflict=True)
    except reports.NothingToShow:
        db.session.rollback()
    return redirect(url_for("desk.case", ref=ref), 303)


# The municipality's own rules -----------------------------------------------------------------------------------


def _municipality() -> Municipality:
    """The one that was asked for among those in which the user leads."""
    mine = _mine("lead")
    if not mine:
        abort(403)
    found = db.session.scalars(select(Municipality).where(Municipality.id.in_(mine))).all()
    number = request.values.get("municipality", "")
    return next((one for one in found if one.number == number), found[0])


@bp.get("/rules")
def rules() -> Response:
    municipality = _municipality()
    return _rules_page(municipality, _shown(municipality))


def _rules_page(
    municipality: Municipality,
    typed: dict[str, str],
    errors: dict[str, str] | None = None,
    status: int = 200,
    conflict: bool = False,
    periods: dict[str, str] | None = None,
) -> Response:
    known = select(Municipality).where(Municipality.id.in_(_mine("lead"))).order_by(Municipality.number)
    return page.page(
        "moderation/rules.html",
        status=status,
        municipality=municipality,
        municipalities=db.session.scalars(known).all(),
        kinds=KINDS,
        own_kinds=OWN_KINDS,
        sensitive=policy.SENSITIVE,
        usual=round(policy.HOLD_FROM * 100),
        typed=typed,
        seen=_seen(_shown(municipality)),
        periods=periods or _periods(municipality),
        periods_seen=_seen(_periods(municipality)),
        period_names=_period_names(),
        acts=[
            {"row": act, "changes": _CHANGES_OF[act.what](act.before, act.after)}
            for act in db.session.scalars(reports.acts(municipality).limit(50))
            if act.what in _CHANGES_OF
        ],
        errors=errors or {},
        conflict=conflict,
    )


def _shown(municipality: Municipality) -> dict[str, str]:
    """The rules as the form shows them: a percentage or nothing, and lists with one word on each line."""
    stored = municipality.moderation or {}
    shown = {f"hold-{kind}": f"{value * 100:.0f}" for kind, value in (stored.get("hold_from") or {}).items()}
    shown |= {f"hidden-{kind}": "\n".join(words) for kind, words in (stored.get("hidden") or {}).items()}
    return shown | {"open": "\n".join(stored.get("open") or ())}


def _seen(shown: dict[str, str]) -> str:
    """Names the rules that a page showed, so that of two leaders who change them the second is told."""
    return keyring.digest(repr(sorted(shown.items())))


def _period_names() -> dict[str, str]:
    return {
        "contact_days": _("Days until contact details go"),
        "original_months": _("Months until texts and photos as they were sent go"),
        "public_text_months": _("Months until the public text goes"),
        "public_photos_months": _("Months until the public photos go"),
    }


def _periods(municipality: Municipality) -> dict[str, str]:
    """How long what is kept, as the form shows it: nothing where it stays for as long as the case is shown."""
    kept = asdict(Retention.of(municipality.retention or {}))
    return {name: "" if value is None else str(value) for name, value in kept.items()}


@bp.post("/rules/retention")
def set_retention() -> Any:
    municipality = _municipality()
    typed = {name: request.form.get(name, "").strip() for name in _periods(municipality)}
    rules = _shown(municipality)
    if request.form.get("seen") != _seen(_periods(municipality)):
        return _rules_page(municipality, rules, status=409, conflict=True, periods=typed)
    errors = {
        name: _("Write a whole number from 0 to %(most)d.", most=PERIOD_MOST)
        for name, value in typed.items()
        if not (
            (value.isdecimal() and int(value) <= PERIOD_MOST) or (not value and name.startswith("public_"))
        )
    }
    if errors:
        return _rules_page(municipality, rules, errors, 422, periods=typed)
    chosen = {name: int(value) if value else None for name, value in typed.items()}
    reports.set_retention(municipality, current_user, chosen)
    db.session.commit()
    flash(_("The periods are saved. They hold from the coming night on."), "success")
    return redirect(url_for("moderation.rules", municipality=municipality.number), 303)


@bp.post("/rules")
def set_rules() -> Any:
    municipality = _municipality()
    fields = [
        *(f"hold-{kind}" for kind in policy.SENSITIVE),
        *(f"hidden-{kind}" for kind in OWN_KINDS),
        "open",
    ]
    typed = {name: page.plain(request.form.get(name, "")) for name in fields}
    if request.form.get("seen") != _seen(_shown(municipality)):
        return _rules_page(municipality, typed, status=409, conflict=True)
    errors: dict[str, str] = {}
    hold_from = {kind: _share(typed, f"hold-{kind}", errors) for kind in policy.SENSITIVE}
    hidden = {kind: _words(typed, f"hidden-{kind}", errors) for kind in OWN_KINDS}
    open_ = _words(typed, "open", errors)
    if errors:
        return _rules_page(municipality, typed, errors, 422)
    stored = dict(municipality.moderation or {})
    kept = {kind: words for kind, words in (stored.get("hidden") or {}).items() if kind not in OWN_KINDS}
    stored["hold_from"] = {kind: share for kind, share in hold_from.items() if share is not None}
    stored["hidden"] = kept | {kind: words for kind, words in hidden.items() if words}
    stored["open"] = open_
    reports.set_rules(municipality, current_user, {name: value for name, value in stored.items() if value})
    db.session.commit()
    flash(_("The rules are saved. They hold for every text from now on."), "success")
    return redirect(url_for("moderation.rules", municipality=municipality.number), 303)


def _share(typed: dict[str, str], field: str, errors: dict[str, str]) -> float | None:
    value = typed[field].strip().removesuffix("%").strip()
    if not value:
        return None
    if not value.isdecimal() or int(value) > 100:
        errors[field] = _("Write a whole number from 0 to 100, or nothing.")
        return None
    return int(value) / 100


def _words(typed: dict[str, str], field: str, errors: dict[str, str]) -> list[str]:
    words = list(dict.fromkeys(" ".join(line.split()) for line in typed[field].splitlines() if line.strip()))
    if any(not 2 <= len(word) <= WORD_MOST for word in words):
        errors[field] = _("Each line must have from 2 to %(most)d characters.", most=WORD_MOST)
    elif len(words) > WORDS_MOST:
        errors[field] = _("These are too many. There can be at most %(most)d lines.", most=WORDS_MOST)
    return words


def _changes(before: dict[str, Any], after: dict[str, Any]) -> list[dict[str, Any]]:
    """What an act changed: of each list what came and what went, of each threshold what it was and is."""
    found: list[dict[str, Any]] = []
    for kind in policy.SENSITIVE:
        was, is_ = ((rules.get("hold_from") or {}).get(kind) for rules in (before, after))
        if was != is_:
            found.append({"kind": kind, "was": _percent(was), "is": _percent(is_)})
    lists = [(kind, "hidden") for kind in KINDS] + [("", "open")]
    for kind, name in lists:
        was, is_ = (
            (rules.get(name) or {}).get(kind, []) if kind else rules.get(name) or []
            for rules in (before, after)
        )
        if was != is_:
            came, went = [w for w in is_ if w not in was], [w for w in was if w not in is_]
            found.append({"kind": kind, "came": came, "went": went})
    return found


def _period_changes(before: dict[str, Any], after: dict[str, Any]) -> list[dict[str, Any]]:
    """What an act changed in how long what is kept; None where it stays."""
    was, is_ = asdict(Retention.of(before)), asdict(Retention.of(after))
    return [
        {"period": _period_names()[name], "was": was[name], "is": is_[name]}
        for name in was
        if was[name] != is_[name]
    ]


_CHANGES_OF = {"moderation": _changes, "retention": _period_changes}


def _percent(share: float | None) -> int:
    return round((policy.HOLD_FROM if share is None else share) * 100)
