"""Pictures go through the policy: what was covered, why one waits for a person, and a public name for each showing.

Photos that came before were never looked at by it. They leave the public and go through it on the worker's next sweep,
so run this where the web processes' KEY_ROOT and MEDIA_ROOT are.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from gatami import media

revision = "0004"
down_revision = "0003"

JSON = sa.JSON().with_variant(JSONB(), "postgresql")

VIEW = """
    CREATE VIEW public_photos AS
        SELECT id, report_id, public_key AS key, alt, width, height, position, is_after
        FROM photos WHERE publication = 'published' AND public_key IS NOT NULL
"""


def upgrade() -> None:
    op.execute("DROP VIEW public_photos")
    op.add_column("photos", sa.Column("public_key", sa.String(), nullable=True))
    op.add_column("photos", sa.Column("drawing", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("photos", sa.Column("drawn_in", sa.String(), nullable=True))
    op.add_column("photos", sa.Column("boxes", JSON, nullable=False, server_default="[]"))
    op.add_column("photos", sa.Column("found", JSON, nullable=False, server_default="[]"))
    op.add_column("photos", sa.Column("doubts", JSON, nullable=False, server_default="[]"))
    op.add_column("photos", sa.Column("wish", sa.String(), nullable=True))
    for column in ("wished_by_id", "sent_by_id"):
        # Written out, since on SQLite a constraint can only come together with its column.
        reference = f"CONSTRAINT fk_photos_{column}_users REFERENCES users (id)"
        op.execute(f"ALTER TABLE photos ADD COLUMN {column} INTEGER {reference}")
    op.add_column("photos", sa.Column("is_after", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index("uq_photos_public_key", "photos", ["public_key"], unique=True)
    where = sa.text("publication = 'waiting'")
    op.create_index("ix_photos_waiting", "photos", ["report_id"], sqlite_where=where, postgresql_where=where)
    again()
    op.execute(VIEW)


def again() -> None:
    """Let each photo that was made before be made once more."""
    connection = op.get_bind()
    photos = sa.table("photos", *(sa.column(name) for name in ("key", "publication", "width", "height")))
    made = photos.c.publication.in_(("published", "held"))
    for key in connection.scalars(sa.select(photos.c.key).where(made)).all():
        for size in ("small", "large"):
            media.released.delete(f"{key}/{size}.webp")
            media.private.delete(f"photos/{key}/{size}")
    connection.execute(sa.update(photos).where(made).values(publication="waiting", width=None, height=None))
    op.execute("UPDATE reports SET cover_key = NULL, cover_alt = NULL WHERE cover_key IS NOT NULL")


def downgrade() -> None:
    raise NotImplementedError("Go back to a backup.")
