"""Many reports, quickly, to measure with: whole rows with sealed originals and events, past the verbs and the mapper.

The same number gives the same texts, places and times, counted from the clock; only keys and nonces differ.
"""

from __future__ import annotations

import json
import random
import struct
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import accumulate, pairwise
from math import cos, hypot, radians
from pathlib import Path
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Engine, false, func, select, text, update

from ..accounts import Membership, User
from ..db import DataKey, db, now
from ..municipalities import Category, Department, Municipality
from ..policy import deadlines
from ..policy import text as policy
from ..publication import STATES
from ..reports import Event, Original, Report

DATA = Path(__file__).resolve().parent.parent / "data"

BATCH = 20_000
SPAN_DAYS = 3 * 365
STATE_WEIGHTS = {
    "received": 25,
    "assessing": 10,
    "planned": 15,
    "in_progress": 10,
    "awaiting_reporter": 3,
    "forwarded": 5,
    "resolved": 32,
}
LANGUAGE_WEIGHTS = {"nb": 78, "nn": 12, "en": 10}
CATEGORY_WEIGHTS = {
    "hull-i-vegen": 22,
    "stroing": 14,
    "broyting": 16,
    "gatelys": 18,
    "renovasjon": 10,
    "vann-og-avlop": 7,
    "skilt": 5,
    "lekeplass-park": 5,
    "annet": 3,
}

_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_REFS = len(_LETTERS) ** 8
_STRIDE = 512_927_357_677
"""Has no divisor in common with the number of references, so that every id gets one of its own."""

Row = tuple[Any, ...]
T = TypeVar("T")


class NoDemo(Exception):
    """The municipalities of the demo are not there yet: load the demo first."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """A category with what its reports need, and the one who answers for it as an event stores that."""

    id: int
    response_days: int
    repair_days: int
    by_id: int
    by_name: str
    by_department: str | None
    """The department's names as JSON."""


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    name: str
    lat: float
    lon: float
    spread_lat: float
    spread_lon: float
    municipality_id: int
    rings: list[list[list[float]]]
    safe: float
    """Spreads from the place to the nearest border: what lies nearer needs no look at the border."""

    def holds(self, lat: float, lon: float) -> bool:
        north, east = (lat - self.lat) / self.spread_lat, (lon - self.lon) / self.spread_lon
        if north * north + east * east < self.safe * self.safe:
            return True
        inside = False
        for ring in self.rings:
            for (x1, y1), (x2, y2) in pairwise(ring):
                if (y1 > lat) != (y2 > lat) and lon < (x2 - x1) * (lat - y1) / (y2 - y1) + x1:
                    inside = not inside
        return inside


class _Draw(Generic[T]):
    """Draws one of several things by weight; quicker than `random.choices` for one at a time."""

    def __init__(self, weights: dict[T, int]) -> None:
        self._things = list(weights)
        self._steps = list(accumulate(weights.values()))

    def __call__(self, rnd: random.Random) -> T:
        return self._things[bisect_right(self._steps, rnd.random() * self._steps[-1])]


def load_many(
    number: int, at: datetime | None = None, batch: int = BATCH, told: Callable[[int], None] | None = None
) -> int:
    """Add `number` reports spread over the three years before `at`. Calls `told` with how many there are so far.

    Commits each batch itself: a million rows in one transaction would have to be undone as a whole after a break,
    and until then nothing could be vacuumed. Raises NoDemo.
    """
    at = at or now()
    fill = _fill_postgresql if db.engine.dialect.name == "postgresql" else _fill_sqlite
    done = 0
    for size in fill(db.engine, at, number, batch):
        done += size
        if told:
            told(done)
    _analyze()
    return done


def _fill_postgresql(engine: Engine, at: datetime, number: int, batch: int) -> Iterator[int]:
    """Yields the size of each batch that is in."""
    with engine.begin() as connection:
        first, first_event = (
            _reserve(connection, "reports", number),
            _reserve(connection, "events", 2 * number),
        )
    maker = _Maker(at, number, datetime.isoformat)
    # While PostgreSQL takes one batch in, the next one is made.
    with ThreadPoolExecutor(1) as writer:
        storing: Future[int] | None = None
        for before in range(0, number, batch):
            rows = maker.batch(first + before, first_event + 2 * before, before, min(batch, number - before))
            if storing:
                yield storing.result()
            storing = writer.submit(_store, engine, rows)
        if storing:
            yield storing.result()


def _reserve(connection: Connection, table: str, size: int) -> int:
    """The first of `size` ids in a row that nobody else gets."""
    connection.execute(text(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE"))
    sequence = f"pg_get_serial_sequence('{table}', 'id')"
    first: int = connection.scalar(text(f"SELECT nextval({sequence})")) or 1
    connection.execute(text(f"SELECT setval({sequence}, {first + size - 1})"))
    return first


def _store(engine: Engine, rows: _Rows) -> int:
    with engine.begin() as connection:
        for table, columns, lines in rows.tables():
            _copy(connection, table, columns, lines)
    return len(rows.reports)


def _fill_sqlite(engine: Engine, at: datetime, number: int, batch: int) -> Iterator[int]:
    """Yields the size of each batch that is in."""
    maker = _Maker(at, number, _naive)
    for before in range(0, number, batch):
        size = min(batch, number - before)
        with engine.begin() as connection:
            # SQLite takes its write lock for this, so that nobody adds a row between our look and our rows.
            connection.execute(update(Report).where(false()).values(id=0))
            first, first_event = (
                1 + (connection.scalar(select(func.max(model.id))) or 0) for model in (Report, Event)
            )
            for table, columns, lines in maker.batch(first, first_event, before, size).tables():
                _insert(connection, table, columns, lines)
        yield size


@dataclass(slots=True)
class _Rows:
    """Rows of three tables, in the order that their references ask for."""

    reports: list[Row] = field(default_factory=list)
    originals: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)

    def tables(self) -> list[tuple[str, Sequence[str], list[Row]]]:
        return [
            (Report.__tablename__, _Maker.REPORT, self.reports),
            (Original.__tablename__, _Maker.ORIGINAL, self.originals),
            (Event.__tablename__, _Maker.EVENT, self.events),
        ]


class _Maker:
    """Makes rows from the parts in `data/demo/many.json`."""

    REPORT = (
        "id", "ref", "municipality_id", "category_id", "language", "lat", "lon", "place", "place_name", "state",
        "public_text", "text_publication", "follower_count", "response_due_at", "repair_due_at", "answered_at",
        "closed_at", "reviewed_at", "created_at", "changed_at", "version",
    )  # fmt: skip
    ORIGINAL = ("report_id", "key", "sealed", "link_number")
    EVENT = (
        "id", "report_id", "kind", "at", "is_public", "actor_id", "actor_name", "department_names", "from_state",
        "to_state",
    )  # fmt: skip

    def __init__(self, at: datetime, number: int, stamp: Callable[[datetime], str]) -> None:
        """`stamp` writes a time as the database reads it."""
        self._at, self._number, self._stamp = at, number, stamp
        self._due = lru_cache(maxsize=4 * SPAN_DAYS)(self._due_at)
        parts = json.loads((DATA / "demo" / "many.json").read_text(encoding="utf-8"))
        self._texts = parts["texts"]
        self._places = _places(parts["places"])
        self._states = _Draw(STATE_WEIGHTS)
        self._languages = _Draw(LANGUAGE_WEIGHTS)
        self._categories = _Draw(CATEGORY_WEIGHTS)
        self._kinds = _kinds()
        self._data_key = DataKey()
        contacts = db.session.execute(select(Municipality.id, Municipality.public_contacts))
        self._contacts = {key: frozenset(values) for key, values in contacts}
        self._masked: dict[tuple[str, str, int], str] = {}

    def batch(self, first: int, first_event: int, before: int, size: int) -> _Rows:
        """`size` reports from the ids on; `before` of the whole number were made earlier."""
        rnd = random.Random(f"{self._number} {before}")
        step_s = SPAN_DAYS * 86_400 / self._number
        start = self._at - timedelta(days=SPAN_DAYS)
        # One key for a batch, which goes with its last report: a million small files would measure the disk.
        self._data_key = DataKey().keep()
        rows = _Rows()
        for offset in range(size):
            created = start + timedelta(seconds=(before + offset + rnd.random()) * step_s)
            self._one(rows, rnd, first + offset, first_event + len(rows.events), created)
        return rows

    def _one(self, rows: _Rows, rnd: random.Random, key: int, event_id: int, created: datetime) -> None:
        place = self._places(rnd)
        lat, lon = _near(place, rnd)
        language, state = self._languages(rnd), self._states(rnd)
        slug = self._categories(rnd)
        kind = self._kinds[place.municipality_id, slug]
        written, masked = self._text(rnd, language, slug, place)
        began = changed = self._stamp(created)
        rows.events.append((event_id, key, "received", began, True, None, None, None, None, "received"))
        if state != "received":
            changed = self._stamp(min(created + timedelta(hours=2 + rnd.expovariate(1 / 90)), self._at))
            who = kind.by_id, kind.by_name, kind.by_department
            rows.events.append((event_id + 1, key, "state", changed, True, *who, "received", state))
        day = created.astimezone(deadlines.OSLO).date()
        rows.reports.append((
            key, _ref(key), place.municipality_id, kind.id, language, lat, lon, (lon, lat), place.name, state,
            masked, "held" if masked is None else "published", 0, self._due(day, kind.response_days),
            self._due(day, kind.repair_days), changed if state != "received" else None,
            None if STATES[state] == "open" else changed, began, began, changed, 1,
        ))  # fmt: skip
        contents = {"text": written, "masked": masked}
        sealed = self._data_key.seal(json.dumps(contents).encode())
        rows.originals.append((key, self._data_key.name, sealed, 1))

    def _due_at(self, day: date, days: int) -> str:
        return self._stamp(deadlines.after_working_days(datetime.combine(day, time(12), UTC), days))

    def _text(self, rnd: random.Random, language: str, slug: str, place: _Place) -> tuple[str, str]:
        """What was written, and what of it is public."""
        parts = self._texts[language]
        sentences = (
            rnd.choice(parts["openings"]),
            rnd.choice(parts["categories"][slug]).format(place=place.name),
            rnd.choice(parts["closings"]),
        )
        sentences = tuple(sentence for sentence in sentences if sentence)
        masked = [self._mask(sentence, language, place.municipality_id) for sentence in sentences]
        return " ".join(sentences), " ".join(masked)

    def _mask(self, sentence: str, language: str, municipality_id: int) -> str:
        """What the policy layer leaves of a sentence. There are some thousands of them in a million reports."""
        key = (sentence, language, municipality_id)
        if key not in self._masked:
            findings = policy.find(sentence, allowed=self._contacts[municipality_id])
            self._masked[key] = policy.scrub(sentence, findings, language)
        return self._masked[key]


def _places(settings: list[dict[str, Any]]) -> _Draw[_Place]:
    ids = {number: key for key, number in db.session.execute(select(Municipality.id, Municipality.number))}
    features = json.loads((DATA / "overhalla-and-neighbours.geojson").read_text(encoding="utf-8"))["features"]
    borders = {f["properties"]["number"]: f["geometry"]["coordinates"] for f in features}
    weights = {}
    for item in settings:
        number, north = item["municipality"], item["spread_m"] / 111_500
        if number not in ids:
            raise NoDemo
        lat, lon, east = item["lat"], item["lon"], north / cos(radians(item["lat"]))
        rings = [ring for polygon in borders[number] for ring in polygon]
        local = [[((x - lon) / east, (y - lat) / north) for x, y in ring] for ring in rings]
        safe = min(_distance(*side) for ring in local for side in pairwise(ring))
        weights[_Place(item["name"], lat, lon, north, east, ids[number], rings, safe)] = item["weight"]
    return _Draw(weights)


def _distance(start: tuple[float, float], end: tuple[float, float]) -> float:
    """From the origin to the stretch between two points."""
    (x1, y1), (x2, y2) = start, end
    dx, dy = x2 - x1, y2 - y1
    share = -(x1 * dx + y1 * dy) / ((dx * dx + dy * dy) or 1)
    share = min(max(share, 0), 1)
    return hypot(x1 + share * dx, y1 + share * dy)


def _near(place: _Place, rnd: random.Random) -> tuple[float, float]:
    """A point about the place, inside its municipality."""
    while True:
        lat, lon = rnd.gauss(place.lat, place.spread_lat), rnd.gauss(place.lon, place.spread_lon)
        if place.holds(lat, lon):
            return round(lat, 6), round(lon, 6)


def _kinds() -> dict[tuple[int, str], _Kind]:
    """(Id of a municipality, slug) → its category."""
    found = db.session.execute(
        select(Category, User, Department.names)
        .join(User, User.id == Category.owner_id)
        .join(
            Membership,
            (Membership.user_id == User.id) & (Membership.municipality_id == Category.municipality_id),
        )
        .outerjoin(Department, Department.id == Membership.department_id)
    )
    return {
        (c.municipality_id, c.slug): _Kind(
            c.id, c.response_days, c.repair_days, user.id, user.name, json.dumps(names) if names else None
        )
        for c, user, names in found
    }


def _ref(key: int) -> str:
    """A reference for an id, never the same for two."""
    left, letters = key * _STRIDE % _REFS, ""
    for _ in range(8):
        left, letter = divmod(left, len(_LETTERS))
        letters += _LETTERS[letter]
    return letters


# Into the database --------------------------------------------------------------------------------------------

_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def _copy(connection: Connection, table: str, columns: Sequence[str], rows: list[Row]) -> None:
    """Through COPY in its text form, which PostgreSQL reads several times as fast as INSERT."""
    driver = connection.connection.driver_connection
    assert driver is not None
    with driver.cursor().copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for start in range(0, len(rows), 1000):
            lines = ["\t".join([_COPIED[type(v)](v) for v in row]) for row in rows[start : start + 1000]]
            copy.write("\n".join(lines) + "\n")


_COPIED: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: r"\N",
    str: lambda value: value.translate(_ESCAPES),
    bool: lambda value: "t" if value else "f",
    bytes: lambda value: r"\\x" + value.hex(),
    int: str,
    float: repr,
    # A point as EWKB, little-endian, with its reference system.
    tuple: lambda value: struct.pack("<BIIdd", 1, 0x20000001, 4326, *value).hex(),
}


def _insert(connection: Connection, table: str, columns: Sequence[str], rows: list[Row]) -> None:
    marks = ", ".join("MakePoint(?, ?, 4326)" if column == "place" else "?" for column in columns)
    connection.exec_driver_sql(
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})",  # noqa: S608 - names of our own.
        [tuple(_inserted(row)) for row in rows],
    )


def _naive(at: datetime) -> str:
    """As `db.UtcDateTime` stores it on SQLite."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def _inserted(row: Row) -> Iterator[Any]:
    for value in row:
        if isinstance(value, tuple):
            yield from value
        else:
            yield value


def _analyze() -> None:
    """Tell PostgreSQL's planner how many there are now, which it would find out by itself only a minute later."""
    if db.engine.dialect.name != "postgresql":
        return
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for model in (Report, Original, Event):
            connection.exec_driver_sql(f"VACUUM (ANALYZE) {model.__tablename__}")
