-- Two roles on PostgreSQL: terristory_owner makes and changes the tables (db upgrade, purge, restore), terristory serves.
-- The serving role reads and writes rows, and nothing else: it makes, alters and drops no table, and of the audit trail
-- it can only read lines and add some. Run it in the service's database, as its owner or as a superuser, once the
-- tables are made (db upgrade) and again after a restore; running it twice changes nothing.
--
--   sudo -u postgres psql --dbname terristory --set ON_ERROR_STOP=1 --file deploy/postgresql-roles.sql

BEGIN;

-- PostgreSQL gives everybody some rights by default; here only these two have any.
DO $$ BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO terristory', current_database());
END $$;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE CREATE ON SCHEMA public FROM terristory;
GRANT USAGE ON SCHEMA public TO terristory;

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO terristory;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO terristory;
-- The tables of later migrations.
ALTER DEFAULT PRIVILEGES FOR ROLE terristory_owner GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO terristory;
ALTER DEFAULT PRIVILEGES FOR ROLE terristory_owner GRANT USAGE, SELECT ON SEQUENCES TO terristory;

-- What happened stays as it was written, and the revision of the tables is the owner's to say.
REVOKE ALL ON audit_line, alembic_version FROM terristory;
GRANT SELECT, INSERT ON audit_line TO terristory;
GRANT SELECT ON alembic_version TO terristory;

COMMIT;
