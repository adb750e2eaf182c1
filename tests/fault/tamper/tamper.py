"""What a superuser of the database may do to it, one thing at a time, and what zz-audit says of it.
tamper.py INSTANCE AUDIT... : AUDIT is the command of the audit, run after each change; prints ok and not ok lines.
The service stands still. Every change is taken back from a copy of the table."""
import os, pathlib, re, subprocess, sys, time

instance, audit = pathlib.Path(sys.argv[1]), sys.argv[2:]
run_dir = os.path.realpath(instance / "run")
failures = 0


def say(good, name, why=""):
    global failures
    print(("ok " if good else "not ok ") + name, flush=True)
    if not good:
        failures += 1
        for line in why.splitlines()[:12]:
            print("# " + line)


class Server:
    """One psql of the superuser; each script ends with a mark."""

    def __init__(self):
        user, prefix = "postgres", []
        if os.getuid() == 0:
            prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
        else:
            user = os.environ.get("USER") or os.environ["LOGNAME"]
        binary = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/psql"), key=lambda p: int(p.parts[4]))[-1]
        self.p = subprocess.Popen(prefix + [str(binary), "-X", "-q", "-A", "-t", "-h", run_dir + "/pg", "-d", "zz", "-U", user],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/")

    def run(self, script):
        self.p.stdin.write(script + "\n;\n\\echo =end=\n")
        self.p.stdin.flush()
        lines = []
        for line in self.p.stdout:
            if line.strip() == "=end=":
                break
            lines.append(line.rstrip("\n"))
        return [line for line in lines if line]

    def good(self, script):
        lines = self.run(script)
        bad = [line for line in lines if line.startswith("ERROR")]
        if bad:
            raise SystemExit("not ok the superuser's script runs\n# " + script[:300] + "\n# " + "\n# ".join(bad))
        return lines


def audited():
    got = subprocess.run(audit, capture_output=True, text=True)
    return got.returncode, got.stdout + got.stderr


pg = Server()
tables = pg.good("SELECT relname FROM pg_class WHERE relnamespace = 'zz'::regnamespace AND relkind = 'r' ORDER BY 1")
columns = {}
for line in pg.good("SELECT c.relname, a.attname, format_type(a.atttypid, -1) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
                    " WHERE c.relnamespace = 'zz'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped"
                    " ORDER BY c.relname, a.attnum"):
    table, column, kind = line.split("|")
    columns.setdefault(table, []).append((column, kind))
triggers = {}
for line in pg.good("SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
                    " WHERE c.relnamespace = 'zz'::regnamespace AND NOT t.tgisinternal"):
    table, name = line.split("|")
    triggers.setdefault(table, []).append(name)
pg.good("DROP SCHEMA IF EXISTS kept CASCADE; CREATE SCHEMA kept;"
        + "".join(f"CREATE TABLE kept.{t} AS TABLE zz.{t};" for t in tables))


def unguarded(table, script):
    """As a superuser does it: without triggers and identity, and they are back when he is done."""
    identity = "ALTER TABLE zz.log_pending ALTER COLUMN id SET GENERATED {};" if table == "log_pending" else ""
    return (f"BEGIN; ALTER TABLE zz.{table} DISABLE TRIGGER ALL; {identity.format('BY DEFAULT')} {script};"
            f"ALTER TABLE zz.{table} ENABLE TRIGGER ALL;"
            + "".join(f"ALTER TABLE zz.{table} ENABLE ALWAYS TRIGGER {t};" for t in triggers[table])
            + identity.format("ALWAYS") + "COMMIT;")


def change(table, script):
    """Constraints that stand in the way go, and come back with the rows: their definitions, to be made again."""
    gone = []
    while True:
        drop = "".join(f"ALTER TABLE zz.{table} DROP CONSTRAINT {name} CASCADE;" for name, _ in gone)
        lines = pg.run(unguarded(table, drop + script))
        error = next((line for line in lines if line.startswith("ERROR")), None)
        if error is None:
            return gone
        pg.run("ROLLBACK")
        name = re.search(r'constraint "(\w+)"', error)
        if name is None or any(name[1] == n for n, _ in gone):
            raise SystemExit(f"not ok the superuser changes {table}\n# {script}\n# {error}")
        definition = pg.good(f"SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = '{name[1]}'"
                             f" AND conrelid = 'zz.{table}'::regclass")
        gone.append((name[1], definition[0]))


def restore(table, gone):
    pg.good(unguarded(table, f"DELETE FROM zz.{table}; INSERT INTO zz.{table} OVERRIDING SYSTEM VALUE SELECT * FROM kept.{table};"
                      + "".join(f"ALTER TABLE zz.{table} ADD CONSTRAINT {n} {d};" for n, d in gone)))


# Another value of each type; and of columns where only some values are possible.
flip = "set_byte({c}, octet_length({c}) / 2, get_byte({c}, octet_length({c}) / 2) # 1)"
by_type = {
    "bytea": flip, "bigint": "{c} + 1", "integer": "{c} + 1", "smallint": "({c} + 1) % 4", "boolean": "NOT {c}",
    "text": "overlay({c} placing CASE right({c}, 1) WHEN 'x' THEN 'y' ELSE 'x' END from greatest(length({c}), 1))",
    "timestamp with time zone": "{c} + interval '1 day'", "integer[]": "array_append({c}[1:cardinality({c}) - 1], 99)",
    "smallint[]": "array_append({c}[1:cardinality({c}) - 1], 3::smallint)",
}
by_column = {
    ("log_entry", "idx"): "{c} + 100000", ("log_head", "id"): "2",
    # the last of a batch: it could begin one of its own
    ("log_entry", "batch"): "idx",
    ("certificate", "status"): "CASE {c} WHEN 0 THEN 1 ELSE 0 END", ("certificate", "idx"): "{c} + 100000",
    ("certificate", "list_idx"): "({c} + 1) % 1048576",
    ("certificate_event", "idx"): "{c} + 100000", ("certificate_event", "reason"): "CASE {c} WHEN 4 THEN 5 ELSE 4 END",
    ("certificate_event", "until"): "coalesce({c}, 1) + 1", ("certificate_event", "serial"): "(SELECT c.serial FROM zz.certificate c ORDER BY c.serial LIMIT 1)",
    ("certificate_event", "ban_until"): "coalesce({c}, 1) + 1",
    ("request", "type"): "CASE {c} WHEN 'issue' THEN 'revoke' ELSE 'issue' END",
    ("request", "received_at"): "{c} + 86400", ("request_event", "at"): "{c} - 86400", ("approval", "received_at"): "{c} + 864000",
    ("request_event", "state"): "CASE {c} WHEN 'executed' THEN 'refused' ELSE 'executed' END",
    ("request_event", "request"): "(SELECT id FROM zz.request r WHERE NOT EXISTS (SELECT FROM zz.request_event x WHERE x.request = r.id AND x.seq = e.seq) LIMIT 1)",
    ("request_event", "code"): "CASE {c} WHEN 'exam_in_future' THEN 'dates_invalid' ELSE 'exam_in_future' END",
    ("request_event", "outcome"): "array_append({c}[1:cardinality({c}) - 1], CASE {c}[cardinality({c})] WHEN 3 THEN 4 ELSE 3 END::smallint)",
    ("log_pending", "id"): "{c} + 100000", ("log_pending_done", "pending"): "{c} + 100000", ("log_pending_done", "idx"): "{c} + 100000",
    ("log_pending_void", "pending"): "{c} + 100000", ("publication", "pending"): "(SELECT max(id) + 1 FROM zz.log_pending)",
    ("log_pending", "created_at"): "{c} + 86400", ("manifest", "created_at"): "{c} + 86400", ("roster", "created_at"): "{c} + 86400",
    ("certificate", "center"): "CASE {c} WHEN '440305-02' THEN '330106-01' ELSE '440305-02' END", ("certificate", "item"): "'030199'",
}
# which row: those with something to lose
where = {
    ("request_event", "seat"): "cardinality(seat) > 0", ("request_event", "outcome"): "cardinality(outcome) > 0",
    ("request_event", "request"): "seq = 2",
    ("request", "session"): "session <> ''", ("request", "center"): "center <> ''", ("certificate_event", "until"): "until IS NOT NULL",
    ("certificate_event", "ban_until"): "ban_until IS NOT NULL", ("certificate_event", "serial"): "status = 1", ("log_entry", "batch"): "EXISTS (SELECT FROM zz.log_entry n WHERE n.idx = e.idx + 1"
    " AND n.batch = n.idx) AND e.batch < e.idx", ("certificate_event", "reason"): "reason IS NOT NULL",
}


# two rows contradict each other and nothing says which is right: both are named
either = {("log_pending", "id"), ("log_pending_done", "pending"), ("log_pending_void", "pending")}


def row_of(table, column):
    condition = where.get((table, column), "true")
    return f"ctid = (SELECT e.ctid FROM zz.{table} e WHERE {condition} ORDER BY e.ctid OFFSET" \
           f" (SELECT count(*) / 2 FROM zz.{table} e WHERE {condition}) LIMIT 1)"


def named(out, table, column=None):
    return any(line.startswith(f"count {table} {column} " if column else f"count {table} ") for line in out.splitlines())


def judge(name, table, column=None):
    code, out = audited()
    first = next((line for line in out.splitlines() if line.startswith("first ")), "")
    say(code == 2 and named(out, table, column), name, f"exit {code}: {out[-1500:]}")
    return first


def each_column():
    elsewhere = []
    for table in tables:
        for column, kind in columns[table]:
            value = by_column.get((table, column), by_type[kind]).format(c=f"e.{column}")
            gone = change(table, f"UPDATE zz.{table} e SET {column} = {value} WHERE {row_of(table, column)}")
            if pg.good(f"SELECT count(*) FROM (SELECT * FROM zz.{table} EXCEPT ALL SELECT * FROM kept.{table}) x") == ["0"]:
                say(False, f"another value in {table}.{column}", "nothing was changed")
            first = judge(f"another value in {table}.{column} is named", table, column)
            if not gone and not first.startswith(f"first {table} ") and (table, column) not in either:
                elsewhere.append(f"{table}.{column} as {first}")
            restore(table, gone)
    say(not elsewhere, "what is named first is in the table that was changed", "\n".join(elsewhere))


def rows_each():
    for table in tables:
        gone = change(table, f"DELETE FROM zz.{table} e WHERE {row_of(table, '')}")
        judge(f"a row deleted from {table} is named", table)
        restore(table, gone)
        gone = change(table, f"DELETE FROM zz.{table}")
        judge(f"all rows gone from {table} is named", table)
        restore(table, gone)
        names = [c for c, _ in columns[table]]
        # a copy of a row under another key
        keys = {
            "log_head": "id = 2", "log_entry": "idx = idx + 100000, batch = idx + 100000", "schema_migration": "version = version + 100",
            "request": "id = " + flip.format(c="id") + ", jti = reverse(jti)", "request_event": "seq = seq + 1",
            "approval": "kid = reverse(kid), person = person || 'x', jti = reverse(jti)",
            "certificate": "idx = idx + 100000, serial = " + flip.format(c="serial") + ", list_idx = (list_idx + 7) % 1048576",
            "certificate_event": "idx = idx + 100000", "log_pending": "id = id + 100000, tag = " + flip.format(c="tag"),
            "log_pending_done": "pending = pending + 100000, idx = idx + 1", "log_pending_void": "pending = pending + 100000",
            "publication": "sequence = sequence + 1, pending = pending + 100000", "manifest": "version = version + 100",
            "roster": "version = version + 100", "request_list": "request = (SELECT r.id FROM zz.request r WHERE r.type = 'issue' LIMIT 1)",
        }[table]
        gone = change(table, f"CREATE TEMP TABLE extra AS SELECT * FROM zz.{table} e WHERE {row_of(table, '')};"
                      f"UPDATE extra SET {keys}; INSERT INTO zz.{table} OVERRIDING SYSTEM VALUE SELECT {', '.join(names)} FROM extra;"
                      "DROP TABLE extra")
        judge(f"a row put into {table} is named", table)
        restore(table, gone)


def swaps():
    for table, column in [("log_entry", "entry"), ("log_entry", "note"), ("certificate", "record"), ("certificate", "serial"),
                          ("certificate", "holder_key"), ("certificate", "list_idx"), ("certificate", "idx"),
                          ("request", "jws"), ("request", "received_at"), ("approval", "jws"), ("certificate_event", "serial"),
                          ("publication", "cwt"), ("log_pending", "entry"), ("log_pending_done", "idx"), ("request_event", "outcome")]:
        # the first two rows whose values differ
        gone = change(table, f"CREATE TEMP TABLE pair AS SELECT a.ctid AS x, b.ctid AS y, a.{column} AS v, b.{column} AS w FROM zz.{table} a,"
                      f" zz.{table} b WHERE a.{column} < b.{column} ORDER BY a.ctid, b.ctid LIMIT 1;"
                      f"ALTER TABLE zz.{table} DROP CONSTRAINT IF EXISTS never;"
                      f"UPDATE zz.{table} e SET {column} = CASE e.ctid WHEN x THEN w ELSE v END FROM pair WHERE e.ctid IN (x, y);"
                      "DROP TABLE pair") if column not in ("serial", "idx", "list_idx") or table != "certificate" else \
            change(table, f"CREATE TEMP TABLE pair AS SELECT * FROM zz.{table} ORDER BY idx LIMIT 2;"
                   f"DELETE FROM zz.{table} WHERE idx IN (SELECT idx FROM pair);"
                   f"UPDATE pair p SET {column} = (SELECT q.{column} FROM kept.{table} q WHERE q.idx IN"
                   f" (SELECT idx FROM kept.{table} ORDER BY idx LIMIT 2) AND q.{column} <> p.{column});"
                   f"INSERT INTO zz.{table} SELECT * FROM pair; DROP TABLE pair")
        if pg.good(f"SELECT count(*) FROM (SELECT * FROM zz.{table} EXCEPT ALL SELECT * FROM kept.{table}) x") != ["2"]:
            say(False, f"two values of {table}.{column} change places", "they did not")
        judge(f"two values of {table}.{column} in each other's place are named", table)
        restore(table, gone)


def catalogue():
    for name, do, undo, word in [
        ("a trigger switched off", "ALTER TABLE zz.certificate DISABLE TRIGGER certificate_move",
         "ALTER TABLE zz.certificate ENABLE ALWAYS TRIGGER certificate_move", "certificate_move"),
        ("a trigger that is not always on", "ALTER TABLE zz.approval ENABLE TRIGGER append_only",
         "ALTER TABLE zz.approval ENABLE ALWAYS TRIGGER append_only", "enabled O"),
        ("a foreign key switched off", "ALTER TABLE zz.approval DISABLE TRIGGER ALL", "ALTER TABLE zz.approval ENABLE TRIGGER ALL;"
         + "".join(f"ALTER TABLE zz.approval ENABLE ALWAYS TRIGGER {t};" for t in triggers["approval"]), "foreign key"),
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
         " AS 'BEGIN RETURN NULL; END'", None, "is_logged"),
        ("a rewrite rule", "CREATE RULE quiet AS ON INSERT TO zz.approval DO INSTEAD NOTHING", "DROP RULE quiet ON zz.approval", "quiet"),
        ("a table of one's own", "CREATE TABLE zz.mine (x int)", "DROP TABLE zz.mine", "zz.mine"),
        ("another owner", "ALTER TABLE zz.approval OWNER TO zz_issuer", "ALTER TABLE zz.approval OWNER TO zz_owner;"
         "REVOKE ALL ON zz.approval FROM zz_issuer; GRANT SELECT, INSERT ON zz.approval TO zz_issuer", "owner zz_issuer"),
        ("a setting of a role", "ALTER ROLE zz_issuer SET synchronous_commit = off", "ALTER ROLE zz_issuer RESET synchronous_commit",
         "synchronous_commit"),
        ("a column that nothing covers", "ALTER TABLE zz.request ADD COLUMN note text", "ALTER TABLE zz.request DROP COLUMN note",
         "no check covers this column"),
    ]:
        if undo is None:
            before = pg.good("SELECT replace(encode(convert_to(pg_get_functiondef('zz.is_logged()'::regprocedure), 'UTF8'), 'base64'), E'\\n', '')")[0]
            import base64
            undo = base64.b64decode(before).decode()
        pg.good(do)
        code, out = audited()
        say(code == 2 and word in out and out.startswith("first schema "), f"{name} is named", f"exit {code}: {out[-800:]}")
        pg.good(undo)


def roles():
    """Each role of the service, each column, each table: what is not in its list is refused."""
    allowed = {("zz_issuer", "certificate", "status"), ("zz_admin", "certificate", "status")} | {
        (role, "log_head", c) for role in ("zz_issuer", "zz_admin") for c in ("size", "time")}
    script = "CREATE TEMP TABLE got (who text, what text, name text); GRANT ALL ON got TO PUBLIC;"
    for role in ("zz_issuer", "zz_publish", "zz_admin", "zz_audit"):
        attempts = []
        for table in tables:
            attempts += [(f"UPDATE zz.{table} SET {c} = " + ("DEFAULT" if (table, c) == ("log_pending", "id") else c), f"{table}.{c}") for c, _ in columns[table]]
            attempts += [(f"DELETE FROM zz.{table}", f"{table} delete"), (f"TRUNCATE zz.{table} CASCADE", f"{table} truncate")]
        body = "".join(
            f"BEGIN EXECUTE '{sql}'; INSERT INTO got VALUES ('{role}', 'done', '{name}');"
            f" EXCEPTION WHEN insufficient_privilege THEN NULL; WHEN OTHERS THEN INSERT INTO got VALUES ('{role}', SQLSTATE, '{name}'); END;"
            for sql, name in attempts)
        script += f"SET ROLE {role}; DO $do$ BEGIN {body} END $do$; RESET ROLE;"
    got = {tuple(line.split("|")) for line in pg.good(script + "SELECT who, what, name FROM got")}
    more = {(who, what, name) for who, what, name in got if (who, *name.split(".")) not in allowed}
    say(not more, "no role of the service may change or delete what is not its to change", str(sorted(more)))
    done = {(who, name) for who, what, name in got if what == "done"}
    say(not done, "what a role may change, a trigger lets it change by legal moves only", str(sorted(done)))


def files():
    public = instance / "public"
    found = [p for p in public.rglob("*") if p.is_file()]

    def one(pattern):
        return sorted(str(p.relative_to(public)) for p in found if re.fullmatch(pattern, str(p.relative_to(public))))[-1]
    for pattern in [r"log/checkpoint", r"log/checkpoints/\d+", r"log/checkpoints/\d+\.cose", r"log/tile/0/000", r"log/tile/entries/000",
                    r"log/tile/0/000\.p/\d+", r"log/tile/entries/000\.p/\d+", r"manifest\.cose", r"status/0", r"status/0\.cwt", r"status/0\.jwt",
                    r"status/head\.cwt", r"status/table/\d+\.cwt", r"status/delta/\S+", r"status/version/\S+", r"crl/0\.crl"]:
        name = one(pattern)
        path, kept = public / name, (public / name).read_bytes()
        path.write_bytes(kept[:len(kept) // 2] + bytes([kept[len(kept) // 2] ^ 1]) + kept[len(kept) // 2 + 1:])
        judge(f"one bit of {pattern.split('|')[0]} is named", "public")
        path.unlink()
        if not pattern.startswith(("log/checkpoints/", "status/version", "status/delta")) and ".p" not in pattern:
            judge(f"{pattern.split('|')[0]} missing is named", "public")
        path.write_bytes(kept)
    path = public / "log" / "names.txt"
    path.write_text("x")
    judge("a file that the service does not write is named", "public")
    path.unlink()


begin = time.time()
code, out = audited()
say(code == 0, "the instance as it is: nothing differs", out[-1500:])
each_column()
rows_each()
swaps()
catalogue()
roles()
files()
pg.good("DROP SCHEMA kept CASCADE")
code, out = audited()
say(code == 0, "everything taken back: nothing differs", out[-1500:])
print(f"# {time.time() - begin:.1f} s")
sys.exit(1 if failures else 0)
