"""What each role of the service may do, tried on every table and column that the catalogue has: everything that is not a
right of its own is refused by GRANT, and what it may change, a trigger lets it change by legal moves only."""

ROLES = ("zz_issuer", "zz_publish", "zz_admin", "zz_audit")
# the only columns that anybody updates
UPDATES = {(role, table, column) for role in ("zz_issuer", "zz_admin")
           for table, column in (("certificate", "status"), ("log_head", "size"), ("log_head", "time"))}
# the only tables that anybody adds to; certificates without their status, which begins as 0
INSERTS = {
    "zz_issuer": {"request", "request_event", "request_list", "approval", "log_entry", "certificate", "certificate_event",
                  "log_pending_done", "log_pending_void"},
    "zz_publish": {"publication", "log_pending", "log_pending_void"},
    "zz_admin": {"roster", "manifest", "log_pending", "log_entry", "certificate", "certificate_event", "log_pending_done"},
    "zz_audit": set(),
}
MOVES = {(0, 1), (0, 2), (0, 3), (2, 0), (2, 1), (2, 2), (2, 3)}


def attempts(t, another):
    """(name, SQL) of everything that is tried: of each column the value that it has, another, and one that reads nothing."""
    for table in t.names:
        for column, kind in t.columns[table]:
            fixed = column in t.identity[table]
            yield f"update {table} {column}", f"UPDATE zz.{table} e SET {column} = " + ("DEFAULT" if fixed else column)
            yield f"update {table} {column}", f"UPDATE zz.{table} SET {column} = " + ("DEFAULT" if fixed else "NULL")
            if not fixed:
                yield f"update {table} {column}", f"UPDATE zz.{table} e SET {column} = {another(table, column, kind)}"
        names = [c for c, _ in t.columns[table] if c not in t.identity[table] and (table, c) != ("certificate", "status")]
        yield f"insert {table}", f"INSERT INTO zz.{table} ({', '.join(names)}) SELECT {', '.join(names)} FROM zz.{table} LIMIT 1"
        yield f"delete {table}", f"DELETE FROM zz.{table}"
        yield f"truncate {table}", f"TRUNCATE zz.{table} CASCADE"


def tried(pg, t, another):
    """(role, SQLSTATE, name) of each attempt; all are taken back. ZZ999: it went through."""
    script = "CREATE TEMP TABLE got (who text, code text, name text); GRANT ALL ON got TO PUBLIC;"
    for role in ROLES:
        body = "".join(
            f"BEGIN EXECUTE $q${sql}$q$; RAISE SQLSTATE 'ZZ999'; EXCEPTION WHEN OTHERS THEN"
            f" INSERT INTO got VALUES ('{role}', SQLSTATE, '{name}'); END;" for name, sql in attempts(t, another))
        script += f"SET ROLE {role}; DO $do$ BEGIN {body} END $do$; RESET ROLE;"
    return [line.split("|") for line in pg.good(script + "SELECT DISTINCT who, code, name FROM got ORDER BY 1, 3; DROP TABLE got")]


def beyond(got):
    """What a role may try and has no right to, and what it has a right to and may not."""
    for who, code, name in got:
        verb, table, *column = name.split()
        right = (who, table, *column) in UPDATES if verb == "update" else verb == "insert" and table in INSERTS[who]
        if right != (code != "42501"):  # insufficient_privilege
            yield f"{who} {name}: {code}"


def run(pg, t, another, say):
    got = tried(pg, t, another)
    want = {(role, name) for role in ROLES for name, _ in attempts(t, another)}
    say({(who, name) for who, _, name in got} == want, "each role is tried on each table and column", f"{len(got)} of {len(want)}")
    more = list(beyond(got))
    say(not more, "no role may change, add, delete or truncate what is not its own", "\n".join(more))
    # moves of status are tried one by one below
    more = [f"{who} {name}" for who, code, name in got if code == "ZZ999" and name != "update certificate status"]
    say(not more, "nothing that is there is changed, added twice or taken away", "\n".join(more))
    pg.good("GRANT UPDATE (exp) ON zz.request TO zz_publish; GRANT DELETE ON zz.approval TO zz_audit")
    more = [x.rpartition(":")[0] for x in beyond(tried(pg, t, another))]
    say(more == ["zz_audit delete approval", "zz_publish update request exp"],
        "negative control: a right too many is seen", "\n".join(more))
    pg.good("REVOKE UPDATE (exp) ON zz.request FROM zz_publish; REVOKE DELETE ON zz.approval FROM zz_audit")
    moves(pg, say)


def moves(pg, say):
    """Each status to each other; and a status is not given at the start."""
    script = "CREATE TEMP TABLE moved (who text, was int, now int); GRANT ALL ON moved TO PUBLIC;"
    for role in ROLES:
        script += (f"SET ROLE {role}; DO $do$ DECLARE c record; BEGIN"
                   " FOR c IN SELECT x.status, x.serial, n FROM (SELECT DISTINCT ON (status) status, serial FROM zz.certificate) x,"
                   " generate_series(0, 3) n LOOP BEGIN UPDATE zz.certificate SET status = c.n WHERE serial = c.serial;"
                   f" RAISE SQLSTATE 'ZZ999'; EXCEPTION WHEN SQLSTATE 'ZZ999' THEN INSERT INTO moved VALUES ('{role}', c.status, c.n);"
                   " WHEN OTHERS THEN NULL; END; END LOOP; END $do$; RESET ROLE;")
    got = {tuple(line.split("|")) for line in pg.good(script + "SELECT * FROM moved")}
    want = {(role, str(was), str(now)) for role in ("zz_issuer", "zz_admin") for was, now in MOVES}
    say(got == want, "a status makes the legal moves and no other", f"too many {sorted(got - want)}\ntoo few {sorted(want - got)}")
    script = ""
    for role in ("zz_issuer", "zz_admin"):
        script += (f"SET ROLE {role}; INSERT INTO zz.certificate SELECT * FROM zz.certificate LIMIT 1; RESET ROLE;")
    lines = pg.run(script)
    say(len([x for x in lines if "permission denied" in x]) == 2, "nobody says with which status a certificate begins", "\n".join(lines))
