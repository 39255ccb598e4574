"""Aliases: names people use that no ledger states, proposed by one account and confirmed by another."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from data import walls

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_LETTER = "a-z\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
WORDS = f"^[{_LETTER}]([{_LETTER}]| (?=[a-z])){{1,19}}$"


def upgrade() -> None:
    instant = postgresql.TIMESTAMP(timezone=True)
    op.create_table(
        "aliases",
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("compound_id", sa.BigInteger()),
        sa.Column("building_id", sa.BigInteger()),
        sa.Column("words", sa.Text(), nullable=False, comment="the name: hanzi and letters, no digit"),
        sa.Column("state", sa.Text(), server_default="proposed", nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", instant, server_default=sa.text("now()"), nullable=False),
        sa.Column("confirmed_by", sa.Text()),
        sa.Column("confirmed_at", instant),
        sa.Column("withdrawn_by", sa.Text()),
        sa.Column("withdrawn_at", instant),
        sa.CheckConstraint("state IN ('proposed', 'in_force', 'withdrawn')", name=op.f("ck_aliases_state")),
        sa.CheckConstraint("num_nonnulls(compound_id, building_id) = 1", name=op.f("ck_aliases_one_target")),
        sa.CheckConstraint(f"words ~ '{WORDS}'", name=op.f("ck_aliases_words")),
        sa.CheckConstraint(
            "(confirmed_at IS NULL) = (confirmed_by IS NULL)", name=op.f("ck_aliases_confirmed")
        ),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by IS NULL)", name=op.f("ck_aliases_withdrawn")
        ),
        sa.CheckConstraint(
            "(state = 'withdrawn') = (withdrawn_at IS NOT NULL)"
            " AND (state <> 'in_force' OR confirmed_at IS NOT NULL)"
            " AND (state <> 'proposed' OR confirmed_at IS NULL)",
            name=op.f("ck_aliases_dated"),
        ),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_aliases_district")),
        *(
            sa.ForeignKeyConstraint(
                ["district", column],
                [f"{table}.district", f"{table}.id"],
                name=op.f(f"fk_aliases_district_{column}"),
            )
            for column, table in {"compound_id": "compounds", "building_id": "buildings"}.items()
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_aliases")),
    )
    for column in ("compound_id", "building_id"):
        op.create_index(op.f(f"ix_aliases_{column}"), "aliases", [column])
    op.create_index(
        "uq_aliases_one_target",
        "aliases",
        ["district", "words"],
        unique=True,
        postgresql_where=sa.text("state <> 'withdrawn'"),
    )
    for statement in walls.build("aliases"):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("aliases")
