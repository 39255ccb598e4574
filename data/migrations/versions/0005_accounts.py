"""Accounts of staff and their sign-ins; they belong to no district, so no wall of one stands around them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from data.session import APP_ROLE

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    instant = postgresql.TIMESTAMP(timezone=True)
    words = postgresql.ARRAY(sa.Text())
    op.create_table(
        "accounts",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False, comment="what its owner signs in with"),
        sa.Column("password_hash", sa.Text(), nullable=False, comment="argon2id"),
        sa.Column("roles", words, nullable=False),
        sa.Column("scope", words, nullable=False, comment="codes of districts; none means all"),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", instant, server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("cardinality(roles) > 0", name=op.f("ck_accounts_roles")),
        sa.CheckConstraint("cardinality(scope) > 0 OR 'admin' = ANY (roles)", name=op.f("ck_accounts_scope")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("name", name=op.f("uq_accounts_name")),
    )
    op.create_table(
        "sign_ins",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of the token"),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", instant, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_sign_ins_account_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sign_ins")),
    )
    op.create_index(op.f("ix_sign_ins_account_id"), "sign_ins", ["account_id"])
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON accounts TO {APP_ROLE}")
    op.execute(f"GRANT SELECT, INSERT, DELETE ON sign_ins TO {APP_ROLE}")
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {APP_ROLE}")


def downgrade() -> None:
    op.drop_table("sign_ins")
    op.drop_table("accounts")
