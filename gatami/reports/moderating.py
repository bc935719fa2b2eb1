"""What was decided about a text or a photo, what its author was told, and how a decision is tried again.

Every decision is a row: what, by which rules, by whom, on which ground. The seed asks to contact the author, to explain and to
give the reason (Sensur, Personvern); DSA art. 17 names what a statement of reasons holds.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, Select, UniqueConstraint, func, or_, select
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.orm.attributes import flag_modified

from .. import notifications
from ..accounts import User, leaders_of
from ..db import Json, Model, Sealed, UtcDateTime, db, keyring, now
from ..municipalities import Municipality
from ..policy import moderation
from ..policy.moderation import Rules, Verdict
from .following import told
from .rows import Follow, Photo, Report, private_token

log = logging.getLogger(__name__)

INCIDENT_HOURS = 72
"""GDPR art. 33 (1): a breach is notified within 72 hours of becoming known."""
OBJECTION_MOST = 2000
"""Characters of an objection and of the answer to it."""


class NothingToObjectTo(Exception):
    """The decision was objected to before, or it hides nothing any more."""


class OwnDecision(Exception):
    """Who made a decision does not decide on the objection to it."""


class Decision(Model):
    """One decision on what is shown. Holds kinds and rules, never the words that were hidden."""

    __tablename__ = "decisions"
    __table_args__ = (
        Index("ix_decisions_report_id_at", "report_id", "at"),
        Index("ix_decisions_objected_at", "objected_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    report_id: Mapped[int] = mapped_column(ForeignKey("reports.id"))
    photo_id: Mapped[int | None] = mapped_column(ForeignKey("photos.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    act: Mapped[str]
    """`masked held released removed flagged unpublished restored lifted`."""
    kinds: Mapped[list[str]] = mapped_column(Json, default=list)
    rules: Mapped[list[str]] = mapped_column(Json, default=list)
    why: Mapped[list[str]] = mapped_column(Json, default=list)
    """Of a text that is held: see `policy.moderation.Verdict.why`; `failed` where the policy layer broke."""
    grounds: Mapped[list[str]] = mapped_column(Json, default=list)
    """Law and guideline at the time: ids of `policy.moderation.GROUNDS`."""
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    """None: decided by automation."""
    reason: Mapped[str | None] = mapped_column(Sealed)
    """What staff wrote to the author about it."""
    objected_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    objection: Mapped[str | None] = mapped_column(Sealed)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    outcome: Mapped[str | None]
    """`upheld` or `overturned`."""
    answer: Mapped[str | None] = mapped_column(Sealed)

    report: Mapped[Report] = relationship()
    actor: Mapped[User | None] = relationship(foreign_keys=[actor_id])
    answered_by: Mapped[User | None] = relationship(foreign_keys=[answered_by_id])

    @property
    def can_be_objected_to(self) -> bool:
        hides = ("masked", "held", "removed", "flagged", "unpublished")
        shows_some = ("released", "restored")
        return self.objected_at is None and (
            self.act in hides or (self.act in shows_some and bool(self.kinds))
        )


class Version(Model):
    """A public text as it was, sealed with the report's own key, so that it goes when the report's key goes."""

    __tablename__ = "versions"
    __table_args__ = (UniqueConstraint("report_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    report_id: Mapped[int] = mapped_column(ForeignKey("reports.id"))
    number: Mapped[int]
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    act: Mapped[str]
    """The decision's act that made it."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)

    report: Mapped[Report] = relationship()
    actor: Mapped[User | None] = relationship()

    @property
    def text(self) -> str:
        return self.report.original.data_key.open(self.sealed).decode()


class Flag(Model):
    """Somebody says that a text or a photo shows something private."""

    __tablename__ = "flags"
    __table_args__ = (Index("ix_flags_report_id_state", "report_id", "state"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    report_id: Mapped[int] = mapped_column(ForeignKey("reports.id"))
    photo_id: Mapped[int | None] = mapped_column(ForeignKey("photos.id"))
    reason: Mapped[str]
    """A name of `FLAG_REASONS`."""
    who: Mapped[str]
    """Fingerprint of the address it came from, so that one person counts once."""
    state: Mapped[str] = mapped_column(default="open")
    """`open`, `right` (it stays hidden) or `wrong` (it was shown again)."""
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    report: Mapped[Report] = relationship()


class Incident(Model):
    """Something private was shown: when it became known, what was done, until when the authority must be told."""

    __tablename__ = "incidents"

    id: Mapped[int] = mapped_column(primary_key=True)
    report_id: Mapped[int] = mapped_column(ForeignKey("reports.id"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    opened_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    shown_from: Mapped[datetime | None] = mapped_column(UtcDateTime)
    entries: Mapped[list[dict[str, Any]]] = mapped_column(Sealed)
    """`{"at", "name", "text"}`, in order."""
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    report: Mapped[Report] = relationship()
    opened_by: Mapped[User] = relationship()


class Look(Model):
    """One look of staff at what a resident sent."""

    __tablename__ = "looks"
    __table_args__ = (Index("ix_looks_report_id_at", "report_id", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    report_id: Mapped[int] = mapped_column(ForeignKey("reports.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    what: Mapped[str]
    """`text`, or `photo` and its number."""
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    user: Mapped[User] = relationship()


class Act(Model):
    """What an administrator or a leader changed in how the municipality runs this, and what it was before."""

    __tablename__ = "acts"

    id: Mapped[int] = mapped_column(primary_key=True)
    municipality_id: Mapped[int] = mapped_column(ForeignKey("municipalities.id"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    actor_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    what: Mapped[str]
    before: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    after: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)

    actor: Mapped[User] = relationship()


FLAG_REASONS = ("personal", "abusive", "other")
HIDES_AT_ONCE = frozenset({"personal", "abusive"})


# Deciding -----------------------------------------------------------------------------------------------------------


def rules_of(municipality: Municipality, lifted: Iterable[str] = ()) -> Rules:
    """What the municipality decided, with the words that staff let through in one report."""
    return Rules.of(
        municipality.moderation or {}, frozenset(municipality.public_contacts) | frozenset(lifted)
    )


def judge(text: str, municipality: Municipality, language: str, lifted: Iterable[str] = ()) -> Verdict | None:
    """The verdict on a text, or None where the policy layer failed and the text must wait."""
    text = text.strip()
    try:
        return moderation.judge(text, rules_of(municipality, lifted), language)
    except Exception as error:  # noqa: BLE001  (whatever broke, the safe answer is to show nothing)
        # What went wrong may quote the text, so the log gets where it was and nothing of its words.
        place = traceback.extract_tb(error.__traceback__)[-1]
        log.error(
            "The policy layer failed on a text of %d characters; it is held: %s in %s, line %s.",
            len(text),
            type(error).__name__,
            place.filename,
            place.lineno,
        )
        return None


def decide(
    report: Report,
    act: str,
    verdict: Verdict | None = None,
    *,
    actor: User | None = None,
    photo: Photo | None = None,
    reason: str = "",
    why: Sequence[str] | None = None,
    kinds: Iterable[str] = (),
    tell: bool = True,
    at: datetime | None = None,
) -> Decision:
    """Write a decision down; the text's author is told unless `tell` is false, where another message says it already.

    A photo that staff took is theirs: what is decided about it is told to nobody else.

    `kinds` are hidden besides those of the verdict, by a person's hand.
    """
    kinds = sorted({*kinds, *(verdict.kinds if verdict else ())})
    made = Decision(
        report=report,
        photo_id=photo.id if photo else None,
        at=at or now(),
        act=act,
        kinds=kinds,
        rules=sorted({finding.rule for finding in verdict.findings}) if verdict else [],
        why=list(why if why is not None else verdict.why if verdict else ()),
        grounds=list(moderation.grounds(kinds, act)),
        actor_id=actor.id if actor else None,
        reason=report.private(reason.strip() or None),
    )
    db.session.add(made)
    db.session.flush()
    if tell and (photo is None or photo.sent_by_id is None):
        _tell_author(made)
    return made


def keep_version(report: Report, act: str, actor: User | None = None, at: datetime | None = None) -> None:
    """Keep what the public reads from now on, where it is another text than before."""
    if report.public_text is None:
        return
    last = db.session.scalar(
        select(Version).where(Version.report_id == report.id).order_by(Version.number.desc()).limit(1)
    )
    if last is not None and last.text == report.public_text:
        return
    db.session.add(
        Version(
            report=report,
            number=last.number + 1 if last else 1,
            at=at or now(),
            actor_id=actor.id if actor else None,
            act=act,
            sealed=report.original.data_key.seal(report.public_text.encode()),
        )
    )


def versions(report: Report) -> Sequence[Version]:
    """The texts that were public, the oldest first."""
    return db.session.scalars(
        select(Version).where(Version.report_id == report.id).order_by(Version.number)
    ).all()


def decisions(report: Report) -> Sequence[Decision]:
    return db.session.scalars(
        select(Decision).where(Decision.report_id == report.id).order_by(Decision.at, Decision.id)
    ).all()


def _tell_author(decision: Decision) -> None:
    """A message to the reporter that a decision was made. What it was about stands on the private page, not in the mail."""
    report = decision.report
    author = db.session.scalar(select(Follow).where(Follow.report_id == report.id, Follow.is_reporter))
    if author is None:
        return
    notifications.queue(
        "reasons",
        author.email,
        author.language,
        f"decision:{decision.id}",
        {
            **told(report),
            **statement(decision),
            "private_token": private_token(report),
        },
        at=decision.at,
    )


def statement(decision: Decision) -> dict[str, Any]:
    """What a message says of a decision: neither what was hidden nor of which kind it was."""
    report = decision.report
    return {
        "act": decision.act,
        "about_photo": decision.photo_id is not None,
        "by_automation": decision.actor_id is None and decision.act != "flagged",
        "sensitive_contact": report.municipality.sensitive_contact,
        "objection_token": private_token(report) if decision.can_be_objected_to else None,
        "decision": decision.id,
    }


def touch(report: Report) -> None:
    """Count the report's version up where nothing in its own row changes, so that the second of two is told."""
    flag_modified(report, "state")


def alarm(report: Report, at: datetime | None = None) -> None:
    """Tell the leaders that a threat came in."""
    for leader in leaders_of(report.municipality_id):
        if notifications.known([f"threat:{report.id}:{leader.id}"]):
            continue
        notifications.queue(
            "threat",
            leader.email,
            leader.language,
            f"threat:{report.id}:{leader.id}",
            {**told(report), "desk_ref": report.ref},
            at=at,
        )


# Trying again -------------------------------------------------------------------------------------------------------


def object_to(decision: Decision, text: str) -> None:
    """The author asks for another person to look at a decision. Raises NothingToObjectTo."""
    if not decision.can_be_objected_to:
        raise NothingToObjectTo
    decision.objected_at = now()
    decision.objection = decision.report.private(text.strip()[:OBJECTION_MOST])
    touch(decision.report)


def answer_objection(decision: Decision, actor: User, outcome: str, answer: str) -> None:
    """A second person decides. The text itself is then released or left by the usual verbs.

    Raises NothingToObjectTo where nothing is open, OwnDecision where the actor made the decision.
    """
    if decision.objected_at is None or decision.answered_at is not None:
        raise NothingToObjectTo
    if decision.actor_id == actor.id:
        raise OwnDecision
    decision.answered_at, decision.answered_by_id = now(), actor.id
    decision.outcome, decision.answer = outcome, decision.report.private(answer.strip()[:OBJECTION_MOST])
    touch(decision.report)
    author = db.session.scalar(
        select(Follow).where(Follow.report_id == decision.report_id, Follow.is_reporter)
    )
    if author is not None:
        notifications.queue(
            "objection",
            author.email,
            author.language,
            f"objection:{decision.id}",
            {
                **told(decision.report),
                "outcome": outcome,
                "actor_name": actor.name,
                "private_token": private_token(decision.report),
            },
        )


# Flags, incidents, looks --------------------------------------------------------------------------------------------


def flag(report: Report, reason: str, address: str, photo: Photo | None = None) -> tuple[Flag, bool]:
    """Somebody says that something private is shown; whether it is to be hidden at once.

    What staff have looked at after such a flag, and left, is not hidden again by the next one: it goes into the queue.
    """
    who = keyring.fingerprint(f"flag {report.id} {address}")
    same = (Flag.report_id == report.id, Flag.photo_id == (photo.id if photo else None))
    known = db.session.scalar(select(Flag).where(*same, Flag.who == who, Flag.state == "open"))
    if known is not None:
        return known, False
    judged = db.session.scalar(select(func.count()).select_from(Flag).where(*same, Flag.state == "wrong"))
    made = Flag(report=report, photo_id=photo.id if photo else None, reason=reason, who=who)
    db.session.add(made)
    return made, reason in HIDES_AT_ONCE and not judged


def open_flags(report: Report) -> Sequence[Flag]:
    return db.session.scalars(
        select(Flag).where(Flag.report_id == report.id, Flag.state == "open").order_by(Flag.at)
    ).all()


def settle_flags(report: Report, *, right: bool, photo: Photo | None = None) -> None:
    """Staff have looked: what was flagged stays hidden, or is shown again."""
    for found in open_flags(report):
        if found.photo_id == (photo.id if photo else None):
            found.state = "right" if right else "wrong"


def open_incident(report: Report, actor: User, text: str, at: datetime | None = None) -> Incident:
    """Begin the log of a breach, with the clock that GDPR art. 33 sets."""
    at = at or now()
    made = Incident(
        report=report,
        at=at,
        opened_by_id=actor.id,
        due_at=at + timedelta(hours=INCIDENT_HOURS),
        shown_from=report.published_at,
        entries=[{"at": at.isoformat(), "name": actor.name, "text": text.strip()}],
    )
    db.session.add(made)
    return made


def log_incident(incident: Incident, actor: User, text: str, *, close: bool = False) -> None:
    entry = {"at": now().isoformat(), "name": actor.name, "text": text.strip()}
    incident.entries = [*incident.entries, entry]
    if close:
        incident.closed_at = now()


def incidents(report: Report) -> Sequence[Incident]:
    """The newest first."""
    return db.session.scalars(
        select(Incident).where(Incident.report_id == report.id).order_by(Incident.id.desc())
    ).all()


def open_incidents(municipality_ids: Sequence[int]) -> Select[Incident]:
    """Breaches that nobody has closed, the one whose time is up first."""
    return (
        select(Incident)
        .join(Report)
        .where(Report.municipality_id.in_(municipality_ids), Incident.closed_at.is_(None))
        .order_by(Incident.due_at)
    )


def reached_by_mail(report: Report) -> list[notifications.Delivery]:
    """The messages about the report that were sent to others, so that those who got them can be told.

    A message's recipient is None as soon as it is forgotten, two weeks after it was sent.
    """
    delivery = notifications.Delivery
    followers = select(Follow.id).where(Follow.report_id == report.id)
    keys = [f"event:%:follow:{number}" for number in db.session.scalars(followers)]
    about = or_(*(delivery.key.like(key) for key in (*keys, f"new:{report.id}:area:%")))
    sent = select(delivery).where(delivery.state == "sent").order_by(delivery.sent_at)
    found = [*db.session.scalars(sent.where(about))]
    digests = delivery.key.like("digest:%") & (delivery.sent_at >= report.created_at)
    found += [mail for mail in db.session.scalars(sent.where(digests)) if _tells_of(mail, report)]
    return found


def _tells_of(mail: notifications.Delivery, report: Report) -> bool:
    return any(item.get("ref") == report.ref for item in (mail.payload or {}).get("items", ()))


def looked(report: Report, user: User, what: str) -> None:
    """Write down that somebody on the staff saw what was sent."""
    db.session.add(Look(report_id=report.id, user_id=user.id, what=what))


def looks(report: Report) -> Sequence[Look]:
    return db.session.scalars(
        select(Look).where(Look.report_id == report.id).order_by(Look.at.desc()).limit(200)
    ).all()


def acts(municipality: Municipality) -> Select[Act]:
    """What was changed in how the municipality runs this, the newest first."""
    return select(Act).where(Act.municipality_id == municipality.id).order_by(Act.id.desc())


def set_rules(municipality: Municipality, actor: User, rules: dict[str, Any]) -> None:
    """Change the municipality's own thresholds and words, as an act that stays on record."""
    before = municipality.moderation or {}
    if rules == before:
        return
    municipality.moderation = rules
    db.session.add(
        Act(municipality_id=municipality.id, actor_id=actor.id, what="moderation", before=before, after=rules)
    )
