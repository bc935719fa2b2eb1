"""Every table of the first release, and the views that are all the public can read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None

TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(JSONB(), "postgresql")

GEOMETRIES = (
    ("municipalities", "border", "MULTIPOLYGON", True),
    ("reports", "place", "POINT", True),
    ("area_follows", "place", "POINT", False),
)
"""Table, column, kind and whether it must be filled; all of them WGS 84, all with a spatial index."""

VIEWS = {
    "public_municipalities": """
        SELECT id, number, names, lat, lon, zoom, phone, sensitive_contact, border
        FROM municipalities WHERE active
    """,
    "public_categories": """
        SELECT c.id, c.municipality_id, c.slug, c."group", c.names, c.icon, c.position, c.duplicate_radius_m
        FROM categories c JOIN municipalities m ON m.id = c.municipality_id WHERE m.active
    """,
    "public_reports": """
        SELECT id, ref, municipality_id, category_id, state, language, public_text AS text, text_publication,
               lat, lon, place, place_name, duplicate_of_ref AS duplicate_of, follower_count,
               cover_key AS photo_key, cover_alt AS photo_alt, created_at, changed_at
        FROM reports
    """,
    "public_events": """
        SELECT id, report_id, kind, at, actor_name, department_names, from_state, to_state, text
        FROM events WHERE is_public
    """,
    "public_photos": """
        SELECT id, report_id, key, alt, width, height, position
        FROM photos WHERE publication = 'published'
    """,
}
"""Each column is a plain column of its table, because the gate on SQLite allows columns by name. None of them ever
holds anything private, whatever the row's state: texts and photos enter them when they are published."""


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    if sqlite:
        op.execute("SELECT InitSpatialMetaData(0, 'WGS84')")
        op.execute("SELECT InsertEpsgSrid(25833)")
    else:
        op.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    tables()
    for table, column, kind, filled in GEOMETRIES:
        if sqlite:
            op.execute(
                f"SELECT AddGeometryColumn('{table}', '{column}', 4326, '{kind}', 'XY', {int(filled)})"
            )
            op.execute(f"SELECT CreateSpatialIndex('{table}', '{column}')")
        else:
            null = "NOT NULL" if filled else "NULL"
            op.execute(f"ALTER TABLE {table} ADD COLUMN {column} geometry({kind}, 4326) {null}")
            op.execute(f"CREATE INDEX idx_{table}_{column} ON {table} USING gist ({column})")
    held("ix_reports_held", "reports", "id", "text_publication = 'held'")
    held("ix_photos_held", "photos", "report_id", "publication = 'held'")
    for name, statement in VIEWS.items():
        op.execute(f"CREATE VIEW {name} AS {statement}")


def held(name: str, table: str, column: str, condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, [column], sqlite_where=where, postgresql_where=where)


def tables() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
    )
    op.create_index("ix_attempts_purpose_who_at", "attempts", ["purpose", "who", "at"])
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("recipient", sa.LargeBinary(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("lease_until", TIME, nullable=True),
        sa.Column("sent_at", TIME, nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint("key", name="uq_deliveries_key"),
    )
    op.create_index("ix_deliveries_state_due_at", "deliveries", ["state", "due_at"])
    op.create_table(
        "municipalities",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("names", JSON, nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=False),
        sa.Column("zoom", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("sensitive_contact", JSON, nullable=True),
        sa.Column("public_contacts", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_municipalities"),
        sa.UniqueConstraint("number", name="uq_municipalities_number"),
    )
    op.create_index("ix_municipalities_active", "municipalities", ["active"])
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("email", sa.LargeBinary(), nullable=False),
        sa.Column("email_fingerprint", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("session_key", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("email_fingerprint", name="uq_users_email_fingerprint"),
    )
    op.create_table(
        "area_follows",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("municipality_id", sa.Integer(), nullable=False),
        sa.Column("email", sa.LargeBinary(), nullable=False),
        sa.Column("email_fingerprint", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("radius_m", sa.Double(), nullable=True),
        sa.Column("categories", JSON, nullable=False),
        sa.Column("frequency", sa.String(), nullable=False),
        sa.Column("digest_at", TIME, nullable=True),
        sa.Column("confirmed_at", TIME, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.id"], name="fk_area_follows_municipality_id_municipalities"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_area_follows"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_area_follows_email_fingerprint", "area_follows", ["email_fingerprint"])
    op.create_index("ix_area_follows_municipality_id", "area_follows", ["municipality_id"])
    op.create_table(
        "departments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("municipality_id", sa.Integer(), nullable=False),
        sa.Column("names", JSON, nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.id"], name="fk_departments_municipality_id_municipalities"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_departments"),
    )
    op.create_index("ix_departments_municipality_id", "departments", ["municipality_id"])
    op.create_table(
        "categories",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("municipality_id", sa.Integer(), nullable=False),
        sa.Column("department_id", sa.Integer(), nullable=True),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("deputy_id", sa.Integer(), nullable=True),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("group", sa.String(), nullable=False),
        sa.Column("names", JSON, nullable=False),
        sa.Column("icon", sa.String(), nullable=False),
        sa.Column("stop_message", JSON, nullable=True),
        sa.Column("questions", JSON, nullable=False),
        sa.Column("response_days", sa.Integer(), nullable=False),
        sa.Column("repair_days", sa.Integer(), nullable=False),
        sa.Column("duplicate_radius_m", sa.Double(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["department_id"], ["departments.id"], name="fk_categories_department_id_departments"
        ),
        sa.ForeignKeyConstraint(["deputy_id"], ["users.id"], name="fk_categories_deputy_id_users"),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.id"], name="fk_categories_municipality_id_municipalities"
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="fk_categories_owner_id_users"),
        sa.PrimaryKeyConstraint("id", name="pk_categories"),
        sa.UniqueConstraint("municipality_id", "slug", name="uq_categories_municipality_id"),
    )
    op.create_index("ix_categories_municipality_id", "categories", ["municipality_id"])
    op.create_table(
        "memberships",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("municipality_id", sa.Integer(), nullable=False),
        sa.Column("department_id", sa.Integer(), nullable=True),
        sa.Column("role", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["department_id"], ["departments.id"], name="fk_memberships_department_id_departments"
        ),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.id"], name="fk_memberships_municipality_id_municipalities"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_memberships_user_id_users"),
        sa.PrimaryKeyConstraint("id", name="pk_memberships"),
        sa.UniqueConstraint("user_id", "municipality_id", name="uq_memberships_user_id"),
    )
    op.create_index("ix_memberships_municipality_id", "memberships", ["municipality_id"])
    op.create_index("ix_memberships_user_id", "memberships", ["user_id"])
    op.create_table(
        "reports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("municipality_id", sa.Integer(), nullable=False),
        sa.Column("category_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=False),
        sa.Column("place_name", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("public_text", sa.String(), nullable=True),
        sa.Column("text_publication", sa.String(), nullable=False),
        sa.Column("cover_key", sa.String(), nullable=True),
        sa.Column("cover_alt", sa.String(), nullable=True),
        sa.Column("follower_count", sa.Integer(), nullable=False),
        sa.Column("duplicate_of_id", sa.Integer(), nullable=True),
        sa.Column("duplicate_of_ref", sa.String(), nullable=True),
        sa.Column("assignee_id", sa.Integer(), nullable=True),
        sa.Column("response_due_at", TIME, nullable=False),
        sa.Column("repair_due_at", TIME, nullable=False),
        sa.Column("answered_at", TIME, nullable=True),
        sa.Column("closed_at", TIME, nullable=True),
        sa.Column("submission", sa.String(), nullable=True),
        sa.Column("reviewed_at", TIME, nullable=True),
        sa.Column("published_at", TIME, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["assignee_id"], ["users.id"], name="fk_reports_assignee_id_users"),
        sa.ForeignKeyConstraint(["category_id"], ["categories.id"], name="fk_reports_category_id_categories"),
        sa.ForeignKeyConstraint(
            ["duplicate_of_id"], ["reports.id"], name="fk_reports_duplicate_of_id_reports"
        ),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.id"], name="fk_reports_municipality_id_municipalities"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_reports"),
        sa.UniqueConstraint("ref", name="uq_reports_ref"),
        sa.UniqueConstraint("submission", name="uq_reports_submission"),
    )
    op.create_index("ix_reports_assignee_id", "reports", ["assignee_id"])
    op.create_index("ix_reports_category_id_created_at", "reports", ["category_id", "created_at"])
    op.create_index("ix_reports_created_at_id", "reports", ["created_at", "id"])
    op.create_index("ix_reports_municipality_id_state", "reports", ["municipality_id", "state"])
    op.create_index("ix_reports_reviewed_at", "reports", ["reviewed_at"])
    op.create_index("ix_reports_published_at", "reports", ["published_at"])
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("report_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("actor_name", sa.String(), nullable=True),
        sa.Column("department_names", JSON, nullable=True),
        sa.Column("from_state", sa.String(), nullable=True),
        sa.Column("to_state", sa.String(), nullable=True),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column("private", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["users.id"], name="fk_events_actor_id_users"),
        sa.ForeignKeyConstraint(["report_id"], ["reports.id"], name="fk_events_report_id_reports"),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
    )
    op.create_index("ix_events_report_id_at", "events", ["report_id", "at"])
    op.create_table(
        "follows",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("report_id", sa.Integer(), nullable=False),
        sa.Column("email", sa.LargeBinary(), nullable=False),
        sa.Column("email_fingerprint", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("is_reporter", sa.Boolean(), nullable=False),
        sa.Column("confirmed_at", TIME, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["report_id"], ["reports.id"], name="fk_follows_report_id_reports"),
        sa.PrimaryKeyConstraint("id", name="pk_follows"),
        sa.UniqueConstraint("report_id", "email_fingerprint", name="uq_follows_report_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_follows_email_fingerprint", "follows", ["email_fingerprint"])
    op.create_table(
        "originals",
        sa.Column("report_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("email_fingerprint", sa.String(), nullable=True),
        sa.Column("link_number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["report_id"], ["reports.id"], name="fk_originals_report_id_reports"),
        sa.PrimaryKeyConstraint("report_id", name="pk_originals"),
    )
    op.create_index("ix_originals_email_fingerprint", "originals", ["email_fingerprint"])
    op.create_table(
        "photos",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("report_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("publication", sa.String(), nullable=False),
        sa.Column("alt", sa.String(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["report_id"], ["reports.id"], name="fk_photos_report_id_reports"),
        sa.PrimaryKeyConstraint("id", name="pk_photos"),
        sa.UniqueConstraint("key", name="uq_photos_key"),
    )
    op.create_index("ix_photos_report_id", "photos", ["report_id"])
