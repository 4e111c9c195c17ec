"""create the first tables

Revises:
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# The trail is append only: no line is ever changed, and none younger than the retention is deleted.
SQLITE_GUARDS = (
    """CREATE TRIGGER audit_line_no_update BEFORE UPDATE ON audit_line
    BEGIN SELECT RAISE(ABORT, 'the audit trail is append only'); END""",
    """CREATE TRIGGER audit_line_no_early_delete BEFORE DELETE ON audit_line
    WHEN OLD.at > strftime('%Y-%m-%d %H:%M:%S', 'now', '-' || (SELECT max(days) FROM audit_retention) || ' days')
    BEGIN SELECT RAISE(ABORT, 'the audit trail is append only'); END""",
)
POSTGRESQL_GUARDS = (
    """CREATE FUNCTION audit_line_guard() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' AND OLD.at <= now() - make_interval(days => (SELECT max(days) FROM audit_retention)) THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'the audit trail is append only' USING ERRCODE = 'insufficient_privilege';
    END $$""",
    """CREATE TRIGGER audit_line_append_only BEFORE UPDATE OR DELETE ON audit_line
    FOR EACH ROW EXECUTE FUNCTION audit_line_guard()""",
)


def upgrade() -> None:
    op.create_table(
        "audit_line",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("region", sa.String(length=40), nullable=False),
        sa.Column("event", sa.String(length=60), nullable=False),
        sa.Column("actor", sa.Uuid(), nullable=True),
        sa.Column("subject", sa.Uuid(), nullable=True),
        sa.Column("request_id", sa.String(length=40), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_line")),
    )
    with op.batch_alter_table("audit_line", schema=None) as batch_op:
        batch_op.create_index("ix_audit_line_at", ["at"], unique=False)
        batch_op.create_index("ix_audit_line_region_id", ["region", "id"], unique=False)
        batch_op.create_index("ix_audit_line_subject", ["subject", "id"], unique=False)

    op.create_table(
        "audit_retention",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_retention")),
    )
    op.create_table(
        "mail_quota",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_mail_quota")),
    )
    op.create_table(
        "outbox_mail",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("region", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("recipient", sa.String(length=254), nullable=False),
        sa.Column("langue", sa.String(length=2), nullable=False),
        sa.Column("template", sa.String(length=80), nullable=False),
        sa.Column("context", sa.JSON(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.Column("message_id", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_mail")),
    )
    with op.batch_alter_table("outbox_mail", schema=None) as batch_op:
        batch_op.create_index("ix_outbox_mail_created_at", ["created_at"], unique=False)
        batch_op.create_index(
            "ix_outbox_mail_due",
            ["next_attempt_at"],
            unique=False,
            sqlite_where=sa.text("state = 'pending'"),
            postgresql_where=sa.text("state = 'pending'"),
        )
        batch_op.create_index("ix_outbox_mail_user", ["user_id"], unique=False)

    op.create_table(
        "region",
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("nom", sa.String(length=80), nullable=False),
        sa.Column("insee_code", sa.String(length=2), nullable=False),
        sa.Column("time_zone", sa.String(length=40), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("contact", sa.String(length=254), nullable=False),
        sa.Column("organisme", sa.String(length=200), nullable=False),
        sa.Column("dpo", sa.String(length=254), nullable=False),
        sa.Column("adresse", sa.Text(), nullable=False),
        sa.Column("directeur_publication", sa.String(length=200), nullable=False),
        sa.Column("hebergeur", sa.Text(), nullable=False),
        sa.Column("delai", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_region")),
        sa.UniqueConstraint("insee_code", name=op.f("uq_region_insee_code")),
    )
    op.create_table(
        "sign_in_failure",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sign_in_failure")),
    )
    with op.batch_alter_table("sign_in_failure", schema=None) as batch_op:
        batch_op.create_index("ix_sign_in_failure_last_at", ["last_at"], unique=False)

    op.create_table(
        "spent_challenge",
        sa.Column("nonce", sa.String(length=80), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("nonce", name=op.f("pk_spent_challenge")),
    )
    with op.batch_alter_table("spent_challenge", schema=None) as batch_op:
        batch_op.create_index("ix_spent_challenge_expires_at", ["expires_at"], unique=False)

    op.create_table(
        "ticket_quota",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_ticket_quota")),
    )
    op.create_table(
        "user",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("region", sa.String(length=40), nullable=False),
        sa.Column("mail", sa.String(length=254), nullable=False),
        sa.Column("mail_canonical", sa.String(length=254), nullable=False),
        sa.Column("prenom", sa.String(length=100), nullable=False),
        sa.Column("nom", sa.String(length=100), nullable=False),
        sa.Column("organisation", sa.String(length=200), nullable=False),
        sa.Column("fonction", sa.String(length=200), nullable=False),
        sa.Column("territoire", sa.String(length=200), nullable=False),
        sa.Column("motif", sa.Text(), nullable=False),
        sa.Column("langue", sa.String(length=2), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("last_sign_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("without_script", sa.Boolean(), nullable=False),
        sa.Column("information_version", sa.String(length=20), nullable=False),
        sa.Column("closing_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("inactivity_warned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["region"], ["region.key"], name=op.f("fk_user_region_region")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        sa.UniqueConstraint("region", "mail_canonical", name="uq_user_region_mail"),
    )
    with op.batch_alter_table("user", schema=None) as batch_op:
        batch_op.create_index(
            "ix_user_closing_at",
            ["closing_at"],
            unique=False,
            sqlite_where=sa.text("closing_at IS NOT NULL"),
            postgresql_where=sa.text("closing_at IS NOT NULL"),
        )
        batch_op.create_index("ix_user_region_created", ["region", "created_at", "id"], unique=False)
        batch_op.create_index("ix_user_region_nom", ["region", "nom", "prenom", "id"], unique=False)
        batch_op.create_index("ix_user_region_status_created", ["region", "status", "created_at", "id"], unique=False)

    op.create_table(
        "mail_link",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("mail", sa.String(length=254), nullable=False),
        sa.Column("token_digest", sa.String(length=64), nullable=False),
        sa.Column("mail_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_mail_link_user_id_user"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_link")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_mail_link_token_digest")),
    )
    with op.batch_alter_table("mail_link", schema=None) as batch_op:
        batch_op.create_index("ix_mail_link_user_purpose", ["user_id", "purpose"], unique=False)

    op.create_table(
        "session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("device_digest", sa.String(length=64), nullable=False),
        sa.Column("device", sa.String(length=100), nullable=False),
        sa.Column("network", sa.String(length=45), nullable=False),
        sa.Column("rotates", sa.Boolean(), nullable=False),
        sa.Column("must_change_password", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_session_user_id_user"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session")),
    )
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.create_index("ix_session_user_device", ["user_id", "device_digest"], unique=False)
        batch_op.create_index("ix_session_user_last_used", ["user_id", "last_used_at"], unique=False)

    op.create_table(
        "temporary_password",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("mail_id", sa.Uuid(), nullable=True),
        sa.Column("life_seconds", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_temporary_password_user_id_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_temporary_password")),
    )
    with op.batch_alter_table("temporary_password", schema=None) as batch_op:
        batch_op.create_index(
            "uq_temporary_password_live",
            ["user_id"],
            unique=True,
            sqlite_where=sa.text("superseded_at IS NULL"),
            postgresql_where=sa.text("superseded_at IS NULL"),
        )

    op.create_table(
        "refresh_token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("salt", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rotated_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"], ["session.id"], name=op.f("fk_refresh_token_session_id_session"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refresh_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_refresh_token_digest")),
    )
    with op.batch_alter_table("refresh_token", schema=None) as batch_op:
        batch_op.create_index("ix_refresh_token_session", ["session_id"], unique=False)

    op.execute("INSERT INTO audit_retention (id, days) VALUES (1, 365)")
    postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in POSTGRESQL_GUARDS if postgresql else SQLITE_GUARDS:
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER audit_line_append_only ON audit_line")
        op.execute("DROP FUNCTION audit_line_guard()")
    with op.batch_alter_table("refresh_token", schema=None) as batch_op:
        batch_op.drop_index("ix_refresh_token_session")

    op.drop_table("refresh_token")
    with op.batch_alter_table("temporary_password", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_temporary_password_live",
            sqlite_where=sa.text("superseded_at IS NULL"),
            postgresql_where=sa.text("superseded_at IS NULL"),
        )

    op.drop_table("temporary_password")
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.drop_index("ix_session_user_last_used")
        batch_op.drop_index("ix_session_user_device")

    op.drop_table("session")
    with op.batch_alter_table("mail_link", schema=None) as batch_op:
        batch_op.drop_index("ix_mail_link_user_purpose")

    op.drop_table("mail_link")
    with op.batch_alter_table("user", schema=None) as batch_op:
        batch_op.drop_index("ix_user_region_status_created")
        batch_op.drop_index("ix_user_region_nom")
        batch_op.drop_index("ix_user_region_created")
        batch_op.drop_index(
            "ix_user_closing_at",
            sqlite_where=sa.text("closing_at IS NOT NULL"),
            postgresql_where=sa.text("closing_at IS NOT NULL"),
        )

    op.drop_table("user")
    op.drop_table("ticket_quota")
    with op.batch_alter_table("spent_challenge", schema=None) as batch_op:
        batch_op.drop_index("ix_spent_challenge_expires_at")

    op.drop_table("spent_challenge")
    with op.batch_alter_table("sign_in_failure", schema=None) as batch_op:
        batch_op.drop_index("ix_sign_in_failure_last_at")

    op.drop_table("sign_in_failure")
    op.drop_table("region")
    with op.batch_alter_table("outbox_mail", schema=None) as batch_op:
        batch_op.drop_index("ix_outbox_mail_user")
        batch_op.drop_index(
            "ix_outbox_mail_due",
            sqlite_where=sa.text("state = 'pending'"),
            postgresql_where=sa.text("state = 'pending'"),
        )
        batch_op.drop_index("ix_outbox_mail_created_at")

    op.drop_table("outbox_mail")
    op.drop_table("mail_quota")
    op.drop_table("audit_retention")
    with op.batch_alter_table("audit_line", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_line_subject")
        batch_op.drop_index("ix_audit_line_region_id")
        batch_op.drop_index("ix_audit_line_at")

    op.drop_table("audit_line")
