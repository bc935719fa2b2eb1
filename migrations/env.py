"""Runs the schema steps on the private engine, each run in one transaction on both databases."""

from __future__ import annotations

from alembic import context
from flask import current_app
from geoalchemy2 import alembic_helpers

from gatami.db import db


def run() -> None:
    engine = current_app.extensions["migrate"].db.engine
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            # SQLite would commit each statement by itself, and leave half a schema where one fails.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        context.configure(
            connection=connection,
            target_metadata=db.metadatas[None],
            include_object=alembic_helpers.include_object,
            # The transaction around all steps is this function's, on both databases.
            transactional_ddl=False,
        )
        context.run_migrations()
        connection.commit()


run()
