"""The gate: what the public may see, and the queries that public pages are made of.

The classes map the read-only views `public_*`, which show no private column, and their bind is the public engine,
which can read nothing else. Whoever adds a column to a view opens it to the world.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal, NamedTuple

import orjson
from sqlalchemy import (
    ColumnElement,
    Float,
    Integer,
    Row,
    Select,
    String,
    Subquery,
    Text,
    and_,
    bindparam,
    cast,
    func,
    join,
    literal,
    literal_column,
    or_,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from .db import PUBLIC, Area, Json, Model, Point, UtcDateTime, around, db, distance_m, within_box

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
    is_after: Mapped[bool]


_PUBLIC = {"mapper": PublicReport}
"""Sends a statement to the public engine, also where it starts from a subquery."""


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


class Shape(NamedTuple):
    """Which filters are set, and which states they mean. A statement is built once for each shape and kept; what the
    visitor typed is bound to it."""

    municipality: bool
    category: bool
    states: tuple[str, ...]
    q: bool
    place: bool
    box: bool


def _shape(filters: Filters) -> Shape:
    states = tuple(state for state, kind in STATES.items() if filters.state in (state, kind))
    if not filters.state:
        # A report that its author took back keeps its page, for those who follow it, but leaves map and list.
        states = tuple(state for state in STATES if state != "withdrawn")
    return Shape(
        bool(filters.municipality),
        bool(filters.category),
        states or tuple(STATES),
        bool(filters.q),
        bool(filters.place),
        filters.box is not None,
    )


def _values(filters: Filters) -> dict[str, Any]:
    values: dict[str, Any] = {
        "municipality": filters.municipality,
        "category": filters.category,
        "q": f"%{_escaped(filters.q)}%" if filters.q else "",
        "place": f"%{_escaped(filters.place)}%" if filters.place else "",
    }
    values = {name: value for name, value in values.items() if value}
    if filters.box:
        values |= dict(zip(("west", "south", "east", "north"), filters.box, strict=True))
    return values


def _conditions(shape: Shape) -> list[ColumnElement[bool]]:
    """The filters as conditions on PublicReport alone. A join in here would lead PostgreSQL to start from the few
    categories and read every report, so names are joined to the page that is left."""
    wanted: list[ColumnElement[bool]] = []
    if shape.municipality:
        here = select(PublicMunicipality.id).where(PublicMunicipality.number == bindparam("municipality"))
        wanted.append(PublicReport.municipality_id == here.scalar_subquery())
    if shape.category:
        same = select(PublicCategory.id).where(PublicCategory.slug == bindparam("category"))
        wanted.append(PublicReport.category_id.in_(same))
    if len(shape.states) < len(STATES):
        wanted.append(PublicReport.state.in_(shape.states))
    if shape.q:
        fields = (PublicReport.text, PublicReport.place_name, PublicReport.ref)
        wanted.append(or_(*(field.ilike(bindparam("q"), escape="\\") for field in fields)))
    if shape.place:
        wanted.append(PublicReport.place_name.ilike(bindparam("place"), escape="\\"))
    if shape.box:
        corners = (bindparam(name, type_=Float) for name in ("west", "south", "east", "north"))
        wanted.append(
            within_box(PublicReport.id, PublicReport.place, literal("reports"), literal("place"), *corners)
        )
    return wanted


def _escaped(words: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", words.strip()[:100])


_COLUMNS = (
    PublicReport.id,
    PublicReport.ref,
    PublicReport.municipality_id,
    PublicReport.category_id,
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
)


def _named(found: Subquery) -> Select[Any]:
    """The rows of a page with the names of their category and municipality."""
    columns: tuple[Any, ...] = (
        *found.c,
        PublicCategory.slug.label("category_slug"),
        PublicCategory.names.label("category_names"),
        PublicCategory.icon,
        PublicMunicipality.number.label("municipality_number"),
        PublicMunicipality.names.label("municipality_names"),
    )
    return (
        select(*columns)
        .select_from(found)
        .join(PublicCategory, PublicCategory.id == found.c.category_id)
        .join(PublicMunicipality, PublicMunicipality.id == found.c.municipality_id)
    )


@cache
def _listed(shape: Shape) -> Select[Any]:
    some = (
        select(*_COLUMNS)
        .where(*_conditions(shape))
        .order_by(PublicReport.created_at.desc(), PublicReport.id.desc())
        .limit(bindparam("limit", type_=Integer))
        .offset(bindparam("offset", type_=Integer))
        .subquery()
    )
    return _named(some).order_by(some.c.created_at.desc(), some.c.id.desc())


def reports(filters: Filters, limit: int, offset: int = 0) -> Sequence[Row[Any]]:
    """Rows for a list, the newest first."""
    values = _values(filters) | {"limit": limit, "offset": offset}
    return db.session.execute(_listed(_shape(filters)), values, bind_arguments=_PUBLIC).all()


@cache
def _counted(shape: Shape, most: int) -> Select[Any]:
    some = select(PublicReport.id).where(*_conditions(shape)).limit(most).subquery()
    return select(func.count()).select_from(some)


def count(filters: Filters, most: int) -> int:
    """How many reports the filters leave, counted no further than `most`."""
    return db.session.scalar(_counted(_shape(filters), most), _values(filters), bind_arguments=_PUBLIC) or 0


@cache
def _one(column: str) -> Select[Any]:
    return _named(select(*_COLUMNS).where(getattr(PublicReport, column) == bindparam("value")).subquery())


def report(ref: str) -> Row[Any] | None:
    return db.session.execute(_one("ref"), {"value": ref}, bind_arguments=_PUBLIC).first()


_EVENTS = (
    select(*(column for column in PublicEvent.__table__.columns if column.name != "report_id"))
    .where(PublicEvent.report_id == bindparam("report_id"))
    .order_by(PublicEvent.at, PublicEvent.id)
    .limit(500)
)


def events(report_id: int) -> Sequence[Row[Any]]:
    """What has happened, the oldest first."""
    return db.session.execute(_EVENTS, {"report_id": report_id}, bind_arguments=_PUBLIC).all()


_PHOTO_COLUMNS: tuple[Any, ...] = (
    PublicPhoto.key,
    PublicPhoto.alt,
    PublicPhoto.width,
    PublicPhoto.height,
    PublicPhoto.is_after,
)
_PHOTOS = (
    select(*_PHOTO_COLUMNS)
    .where(PublicPhoto.report_id == bindparam("report_id"))
    .order_by(PublicPhoto.position, PublicPhoto.id)
)


def photos(report_id: int) -> Sequence[Row[Any]]:
    return db.session.execute(_PHOTOS, {"report_id": report_id}, bind_arguments=_PUBLIC).all()


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


def nearby(lat: float, lon: float, category: str, radius_m: float, most: int = 5) -> Sequence[Row[Any]]:
    """Open reports of one category within `radius_m`, the nearest first, each with its `distance_m`."""
    metres = distance_m(PublicReport.place, lon, lat)
    filters = Filters(category=category, state="open", box=around(lat, lon, radius_m))
    some = (
        select(*_COLUMNS, metres.label("distance_m"))
        .where(*_conditions(_shape(filters)), metres <= radius_m)
        .order_by(metres)
        .limit(most)
        .subquery()
    )
    found = _named(some).order_by(some.c.distance_m)
    return db.session.execute(found, _values(filters), bind_arguments=_PUBLIC).all()


# The map ------------------------------------------------------------------------------------------------------

MOST_FEATURES = 1000
"""Reports that a window holds one by one; where there are more they are counted in cells."""
CLUSTER_BELOW_ZOOM = 15


def window(filters: Filters, zoom: int) -> bytes:
    """The reports in `filters.box` as GeoJSON. Below zoom 15, and where they are very many, those that would lie on
    top of each other are one feature with a `count`. The database writes the GeoJSON; nothing is parsed here."""
    values = _values(filters)
    if zoom >= CLUSTER_BELOW_ZOOM:
        postgresql = db.engines[PUBLIC].dialect.name == "postgresql"
        statement = _features(_shape(filters), MOST_FEATURES, postgresql)
        number, features = db.session.execute(statement, values, bind_arguments=_PUBLIC).one()
        if number <= MOST_FEATURES:
            return b'{"type":"FeatureCollection","features":[%b]}' % (features or "").encode()
    # A quarter of a tile, 64 pixels: two marks side by side do not cover each other.
    side = 360 / 2 ** (zoom + 2)
    rows = db.session.execute(
        _cells(_shape(filters), MOST_FEATURES), values | {"side": side}, bind_arguments=_PUBLIC
    )
    return orjson.dumps({"type": "FeatureCollection", "features": [_cell(row) for row in rows]})


@cache
def _features(shape: Shape, most: int, postgresql: bool) -> Select[Any]:
    """How many reports a window holds, and their GeoJSON features with commas between.

    The text is put together by `||`, which takes the database half the time of its own functions for JSON; what
    could hold a quotation mark is quoted by the database.
    """
    columns: tuple[Any, ...] = (PublicReport.lon, PublicReport.lat, PublicReport.ref, PublicReport.state)
    found = (
        select(*columns, PublicReport.text, PublicReport.category_id)
        .where(*_conditions(shape))
        .limit(most + 1)
        .subquery()
    )
    row = found.c

    def quoted(value: Any) -> Any:
        return cast(func.to_json(value), Text) if postgresql else func.json_quote(value)

    def part(words: str) -> Any:
        return literal_column(f"'{words}'", String)

    feature = (
        part('{"type":"Feature","geometry":{"type":"Point","coordinates":[')
        + cast(row.lon, Text)
        + part(",")
        + cast(row.lat, Text)
        + part(']},"properties":{"ref":')
        + quoted(row.ref)
        + part(',"state":')
        + quoted(row.state)
        + part(',"category":')
        + quoted(PublicCategory.slug)
        + part(',"icon":')
        + quoted(PublicCategory.icon)
        + part(',"text":')
        + func.coalesce(
            quoted(func.substr(row.text, literal_column("1"), literal_column("80"))), part("null")
        )
        + part("}}")
    )
    gather = func.string_agg if postgresql else func.group_concat
    names = join(found, PublicCategory, PublicCategory.id == row.category_id)
    return select(func.count(), gather(feature, part(","))).select_from(names)


@cache
def _cells(shape: Shape, most: int) -> Select[Any]:
    """Reports counted in cells of `side` degrees; a report that is alone in its cell comes with what it shows."""
    side = bindparam("side", type_=Float)
    cells = (
        select(
            func.count().label("number"),
            func.avg(PublicReport.lon).label("lon"),
            func.avg(PublicReport.lat).label("lat"),
            func.min(PublicReport.id).label("only"),
        )
        .where(*_conditions(shape))
        .group_by(func.floor(PublicReport.lon / side), func.floor(PublicReport.lat * 2 / side))
        .order_by(func.count().desc())
        .limit(most)
        .subquery()
    )
    columns: tuple[Any, ...] = (
        cells.c.number,
        cells.c.lon,
        cells.c.lat,
        PublicReport.ref,
        PublicReport.state,
    )
    return (
        select(
            *columns,
            func.substr(PublicReport.text, 1, 80).label("text"),
            PublicCategory.slug,
            PublicCategory.icon,
        )
        .select_from(cells)
        .outerjoin(PublicReport, and_(PublicReport.id == cells.c.only, cells.c.number == 1))
        .outerjoin(PublicCategory, PublicCategory.id == PublicReport.category_id)
    )


def _cell(row: Row[Any]) -> dict[str, Any]:
    one = {"ref": row.ref, "category": row.slug, "icon": row.icon, "state": row.state, "text": row.text}
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [round(row.lon, 6), round(row.lat, 6)]},
        "properties": one if row.number == 1 else {"count": row.number},
    }
