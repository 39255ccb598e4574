"""What each import changed, row by row, so that it can be told and taken back."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from data import walls

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    instant = postgresql.TIMESTAMP(timezone=True)
    op.add_column("imports", sa.Column("state", sa.Text(), server_default="loaded", nullable=False))
    op.add_column("imports", sa.Column("undone_at", instant))
    op.add_column("imports", sa.Column("undone_by", sa.Text()))
    op.create_check_constraint(
        op.f("ck_imports_state"), "imports", "state IN ('loaded', 'refused', 'undone')"
    )
    op.create_check_constraint(
        op.f("ck_imports_undone"),
        "imports",
        "(state = 'undone') = (undone_at IS NOT NULL) AND (undone_at IS NULL) = (undone_by IS NULL)",
    )
    op.create_table(
        "import_changes",
        sa.Column("import_id", sa.BigInteger(), nullable=False),
        sa.Column("noun", sa.Text(), nullable=False, comment="the table of the row"),
        sa.Column("row_id", sa.BigInteger(), nullable=False),
        sa.Column("before", postgresql.JSONB(), comment="null: the import added it"),
        sa.Column("after", postgresql.JSONB(), comment="null: the import took it away"),
        sa.Column("district", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_import_changes_district")),
        sa.ForeignKeyConstraint(
            ["district", "import_id"],
            ["imports.district", "imports.id"],
            name=op.f("fk_import_changes_district_import_id"),
        ),
        sa.PrimaryKeyConstraint("district", "import_id", "noun", "row_id", name=op.f("pk_import_changes")),
    )
    op.create_index(
        op.f("ix_import_changes_district_noun_row_id"), "import_changes", ["district", "noun", "row_id"]
    )
    for statement in walls.build("import_changes"):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("import_changes")
    op.drop_constraint(op.f("ck_imports_undone"), "imports")
    op.drop_constraint(op.f("ck_imports_state"), "imports")
    for column in ("undone_by", "undone_at", "state"):
        op.drop_column("imports", column)
