"""The key answers are signed with is made once, so that every process of the server has the same one for ever."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from data.session import APP_ROLE

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    instant = postgresql.TIMESTAMP(timezone=True)
    op.create_table(
        "signing_keys",
        sa.Column("purpose", sa.Text(), nullable=False, comment="what is signed with it"),
        sa.Column("key", sa.Text(), nullable=False, comment="244 random bits"),
        sa.Column("created_at", instant, server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("purpose", name=op.f("pk_signing_keys")),
    )
    op.execute(f"GRANT SELECT ON signing_keys TO {APP_ROLE}")
    # A version 4 UUID holds 122 bits of PostgreSQL's strong random numbers.
    op.execute(
        "INSERT INTO signing_keys (purpose, key)"
        " VALUES ('evidence', replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''))"
    )


def downgrade() -> None:
    op.drop_table("signing_keys")
