"""Fixtures: a real database per test, the app on it, a client, a command runner, and signing in.

GATAMI_TEST_BACKEND chooses the database and queue of the run: `spatialite` (the default) or `postgis` with Redis. The
schema is built once by the migrations and copied per test.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner
from flask_migrate import upgrade
from sqlalchemy import create_engine, make_url

from gatami import create_app
from gatami.accounts import User
from gatami.db import db

from . import factories, services

BACKEND = os.environ.get("GATAMI_TEST_BACKEND", "spatialite")
KEY = Fernet.generate_key().decode()
PUBLIC_ROLE = ("gatami_public", "public-role-of-the-tests")


@dataclass(frozen=True)
class Database:
    """URLs of one database, through the private and through the public role."""

    private: str
    public: str


class Backend:
    """Makes databases: the first one by migrating, the others by copying it."""

    def __init__(self, root: Path, server: str | None) -> None:
        self.root, self.server, self.number = root, server, 0
        self.template = self._named("template")
        if server:
            self._execute('CREATE DATABASE "template"')
        app = create_app(**test_settings(root, self.template))
        with app.app_context():
            upgrade()
            factories.country()
            db.session.commit()
            runner = app.test_cli_runner()
            result = runner.invoke(args=["gate", "apply"])
            assert result.exit_code == 0, result.output
            for engine in db.engines.values():
                engine.dispose()

    def _named(self, name: str) -> Database:
        if self.server is None:
            return Database(f"sqlite:///{self.root / name}.db", "")
        url = make_url(self.server).set(database=name)
        public = url.set(username=PUBLIC_ROLE[0], password=PUBLIC_ROLE[1])
        return Database(*(u.render_as_string(hide_password=False) for u in (url, public)))

    def _execute(self, statement: str) -> None:
        assert self.server is not None
        engine = create_engine(self.server, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)
        engine.dispose()

    def new(self) -> Database:
        self.number += 1
        name = f"test{os.getpid()}_{self.number}"
        if self.server:
            self._execute(f'CREATE DATABASE "{name}" TEMPLATE "template"')
        else:
            shutil.copy(self.root / "template.db", self.root / f"{name}.db")
        return self._named(name)

    def drop(self, database: Database) -> None:
        if self.server:
            self._execute(f'DROP DATABASE "{make_url(database.private).database}" WITH (FORCE)')


def test_settings(root: Path, database: Database) -> dict[str, object]:
    return {
        "MODE": "testing",
        "SECRET_KEY": "a secret of the tests, long enough to be one",
        "ENCRYPTION_KEYS": KEY,
        "DATABASE_URL": database.private,
        "PUBLIC_DATABASE_URL": database.public,
        "QUEUE_URL": f"sqlite:///{root}/queue.db",
        "MEDIA_ROOT": str(root / "media"),
        "KEY_ROOT": str(root / "keys"),
        "MAIL_FOLDER": str(root / "mail"),
        "SENT_JOURNAL": str(root / "sent.journal"),
        "ADDRESS_URL": "",
        "BASE_URL": "http://localhost",
        "SUBMITS_PER_HOUR": 0,
        "POOL_SIZE": 2,
    }


test_settings.__test__ = False  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    root = tmp_path_factory.mktemp("template")
    if BACKEND == "spatialite":
        yield Backend(root, None)
        return
    assert BACKEND == "postgis", BACKEND
    with services.postgis() as url:
        yield Backend(root, url)


@pytest.fixture
def database(backend: Backend) -> Iterator[Database]:
    """A database of one's own: every table, the public views, two municipalities with their categories."""
    made = backend.new()
    yield made
    backend.drop(made)


@pytest.fixture
def settings(database: Database, tmp_path: Path) -> dict[str, object]:
    return test_settings(tmp_path, database)


@pytest.fixture
def app(settings: dict[str, object]) -> Iterator[Flask]:
    app = create_app(**settings)
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        yield app
        db.session.remove()
        for engine in db.engines.values():
            engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def runner(app: Flask) -> FlaskCliRunner:
    return app.test_cli_runner()


@pytest.fixture
def sign_in(client: FlaskClient) -> Callable[[User], FlaskClient]:
    """Sign the client in as a user of the factories, through the door."""

    def enter(user: User) -> FlaskClient:
        answer = client.post("/sign-in", data={"email": user.email, "password": factories.PASSWORD})
        assert answer.status_code == 303, answer.text
        return client

    return enter
