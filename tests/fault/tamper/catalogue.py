"""What a superuser may do to tables, triggers, privileges and roles rather than to rows: zz-audit names the object."""

APPROVAL = "ALTER TABLE zz.approval"


def run(pg, t, audited, say):
    body = pg.good("SELECT translate(encode(convert_to(pg_get_functiondef('zz.is_logged()'::regprocedure), 'UTF8'), 'hex'), E'\\n', '')")
    is_logged = bytes.fromhex("".join(body)).decode()
    always = "".join(f"{APPROVAL} ENABLE ALWAYS TRIGGER {name};" for name in t.triggers["approval"])
    for name, do, undo, word in [
        ("a trigger switched off", "ALTER TABLE zz.certificate DISABLE TRIGGER certificate_move",
         "ALTER TABLE zz.certificate ENABLE ALWAYS TRIGGER certificate_move", "certificate_move"),
        ("a trigger that is not always on", f"{APPROVAL} ENABLE TRIGGER append_only",
         f"{APPROVAL} ENABLE ALWAYS TRIGGER append_only", "enabled O"),
        ("a trigger dropped", "DROP TRIGGER no_truncate ON zz.approval", "CREATE TRIGGER no_truncate BEFORE TRUNCATE ON zz.approval"
         f" FOR EACH STATEMENT EXECUTE FUNCTION zz.append_only(); {APPROVAL} ENABLE ALWAYS TRIGGER no_truncate", "missing"),
        ("a foreign key switched off", f"{APPROVAL} DISABLE TRIGGER ALL", f"{APPROVAL} ENABLE TRIGGER ALL;{always}", "foreign key"),
        ("a privilege given", "GRANT UPDATE ON zz.request TO zz_issuer", "REVOKE UPDATE ON zz.request FROM zz_issuer", "UPDATE"),
        ("a privilege on a column given", "GRANT UPDATE (exp) ON zz.certificate TO zz_publish",
         "REVOKE UPDATE (exp) ON zz.certificate FROM zz_publish", "certificate.exp"),
        ("a privilege given to all", "GRANT SELECT ON zz.certificate TO PUBLIC", "REVOKE SELECT ON zz.certificate FROM PUBLIC", "PUBLIC"),
        ("a privilege taken", "REVOKE SELECT ON zz.certificate FROM zz_publish", "GRANT SELECT ON zz.certificate TO zz_publish", "missing"),
        ("a role that belongs to another", "GRANT zz_owner TO zz_issuer", "REVOKE zz_owner FROM zz_issuer", "member zz_issuer"),
        ("a role above all", "ALTER ROLE zz_issuer SUPERUSER", "ALTER ROLE zz_issuer NOSUPERUSER", "super true"),
        ("a rule dropped", "ALTER TABLE zz.request_event DROP CONSTRAINT request_event_check",
         "ALTER TABLE zz.request_event ADD CONSTRAINT request_event_check CHECK (cardinality(seat) = cardinality(outcome))", "missing"),
        ("a function that refuses nothing", "CREATE OR REPLACE FUNCTION zz.is_logged() RETURNS trigger LANGUAGE plpgsql"
         " AS 'BEGIN RETURN NULL; END'", is_logged, "is_logged"),
        ("a rewrite rule", "CREATE RULE quiet AS ON INSERT TO zz.approval DO INSTEAD NOTHING", "DROP RULE quiet ON zz.approval", "quiet"),
        ("a table of one's own", "CREATE TABLE zz.mine (x int)", "DROP TABLE zz.mine", "zz.mine"),
        ("another owner", f"{APPROVAL} OWNER TO zz_issuer", f"{APPROVAL} OWNER TO zz_owner; REVOKE ALL ON zz.approval FROM zz_issuer;"
         " GRANT SELECT, INSERT ON zz.approval TO zz_issuer", "owner zz_issuer"),
        ("a setting of a role", "ALTER ROLE zz_issuer SET synchronous_commit = off", "ALTER ROLE zz_issuer RESET synchronous_commit",
         "synchronous_commit"),
        ("a column that nothing covers", "ALTER TABLE zz.request ADD COLUMN note text", "ALTER TABLE zz.request DROP COLUMN note",
         "no check covers this column"),
    ]:
        pg.good(do)
        code, out = audited()
        say(code == 2 and word in out and out.startswith("first schema "), f"{name} is named", f"exit {code}: {out[-800:]}")
        pg.good(undo)
