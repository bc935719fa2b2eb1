"""Municipalities, their departments and categories, and which municipality a place lies in."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Select, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .db import Area, Json, Model, around, db, distance_m, in_box, place_at

Names = dict[str, str]
"""A text per language code: `{"nb": …, "nn": …, "en": …}`."""

SHORE_M = 300.0
"""Borders are simplified by some hundred metres and cut at the coast, so a quay may lie outside its own
municipality. A place this near a border belongs to it when no other municipality holds it."""


class OutsideEveryMunicipality(Exception):
    """A place that no municipality here answers for. `reason` is `sea`, `abroad` or `not_here`; with `not_here`
    `names` tells which municipality it is, one that does not use GataMi."""

    def __init__(self, reason: str, names: Names | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.names = names


class Municipality(Model):
    __tablename__ = "municipalities"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    """Four digits. Names change and come in several languages, the number does not."""
    names: Mapped[Names] = mapped_column(Json)
    border: Mapped[Any] = mapped_column(Area, deferred=True)
    lat: Mapped[float]
    """The centre that the map opens on, degrees WGS 84."""
    lon: Mapped[float]
    zoom: Mapped[int] = mapped_column(default=11)
    active: Mapped[bool] = mapped_column(default=False, index=True)
    """Whether it takes reports here. The others are kept for their borders, to tell whose a place is."""
    phone: Mapped[str | None]
    sensitive_contact: Mapped[Names | None] = mapped_column(Json)
    """Where to turn with what must not stand in a public report, as a sentence per language."""
    public_contacts: Mapped[list[str]] = mapped_column(Json, default=list)
    """The municipality's own numbers and shared mailboxes, which no text hides."""
    moderation: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """Its own thresholds and words: see `policy.moderation.Rules.of`."""
    retention: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """How long it keeps what, where it chose otherwise than the defaults: see `policy.retention.Retention.of`."""


class Department(Model):
    __tablename__ = "departments"

    id: Mapped[int] = mapped_column(primary_key=True)
    municipality_id: Mapped[int] = mapped_column(ForeignKey("municipalities.id"), index=True)
    names: Mapped[Names] = mapped_column(Json)
    email: Mapped[str | None]


class Category(Model):
    __tablename__ = "categories"
    __table_args__ = (UniqueConstraint("municipality_id", "slug"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    municipality_id: Mapped[int] = mapped_column(ForeignKey("municipalities.id"), index=True)
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    """Who answers for the category; the deputy where the owner does not."""
    deputy_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    slug: Mapped[str]
    group: Mapped[str] = mapped_column(default="other")
    names: Mapped[Names] = mapped_column(Json)
    icon: Mapped[str]
    stop_message: Mapped[Names | None] = mapped_column(Json)
    """Shown before anything is written: what must not wait for a report, and whom to phone."""
    questions: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    """`{"code", "label": Names, "kind": "choice" | "text", "options": [{"code", "label"}], "required"}`."""
    response_days: Mapped[int] = mapped_column(default=3)
    """Working days until the first answer, and until the repair."""
    repair_days: Mapped[int] = mapped_column(default=15)
    duplicate_radius_m: Mapped[float] = mapped_column(default=250.0)
    """How near an open report of the same category is asked about: 'is it this one?'"""
    position: Mapped[int] = mapped_column(default=0)

    municipality: Mapped[Municipality] = relationship()
    department: Mapped[Department | None] = relationship()


def active() -> Select[Municipality]:
    return select(Municipality).where(Municipality.active).order_by(Municipality.number)


def categories_of(municipality: Municipality) -> Select[Category]:
    return (
        select(Category)
        .where(Category.municipality_id == municipality.id)
        .order_by(Category.position, Category.id)
    )


def category(municipality: Municipality, slug: str) -> Category | None:
    return db.session.scalar(
        select(Category).where(Category.municipality_id == municipality.id, Category.slug == slug)
    )


def municipality_at(lat: float, lon: float) -> Municipality:
    """The active municipality that holds a place. Raises OutsideEveryMunicipality with the reason."""
    found = db.session.scalar(
        select(Municipality)
        .where(
            in_box(Municipality.id, Municipality.border, "municipalities", (lon, lat, lon, lat)),
            func.ST_Contains(Municipality.border, place_at(lon, lat)),
        )
        .order_by(Municipality.active.desc())
        .limit(1)
    ) or db.session.scalar(_nearest(lat, lon))
    if found is None:
        raise OutsideEveryMunicipality("abroad" if _is_abroad(lat, lon) else "sea")
    if not found.active:
        raise OutsideEveryMunicipality("not_here", found.names)
    return found


def _nearest(lat: float, lon: float) -> Select[Municipality]:
    metres = distance_m(Municipality.border, lon, lat)
    box = around(lat, lon, SHORE_M)
    return (
        select(Municipality)
        .where(in_box(Municipality.id, Municipality.border, "municipalities", box), metres <= SHORE_M)
        .order_by(metres)
        .limit(1)
    )


_LAND_BORDER = (
    (11.3, 50.0), (11.2, 58.9), (11.5, 59.2), (11.6, 60.5), (12.0, 62.5), (13.0, 64.5), (14.2, 65.7), (16.0, 67.2),
    (18.15, 68.1), (18.15, 68.5), (20.1, 69.05), (25.5, 69.0), (28.0, 69.6), (29.0, 69.5), (30.5, 69.5),
    (31.2, 69.75), (33.0, 69.4), (60.0, 68.0), (60.0, 50.0),
)  # fmt: skip
"""Coarse outline (lon, lat) of the land east of Norway. It is only asked about places that lie in no Norwegian
municipality, so it needs to tell Sweden, Finland and Russia from the sea, and no more."""


def _is_abroad(lat: float, lon: float) -> bool:
    """Whether a place in no municipality lies on another country's land, or far from Norway, and not off its coast."""
    if not (57.0 <= lat <= 72.0 and 2.0 <= lon <= 33.0):
        return True
    inside = False
    for (x1, y1), (x2, y2) in zip(_LAND_BORDER, _LAND_BORDER[1:] + _LAND_BORDER[:1], strict=True):
        if (y1 > lat) != (y2 > lat) and lon < (x2 - x1) * (lat - y1) / (y2 - y1) + x1:
            inside = not inside
    return inside
