"""Two engines over one database, the columns that every noun shares, and the seal on private values.

The private engine reads and writes tables. The public engine reads the views `public_*` and nothing else: on
PostgreSQL through a role that has no other grant, on SQLite through an authorizer that refuses every table
column which no view shows. SpatiaLite is loaded into each SQLite connection.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from math import cos, radians
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from geoalchemy2 import Geometry
from itsdangerous import BadData, URLSafeTimedSerializer
from pysqlite3 import dbapi2 as sqlite
from sqlalchemy import (
    JSON,
    ColumnElement,
    CursorResult,
    DateTime,
    Delete,
    Dialect,
    Engine,
    Float,
    LargeBinary,
    MetaData,
    Update,
    event,
    literal,
    make_url,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.types import Boolean, TypeDecorator

from .keys import NAME_BYTES, Destroyed, keys

PUBLIC = "public"
"""Name of the bind that public pages read through."""


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(model_class=Base, disable_autonaming=True)

if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model


def now() -> datetime:
    """The clock of everything that is stored: aware, in UTC."""
    return datetime.now(UTC)


# Columns ------------------------------------------------------------------------------------------------------


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time, stored in UTC. SQLite keeps no zone, so it is taken off on the way in and put back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time needs its zone")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Private(str):
    """A text of one person, which a column of kind Sealed seals under that person's data key and not under the keyring.

    It goes when the key goes, from every backup too. What is read from such a column is one again.
    """

    def __new__(cls, value: str, key_name: bytes) -> Private:
        made = super().__new__(cls, value)
        made.key_name = key_name
        return made

    key_name: bytes


_UNDER_A_DATA_KEY = b"\x01"
"""Before the name of the key. What the keyring seals starts with Fernet's version, 0x80."""


class Sealed(TypeDecorator[Any]):
    """A private value (anything that JSON holds), encrypted before it reaches the database.

    Under the keyring, or under the data key that a Private names. A value whose data key was destroyed is read as None.
    """

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Any, _dialect: Dialect) -> bytes | None:
        if value is None:
            return None
        data = json.dumps(value).encode()
        if isinstance(value, Private):
            return _UNDER_A_DATA_KEY + value.key_name + DataKey.named(value.key_name).seal(data)
        return keyring.seal(data)

    def process_result_value(self, value: bytes | None, _dialect: Dialect) -> Any:
        if value is None:
            return None
        if not self.has_data_key(value):
            return json.loads(keyring.open(value))
        name = value[1 : 1 + NAME_BYTES]
        try:
            return Private(json.loads(DataKey.named(name).open(value[1 + NAME_BYTES :])), name)
        except Destroyed:
            return None

    @staticmethod
    def has_data_key(value: bytes) -> bool:
        """Whether what is stored was sealed under a data key."""
        return value.startswith(_UNDER_A_DATA_KEY)


Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
Point = Geometry("POINT", srid=4326)
OptionalPoint = Geometry("POINT", srid=4326, nullable=True)
Area = Geometry("MULTIPOLYGON", srid=4326)


def point(lat: float, lon: float) -> str:
    """EWKT of a place, in degrees WGS 84."""
    return f"SRID=4326;POINT({lon:.7f} {lat:.7f})"


class place_at(GenericFunction[Any]):
    """The point at a place: `place_at(lon, lat)`, degrees WGS 84."""

    type = Geometry("POINT", srid=4326)
    inherit_cache = True


class distance_m(GenericFunction[float]):
    """Metres along the ellipsoid between a stored geometry and a place: `distance_m(column, lon, lat)`."""

    type = Float()
    inherit_cache = True


class within_box(GenericFunction[bool]):
    """Rows whose geometry meets a box, by the spatial index.

    `within_box(id, column, table, column_name, west, south, east, north)`; `table` is the one that carries the
    index, also where `column` belongs to a view over it.
    """

    type = Boolean()
    inherit_cache = True


@compiles(place_at, "postgresql")
def _place_postgis(element: place_at, compiler: SQLCompiler, **kw: Any) -> str:
    lon, lat = (compiler.process(c, **kw) for c in element.clauses)
    return f"ST_SetSRID(ST_MakePoint({lon}, {lat}), 4326)"


@compiles(place_at, "sqlite")
def _place_spatialite(element: place_at, compiler: SQLCompiler, **kw: Any) -> str:
    lon, lat = (compiler.process(c, **kw) for c in element.clauses)
    return f"MakePoint({lon}, {lat}, 4326)"


@compiles(distance_m, "postgresql")
def _distance_postgis(element: distance_m, compiler: SQLCompiler, **kw: Any) -> str:
    column, lon, lat = (compiler.process(c, **kw) for c in element.clauses)
    return f"ST_Distance({column}::geography, ST_SetSRID(ST_MakePoint({lon}, {lat}), 4326)::geography)"


@compiles(distance_m, "sqlite")
def _distance_spatialite(element: distance_m, compiler: SQLCompiler, **kw: Any) -> str:
    column, lon, lat = (compiler.process(c, **kw) for c in element.clauses)
    return f"ST_Distance({column}, MakePoint({lon}, {lat}, 4326), 1)"


@compiles(within_box, "postgresql")
def _box_postgis(element: within_box, compiler: SQLCompiler, **kw: Any) -> str:
    _, column, _, _, *corners = (compiler.process(c, **kw) for c in element.clauses)
    return f"({column} && ST_MakeEnvelope({', '.join(corners)}, 4326))"


@compiles(within_box, "sqlite")
def _box_spatialite(element: within_box, compiler: SQLCompiler, **kw: Any) -> str:
    key, _, table, name, *corners = (compiler.process(c, **kw) for c in element.clauses)
    return (
        f"({key} IN (SELECT rowid FROM SpatialIndex WHERE f_table_name = {table}"
        f" AND f_geometry_column = {name} AND search_frame = BuildMbr({', '.join(corners)})))"
    )


def in_box(
    key: InstrumentedAttribute[int],
    column: InstrumentedAttribute[Any],
    table: str,
    box: tuple[float, float, float, float],
) -> ColumnElement[bool]:
    """Rows whose `column` meets `box` (west, south, east, north, degrees); `table` carries the index."""
    corners = (literal(corner, Float) for corner in box)
    return within_box(key, column, literal(table), literal(column.key), *corners)


def around(lat: float, lon: float, radius_m: float) -> tuple[float, float, float, float]:
    """Box (west, south, east, north) that holds every place within `radius_m`, for the index to start from."""
    north = radius_m / 110_500
    east = radius_m / (110_500 * max(cos(radians(lat)), 0.01))
    return (lon - east, lat - north, lon + east, lat + north)


# The seal -----------------------------------------------------------------------------------------------------


class Unsealable(Exception):
    """A sealed value that none of the keys opens."""


class BadLink(Exception):
    """A link whose token was not made here, or has run out."""


class Keyring:
    """Fernet keys (the first seals, all open) and the fingerprint that makes a sealed address findable."""

    def __init__(self) -> None:
        self._fernet: MultiFernet | None = None
        self._secret = ""
        self._lookup = b""

    def configure(self, keys: str, secret: str) -> None:
        """`keys`: comma-separated Fernet keys, the current one first. `secret`: what fingerprints derive from."""
        self._fernet = MultiFernet([Fernet(key.strip()) for key in keys.split(",") if key.strip()])
        self._secret = secret
        self._lookup = hashlib.sha256(b"gatami lookup " + secret.encode()).digest()

    def seal(self, value: bytes) -> bytes:
        assert self._fernet is not None, "the keyring was not configured"
        return base64.urlsafe_b64decode(self._fernet.encrypt(value))

    def open(self, token: bytes) -> bytes:
        assert self._fernet is not None, "the keyring was not configured"
        try:
            return self._fernet.decrypt(base64.urlsafe_b64encode(token))
        except InvalidToken as error:
            raise Unsealable from error

    def sign(self, purpose: str, value: Any) -> str:
        """A token for a link that proves `value` for one `purpose`; readable by who holds it, forged by nobody."""
        return URLSafeTimedSerializer(self._secret, salt=purpose).dumps(value)

    def signed(self, purpose: str, token: str, max_age_s: int | None = None) -> Any:
        """The value of a token of `sign`. Raises BadLink where it is forged, of another purpose or too old."""
        try:
            return URLSafeTimedSerializer(self._secret, salt=purpose).loads(token, max_age=max_age_s)
        except BadData as error:
            raise BadLink from error

    def digest(self, value: str) -> str:
        """Stands for a text to the letter, and tells nothing of it without the secret."""
        return hmac.new(self._lookup, b"text " + value.encode(), hashlib.sha256).hexdigest()

    def fingerprint(self, value: str) -> str:
        """The same hexadecimal digest for the same address, whatever its case; of no use without the secret."""
        return hmac.new(self._lookup, value.strip().casefold().encode(), hashlib.sha256).hexdigest()


keyring = Keyring()


class DataKey:
    """A key of one report: its text and photos are sealed under one, who sent it under another.

    It lies in the key store, sealed under the keyring, and rows hold its name: new keyring keys cost one small file, and
    a destroyed data key takes every copy and every backup with it.
    """

    def __init__(self, key: bytes | None = None, name: bytes | None = None) -> None:
        self.key = key or AESGCM.generate_key(bit_length=256)
        self.name = name or os.urandom(NAME_BYTES)

    @classmethod
    def named(cls, name: bytes) -> DataKey:
        """Raises keys.Destroyed, keys.Missing."""
        return cls(keyring.open(keys.get(name)), name)

    def keep(self) -> DataKey:
        """Put it into the key store, durably, before anything that it sealed is committed."""
        keys.put(self.name, keyring.seal(self.key))
        return self

    def seal(self, value: bytes) -> bytes:
        nonce = os.urandom(12)
        return nonce + AESGCM(self.key).encrypt(nonce, value, None)

    def open(self, sealed: bytes) -> bytes:
        return AESGCM(self.key).decrypt(sealed[:12], sealed[12:], None)


# Engines ------------------------------------------------------------------------------------------------------


def changed(statement: Update | Delete) -> int:
    """Carry out a statement past the mapper, and tell how many rows it changed."""
    return cast("CursorResult[Any]", db.session.execute(statement)).rowcount


def after_commit(act: Callable[[], object]) -> None:
    """Do what cannot be undone, such as deleting a file, once the transaction is committed, and never if it is not."""
    db.session().info.setdefault("after_commit", []).append(act)


def after_rollback(act: Callable[[], object]) -> None:
    """Tidy up outside of the database where the transaction is undone."""
    db.session().info.setdefault("after_rollback", []).append(act)


@event.listens_for(Session, "after_commit")
def _committed(session: Session) -> None:
    session.info.pop("after_rollback", None)
    for act in session.info.pop("after_commit", ()):
        act()


@event.listens_for(Session, "after_rollback")
def _rolled_back(session: Session) -> None:
    session.info.pop("after_commit", None)
    for act in session.info.pop("after_rollback", ()):
        act()


def engine_options(url: str, *, public: bool, pool_size: int, timeout_ms: int) -> dict[str, Any]:
    """What Flask-SQLAlchemy needs to make one of the two engines."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        path = Path(str(parsed.database)).resolve()
        path.parent.mkdir(parents=True, exist_ok=True)
        # IMMEDIATE takes the write lock when a transaction first writes. A deferred one would have to upgrade
        # its read lock, which SQLite refuses at once, without waiting, when somebody wrote in between.
        options: dict[str, Any] = {
            "url": f"sqlite:///{path}",
            "module": sqlite,
            "connect_args": {"timeout": 30, "isolation_level": "IMMEDIATE", "check_same_thread": False},
        }
        if public:
            options["url"] = f"sqlite:///file:{path}?mode=ro&uri=true"
            options["isolation_level"] = "AUTOCOMMIT"
            del options["connect_args"]["isolation_level"]
        return options
    options = {"url": url, "pool_size": pool_size, "max_overflow": pool_size, "pool_pre_ping": False}
    if public:
        # Each public statement stands alone, so BEGIN and ROLLBACK around it would be two idle round trips.
        options["isolation_level"] = "AUTOCOMMIT"
        options["connect_args"] = {
            "options": f"-c default_transaction_read_only=on -c statement_timeout={timeout_ms} -c jit=off"
        }
    else:
        options["connect_args"] = {"options": "-c statement_timeout=60000 -c lock_timeout=10000"}
    return options


def init_app(app: Flask) -> None:
    """Make both engines and the keyring from the app's settings."""
    config = app.config
    keyring.configure(config["ENCRYPTION_KEYS"], config["SECRET_KEY"])
    keys.configure(config["KEY_ROOT"])
    private = config["DATABASE_URL"]
    shared = {"pool_size": config["POOL_SIZE"], "timeout_ms": config["PUBLIC_STATEMENT_TIMEOUT_MS"]}
    app.config["SQLALCHEMY_BINDS"] = {
        None: engine_options(private, public=False, **shared),
        PUBLIC: engine_options(config["PUBLIC_DATABASE_URL"] or private, public=True, **shared),
    }
    db.init_app(app)
    with app.app_context():
        for name, engine in db.engines.items():
            if engine.dialect.name == "sqlite":
                _prepare_sqlite(engine, public=name == PUBLIC)
            elif name == PUBLIC:
                event.listen(engine, "connect", _refuse_an_open_gate)


def _prepare_sqlite(engine: Engine, *, public: bool) -> None:
    @event.listens_for(engine, "connect")
    def connected(connection: sqlite.Connection, _record: object) -> None:
        connection.enable_load_extension(True)
        connection.load_extension("mod_spatialite")
        connection.enable_load_extension(False)
        if public:
            connection.execute("PRAGMA query_only = ON")
            _close_the_gate(connection)
        else:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            # What is deleted is overwritten, so that a copy of the file does not hold it either.
            connection.execute("PRAGMA secure_delete = ON")


class GateIsOpen(Exception):
    """The role of PUBLIC_DATABASE_URL may read private tables; nothing is served through it."""


def _refuse_an_open_gate(connection: Any, _record: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT bool_or(has_table_privilege(oid, 'SELECT')) FROM pg_class WHERE relname = 'originals'"
        )
        if cursor.fetchone()[0]:
            raise GateIsOpen(
                "The public role may read private tables. Run `flask gate apply` with a role of its own."
            )
    connection.rollback()


_RTREE = ("", "_node", "_parent", "_rowid")
_SPATIAL = {
    "SpatialIndex",
    "geometry_columns",
    "spatial_ref_sys",
    "sqlite_stat1",
    "views_geometry_columns",
    "virts_geometry_columns",
    *(f"idx_{column}{part}" for column in ("reports_place", "municipalities_border") for part in _RTREE),
}
"""SpatiaLite's own tables that are read to find a point by its place, and SQLite's notes on how many rows an index
holds. The index of the followers' circles is not among them, nor the samples that SQLite may take of any column."""


def _close_the_gate(connection: sqlite.Connection) -> None:
    """Let the connection read what the views `public_*` show, and nothing else.

    SQLite names the table column that it is about to read, and the view through which. A query may call its
    own subquery by a view's name, so the name alone proves nothing: a first pass notes the columns that each
    view really reads, and only those pass. Errors: a refused read raises DatabaseError 'prohibited'.
    """
    views = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'view'")]
    shown: set[tuple[str, str]] = set()

    def note(action: int, table: str | None, column: str | None, *_: str | None) -> int:
        if action == sqlite.SQLITE_READ and table and column:
            shown.add((table, column))
        return int(sqlite.SQLITE_OK)

    public_views = {name for name in views if name.startswith("public_")}
    connection.set_authorizer(note)
    for name in public_views:
        connection.execute(f'SELECT * FROM "{name}" LIMIT 0')

    def allow(action: int, first: str | None, second: str | None, _: str | None, view: str | None) -> int:
        if action == sqlite.SQLITE_ATTACH:
            return int(sqlite.SQLITE_DENY)
        if action != sqlite.SQLITE_READ or not second or not first:
            # A count reads its table under an empty column name, and shows nothing of it.
            return int(sqlite.SQLITE_OK)
        if first in public_views or first in _SPATIAL:
            return int(sqlite.SQLITE_OK)
        if view in public_views and (first, second) in shown:
            return int(sqlite.SQLITE_OK)
        return int(sqlite.SQLITE_DENY)

    connection.set_authorizer(allow)


def close_the_gate_on_postgresql(engine: Engine, public_url: str) -> list[str]:
    """Give the role of `public_url` SELECT on the views `public_*` and take everything else from it.

    Makes the role where the private role may. Returns the views. Run after every migration: a new table of
    PostgreSQL is closed to the role, and so is a new view until this opens it.
    """
    parsed = make_url(public_url)
    role, password = str(parsed.username), parsed.password
    with engine.begin() as connection:
        quote = connection.dialect.identifier_preparer.quote
        if not connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}):
            secret = connection.scalar(text("SELECT quote_literal(:p)"), {"p": password or ""})
            connection.exec_driver_sql(f"CREATE ROLE {quote(role)} LOGIN NOINHERIT PASSWORD {secret}")
        views = list(
            connection.scalars(
                text(
                    "SELECT table_name FROM information_schema.views"
                    " WHERE table_schema = 'public' AND table_name LIKE 'public\\_%' ORDER BY 1"
                )
            )
        )
        connection.exec_driver_sql(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {quote(role)}")
        connection.exec_driver_sql(f"REVOKE CREATE ON SCHEMA public FROM {quote(role)}, PUBLIC")
        connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA public TO {quote(role)}")
        for view in views:
            connection.exec_driver_sql(f"GRANT SELECT ON {quote(view)} TO {quote(role)}")
    return views
