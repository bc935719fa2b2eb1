"""The gate: what the public may see, and the queries that public pages are made of.

The classes map the read-only views `public_*`, which show no private column, and their bind is the public engine,
which can read nothing else. Whoever adds a column to a view opens it to the world.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import orjson
from sqlalchemy import ColumnElement, Float, Row, Select, Text, and_, cast, func, literal, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from .db import PUBLIC, Area, Json, Model, Point, UtcDateTime, around, db, distance_m, in_box

STATES: dict[str, Literal["open", "fixed", "closed"]] = {
    "received": "open",
    "assessing": "open",
    "planned": "open",
    "in_progress": "open",
    "awaiting_reporter": "open",
    "forwarded": "open",
    "resolved": "fixed",
    "declined": "closed",
    "not_ours": "closed",
    "duplicate": "closed",
    "withdrawn": "closed",
}
"""State of a case → its type, as residents understand it."""

Box = tuple[float, float, float, float]
"""West, south, east, north, in degrees."""


class PublicMunicipality(Model):
    __bind_key__ = PUBLIC
    __tablename__ = "public_municipalities"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str]
    names: Mapped[dict[str, str]] = mapped_column(Json)
    lat: Mapped[float]
    lon: Mapped[float]
    zoom: Mapped[int]
    phone: Mapped[str | None]
    sensitive_contact: Mapped[dict[str, str] | None] = mapped_column(Json)
    border: Mapped[Any] = mapped_column(Area, deferred=True)


class PublicCategory(Model):
    __bind_key__ = PUBLIC
    __tablename__ = "public_categories"

    id: Mapped[int] = mapped_column(primary_key=True)
    municipality_id: Mapped[int]
    slug: Mapped[str]
    group: Mapped[str]
    names: Mapped[dict[str, str]] = mapped_column(Json)
    icon: Mapped[str]
    position: Mapped[int]
    duplicate_radius_m: Mapped[float]


class PublicReport(Model):
    __bind_key__ = PUBLIC
    __tablename__ = "public_reports"

    id: Mapped[int] = mapped_column(primary_key=True)
    ref: Mapped[str]
    municipality_id: Mapped[int]
    category_id: Mapped[int]
    state: Mapped[str]
    language: Mapped[str]
    text: Mapped[str | None]
    """The public text; None while it waits, is held or was removed."""
    text_publication: Mapped[str]
    lat: Mapped[float]
    lon: Mapped[float]
    place: Mapped[Any] = mapped_column(Point, deferred=True)
    place_name: Mapped[str | None]
    duplicate_of: Mapped[str | None]
    follower_count: Mapped[int]
    photo_key: Mapped[str | None]
    photo_alt: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PublicEvent(Model):
    __bind_key__ = PUBLIC
    __tablename__ = "public_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    report_id: Mapped[int]
    kind: Mapped[str]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_name: Mapped[str | None]
    department_names: Mapped[dict[str, str] | None] = mapped_column(Json)
    from_state: Mapped[str | None]
    to_state: Mapped[str | None]
    text: Mapped[str | None]


class PublicPhoto(Model):
    __bind_key__ = PUBLIC
    __tablename__ = "public_photos"

    id: Mapped[int] = mapped_column(primary_key=True)
    report_id: Mapped[int]
    key: Mapped[str]
    alt: Mapped[str | None]
    width: Mapped[int]
    height: Mapped[int]
    position: Mapped[int]


@dataclass(frozen=True, slots=True)
class Filters:
    """What a visitor asked to see. Empty fields ask for everything that is open to the public."""

    municipality: str = ""
    category: str = ""
    state: str = ""
    """A state, or a type of state: `open`, `fixed`, `closed`."""
    q: str = ""
    place: str = ""
    box: Box | None = None


def conditions(filters: Filters) -> list[ColumnElement[bool]]:
    """The filters as conditions on PublicReport joined to its category and municipality."""
    wanted: list[ColumnElement[bool]] = []
    if filters.municipality:
        wanted.append(PublicMunicipality.number == filters.municipality)
    if filters.category:
        wanted.append(PublicCategory.slug == filters.category)
    states = [s for s, kind in STATES.items() if filters.state in (s, kind)]
    if filters.state and states:
        wanted.append(PublicReport.state.in_(states))
    elif not filters.state:
        # A report that its author took back keeps its page, for those who follow it, but leaves map and list.
        wanted.append(PublicReport.state != "withdrawn")
    if filters.q:
        like = f"%{_escaped(filters.q)}%"
        fields = (PublicReport.text, PublicReport.place_name, PublicReport.ref)
        wanted.append(or_(*(field.ilike(like, escape="\\") for field in fields)))
    if filters.place:
        wanted.append(PublicReport.place_name.ilike(f"%{_escaped(filters.place)}%", escape="\\"))
    if filters.box:
        wanted.append(in_box(PublicReport.id, PublicReport.place, "reports", filters.box))
    return wanted


def _escaped(words: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", words.strip()[:100])


_ROW = (
    PublicReport.id,
    PublicReport.ref,
    PublicReport.state,
    PublicReport.language,
    PublicReport.text,
    PublicReport.text_publication,
    PublicReport.lat,
    PublicReport.lon,
    PublicReport.place_name,
    PublicReport.duplicate_of,
    PublicReport.follower_count,
    PublicReport.photo_key,
    PublicReport.photo_alt,
    PublicReport.created_at,
    PublicReport.changed_at,
    PublicCategory.slug.label("category_slug"),
    PublicCategory.names.label("category_names"),
    PublicCategory.icon,
    PublicMunicipality.number.label("municipality_number"),
    PublicMunicipality.names.label("municipality_names"),
)


def _joined(*columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .select_from(PublicReport)
        .join(PublicCategory, PublicCategory.id == PublicReport.category_id)
        .join(PublicMunicipality, PublicMunicipality.id == PublicReport.municipality_id)
    )


def reports(filters: Filters) -> Select[Any]:
    """Rows for a list, the newest first."""
    return (
        _joined(*_ROW)
        .where(*conditions(filters))
        .order_by(PublicReport.created_at.desc(), PublicReport.id.desc())
    )


def count(filters: Filters, most: int) -> int:
    """How many reports the filters leave, counted no further than `most`."""
    some = _joined(PublicReport.id).where(*conditions(filters)).limit(most).subquery()
    return db.session.scalar(select(func.count()).select_from(some), bind_arguments=_PUBLIC) or 0


def report(ref: str) -> Row[Any] | None:
    return db.session.execute(_joined(*_ROW).where(PublicReport.ref == ref)).first()


def report_by_id(report_id: int) -> Row[Any] | None:
    return db.session.execute(_joined(*_ROW).where(PublicReport.id == report_id)).first()


def events(report_id: int) -> Select[Any]:
    columns = [c for c in PublicEvent.__table__.columns if c.name != "report_id"]
    return select(*columns).where(PublicEvent.report_id == report_id).order_by(PublicEvent.at, PublicEvent.id)


def photos(report_id: int) -> Select[Any]:
    columns: tuple[Any, ...] = (PublicPhoto.key, PublicPhoto.alt, PublicPhoto.width, PublicPhoto.height)
    return (
        select(*columns)
        .where(PublicPhoto.report_id == report_id)
        .order_by(PublicPhoto.position, PublicPhoto.id)
    )


def photo_is_public(key: str) -> bool:
    return db.session.scalar(select(PublicPhoto.id).where(PublicPhoto.key == key)) is not None


def municipalities() -> Select[PublicMunicipality]:
    return select(PublicMunicipality).order_by(PublicMunicipality.number)


def categories(number: str = "") -> Select[PublicCategory]:
    """The categories of one municipality by its number, or of all."""
    found = select(PublicCategory).order_by(PublicCategory.position, PublicCategory.id)
    if number:
        found = found.join(PublicMunicipality, PublicMunicipality.id == PublicCategory.municipality_id).where(
            PublicMunicipality.number == number
        )
    return found


def border(number: str) -> bytes | None:
    """A municipality's border as a GeoJSON feature."""
    found = db.session.execute(
        select(func.ST_AsGeoJSON(PublicMunicipality.border, 5), PublicMunicipality.names).where(
            PublicMunicipality.number == number
        )
    ).first()
    if found is None:
        return None
    shape, names = found
    return orjson.dumps({"type": "Feature", "properties": {"names": names}, "geometry": orjson.loads(shape)})


def nearby(lat: float, lon: float, category: str, radius_m: float, most: int = 5) -> list[Row[Any]]:
    """Open reports of one category within `radius_m`, the nearest first, each with its `distance_m`."""
    metres = distance_m(PublicReport.place, lon, lat)
    box = around(lat, lon, radius_m)
    return list(
        db.session.execute(
            _joined(*_ROW, metres.label("distance_m"))
            .where(*conditions(Filters(category=category, state="open", box=box)), metres <= radius_m)
            .order_by(metres)
            .limit(most)
        )
    )


# The map ------------------------------------------------------------------------------------------------------

MOST_FEATURES = 1000
"""Reports that a window holds one by one; where there are more they are counted in cells."""
CLUSTER_BELOW_ZOOM = 15
_PUBLIC = {"mapper": PublicReport}


def window(filters: Filters, zoom: int) -> bytes:
    """The reports in `filters.box` as GeoJSON. Below zoom 15, and where they are very many, those that would lie on
    top of each other are one feature with a `count`. The database writes the GeoJSON; nothing is parsed here."""
    if zoom >= CLUSTER_BELOW_ZOOM:
        number, features = _features(filters)
        if number <= MOST_FEATURES:
            return features
    return _clusters(filters, zoom)


def _features(filters: Filters) -> tuple[int, bytes]:
    postgresql = db.engines[PUBLIC].dialect.name == "postgresql"
    build, array, gather = (
        (func.json_build_object, func.json_build_array, func.json_agg)
        if postgresql
        else (func.json_object, func.json_array, func.json_group_array)
    )
    rows = (
        _joined(
            PublicReport.lon,
            PublicReport.lat,
            PublicReport.ref,
            PublicReport.state,
            func.substr(PublicReport.text, 1, 80).label("text"),
            PublicCategory.slug,
            PublicCategory.icon,
        )
        .where(*conditions(filters))
        .limit(MOST_FEATURES + 1)
        .subquery()
    )
    column = rows.c
    properties = build(
        "ref",
        column.ref,
        "category",
        column.slug,
        "icon",
        column.icon,
        "state",
        column.state,
        "text",
        column.text,
    )
    place = build("type", "Point", "coordinates", array(column.lon, column.lat))
    feature = build("type", "Feature", "geometry", place, "properties", properties)
    gathered: ColumnElement[Any] = gather(feature)
    if postgresql:
        # As text, because the driver would parse JSON that is only passed on.
        gathered = cast(gathered, Text)
    number, features = db.session.execute(
        select(func.count(), gathered).select_from(rows), bind_arguments=_PUBLIC
    ).one()
    return number, b'{"type":"FeatureCollection","features":%b}' % (features or "[]").encode()


def _clusters(filters: Filters, zoom: int) -> bytes:
    # A quarter of a tile, 64 pixels: two marks side by side do not cover each other.
    side = 360 / 2 ** (zoom + 2)
    column = func.floor(PublicReport.lon / literal(side, Float))
    line = func.floor(PublicReport.lat / literal(side / 2, Float))
    cells = (
        _joined(
            func.count().label("number"),
            func.avg(PublicReport.lon).label("lon"),
            func.avg(PublicReport.lat).label("lat"),
            func.min(PublicReport.id).label("only"),
        )
        .where(*conditions(filters))
        .group_by(column, line)
        .order_by(func.count().desc())
        .limit(MOST_FEATURES)
        .subquery()
    )
    found = (
        select(
            cells.c.number,
            cells.c.lon,
            cells.c.lat,
            PublicReport.ref,
            PublicReport.state,
            func.substr(PublicReport.text, 1, 80).label("text"),
            PublicCategory.slug,
            PublicCategory.icon,
        )
        .select_from(cells)
        .outerjoin(PublicReport, and_(PublicReport.id == cells.c.only, cells.c.number == 1))
        .outerjoin(PublicCategory, PublicCategory.id == PublicReport.category_id)
    )
    features = []
    for row in db.session.execute(found, bind_arguments=_PUBLIC):
        one = {
            "ref": row.ref,
            "category": row.slug,
            "icon": row.icon,
            "state": row.state,
            "text": row.text,
        }
        features.append(
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": [round(row.lon, 6), round(row.lat, 6)]},
                "properties": one if row.number == 1 else {"count": row.number},
            }
        )
    return orjson.dumps({"type": "FeatureCollection", "features": features})
