"""The tables of a report, and what is looked up in them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, Select, UniqueConstraint, select, text
from sqlalchemy.orm import Mapped, contains_eager, joinedload, mapped_column, relationship

from ..accounts import User
from ..db import DataKey, Json, Model, OptionalPoint, Point, Private, Sealed, UtcDateTime, db, keyring, now
from ..keys import Destroyed
from ..municipalities import Category, Municipality, Names

CONTACT_MOST = 254
"""Characters of a name, an e-mail address or a short answer (RFC 5321's limit for an address)."""

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_EMAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+[^\W\d_]{{2,}}")


def _where(condition: str) -> dict[str, Any]:
    """The rows that an index holds, where it needs only few of them."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


class Report(Model):
    __tablename__ = "reports"
    __table_args__ = (
        Index("ix_reports_created_at_id", "created_at", "id"),
        Index("ix_reports_municipality_id_state", "municipality_id", "state"),
        Index("ix_reports_category_id_created_at", "category_id", "created_at"),
        Index("ix_reports_held", "id", **_where("text_publication = 'held'")),
        Index("ix_reports_closed_at", "closed_at"),
        Index("ix_reports_erasure_asked_at", "erasure_asked_at", **_where("erasure_asked_at IS NOT NULL")),
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
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    """When the text was public for the first time, and its area heard of it."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    """The last change that the public sees."""
    kept_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """A hold, such as a complaint or a claim that runs: until then nothing of the case is forgotten."""
    kept_why: Mapped[str | None] = mapped_column(Sealed)
    kept_by: Mapped[str | None] = mapped_column(Sealed)
    """The name of who set the hold."""
    must_archive: Mapped[bool] = mapped_column(default=False)
    """The case belongs in the municipality's archive (arkivlova): nothing is forgotten here before it is there."""
    archived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    erasure_asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the reporter asked for it; it is done at once, or on the first night on which nothing stands in its way."""
    erased_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column()
    """Counted up by every change, so that of two people changing the same case the second is told."""

    municipality: Mapped[Municipality] = relationship(lazy="joined")
    category: Mapped[Category] = relationship(lazy="joined")
    assignee: Mapped[User | None] = relationship()
    original: Mapped[Original] = relationship(back_populates="report", uselist=False)
    photos: Mapped[list[Photo]] = relationship(back_populates="report", order_by="Photo.position")

    __mapper_args__ = {"version_id_col": version}

    @property
    def is_gone(self) -> bool:
        """Whether nothing of it can be shown, whatever staff release."""
        return self.state == "withdrawn" or self.text_publication == "unpublished" or self.original.forgotten

    def private(self, text: str | None) -> str | None:
        """A text about the case for a sealed column, under the report's own key, so that it goes with the original."""
        key = self.original.key if self.original else None
        return Private(text, key) if text is not None and key is not None else text


class Original(Model):
    """What was sent, as it was sent, and apart from it who sent it: each is readable with a data key of its own.

    A key that was destroyed makes what it sealed unreadable, here and in every backup.
    """

    __tablename__ = "originals"

    report_id: Mapped[int] = mapped_column(ForeignKey("reports.id"), primary_key=True)
    key: Mapped[bytes | None] = mapped_column(LargeBinary, index=True)
    """Name of the data key of text, answers and photos; None: they are forgotten."""
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    contact_key: Mapped[bytes | None] = mapped_column(LargeBinary, index=True)
    """Name of the data key of `contact` and of every message to the reporter; None: nobody told who they are."""
    contact: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Name, e-mail address and phone number, which are forgotten earlier than the text."""
    email_fingerprint: Mapped[str | None] = mapped_column(index=True)
    """Finds somebody's own reports without a readable address."""
    link_number: Mapped[int] = mapped_column(default=1)
    """Part of the reporter's private link; counting it up makes the old link worthless."""

    report: Mapped[Report] = relationship(back_populates="original")

    @property
    def data_key(self) -> DataKey:
        """Raises keys.Destroyed where the original is forgotten."""
        if self.key is None:
            raise Destroyed
        return DataKey.named(self.key)

    @property
    def contents(self) -> Contents:
        """Without what is forgotten."""
        read = _opened(self.key, self.sealed) | _opened(self.contact_key, self.contact)
        return Contents(**({"text": "", "masked": None} | read))

    @property
    def forgotten(self) -> bool:
        """Whether text, answers and photos can be read no more."""
        try:
            return not self.data_key
        except Destroyed:
            return True


def _opened(key_name: bytes | None, sealed: bytes | None) -> dict[str, Any]:
    if key_name is None or sealed is None:
        return {}
    try:
        found: dict[str, Any] = json.loads(DataKey.named(key_name).open(sealed))
    except Destroyed:
        return {}
    return found


@dataclass(frozen=True, slots=True)
class Contents:
    """The private part of a report. `masked` is the text as the policy layer left it; None where it failed."""

    text: str
    masked: str | None
    name: str = ""
    email: str = ""
    phone: str = ""
    answers: dict[str, str] = field(default_factory=dict)
    captions: list[str] = field(default_factory=list)
    """What the photos show, as the reporter wrote it, in their order."""
    lifted: list[str] = field(default_factory=list)
    """Words that staff let through, because they are nobody's name."""


class Photo(Model):
    """A picture of a report. What was sent lies sealed; what may be shown is drawn from it, and lies sealed too until
    it is public under a name of its own."""

    __tablename__ = "photos"
    __table_args__ = (
        Index("ix_photos_held", "report_id", **_where("publication = 'held'")),
        Index("ix_photos_waiting", "report_id", **_where("publication = 'waiting'")),
        Index("uq_photos_public_key", "public_key", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    report_id: Mapped[int] = mapped_column(ForeignKey("reports.id"), index=True)
    key: Mapped[str] = mapped_column(unique=True)
    """Its folder in the private store."""
    public_key: Mapped[str | None]
    """Its name while it is published: a new one each time, so that no address ever shows two versions."""
    position: Mapped[int] = mapped_column(default=0)
    publication: Mapped[str] = mapped_column(default="waiting")
    drawing: Mapped[int] = mapped_column(default=0)
    """Counted up each time that it has to be drawn anew."""
    drawn_in: Mapped[str | None]
    """Folder of its newest drawing: a name of its own for each try, so that of two workers who draw at once neither
    writes over what the other's row tells of. None: it was never drawn."""
    boxes: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    """What is covered: `policy.photos.Box` as JSON."""
    found: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    """What the policy found when it last looked, whatever a person has made of it since."""
    doubts: Mapped[list[str]] = mapped_column(Json, default=list)
    """Why a person must look at it: see `policy.moderation.doubts`."""
    wish: Mapped[str | None]
    """What a person who chose the boxes wants of the next drawing: `publish` or `hold`. None: the policy looks itself."""
    wished_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    """Who chose the boxes; or, where the policy looks itself, who asked it to and wants to see the outcome first."""
    sent_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    """Staff who took it; None: the reporter did."""
    is_after: Mapped[bool] = mapped_column(default=False)
    """It shows how the place looks when the work is done."""
    alt: Mapped[str | None]
    width: Mapped[int | None]
    """Of the large size, in pixels; None: it is not drawn as `boxes` say yet, and nothing of it can be shown."""
    height: Mapped[int | None]
    failure: Mapped[str | None]
    """Why it was removed without a person: `unreadable`."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    report: Mapped[Report] = relationship(back_populates="photos")

    @property
    def folder(self) -> str:
        """Of everything that the private store holds of it."""
        return f"photos/{self.key}"

    @property
    def original(self) -> str:
        """Key of what was sent, in the private store."""
        return f"{self.folder}/original"

    @property
    def is_bare(self) -> bool:
        """Whether the policy could not look at it, so that its drawing covers nothing and nobody has chosen that."""
        return "failed" in self.doubts and self.wish is None


class Event(Model):
    """One change. `text` and `actor_name` of a public event are public; a note is sealed and never public."""

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_report_id_at", "report_id", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    report_id: Mapped[int] = mapped_column(ForeignKey("reports.id"))
    kind: Mapped[str]
    """`received state reply note assigned text_held text_published text_corrected photo_held photo_published photo_covered
    photo_added withdrawn unpublished erased kept let_go archive`."""
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
    # Links in mails name a follow by its number, which must never become another one's.
    __table_args__ = (UniqueConstraint("report_id", "email_fingerprint"), {"sqlite_autoincrement": True})

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
    __table_args__ = ({"sqlite_autoincrement": True},)

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


class Discard(Model):
    """What was forgotten of a report, when and by which rule; nothing of what it said."""

    __tablename__ = "discards"
    __table_args__ = (Index("ix_discards_key_name", "key_name", **_where("key_name IS NOT NULL")),)

    id: Mapped[int] = mapped_column(primary_key=True)
    report_id: Mapped[int] = mapped_column(ForeignKey("reports.id"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    what: Mapped[str]
    """`contact original public_text public_photos`."""
    rule: Mapped[str]
    """`asked` by the reporter, `archived`, or the name of a field of `policy.retention.Retention`."""
    key_name: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Of the data key that is still to be destroyed; None as soon as it is."""

    report: Mapped[Report] = relationship()


def is_email(address: str) -> bool:
    """Whether a mail can be addressed to it (RFC 5321's dot-string; a domain may hold æ, ø and å)."""
    address = address.strip()
    try:
        domain = address.rpartition("@")[2].encode("idna")
    except UnicodeError:
        return False
    return len(address) <= CONTACT_MOST and len(domain) > 3 and _EMAIL.fullmatch(address) is not None


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


def sent_by(user: User) -> Select[Report]:
    """The reports that came with the user's e-mail address, the newest first."""
    return (
        select(Report)
        .join(Original)
        .options(contains_eager(Report.original))
        .where(Original.email_fingerprint == user.email_fingerprint)
        .order_by(Report.created_at.desc())
    )


def followed_by(user: User) -> Select[Follow]:
    """The reports that the user's e-mail address follows, the newest first."""
    mine = Follow.email_fingerprint == user.email_fingerprint
    return (
        select(Follow)
        .where(mine, Follow.confirmed_at.is_not(None))
        .options(joinedload(Follow.report))
        .order_by(Follow.created_at.desc())
    )


def areas_followed_by(user: User) -> Select[AreaFollow]:
    mine = AreaFollow.email_fingerprint == user.email_fingerprint
    return (
        select(AreaFollow)
        .where(mine, AreaFollow.confirmed_at.is_not(None))
        .order_by(AreaFollow.created_at.desc())
    )
