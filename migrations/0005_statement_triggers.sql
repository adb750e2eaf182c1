-- 0005_statement_triggers.sql - two rules of each row, now asked once a statement: a session of one seat spent as long
-- in them as in its own row. The rules are the same. One look-up by index a row, whatever the statistics say.

-- First waiting, executed or refused; after waiting anything else; approved is under way and ends executed, refused or
-- lapsed; after executed only executed (the second signature of a hold).
DROP TRIGGER request_event_move ON zz.request_event;
CREATE OR REPLACE FUNCTION zz.request_event_move() RETURNS trigger LANGUAGE plpgsql
	SET search_path = pg_catalog SET enable_seqscan = off AS $$
DECLARE
	wrong record;
BEGIN
	SELECT m.before, m.state INTO wrong FROM
		(SELECT a.seq, a.state, CASE WHEN a.seq > 1 THEN
			(SELECT e.state FROM zz.request_event e WHERE e.request = a.request AND e.seq = a.seq - 1) END AS before
		FROM added a) m
	WHERE NOT coalesce(m.seq = 1 AND m.state IN ('waiting', 'executed', 'refused')
		OR m.before = 'waiting' AND m.state <> 'waiting'
		OR m.before = 'approved' AND m.state IN ('executed', 'refused', 'lapsed')
		OR m.before = 'executed' AND m.state = 'executed', false) LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'the request is % and cannot become %', coalesce(wrong.before, 'unknown'), wrong.state
			USING ERRCODE = 'ZZ004';
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER request_event_move AFTER INSERT ON zz.request_event REFERENCING NEW TABLE AS added
	FOR EACH STATEMENT EXECUTE FUNCTION zz.request_event_move();
ALTER TABLE zz.request_event ENABLE ALWAYS TRIGGER request_event_move;

-- jti is unique a kid, over requests and approvals.
DROP TRIGGER request_jti ON zz.request;
CREATE OR REPLACE FUNCTION zz.request_jti() RETURNS trigger LANGUAGE plpgsql
	SET search_path = pg_catalog SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
	IF EXISTS (SELECT FROM added n JOIN zz.approval a ON a.kid = n.kid AND a.jti = n.jti) THEN
		RAISE EXCEPTION 'an approval has this kid and jti' USING ERRCODE = 'unique_violation';
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER request_jti AFTER INSERT ON zz.request REFERENCING NEW TABLE AS added
	FOR EACH STATEMENT EXECUTE FUNCTION zz.request_jti();
ALTER TABLE zz.request ENABLE ALWAYS TRIGGER request_jti;
