"""What a ledger stated of a case's grid, kept apart from the grid that has the case now."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cases", sa.Column("stated_grid", sa.Text()))


def downgrade() -> None:
    op.drop_column("cases", "stated_grid")
