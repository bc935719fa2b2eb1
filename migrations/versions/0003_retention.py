"""Keys apart from the database, who sent a report apart from what was sent, holds, and notes of what was forgotten.

The data keys move out of the rows into KEY_ROOT, so run this where the web processes' KEY_ROOT is.
"""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from gatami.db import DataKey, keyring

revision = "0003"
down_revision = "0002"

TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    # Added in place: on SQLite a table that is built anew would lose its views and its spatial index.
    op.add_column("municipalities", sa.Column("retention", JSON, nullable=False, server_default="{}"))
    added: dict[str, Any] = {
        "kept_until": TIME,
        "kept_why": sa.LargeBinary(),
        "kept_by": sa.LargeBinary(),
        "archived_at": TIME,
        "erasure_asked_at": TIME,
        "erased_at": TIME,
    }
    for name, kind in added.items():
        op.add_column("reports", sa.Column(name, kind, nullable=True))
    op.add_column(
        "reports", sa.Column("must_archive", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.create_index("ix_reports_closed_at", "reports", ["closed_at"])
    some("ix_reports_erasure_asked_at", "reports", "erasure_asked_at", "erasure_asked_at IS NOT NULL")
    originals()
    deliveries()
    op.create_table(
        "discards",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("report_id", sa.Integer(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("key_name", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["report_id"], ["reports.id"], name="fk_discards_report_id_reports"),
        sa.PrimaryKeyConstraint("id", name="pk_discards"),
    )
    op.create_index("ix_discards_report_id", "discards", ["report_id"])
    some("ix_discards_key_name", "discards", "key_name", "key_name IS NOT NULL")


def some(name: str, table: str, column: str, condition: str) -> None:
    """An index of the few rows that it is asked for."""
    where = sa.text(condition)
    op.create_index(name, table, [column], sqlite_where=where, postgresql_where=where)


def originals() -> None:
    with op.batch_alter_table("originals") as table:
        table.alter_column("key", existing_type=sa.LargeBinary(), nullable=True)
        table.alter_column("sealed", existing_type=sa.LargeBinary(), nullable=True)
        table.add_column(sa.Column("contact_key", sa.LargeBinary(), nullable=True))
        table.add_column(sa.Column("contact", sa.LargeBinary(), nullable=True))
    part()
    op.create_index("ix_originals_key", "originals", ["key"])
    op.create_index("ix_originals_contact_key", "originals", ["contact_key"])


def part() -> None:
    """Give each report its keys in KEY_ROOT: the one that it had, and one for who sent it."""
    connection = op.get_bind()
    columns = (
        sa.column("report_id"),
        *(sa.column(n, sa.LargeBinary()) for n in ("key", "sealed", "contact_key", "contact")),
    )
    table = sa.table("originals", *columns)
    follows = sa.table(
        "follows", sa.column("report_id"), sa.column("is_reporter"), sa.column("email", sa.LargeBinary())
    )
    last = 0
    while rows := connection.execute(
        sa.select(table.c.report_id, table.c.key, table.c.sealed)
        .where(table.c.report_id > last)
        .order_by(table.c.report_id)
        .limit(500)
    ).all():
        for number, key, sealed in rows:
            data_key = DataKey(keyring.open(key)).keep()
            contents = json.loads(data_key.open(sealed))
            contact = {n: value for n in ("name", "email", "phone") if (value := contents.pop(n, ""))}
            values = {"key": data_key.name, "sealed": data_key.seal(json.dumps(contents).encode())}
            if contact:
                contact_key = DataKey().keep()
                values |= {
                    "contact_key": contact_key.name,
                    "contact": contact_key.seal(json.dumps(contact).encode()),
                }
                if email := contact.get("email"):
                    # As `db.Sealed` stores a `db.Private`.
                    private = b"\x01" + contact_key.name + contact_key.seal(json.dumps(email).encode())
                    own = (follows.c.report_id == number) & follows.c.is_reporter
                    connection.execute(sa.update(follows).where(own).values(email=private))
            connection.execute(sa.update(table).where(table.c.report_id == number).values(values))
            last = number


def deliveries() -> None:
    with op.batch_alter_table("deliveries") as table:
        table.alter_column("recipient", existing_type=sa.LargeBinary(), nullable=True)
        table.alter_column("payload", existing_type=sa.LargeBinary(), nullable=True)
        table.add_column(sa.Column("key_name", sa.LargeBinary(), nullable=True))
    op.create_index("ix_deliveries_key_name", "deliveries", ["key_name"])
    some("ix_deliveries_kept", "deliveries", "created_at", "recipient IS NOT NULL")


def downgrade() -> None:
    raise NotImplementedError("Go back to a backup.")
