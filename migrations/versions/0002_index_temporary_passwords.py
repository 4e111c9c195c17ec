"""index temporary passwords by account

Every sign-in asks whether what was typed is, or was, a temporary password of the account; rows are kept as long as the
account is. The unique index holds the live ones only, so all of them were read. Writers of this table wait while the
index is built: under a second for a million rows.

Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_temporary_password_user", "temporary_password", ["user_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_temporary_password_user", table_name="temporary_password")
