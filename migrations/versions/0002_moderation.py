"""Decisions on what is shown, versions of a text, flags, incidents, looks at originals, and the municipality's own rules."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"

TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(JSONB(), "postgresql")

# A report in an incident is gone for everyone, and so is all that hangs on it.
VIEWS = {
    "public_reports": """
        SELECT id, ref, municipality_id, category_id, state, language, public_text AS text, text_publication,
               lat, lon, place, place_name, duplicate_of_ref AS duplicate_of, follower_count,
               cover_key AS photo_key, cover_alt AS photo_alt, created_at, changed_at
        FROM reports WHERE text_publication <> 'unpublished'
    """,
    "public_events": """
        SELECT e.id, e.report_id, e.kind, e.at, e.actor_name, e.department_names, e.from_state, e.to_state, e.text
        FROM events e JOIN reports r ON r.id = e.report_id
        WHERE e.is_public AND r.text_publication <> 'unpublished'
    """,
}


def upgrade() -> None:
    # Added in place: on SQLite a table that is built anew would lose its views and its spatial index.
    op.add_column("municipalities", sa.Column("moderation", JSON, nullable=False, server_default="{}"))
    tables()
    indexes()
    for name, statement in VIEWS.items():
        op.execute(f"DROP VIEW {name}")
        op.execute(f"CREATE VIEW {name} AS {statement}")


def table(
    name: str, *columns: Any, references: dict[str, str], optional: frozenset[str] = frozenset()
) -> None:
    """A table with an id, and columns that point to other tables by their ids."""
    op.create_table(
        name,
        sa.Column("id", sa.Integer(), nullable=False),
        *(sa.Column(column, sa.Integer(), nullable=column in optional) for column in references),
        *columns,
        *(
            sa.ForeignKeyConstraint([column], [f"{other}.id"], name=f"fk_{name}_{column}_{other}")
            for column, other in references.items()
        ),
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
    )


def tables() -> None:
    table(
        "decisions",
        sa.Column("at", TIME, nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("kinds", JSON, nullable=False),
        sa.Column("rules", JSON, nullable=False),
        sa.Column("why", JSON, nullable=False),
        sa.Column("grounds", JSON, nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.Column("objected_at", TIME, nullable=True),
        sa.Column("objection", sa.LargeBinary(), nullable=True),
        sa.Column("answered_at", TIME, nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        references={
            "report_id": "reports",
            "photo_id": "photos",
            "actor_id": "users",
            "answered_by_id": "users",
        },
        optional=frozenset({"photo_id", "actor_id", "answered_by_id"}),
    )
    table(
        "versions",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.UniqueConstraint("report_id", "number", name="uq_versions_report_id"),
        references={"report_id": "reports", "actor_id": "users"},
        optional=frozenset({"actor_id"}),
    )
    table(
        "flags",
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        references={"report_id": "reports", "photo_id": "photos"},
        optional=frozenset({"photo_id"}),
    )
    table(
        "incidents",
        sa.Column("at", TIME, nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("shown_from", TIME, nullable=True),
        sa.Column("entries", sa.LargeBinary(), nullable=False),
        sa.Column("closed_at", TIME, nullable=True),
        references={"report_id": "reports", "opened_by_id": "users"},
    )
    table(
        "looks",
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        references={"report_id": "reports", "user_id": "users"},
    )
    table(
        "acts",
        sa.Column("at", TIME, nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("before", JSON, nullable=False),
        sa.Column("after", JSON, nullable=False),
        references={"municipality_id": "municipalities", "actor_id": "users"},
    )


def indexes() -> None:
    op.create_index("ix_decisions_report_id_at", "decisions", ["report_id", "at"])
    op.create_index("ix_decisions_objected_at", "decisions", ["objected_at"])
    op.create_index("ix_flags_report_id_state", "flags", ["report_id", "state"])
    op.create_index("ix_incidents_report_id", "incidents", ["report_id"])
    op.create_index("ix_looks_report_id_at", "looks", ["report_id", "at"])
    op.create_index("ix_acts_municipality_id", "acts", ["municipality_id"])


def downgrade() -> None:
    raise NotImplementedError("Go back to a backup.")
