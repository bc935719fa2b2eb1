"""What ARCHITECTURE.md says, held true."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from babel.messages.frontend import CommandLineInterface
from babel.messages.pofile import read_po
from geoalchemy2 import alembic_helpers
from sqlalchemy import inspect

from config import Config
from gatami import create_app
from gatami.db import PUBLIC, db
from gatami.web import page

ROOT = Path(__file__).resolve().parent.parent


def test_imports_go_down_only():
    # In a process of its own, since it silences the loggers of the one that it runs in.
    code = "from importlinter.cli import lint_imports_command; lint_imports_command(['--no-cache'])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_door_is_guarded(app):
    for name, blueprint in app.blueprints.items():
        guards = [check.__module__ for check in blueprint.before_request_funcs.get(None, [])]
        assert "gatami.web.page" in guards, f"{name} does not say who may enter"
    unguarded = {rule.endpoint for rule in app.url_map.iter_rules() if "." not in rule.endpoint}
    assert unguarded == {"static"}


def test_staff_doors_are_closed_to_others(app, client):
    """Each address of the desk, whatever the method, sends strangers to the sign-in."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith(("desk.", "moderation.")):
            with app.test_request_context():
                url = app.url_for(rule.endpoint, _external=False, **dict.fromkeys(rule.arguments, 1))
            for method in rule.methods - {"HEAD", "OPTIONS"}:
                answer = client.open(url, method=method)
                assert answer.status_code == 302, (method, url)
                assert answer.location.startswith("/sign-in")


def test_migrations_make_what_the_models_say(app):
    def ours(thing, name, kind, reflected, compare_to):
        if kind == "table" and reflected and compare_to is None:
            return name in own_tables
        return alembic_helpers.include_object(thing, name, kind, reflected, compare_to)

    metadata = db.metadatas[None]
    theirs = set(inspect(db.engine).get_table_names())
    own_tables = {name for name in theirs if not _is_of_the_spatial_extension(name)}
    assert own_tables - {"alembic_version"} == set(metadata.tables)
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": ours, "compare_type": True})
        differences = [d for d in compare_metadata(context, metadata) if not _is_the_alembic_table(d)]
    assert differences == []


def _is_the_alembic_table(difference):
    return difference[0] == "remove_table" and difference[1].name == "alembic_version"


def _is_of_the_spatial_extension(name):
    theirs = (
        "idx_",
        "spatial",
        "geometry_columns",
        "views_",
        "virts_",
        "elementary",
        "data_licenses",
        "sql_",
        "knn",
    )
    return name.lower().startswith(theirs)


def test_views_have_the_columns_that_are_mapped(app):
    for mapper in db.Model.registry.mappers:
        if getattr(mapper.class_, "__bind_key__", None) == PUBLIC:
            view = mapper.class_.__tablename__
            columns = {column["name"] for column in inspect(db.engine).get_columns(view)}
            assert columns == {column.name for column in mapper.columns}, view


def _documented(path, cls):
    """Names of a class whose assignment has a `#:` comment above it."""
    source = path.read_text().splitlines()
    body = next(
        n for n in ast.parse(path.read_text()).body if isinstance(n, ast.ClassDef) and n.name == cls
    ).body
    documented, told = set(), False
    for node in body:
        if isinstance(node, ast.Assign):
            told = source[node.lineno - 2].strip().startswith("#:") or (
                told and source[node.lineno - 2].strip() != ""
            )
            if told:
                documented.add(node.targets[0].id)
    return documented


def test_every_setting_is_documented():
    settings = {name for name in vars(Config) if name.isupper()}
    assert _documented(ROOT / "config.py", "Config") == settings
    readme = (ROOT / "README.md").read_text()
    named = set(re.findall(r"GATAMI_([A-Z_]+)", readme))
    assert named - settings == set(), "README names a setting that there is none of"


def test_the_map_of_the_house_shows_every_room():
    told = (ROOT / "ARCHITECTURE.md").read_text()
    rooms = [p.name for p in (ROOT / "gatami").glob("*.py")] + [
        p.name for p in (ROOT / "gatami/web").glob("*.py")
    ]
    for room in rooms:
        if room != "__init__.py":
            assert room in told, f"ARCHITECTURE.md does not show {room}"
    for line in re.findall(r"^\s+([a-z_]+\.py)\s", told, re.MULTILINE):
        assert list(ROOT.rglob(line)), f"ARCHITECTURE.md shows {line}, which is gone"
    assert len(told.splitlines()) <= 100, "ARCHITECTURE.md is one page"


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """The texts of code and templates, as `make messages` finds them."""
    pot = tmp_path_factory.mktemp("messages") / "messages.pot"
    arguments = [
        "-q",
        "extract",
        "-F",
        str(ROOT / "babel.cfg"),
        "--ignore-dirs",
        "node_modules static tests bench var .venv",
        "-o",
        str(pot),
        # The patterns of babel.cfg start here.
        str(ROOT),
    ]
    CommandLineInterface().run(["pybabel", *arguments])
    with pot.open() as file:
        found = read_po(file)
    assert len(found) > 300, "what finds no text finds no missing one"
    return found


@pytest.mark.parametrize("code", [code for code, _ in page.LANGUAGES])
def test_no_text_is_missing(template, code):
    with (ROOT / f"gatami/translations/{code}/LC_MESSAGES/messages.po").open() as file:
        catalogue = read_po(file, locale=code)
    missing, fuzzy, wrong = [], [], []
    for message in template:
        if not message.id:
            continue
        found = catalogue.get(message.id, message.context)
        texts = (
            found.string if found and isinstance(found.string, tuple) else (found.string if found else "",)
        )
        if (not all(texts) and code != "en") or found is None:
            missing.append(message.id)
        elif found.fuzzy:
            fuzzy.append(message.id)
        else:
            wanted = set(re.findall(r"%\(\w+\)\w", str(message.id)))
            wrong += [
                message.id for text in texts if text and not set(re.findall(r"%\(\w+\)\w", text)) <= wanted
            ]
    assert (missing, fuzzy, wrong) == ([], [], [])


@pytest.mark.parametrize("missing", ["SECRET_KEY", "ENCRYPTION_KEYS"])
def test_production_does_not_start_without_its_secrets(settings, missing):
    with pytest.raises(SystemExit, match=f"GATAMI_{missing}"):
        create_app(**(settings | {"MODE": "production", missing: ""}))


def test_a_short_secret_is_none(settings):
    with pytest.raises(SystemExit, match="32"):
        create_app(**(settings | {"SECRET_KEY": "kort"}))


def test_a_setting_of_the_wrong_kind_stops_the_start(settings, monkeypatch):
    monkeypatch.setenv("GATAMI_LEASE_S", "lenge")
    with pytest.raises(SystemExit, match="GATAMI_LEASE_S"):
        create_app(**settings)
