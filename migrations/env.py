"""Runs the schema steps on the private engine, each run in one transaction on both databases."""

from __future__ import annotations

from alembic import context
from flask import current_app
from geoalchemy2 import alembic_helpers

from gatami.db import db

target = db.metadatas[None]


def include_object(thing, name, kind, reflected, compare_to):  # type: ignore[no-untyped-def]
    """Leave out what PostGIS and SpatiaLite keep for themselves."""
    if kind == "table" and reflected and compare_to is None and name not in target.tables:
        return name == "reports" or not (
            name.startswith(("idx_", "views_", "virts_", "spatial", "geometry_", "vector_", "elementary", "data_", "sql_", "raster_", "layer", "topology"))
            or name in ("spatial_ref_sys", "Spatialindex", "SpatialIndex", "KNN", "KNN2", "ElementaryGeometries", "sqlite_sequence")
        )
    return alembic_helpers.include_object(thing, name, kind, reflected, compare_to)


def run() -> None:
    engine = current_app.extensions["migrate"].db.engine
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            # SQLite would commit each statement by itself, and leave half a schema where one fails.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        context.configure(
            connection=connection,
            target_metadata=target,
            include_object=include_object,
            transactional_ddl=engine.dialect.name == "postgresql",
        )
        if engine.dialect.name == "postgresql":
            with context.begin_transaction():
                context.run_migrations()
            connection.commit()
        else:
            context.run_migrations()
            connection.commit()


run()
