"""Case handling: what the technical department does with a report.

A case is a report seen from the desk, so it has no table of its own. Every verb checks the version that the caller
has seen, writes one Event and leaves the commit to the door.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, union
from sqlalchemy.orm import aliased, joinedload, selectinload

from . import accounts, reports
from .accounts import User
from .db import db, now
from .municipalities import Category
from .policy import text as policy
from .policy.photos import Box
from .publication import STATES
from .reports import Decision, Event, Follow, Incident, Photo, Report

_WORK = ("planned", "in_progress", "awaiting_reporter", "forwarded")
_END = ("resolved", "declined", "not_ours", "duplicate")

TRANSITIONS: dict[str, tuple[str, ...]] = {
    "received": ("assessing", *_WORK, *_END),
    "assessing": (*_WORK, *_END),
    "planned": ("assessing", "in_progress", "awaiting_reporter", "forwarded", *_END),
    "in_progress": ("assessing", "planned", "awaiting_reporter", "forwarded", *_END),
    "awaiting_reporter": ("assessing", "planned", "in_progress", "forwarded", *_END),
    "forwarded": ("assessing", "planned", "in_progress", *_END),
    "resolved": ("assessing", "in_progress"),
    "declined": ("assessing",),
    "not_ours": ("assessing",),
    "duplicate": ("assessing",),
    "withdrawn": (),
}
"""State → where a case may go from it. Going back from an end is a reopening."""

NEEDS_REASON = frozenset({"declined", "not_ours", "duplicate"})
"""A refusal names its ground, in public (offentleglova § 31, forvaltningsloven § 11)."""

STOPPED = frozenset({"PERSON", "PHONE", "EMAIL", "NATIONAL_ID", "ACCOUNT", "PLATE", "HANDLE"})
"""Kinds that point to one person. Staff who write about a road must not be stopped by a word of another kind."""


class ChangedMeanwhile(Exception):
    """Somebody changed the case after the caller had read it; nothing was written."""


class NoSuchTransition(Exception):
    """The state cannot be reached from the present one."""


class ReasonMissing(Exception):
    """The state needs a public reason."""


class NoSuchTarget(Exception):
    """A duplicate needs another report of the same municipality that is no duplicate itself."""


class NotStaffHere(Exception):
    """A case is only assigned to people who handle the municipality's cases."""


class EmptyText(Exception):
    """A reply or a note without a word."""


class ReasonUnsaid(Exception):
    """Whoever removes a text, takes a case from the public or answers an objection tells the author why."""


class TextTooLong(Exception):
    """More characters than `reports.TEXT_MOST`."""


class NotChecked(Exception):
    """The policy layer failed on a public text, so it was not sent."""


class PersonalData(Exception):
    """A public text of staff holds what is nobody's business; `findings` tells what, and it was not sent."""

    def __init__(self, findings: list[policy.Finding]) -> None:
        super().__init__()
        self.findings = findings


def _seen(report: Report, version: int) -> None:
    if report.version != version:
        raise ChangedMeanwhile


def _public(report: Report, actor: User, text: str) -> str:
    """A text of staff that may be published. Raises TextTooLong, NotChecked, PersonalData."""
    text = _bounded(text)
    # The municipality is not anonymous: whoever answers signs with a name.
    verdict = reports.judge(text, report.municipality, report.language, {actor.name, *actor.name.split()})
    if verdict is None:
        raise NotChecked
    if stopped := [finding for finding in verdict.findings if finding.kind in STOPPED]:
        raise PersonalData(stopped)
    return text


def _bounded(text: str) -> str:
    text = text.strip()
    if len(text) > reports.TEXT_MOST:
        raise TextTooLong
    return text


def assign(report: Report, actor: User, assignee: User | None, version: int) -> Event:
    """Give the case to a colleague, or to nobody. Raises ChangedMeanwhile, NotStaffHere."""
    _seen(report, version)
    if assignee is not None and not accounts.may(assignee, "handle", report.municipality_id):
        raise NotStaffHere
    report.assignee = assignee
    return reports.record(report, "assigned", actor=actor, private=assignee.name if assignee else "")


def change_state(
    report: Report,
    actor: User,
    state: str,
    version: int,
    text: str = "",
    duplicate_of: str = "",
    at: datetime | None = None,
) -> Event:
    """Move the case along TRANSITIONS, with a public text.

    Raises ChangedMeanwhile, NoSuchTransition, ReasonMissing, NoSuchTarget, and what `_public` raises.
    """
    _seen(report, version)
    at = at or now()
    if state not in TRANSITIONS[report.state]:
        raise NoSuchTransition
    if state in NEEDS_REASON and not text.strip():
        raise ReasonMissing
    text = _public(report, actor, text)
    if state == "duplicate":
        _merge(report, duplicate_of)
    elif report.state == "duplicate":
        report.duplicate_of_id = report.duplicate_of_ref = None
    before, report.state = report.state, state
    report.answered_at = report.answered_at or at
    report.closed_at = None if STATES[state] == "open" else at
    return reports.record(
        report, "state", actor=actor, from_state=before, to_state=state, text=text or None, public=True, at=at
    )


def _merge(report: Report, ref: str) -> None:
    """Point to the report that this one repeats; its followers follow that one from now on."""
    target = reports.by_ref(ref)
    if (
        target is None
        or target.id == report.id
        or target.municipality_id != report.municipality_id
        or target.duplicate_of_id is not None
    ):
        raise NoSuchTarget
    report.duplicate_of_id, report.duplicate_of_ref = target.id, target.ref
    known = set(db.session.scalars(select(Follow.email_fingerprint).where(Follow.report_id == target.id)))
    followers = select(Follow).where(Follow.report_id == report.id, Follow.confirmed_at.is_not(None))
    for follow in db.session.scalars(followers):
        if follow.email_fingerprint not in known:
            db.session.add(
                Follow(
                    report=target,
                    email=follow.email,
                    email_fingerprint=follow.email_fingerprint,
                    language=follow.language,
                    confirmed_at=follow.confirmed_at,
                )
            )
    db.session.flush()
    reports.count_followers(target.id)


def reply(report: Report, actor: User, text: str, version: int, at: datetime | None = None) -> Event:
    """Answer in public, by name. Raises ChangedMeanwhile, EmptyText, and what `_public` raises."""
    _seen(report, version)
    text = _public(report, actor, text)
    if not text:
        raise EmptyText
    report.answered_at = report.answered_at or at or now()
    return reports.record(report, "reply", actor=actor, text=text, public=True, at=at)


def note(report: Report, actor: User, text: str) -> Event:
    """Write something for colleagues alone. It changes nothing, so it asks for no version. Raises EmptyText, TextTooLong."""
    text = _bounded(text)
    if not text:
        raise EmptyText
    return reports.record(report, "note", actor=actor, private=text)


def release_text(report: Report, actor: User, text: str, version: int) -> None:
    """Show a text that a person looked at. Raises ChangedMeanwhile, TextTooLong, reports.NothingToShow."""
    _seen(report, version)
    text = _bounded(text)
    reports.publish_text(report, text, actor)


def restore_text(report: Report, actor: User, number: int, version: int) -> None:
    """Show an earlier public text again. Raises ChangedMeanwhile, reports.NoSuchVersion, reports.NothingToShow."""
    _seen(report, version)
    reports.restore_text(report, number, actor)


def hold_text(report: Report, actor: User, version: int, reason: str = "", act: str = "held") -> None:
    """Take a text from the public, with `act` `removed` for good. The reason is for its author alone.

    Raises ChangedMeanwhile, ReasonUnsaid, TextTooLong, reports.NothingToShow.
    """
    _seen(report, version)
    if act == "removed" and not reason.strip():
        raise ReasonUnsaid
    reports.hold_text(report, actor, _bounded(reason), act)


def lift(report: Report, actor: User, words: str, version: int) -> None:
    """Say of words that they are nobody's name. Raises ChangedMeanwhile, reports.NotLiftable."""
    _seen(report, version)
    reports.lift(report, words, actor)


def release_photo(photo: Photo, actor: User, alt: str | None, version: int) -> None:
    _seen(photo.report, version)
    reports.publish_photo(photo, actor, alt)


def add_photo(report: Report, actor: User, data: bytes, alt: str, version: int) -> Photo:
    """Add a photo of the work done. Raises ChangedMeanwhile, reports.TooManyPhotos, reports.NothingToShow."""
    _seen(report, version)
    return reports.add_photo(report, actor, data, alt)


def redraw_photo(
    photo: Photo,
    actor: User,
    version: int,
    boxes: Sequence[Box] | None,
    wish: str,
    alt: str | None = None,
    reason: str = "",
) -> None:
    """Have a photo drawn anew with these boxes, or as the policy finds them. Raises as `reports.redraw` does."""
    _seen(photo.report, version)
    reports.redraw(photo, actor, boxes, wish, alt, _bounded(reason))


def hold_photo(photo: Photo, actor: User, version: int, reason: str = "") -> None:
    _seen(photo.report, version)
    reports.hold_photo(photo, actor, _bounded(reason))


def answer_objection(decision: Decision, actor: User, outcome: str, answer: str, version: int) -> None:
    """Decide on an objection as a second person.

    Raises ChangedMeanwhile, ReasonUnsaid, TextTooLong, reports.OwnDecision, reports.NothingToObjectTo.
    """
    _seen(decision.report, version)
    answer = _bounded(answer)
    if outcome not in ("upheld", "overturned") or not answer:
        raise ReasonUnsaid
    reports.answer_objection(decision, actor, outcome, answer)


def unpublish(report: Report, actor: User, text: str, version: int) -> Incident:
    """Take everything of a report from the public and open an incident. Raises ChangedMeanwhile, ReasonUnsaid."""
    _seen(report, version)
    text = _bounded(text)
    if not text:
        raise ReasonUnsaid
    return reports.unpublish(report, actor, text)


def publish_again(report: Report, actor: User, version: int) -> None:
    """Show a report again after an incident, its text and photos held."""
    _seen(report, version)
    reports.publish_again(report, actor)


# The queue ----------------------------------------------------------------------------------------------------

VIEWS = ("all", "mine", "unassigned", "overdue", "held")


@dataclass(frozen=True, slots=True)
class Queue:
    """What a caseworker asked to see. `view` is one of VIEWS; empty fields ask for everything."""

    view: str = "all"
    category: str = ""
    state: str = ""
    q: str = ""


def _open() -> ColumnElement[bool]:
    return Report.state.in_([state for state, kind in STATES.items() if kind == "open"])


def _overdue(at: datetime) -> ColumnElement[bool]:
    unanswered = and_(Report.answered_at.is_(None), Report.response_due_at < at)
    return and_(_open(), or_(unanswered, Report.repair_due_at < at))


def is_overdue(report: Report, at: datetime) -> bool:
    if STATES[report.state] != "open":
        return False
    return (report.answered_at is None and report.response_due_at < at) or report.repair_due_at < at


def _held() -> ColumnElement[bool]:
    held = aliased(Report)
    texts = select(held.id).where(held.text_publication == "held")
    photos = select(Photo.report_id).where(Photo.publication == "held")
    return and_(Report.state != "withdrawn", Report.id.in_(union(texts, photos)))


def _view(view: str, user: User, at: datetime) -> ColumnElement[bool]:
    return {
        "mine": and_(_open(), Report.assignee_id == user.id),
        "unassigned": and_(_open(), Report.assignee_id.is_(None)),
        "overdue": _overdue(at),
        "held": _held(),
    }.get(view, Report.id > 0)


def queue(user: User, wanted: Queue, at: datetime) -> Select[Report]:
    """The cases of the user's municipalities, open ones by their next deadline unless a state was asked for."""
    found = (
        select(Report)
        .where(
            Report.municipality_id.in_(accounts.municipalities_of(user, "handle")),
            _view(wanted.view, user, at),
        )
        .options(selectinload(Report.photos), joinedload(Report.assignee))
    )
    states = [s for s, kind in STATES.items() if wanted.state in (s, kind)]
    if states:
        found = found.where(Report.state.in_(states))
    elif wanted.view == "all":
        found = found.where(_open())
    if wanted.category:
        found = found.where(
            Report.category_id.in_(select(Category.id).where(Category.slug == wanted.category))
        )
    if wanted.q.strip():
        words = wanted.q.strip()[:100]
        fields = (Report.public_text, Report.place_name, Report.ref)
        found = found.where(or_(*(column.icontains(words, autoescape=True) for column in fields)))
    return found.order_by(Report.response_due_at, Report.id)


def counts(user: User, at: datetime) -> dict[str, int]:
    """How many cases each view holds."""
    mine = Report.municipality_id.in_(accounts.municipalities_of(user, "handle"))
    opened = [view for view in VIEWS if view != "held"]
    columns = [func.count().filter(_view(view, user, at)) for view in opened]
    row = db.session.execute(select(*columns).select_from(Report).where(mine, _open())).one()
    held = db.session.scalar(select(func.count()).select_from(Report).where(mine, _held()))
    return {**dict(zip(opened, row, strict=True)), "held": held or 0}


def events(report: Report) -> Iterable[Event]:
    """Everything that happened to the case, the oldest first, notes among it."""
    return db.session.scalars(select(Event).where(Event.report_id == report.id).order_by(Event.at, Event.id))


def last_change(report: Report) -> Event | None:
    return db.session.scalar(
        select(Event).where(Event.report_id == report.id).order_by(Event.id.desc()).limit(1)
    )
