"""The gate: what the public engine can read, asked with SQL that no page would ever send."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from gatami import create_app, publication
from gatami.db import PUBLIC, GateIsOpen, db

from . import factories

TABLES = sorted(db.metadatas[None].tables)
VIEWS = {
    mapper.class_.__tablename__
    for mapper in db.Model.registry.mappers
    if getattr(mapper.class_, "__bind_key__", None) == PUBLIC
}


@pytest.fixture
def ask(app):
    """Run SQL through the public engine."""
    factories.report(email="kari@prove.example")

    def run(sql):
        with db.engines[PUBLIC].connect() as connection:
            return connection.execute(text(sql)).all()

    return run


def test_the_views_are_those_that_are_mapped(ask):
    sqlite = "SELECT name FROM sqlite_master WHERE type = 'view'"
    postgresql = "SELECT table_name FROM information_schema.views"
    views = db.session.scalars(text(sqlite if db.engine.dialect.name == "sqlite" else postgresql))
    assert {name for name in views if name.startswith("public_")} == VIEWS
    for view in VIEWS:
        ask(f'SELECT * FROM "{view}"')


@pytest.mark.parametrize("table", TABLES)
def test_no_column_of_a_table_is_readable(ask, table):
    for column in db.metadatas[None].tables[table].columns:
        for sql in (
            f'SELECT "{column.name}" FROM "{table}"',
            f'SELECT count(*) FROM "{table}" WHERE "{column.name}" IS NOT NULL',
            f'WITH x AS (SELECT * FROM "{table}") SELECT "{column.name}" FROM x',
            f'SELECT 1 FROM public_reports ORDER BY (SELECT max("{column.name}") FROM "{table}")',
            f'SELECT id FROM public_reports UNION ALL SELECT "{column.name}" FROM "{table}"',
        ):
            with pytest.raises(DBAPIError):
                ask(sql)


@pytest.mark.parametrize(
    "sql",
    [
        # A subquery that calls itself by a view's name must not pass for the view.
        "WITH public_reports AS (SELECT sealed FROM originals) SELECT * FROM public_reports",
        "WITH public_events AS (SELECT private FROM events) SELECT * FROM public_events",
        "SELECT email FROM (SELECT email FROM users) AS public_reports",
        "WITH public_reports AS (SELECT assignee_id FROM reports) SELECT * FROM public_reports",
        # What the database keeps beside the tables tells of them too.
        "SELECT * FROM idx_area_follows_place",
        "SELECT * FROM sqlite_stat4",
        "SELECT * FROM pg_stats WHERE tablename = 'originals' LIMIT (SELECT count(*) FROM originals)",
    ],
)
def test_a_borrowed_name_opens_nothing(ask, sql):
    with pytest.raises(DBAPIError):
        ask(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO attempts (purpose, who, at) VALUES ('x', 'x', '2026-01-01')",
        "UPDATE reports SET state = 'resolved'",
        "DELETE FROM events",
        "CREATE TABLE mine (id integer)",
        "DROP VIEW public_reports",
        "ATTACH DATABASE 'other.db' AS other",
        "UPDATE public_reports SET state = 'resolved'",
    ],
)
def test_nothing_can_be_written(ask, sql):
    with pytest.raises(DBAPIError):
        ask(sql)


def test_views_show_plain_rows_and_find_by_place(ask):
    found = publication.nearby(*factories.RANEM, "hull-i-vegen", 250)
    assert [row.category_slug for row in found] == ["hull-i-vegen"]


def test_the_map_is_not_empty_after_analyze(app):
    """SQLite's statistics are read by its spatial index, through the same authorizer."""
    factories.report()
    with db.engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")
    db.engines[PUBLIC].dispose()
    assert len(publication.nearby(*factories.RANEM, "hull-i-vegen", 250)) == 1


def test_a_public_role_that_reads_more_is_not_served(app, settings):
    if db.engine.dialect.name == "sqlite":
        return
    with pytest.raises(SystemExit, match="PUBLIC_DATABASE_URL"):
        create_app(**(settings | {"PUBLIC_DATABASE_URL": settings["DATABASE_URL"]}))
    with db.engine.begin() as connection:
        connection.exec_driver_sql("GRANT SELECT ON originals TO gatami_public")
    db.engines[PUBLIC].dispose()
    with pytest.raises(GateIsOpen):
        publication.report("XXXXXXXX")


def test_a_private_event_is_not_in_the_view(app, ask):
    from gatami import cases, reports

    report = db.session.scalars(db.select(reports.Report)).one()
    cases.note(report, factories.user(), "bare for oss")
    db.session.commit()
    assert [row.kind for row in ask("SELECT kind FROM public_events")] == ["received"]
