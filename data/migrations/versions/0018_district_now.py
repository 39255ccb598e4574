"""The district's clock is read by a function whose plan is kept."""

from alembic import op

from data.session import APP_ROLE

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

LATEST = """
greatest(statement_timestamp(), (SELECT max(lower(valid)) FROM plans
                                 WHERE district = code AND activated_at IS NOT NULL))
"""
NOW = """
CREATE OR REPLACE FUNCTION district_now(code text) RETURNS timestamptz LANGUAGE {language} STABLE AS $$ {body} $$
"""


def upgrade() -> None:
    # One in SQL is planned anew by each statement, which takes longer than most reads that ask for the time.
    op.execute(NOW.format(language="plpgsql", body=f"BEGIN RETURN {LATEST}; END"))
    op.execute(f"ALTER FUNCTION district_now OWNER TO {APP_ROLE}")


def downgrade() -> None:
    op.execute(NOW.format(language="sql", body=f"SELECT {LATEST}"))
    op.execute(f"ALTER FUNCTION district_now OWNER TO {APP_ROLE}")
