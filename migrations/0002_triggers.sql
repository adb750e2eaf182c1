-- 0002_triggers.sql - rules that hold for every role, the owner too: append-only, the head only rises, status makes
-- legal moves only. ENABLE ALWAYS: session_replication_role does not switch them off.
-- SQLSTATE: ZZ001 append-only, ZZ002 move of status, ZZ003 head, ZZ004 state of a request, ZZ005 four eyes,
-- ZZ006 no such log entry.

CREATE FUNCTION zz.append_only() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	RAISE EXCEPTION 'zz.% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'ZZ001';
END $$;

DO $$
DECLARE
	t text;
BEGIN
	FOR t IN SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'zz'::regnamespace AND c.relkind = 'r' LOOP
		-- the two tables with a legal UPDATE have a trigger of their own for it
		EXECUTE format('CREATE TRIGGER append_only BEFORE %s ON zz.%I FOR EACH ROW EXECUTE FUNCTION zz.append_only()',
			CASE WHEN t IN ('log_head', 'certificate') THEN 'DELETE' ELSE 'UPDATE OR DELETE' END, t);
		EXECUTE format('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON zz.%I FOR EACH STATEMENT EXECUTE FUNCTION zz.append_only()', t);
	END LOOP;
END $$;

-- The new size is that of the entries there: gapless from the old one.
CREATE FUNCTION zz.log_head_rises() RETURNS trigger LANGUAGE plpgsql
	SET search_path = pg_catalog SET enable_seqscan = off AS $$
BEGIN
	IF NEW.id <> OLD.id OR NEW.size <= OLD.size OR NEW.time < OLD.time THEN
		RAISE EXCEPTION 'the log only grows: size % to %, time % to %', OLD.size, NEW.size, OLD.time, NEW.time
			USING ERRCODE = 'ZZ003';
	END IF;
	IF (SELECT count(*) FROM zz.log_entry e WHERE e.idx >= OLD.size AND e.batch = OLD.size) <> NEW.size - OLD.size
	   OR EXISTS (SELECT FROM zz.log_entry e WHERE e.idx >= NEW.size) THEN
		RAISE EXCEPTION 'the log entries from % to % are not there, each once', OLD.size, NEW.size
			USING ERRCODE = 'ZZ003';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER log_head_rises BEFORE UPDATE ON zz.log_head FOR EACH ROW EXECUTE FUNCTION zz.log_head_rises();

CREATE FUNCTION zz.certificate_move() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	same zz.certificate := NEW;
BEGIN
	same.status := OLD.status;
	IF same IS DISTINCT FROM OLD THEN
		RAISE EXCEPTION 'zz.certificate: only status may change' USING ERRCODE = 'ZZ001';
	END IF;
	IF NOT ((OLD.status = 0 AND NEW.status IN (1, 2, 3)) OR OLD.status = 2) THEN
		RAISE EXCEPTION 'status % to % is no legal move', OLD.status, NEW.status USING ERRCODE = 'ZZ002';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER certificate_move BEFORE UPDATE ON zz.certificate FOR EACH ROW EXECUTE FUNCTION zz.certificate_move();

-- A certificate or a change of status exists only with its log entry. One look-up a statement, by index whatever the
-- statistics say.
CREATE FUNCTION zz.is_logged() RETURNS trigger LANGUAGE plpgsql
	SET search_path = pg_catalog SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
	IF EXISTS (SELECT FROM added a WHERE NOT EXISTS (SELECT FROM zz.log_entry e WHERE e.idx = a.idx)) THEN
		RAISE EXCEPTION 'zz.%: a row has no log entry', TG_TABLE_NAME USING ERRCODE = 'ZZ006';
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER is_logged AFTER INSERT ON zz.certificate REFERENCING NEW TABLE AS added
	FOR EACH STATEMENT EXECUTE FUNCTION zz.is_logged();
CREATE TRIGGER is_logged AFTER INSERT ON zz.certificate_event REFERENCING NEW TABLE AS added
	FOR EACH STATEMENT EXECUTE FUNCTION zz.is_logged();

-- First waiting, executed or refused; after waiting anything else; after executed only executed (the second
-- signature of a hold).
CREATE FUNCTION zz.request_event_move() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	before text;
BEGIN
	SELECT e.state INTO before FROM zz.request_event e WHERE e.request = NEW.request AND e.seq = NEW.seq - 1;
	IF NEW.seq = 1 AND NEW.state IN ('waiting', 'executed', 'refused')
	   OR before = 'waiting' AND NEW.state <> 'waiting'
	   OR before = 'executed' AND NEW.state = 'executed' THEN
		RETURN NEW;
	END IF;
	RAISE EXCEPTION 'the request is % and cannot become %', coalesce(before, 'unknown'), NEW.state
		USING ERRCODE = 'ZZ004';
END $$;
CREATE TRIGGER request_event_move BEFORE INSERT ON zz.request_event FOR EACH ROW
	EXECUTE FUNCTION zz.request_event_move();

-- jti is unique a kid, over requests and approvals.
CREATE FUNCTION zz.request_jti() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	IF EXISTS (SELECT FROM zz.approval a WHERE a.kid = NEW.kid AND a.jti = NEW.jti) THEN
		RAISE EXCEPTION 'an approval has this kid and jti' USING ERRCODE = 'unique_violation';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER request_jti BEFORE INSERT ON zz.request FOR EACH ROW EXECUTE FUNCTION zz.request_jti();

CREATE FUNCTION zz.approval_four_eyes() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	IF EXISTS (SELECT FROM zz.request r WHERE r.id = NEW.request AND (r.kid = NEW.kid OR r.sender = NEW.person)) THEN
		RAISE EXCEPTION 'an approval comes from another person and another key' USING ERRCODE = 'ZZ005';
	END IF;
	IF EXISTS (SELECT FROM zz.request r WHERE r.kid = NEW.kid AND r.jti = NEW.jti) THEN
		RAISE EXCEPTION 'a request has this kid and jti' USING ERRCODE = 'unique_violation';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER approval_four_eyes BEFORE INSERT ON zz.approval FOR EACH ROW EXECUTE FUNCTION zz.approval_four_eyes();

-- A pending entry ends once: appended or void.
CREATE FUNCTION zz.log_pending_once() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	IF EXISTS (SELECT FROM zz.log_pending_done d WHERE d.pending = NEW.pending)
	   OR EXISTS (SELECT FROM zz.log_pending_void v WHERE v.pending = NEW.pending) THEN
		RAISE EXCEPTION 'the pending entry is appended or void already' USING ERRCODE = 'unique_violation';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER log_pending_once BEFORE INSERT ON zz.log_pending_done FOR EACH ROW
	EXECUTE FUNCTION zz.log_pending_once();
CREATE TRIGGER log_pending_once BEFORE INSERT ON zz.log_pending_void FOR EACH ROW
	EXECUTE FUNCTION zz.log_pending_once();

DO $$
DECLARE
	t record;
BEGIN
	FOR t IN SELECT g.tgname, c.relname FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid
		WHERE c.relnamespace = 'zz'::regnamespace AND NOT g.tgisinternal LOOP
		EXECUTE format('ALTER TABLE zz.%I ENABLE ALWAYS TRIGGER %I', t.relname, t.tgname);
	END LOOP;
END $$;
