"""A report from its submit to its public page: Report, Original, Photo, Event, Follow.

What the reporter wrote is sealed in the Original; the Report holds public columns and case columns, and its text is
the public one. Every change is one Event in the caller's transaction; timeline, mails and feeds read the events.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, Select, UniqueConstraint, func, insert, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column, relationship, undefer

from . import media, municipalities, notifications
from .accounts import User, department_of
from .db import DataKey, Json, Model, OptionalPoint, Point, Sealed, UtcDateTime, db, distance_m, keyring, now, point
from .municipalities import Category, Municipality, Names, OutsideEveryMunicipality
from .policy import deadlines, photos as pictures, text as policy

log = logging.getLogger(__name__)

TEXT_MOST = 4000
"""Characters of a report's text (Open311's limit for `description`)."""
PHOTOS_MOST = 6
CONTACT_MOST = 254
"""Characters of a name, an e-mail address or a short answer (RFC 5321's limit for an address)."""
RADIUS_M = (100, 20_000)
"""The smallest and the largest circle that can be followed."""

_REF_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_EMAIL = re.compile(r"[^@\s<>()\[\]\\,;:\"]+@[^@\s<>()\[\]\\,;:\"]+\.[^@\s.<>\"]{2,}")


class InvalidReport(Exception):
    """What cannot be taken as it was typed: field → why, an id that the door has words for."""

    def __init__(self, errors: dict[str, str], outside: Names | None = None) -> None:
        super().__init__(errors)
        self.errors = errors
        self.outside = outside
        """With `not_here` on the place: the names of the municipality that it lies in."""


class NothingToShow(Exception):
    """A text cannot be published, because there is none or the policy layer failed on it."""


class NotWithdrawable(Exception):
    """The case has come to an end, so there is nothing left to take back."""


class Report(Model):
    __tablename__ = "reports"
    __table_args__ = (
        Index("ix_reports_created_at_id", "created_at", "id"),
        Index("ix_reports_municipality_id_state", "municipality_id", "state"),
        Index("ix_reports_category_id_created_at", "category_id", "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ref: Mapped[str] = mapped_column(unique=True)
    """What people call it by, on the phone too: no letters that look or sound alike."""
    municipality_id: Mapped[int] = mapped_column(ForeignKey("municipalities.id"))
    category_id: Mapped[int] = mapped_column(ForeignKey("categories.id"))
    language: Mapped[str]
    lat: Mapped[float]
    lon: Mapped[float]
    place: Mapped[Any] = mapped_column(Point, deferred=True)
    place_name: Mapped[str | None]
    """The address or place nearest to the point, from a public register, never from what was typed."""
    state: Mapped[str] = mapped_column(default="received")
    public_text: Mapped[str | None]
    """What everyone may read. None unless `text_publication` is `published`, so that nothing can show it early."""
    text_publication: Mapped[str] = mapped_column(default="waiting")
    cover_key: Mapped[str | None]
    """The first released photo, kept here so that lists need no further look-up."""
    cover_alt: Mapped[str | None]
    follower_count: Mapped[int] = mapped_column(default=0)
    duplicate_of_id: Mapped[int | None] = mapped_column(ForeignKey("reports.id"))
    duplicate_of_ref: Mapped[str | None]
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    response_due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    repair_due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """The first time that staff changed the state or replied."""
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    submission: Mapped[str | None] = mapped_column(unique=True)
    """Fingerprint of the form that was sent. A form sent again after a broken line makes no second report."""
    reviewed_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    """When the worker was done with the photos and the followers of the area; None: it still has to."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    """The last change that the public sees."""
    version: Mapped[int] = mapped_column()
    """Counted up by every change, so that of two people changing the same case the second is told."""

    municipality: Mapped[Municipality] = relationship(lazy="joined")
    category: Mapped[Category] = relationship(lazy="joined")
    assignee: Mapped[User | None] = relationship()
    original: Mapped[Original] = relationship(back_populates="report", uselist=False)
    photos: Mapped[list[Photo]] = relationship(back_populates="report", order_by="Photo.position")

    __mapper_args__ = {"version_id_col": version}


class Original(Model):
    """What was sent, as it was sent: readable with the report's own key, which is sealed under the keyring."""

    __tablename__ = "originals"

    report_id: Mapped[int] = mapped_column(ForeignKey("reports.id"), primary_key=True)
    key: Mapped[bytes] = mapped_column(LargeBinary)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    email_fingerprint: Mapped[str | None] = mapped_column(index=True)
    """Finds somebody's own reports without a readable address."""
    link_number: Mapped[int] = mapped_column(default=1)
    """Part of the reporter's private link; counting it up makes the old link worthless."""

    report: Mapped[Report] = relationship(back_populates="original")

    @property
    def data_key(self) -> DataKey:
        return DataKey.unwrap(self.key)

    @property
    def contents(self) -> Contents:
        return Contents(**json.loads(self.data_key.open(self.sealed)))


@dataclass(frozen=True, slots=True)
class Contents:
    """The private part of a report. `masked` is the text as the policy layer left it; None where it failed."""

    text: str
    masked: str | None
    name: str = ""
    email: str = ""
    phone: str = ""
    answers: dict[str, str] = field(default_factory=dict)


class Photo(Model):
    __tablename__ = "photos"

    id: Mapped[int] = mapped_column(primary_key=True)
    report_id: Mapped[int] = mapped_column(ForeignKey("reports.id"), index=True)
    key: Mapped[str] = mapped_column(unique=True)
    position: Mapped[int] = mapped_column(default=0)
    publication: Mapped[str] = mapped_column(default="waiting")
    alt: Mapped[str | None]
    width: Mapped[int | None]
    """Of the large size, in pixels."""
    height: Mapped[int | None]
    failure: Mapped[str | None]
    """Why it was removed without a person: `unreadable`."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    report: Mapped[Report] = relationship(back_populates="photos")

    def stored(self, size: str) -> str:
        """Key of one size in the private store: `original`, or a name of `policy.photos.SIZES`."""
        return f"photos/{self.key}/{size}"


class Event(Model):
    """One change. `text` and `actor_name` of a public event are public; a note is sealed and never public."""

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_report_id_at", "report_id", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    report_id: Mapped[int] = mapped_column(ForeignKey("reports.id"))
    kind: Mapped[str]
    """`received state reply note assigned text_held text_published photo_held photo_published withdrawn`."""
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    is_public: Mapped[bool] = mapped_column(default=False)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    actor_name: Mapped[str | None]
    department_names: Mapped[Names | None] = mapped_column(Json)
    from_state: Mapped[str | None]
    to_state: Mapped[str | None]
    text: Mapped[str | None]
    private: Mapped[str | None] = mapped_column(Sealed)

    report: Mapped[Report] = relationship()


class Follow(Model):
    """Somebody's wish for a mail at each change of one report, confirmed from the mailbox itself."""

    __tablename__ = "follows"
    __table_args__ = (UniqueConstraint("report_id", "email_fingerprint"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    report_id: Mapped[int] = mapped_column(ForeignKey("reports.id"))
    email: Mapped[str] = mapped_column(Sealed)
    email_fingerprint: Mapped[str] = mapped_column(index=True)
    language: Mapped[str]
    is_reporter: Mapped[bool] = mapped_column(default=False)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    report: Mapped[Report] = relationship()


class AreaFollow(Model):
    """The same for new reports in a circle, or in the whole municipality, of chosen categories."""

    __tablename__ = "area_follows"

    id: Mapped[int] = mapped_column(primary_key=True)
    municipality_id: Mapped[int] = mapped_column(ForeignKey("municipalities.id"), index=True)
    email: Mapped[str] = mapped_column(Sealed)
    email_fingerprint: Mapped[str] = mapped_column(index=True)
    language: Mapped[str]
    lat: Mapped[float | None]
    lon: Mapped[float | None]
    place: Mapped[Any] = mapped_column(OptionalPoint, nullable=True, deferred=True)
    radius_m: Mapped[float | None]
    """None: the whole municipality."""
    categories: Mapped[list[str]] = mapped_column(Json, default=list)
    """Slugs; empty: all of them."""
    frequency: Mapped[str] = mapped_column(default="now")
    """`now` or `daily`."""
    digest_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Up to when the daily mail has told of new reports."""
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    municipality: Mapped[Municipality] = relationship()


# Submitting ---------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Submission:
    """A report as it was typed, before anything is known to be right. Places in degrees WGS 84."""

    category: str
    lat: float | None
    lon: float | None
    text: str
    language: str = "nb"
    name: str = ""
    email: str = ""
    phone: str = ""
    answers: dict[str, str] = field(default_factory=dict)
    photos: Sequence[bytes] = ()
    token: str = ""
    """Names this filling-in of the form; empty where there was none."""
    place_name: str | None = None


def submit(submission: Submission, at: datetime | None = None) -> Report:
    """Take a report: the original sealed, the public text derived, events and the receipt in one transaction.

    Raises InvalidReport with every error at once, before anything is stored. A failure of the policy layer holds
    the text. The door commits, then enqueues the report's id for `review`.
    """
    at = at or now()
    token = keyring.fingerprint("submission " + submission.token) if submission.token else None
    if token and (known := db.session.scalar(select(Report).where(Report.submission == token))):
        return known
    municipality, category = check(submission)
    contacts = frozenset(municipality.public_contacts)
    masked = mask(submission.text, submission.language, contacts)
    data_key = DataKey()
    report = Report(
        ref="".join(secrets.choice(_REF_LETTERS) for _ in range(8)),
        municipality=municipality,
        category=category,
        language=submission.language,
        lat=round(float(submission.lat or 0), 6),
        lon=round(float(submission.lon or 0), 6),
        place=point(float(submission.lat or 0), float(submission.lon or 0)),
        place_name=submission.place_name,
        public_text=masked,
        text_publication="held" if masked is None else "published",
        response_due_at=deadlines.after_working_days(at, category.response_days),
        repair_due_at=deadlines.after_working_days(at, category.repair_days),
        submission=token,
        created_at=at,
        changed_at=at,
    )
    contents = {
        "text": submission.text.strip(),
        "masked": masked,
        "name": submission.name.strip(),
        "email": submission.email.strip(),
        "phone": submission.phone.strip(),
        "answers": submission.answers,
    }
    report.original = Original(
        key=data_key.wrapped(),
        sealed=data_key.seal(json.dumps(contents).encode()),
        email_fingerprint=keyring.fingerprint(submission.email) if submission.email.strip() else None,
    )
    for position, data in enumerate(submission.photos):
        photo = Photo(key=media.new_key(), position=position, created_at=at)
        media.private.put(photo.stored("original"), data_key.seal(data))
        report.photos.append(photo)
    db.session.add(report)
    record(report, "received", to_state="received", at=at, public=True, tell=False)
    if submission.email.strip():
        _follow_as_reporter(report, submission, masked=masked != submission.text.strip(), at=at)
    return report


def _follow_as_reporter(report: Report, submission: Submission, masked: bool, at: datetime) -> None:
    email = submission.email.strip()
    db.session.add(
        Follow(
            report=report,
            email=email,
            email_fingerprint=keyring.fingerprint(email),
            language=submission.language,
            is_reporter=True,
            confirmed_at=at,
        )
    )
    report.follower_count = 1
    db.session.flush()
    notifications.queue(
        "receipt",
        email,
        submission.language,
        f"receipt:{report.id}",
        {
            **told(report),
            "private_token": private_token(report),
            "response_days": report.category.response_days,
            "masked": masked and report.text_publication == "published",
            "held": report.text_publication == "held",
            "has_photos": bool(report.photos),
        },
        at=at,
    )


def check(submission: Submission) -> tuple[Municipality, Category]:
    """The municipality and the category that a submission is for. Raises InvalidReport."""
    errors: dict[str, str] = {}
    outside: Names | None = None
    municipality: Municipality | None = None
    category: Category | None = None
    if submission.lat is None or submission.lon is None:
        errors["place"] = "place_missing"
    elif not (-90 <= submission.lat <= 90 and -180 <= submission.lon <= 180):
        errors["place"] = "place_not_on_earth"
    else:
        try:
            municipality = municipalities.municipality_at(submission.lat, submission.lon)
        except OutsideEveryMunicipality as error:
            errors["place"], outside = f"place_{error.reason}", error.names
    if not submission.category:
        errors["category"] = "category_missing"
    elif municipality and not (category := municipalities.category(municipality, submission.category)):
        errors["category"] = "category_unknown"
    if not submission.text.strip():
        errors["text"] = "text_missing"
    elif len(submission.text.strip()) > TEXT_MOST:
        errors["text"] = "text_too_long"
    if submission.email.strip() and not is_email(submission.email):
        errors["email"] = "email_invalid"
    if submission.phone.strip() and not re.fullmatch(r"\+?[\d ()-]{5,20}", submission.phone.strip()):
        errors["phone"] = "phone_invalid"
    if len(submission.name) > CONTACT_MOST:
        errors["name"] = "too_long"
    if category:
        errors.update(_check_answers(category, submission))
    if len(submission.photos) > PHOTOS_MOST:
        errors["photos"] = "photos_too_many"
    if errors or municipality is None or category is None:
        raise InvalidReport(errors, outside)
    return municipality, category


def _check_answers(category: Category, submission: Submission) -> dict[str, str]:
    """Errors of the category's own questions; answers to other questions are dropped."""
    errors = {}
    asked = {question["code"]: question for question in category.questions}
    submission.answers = {code: a.strip() for code, a in submission.answers.items() if code in asked and a.strip()}
    for code, question in asked.items():
        answer = submission.answers.get(code, "")
        if question.get("required") and not answer:
            errors[f"answer-{code}"] = "answer_missing"
        elif len(answer) > CONTACT_MOST:
            errors[f"answer-{code}"] = "too_long"
        elif answer and question["kind"] == "choice" and answer not in {o["code"] for o in question["options"]}:
            errors[f"answer-{code}"] = "answer_unknown"
    return errors


def is_email(address: str) -> bool:
    return len(address.strip()) <= CONTACT_MOST and _EMAIL.fullmatch(address.strip()) is not None


def mask(text: str, language: str, contacts: frozenset[str] = frozenset()) -> str | None:
    """The text without what is nobody's business, or None where the policy layer failed and the text must wait."""
    text = text.strip()
    try:
        return policy.scrub(text, policy.find(text, allowed=contacts), language)
    except Exception:
        # Whatever went wrong in there, the safe answer is to show nothing. The text itself stays out of the log.
        log.error("The policy layer failed on a text of %d characters; it is held.", len(text), exc_info=True)
        return None


def private_token(report: Report) -> str:
    """Opens the reporter's own page."""
    return keyring.sign("mine", [report.ref, report.original.link_number or 1])


def by_private_token(token: str) -> Report | None:
    """The report of a private link that is still worth something. Raises BadLink."""
    ref, number = keyring.signed("mine", token)
    report = by_ref(ref)
    return report if report and report.original.link_number == number else None


def by_ref(ref: str) -> Report | None:
    return db.session.scalar(select(Report).where(Report.ref == ref.strip().upper()))


def sent_by(user: User) -> Select[tuple[Report]]:
    """The reports that came with the user's e-mail address, the newest first."""
    return (
        select(Report)
        .join(Original)
        .where(Original.email_fingerprint == user.email_fingerprint)
        .order_by(Report.created_at.desc())
    )


def followed_by(user: User) -> Select[tuple[Follow]]:
    """What the user's e-mail address follows, the newest first."""
    mine = Follow.email_fingerprint == user.email_fingerprint
    return select(Follow).where(mine, Follow.confirmed_at.is_not(None)).order_by(Follow.created_at.desc())


# Events and followers -----------------------------------------------------------------------------------------


def record(
    report: Report,
    kind: str,
    *,
    actor: User | None = None,
    from_state: str | None = None,
    to_state: str | None = None,
    text: str | None = None,
    private: str | None = None,
    public: bool = False,
    tell: bool = True,
    at: datetime | None = None,
) -> Event:
    """One change of a report, and a message about it to each follower where `public` and `tell`."""
    at = at or now()
    department = department_of(actor, report.municipality_id) if actor else None
    event = Event(
        report=report,
        kind=kind,
        at=at,
        is_public=public,
        actor_id=actor.id if actor else None,
        actor_name=actor.name if actor else None,
        department_names=department.names if department else None,
        from_state=from_state,
        to_state=to_state,
        text=text if public else None,
        private=private,
    )
    db.session.add(event)
    if public:
        report.changed_at = at
    if public and tell:
        db.session.flush()
        _tell_followers(report, event)
    return event


def told(report: Report) -> dict[str, Any]:
    """What a message says of a report: nothing that its author wrote, so nothing personal travels by mail."""
    return {
        "ref": report.ref,
        "category_names": report.category.names,
        "place_name": report.place_name,
        "municipality_names": report.municipality.names,
    }


def _tell_followers(report: Report, event: Event) -> None:
    facts = told(report) | {
        "change": event.kind,
        "to_state": event.to_state,
        "actor_name": event.actor_name,
    }
    followers = select(Follow).where(Follow.report_id == report.id, Follow.confirmed_at.is_not(None))
    rows = [
        {
            "kind": "change",
            "recipient": follow.email,
            "language": follow.language,
            "key": f"event:{event.id}:follow:{follow.id}",
            "payload": facts | {"unsubscribe_token": keyring.sign("unsubscribe", ["report", follow.id])},
            "due_at": event.at,
        }
        for follow in db.session.scalars(followers)
    ]
    if rows:
        db.session.execute(insert(notifications.Delivery), rows)


def follow(report: Report, email: str, language: str) -> Follow:
    """Ask for mails about a report: a first mail asks the mailbox's owner to confirm. Raises ValueError."""
    if not is_email(email):
        raise ValueError("email_invalid")
    print_ = keyring.fingerprint(email)
    found = db.session.scalar(
        select(Follow).where(Follow.report_id == report.id, Follow.email_fingerprint == print_)
    )
    if found is None:
        found = Follow(report=report, email=email.strip(), email_fingerprint=print_, language=language)
        db.session.add(found)
        db.session.flush()
    if found.confirmed_at is None:
        _ask_to_confirm("report", found, told(report))
    return found


def follow_area(follow: AreaFollow) -> AreaFollow:
    """The same for an area. Raises ValueError with the reason: `email_invalid`, `radius_invalid`."""
    if not is_email(follow.email):
        raise ValueError("email_invalid")
    if follow.radius_m is not None and not RADIUS_M[0] <= follow.radius_m <= RADIUS_M[1]:
        raise ValueError("radius_invalid")
    follow.email_fingerprint = keyring.fingerprint(follow.email)
    if follow.lat is not None and follow.lon is not None:
        follow.place = point(follow.lat, follow.lon)
    db.session.add(follow)
    db.session.flush()
    _ask_to_confirm("area", follow, {"municipality_names": follow.municipality.names})
    return follow


def _ask_to_confirm(kind: str, found: Follow | AreaFollow, facts: dict[str, Any]) -> None:
    notifications.queue(
        "follow_confirm",
        found.email,
        found.language,
        f"confirm:{kind}:{found.id}:{secrets.token_hex(4)}",
        facts | {"follows": kind, "confirm_token": keyring.sign("confirm", [kind, found.id])},
    )


def follow_of(purpose: str, token: str) -> Follow | AreaFollow | None:
    """The follow that a link of `confirm` or `unsubscribe` is about; None once it is gone. Raises BadLink."""
    kind, number = keyring.signed(purpose, token)
    found: Follow | AreaFollow | None = db.session.get(AreaFollow if kind == "area" else Follow, number)
    return found


def confirm_follow(found: Follow | AreaFollow) -> None:
    if found.confirmed_at is None:
        found.confirmed_at = now()
        if isinstance(found, Follow):
            count_followers(found.report_id)


def unfollow(found: Follow | AreaFollow) -> None:
    report_id = found.report_id if isinstance(found, Follow) else None
    db.session.delete(found)
    db.session.flush()
    if report_id:
        count_followers(report_id)


def count_followers(report_id: int) -> None:
    # An UPDATE past the mapper: a follower more is no change of the case, so its version must not count up.
    number = select(func.count()).where(Follow.report_id == report_id, Follow.confirmed_at.is_not(None))
    db.session.flush()
    db.session.execute(
        update(Report)
        .where(Report.id == report_id)
        .values(follower_count=number.scalar_subquery())
        .execution_options(synchronize_session=False)
    )


def area_followers(report: Report) -> Iterable[AreaFollow]:
    """The confirmed followers of the area and category that the report lies in."""
    found = db.session.scalars(
        select(AreaFollow).where(
            AreaFollow.municipality_id == report.municipality_id,
            AreaFollow.confirmed_at.is_not(None),
            or_(
                AreaFollow.radius_m.is_(None),
                distance_m(AreaFollow.place, report.lon, report.lat) <= AreaFollow.radius_m,
            ),
        )
    )
    return (f for f in found if not f.categories or report.category.slug in f.categories)


def announce(report: Report) -> None:
    """Tell those who follow the area at once. Telling twice is not possible: the message's key is the same."""
    if report.text_publication != "published":
        return
    followers = {
        f"new:{report.id}:area:{f.id}": f for f in area_followers(report) if f.frequency == "now"
    }
    for key in notifications.known(list(followers)):
        del followers[key]
    for key, f in followers.items():
        token = keyring.sign("unsubscribe", ["area", f.id])
        notifications.queue("area_new", f.email, f.language, key, told(report) | {"unsubscribe_token": token})


def send_digests(at: datetime) -> int:
    """One mail to each daily follower with something new since the last one; how many. The door commits."""
    sent = 0
    daily = select(AreaFollow).where(AreaFollow.frequency == "daily", AreaFollow.confirmed_at.is_not(None))
    for f in db.session.scalars(daily):
        since = f.digest_at or f.confirmed_at or f.created_at
        new = select(Report).where(
            Report.municipality_id == f.municipality_id,
            Report.text_publication == "published",
            Report.reviewed_at > since,
            Report.reviewed_at <= at,
        )
        if f.radius_m is not None:
            new = new.where(distance_m(Report.place, f.lon, f.lat) <= f.radius_m)
        items = [
            told(r)
            for r in db.session.scalars(new.order_by(Report.created_at).limit(200))
            if not f.categories or r.category.slug in f.categories
        ]
        f.digest_at = at
        if items:
            token = keyring.sign("unsubscribe", ["area", f.id])
            notifications.queue(
                "area_digest",
                f.email,
                f.language,
                f"digest:{f.id}:{at:%Y%m%d%H}",
                {"items": items, "count": len(items), "unsubscribe_token": token},
            )
            sent += 1
    return sent


# The worker's part --------------------------------------------------------------------------------------------


def unreviewed(before: datetime) -> Select[tuple[int]]:
    """Ids of the reports that the worker has not taken yet, though they came before a time."""
    return select(Report.id).where(Report.reviewed_at.is_(None), Report.created_at < before).order_by(Report.id)


def review(report_id: int, seconds: int, memory: int, place_name: str | None = None) -> bool:
    """Make the photos' public sizes, held until staff release them, and tell the followers of the area.

    `seconds` and `memory` (bytes) bound each photo. Returns False where another worker was quicker; the door rolls
    back then, and commits otherwise.
    """
    report = db.session.get(Report, report_id, options=[undefer(Report.reviewed_at)])
    if report is None or report.reviewed_at is not None:
        return False
    key = report.original.data_key
    for photo in [p for p in report.photos if p.publication == "waiting"]:
        _render(photo, key, seconds, memory)
    taken = db.session.execute(
        update(Report)
        .where(Report.id == report_id, Report.reviewed_at.is_(None))
        .values(reviewed_at=now())
        .execution_options(synchronize_session=False)
    )
    if taken.rowcount != 1:
        return False
    if place_name and not report.place_name:
        report.place_name = place_name[:CONTACT_MOST]
    announce(report)
    return True


def _render(photo: Photo, key: DataKey, seconds: int, memory: int) -> None:
    try:
        original = key.open(media.private.get(photo.stored("original")))
        for rendition in pictures.render(original, seconds, memory):
            media.private.put(photo.stored(rendition.size), key.seal(rendition.data))
            photo.width, photo.height = rendition.width, rendition.height
        photo.publication = "held"
    except pictures.Unreadable as error:
        log.warning("Photo %s cannot be read: %s", photo.id, error)
        photo.publication, photo.failure = "removed", "unreadable"


def photo_bytes(photo: Photo, size: str) -> bytes:
    """One size of a photo, or `original`, opened with the report's key. Raises media.NoSuchMedia."""
    return photo.report.original.data_key.open(media.private.get(photo.stored(size)))


# Publishing ---------------------------------------------------------------------------------------------------


def publish_text(report: Report, text: str, actor: User) -> None:
    """Show a text that a person looked at. It passes the policy layer once more. Raises NothingToShow."""
    masked = mask(text, report.language, frozenset(report.municipality.public_contacts)) if text.strip() else None
    if not masked:
        raise NothingToShow
    changed = masked != report.public_text
    report.public_text, report.text_publication = masked, "published"
    _keep_masked(report, masked)
    record(report, "text_published", actor=actor, public=True, tell=False)
    if changed and report.reviewed_at:
        announce(report)


def hold_text(report: Report, actor: User) -> None:
    """Take the text from the public until a person publishes it again."""
    report.public_text, report.text_publication = None, "held"
    record(report, "text_held", actor=actor, public=True, tell=False)


def _keep_masked(report: Report, masked: str) -> None:
    original = report.original
    contents = json.loads(original.data_key.open(original.sealed))
    original.sealed = original.data_key.seal(json.dumps(contents | {"masked": masked}).encode())


def publish_photo(photo: Photo, actor: User, alt: str = "") -> None:
    """Copy the photo's sizes into the store that the public reads."""
    if photo.width is None:
        raise NothingToShow
    for size in pictures.SIZES:
        media.released.put(f"{photo.key}/{size}.webp", photo_bytes(photo, size))
    photo.publication = "published"
    photo.alt = mask(alt, photo.report.language) or None if alt.strip() else photo.alt
    _choose_cover(photo.report)
    record(photo.report, "photo_published", actor=actor, public=True, tell=False)


def hold_photo(photo: Photo, actor: User) -> None:
    _unpublish_photo(photo, "held")
    _choose_cover(photo.report)
    record(photo.report, "photo_held", actor=actor, public=True, tell=False)


def _unpublish_photo(photo: Photo, publication: str) -> None:
    photo.publication = publication
    for size in pictures.SIZES:
        media.released.delete(f"{photo.key}/{size}.webp")


def _choose_cover(report: Report) -> None:
    cover = next((p for p in report.photos if p.publication == "published"), None)
    report.cover_key = cover.key if cover else None
    report.cover_alt = cover.alt if cover else None


def withdraw(report: Report) -> None:
    """The reporter takes it back: text and photos leave the public, the page says so. Raises NotWithdrawable."""
    if report.closed_at is not None:
        raise NotWithdrawable
    for photo in report.photos:
        _unpublish_photo(photo, "removed")
    _choose_cover(report)
    report.public_text, report.text_publication = None, "removed"
    before, report.state, report.closed_at = report.state, "withdrawn", now()
    record(report, "withdrawn", from_state=before, to_state="withdrawn", public=True)


def forget_drafts() -> int:
    """Delete the photos of forms that were never sent; how many."""
    return media.private.delete_older(media.DRAFTS, now() - timedelta(seconds=media.DRAFT_LIFE.total_seconds()))
