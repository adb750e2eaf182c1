-- 0004_orders.sql - bans, and orders that run in chunks: a ban on the event that caused it, the frozen list of a
-- selector, and the state of a request that is signed by all and under way.

ALTER TABLE zz.certificate_event ADD COLUMN ban_until int CHECK (ban_until > 0);
COMMENT ON COLUMN zz.certificate_event.ban_until IS
	'First day on which the holder may apply again, days since 1970-01-01; null: no ban';

CREATE TABLE zz.request_list (
	request bytea PRIMARY KEY REFERENCES zz.request (id),
	serials bytea NOT NULL CHECK (octet_length(serials) BETWEEN 16 AND 3200000 AND octet_length(serials) % 16 = 0),
	sha256 bytea NOT NULL CHECK (sha256 = sha256(serials))
);
-- random bytes do not compress
ALTER TABLE zz.request_list ALTER COLUMN serials SET STORAGE EXTERNAL;
COMMENT ON TABLE zz.request_list IS 'What the selector of a request named when it arrived: the list that approvals sign';
COMMENT ON COLUMN zz.request_list.request IS 'The request';
COMMENT ON COLUMN zz.request_list.serials IS 'Serial numbers, 16 bytes each, ascending';
COMMENT ON COLUMN zz.request_list.sha256 IS 'SHA-256 of the serials';

ALTER TABLE zz.request_event DROP CONSTRAINT request_event_state_check;
ALTER TABLE zz.request_event ADD CONSTRAINT request_event_state_check CHECK (state IN
	('waiting', 'approved', 'executed', 'refused', 'lapsed', 'rejected', 'withdrawn'));
CREATE INDEX request_event_approved ON zz.request_event (at) WHERE state = 'approved';

-- First waiting, executed or refused; after waiting anything else; approved is under way and ends executed, refused or
-- lapsed; after executed only executed (the second signature of a hold).
CREATE OR REPLACE FUNCTION zz.request_event_move() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	before text;
BEGIN
	SELECT e.state INTO before FROM zz.request_event e WHERE e.request = NEW.request AND e.seq = NEW.seq - 1;
	IF NEW.seq = 1 AND NEW.state IN ('waiting', 'executed', 'refused')
	   OR before = 'waiting' AND NEW.state <> 'waiting'
	   OR before = 'approved' AND NEW.state IN ('executed', 'refused', 'lapsed')
	   OR before = 'executed' AND NEW.state = 'executed' THEN
		RETURN NEW;
	END IF;
	RAISE EXCEPTION 'the request is % and cannot become %', coalesce(before, 'unknown'), NEW.state
		USING ERRCODE = 'ZZ004';
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON zz.request_list FOR EACH ROW EXECUTE FUNCTION zz.append_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON zz.request_list FOR EACH STATEMENT EXECUTE FUNCTION zz.append_only();
ALTER TABLE zz.request_list ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE zz.request_list ENABLE ALWAYS TRIGGER no_truncate;

REVOKE ALL ON zz.request_list FROM PUBLIC;
GRANT SELECT ON zz.request_list TO zz_issuer, zz_admin, zz_audit;
GRANT INSERT ON zz.request_list TO zz_issuer;
