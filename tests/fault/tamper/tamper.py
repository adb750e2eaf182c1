#!/usr/bin/python3
"""What a superuser of the database may do to it, one thing at a time, and what zz-audit says of it; and what the roles of
the service may do. The service stands still.
tamper.py INSTANCE STATE AUDIT... : AUDIT is the command of the audit, run after each change; STATE a file for its memory.
Tables, columns, keys and constraints come from the catalogue: a new one is tried by itself. Of each table one row of each
kind is changed in each column, deleted, put in again under another key, and has each value swapped with another row's.
Every change is taken back from a copy of the table. Prints ok and not ok lines."""
import pathlib
import subprocess
import sys
import time

import catalogue
import files
import roles
from server import Server, Tables

instance, state, audit = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
pg = Server(instance)
t = Tables(pg)
covered = {tuple(line.split()[:2]): line.split()[2] for line in subprocess.run(
    [audit[0], "--columns"], capture_output=True, text=True, check=True).stdout.splitlines()}
failures = 0


def say(good, name, why=""):
    global failures
    print(("ok " if good else "not ok ") + name, flush=True)
    if not good:
        failures += 1
        for line in why.splitlines()[:12]:
            print("# " + line[:300])


def audited(*more):
    got = subprocess.run([*audit, *more], capture_output=True, text=True)
    return got.returncode, got.stdout + got.stderr


# ---- kinds of rows: what may be judged in another way ----

NEWEST = "(SELECT x.state FROM zz.request_event x WHERE x.request = {} ORDER BY x.seq DESC LIMIT 1)"
TYPE = "(SELECT r.type FROM zz.request r WHERE r.id = e.request)"
ENTRY = "encode(substring({}, 3, 1), 'hex')"
kinds = {
    "log_entry": ENTRY.format("e.entry"),
    "request": "e.type || ' ' || " + NEWEST.format("e.id"),
    "request_event": TYPE + " || ' ' || e.seq || ' ' || e.state || CASE WHEN cardinality(e.seat) > 0 THEN ' some' ELSE '' END",
    "approval": f"{TYPE} || ' ' || e.approve || ' ' || " + NEWEST.format("e.request"),
    "certificate": "e.status || CASE WHEN EXISTS (SELECT FROM zz.certificate_event v WHERE v.idx = e.idx + 1 AND v.status = 3)"
                   " THEN ' follows' ELSE '' END",
    "certificate_event": "concat_ws(' ', e.status, e.reason, e.until IS NULL, e.ban_until IS NULL)",
    "log_pending": ENTRY.format("e.entry") + " || CASE WHEN EXISTS (SELECT FROM zz.log_pending_void v WHERE v.pending = e.id)"
                   " THEN ' void' ELSE '' END",
    "log_pending_done": f"(SELECT {ENTRY.format('p.entry')} FROM zz.log_pending p WHERE p.id = e.pending)",
    "request_list": NEWEST.format("e.request"), "manifest": "e.version", "roster": "e.version", "schema_migration": "e.version",
    "publication": "CASE e.sequence WHEN (SELECT max(p.sequence) FROM zz.publication p) THEN 'last'"
                   " WHEN (SELECT min(p.sequence) FROM zz.publication p) THEN 'first' ELSE '' END",
}
rows = {table: t.rows(table, kinds.get(table, "''")) for table in t.names}

# ---- another value: of a type, of columns where only some values are possible, of a kind ----

FLIP = "set_byte({c}, octet_length({c}) / 2, get_byte({c}, octet_length({c}) / 2) # 1)"
by_type = {
    "bytea": FLIP, "bigint": "coalesce({c}, 1) + 1", "integer": "coalesce({c}, 1) + 1", "smallint": "(coalesce({c}, 3) + 1) % 4",
    "boolean": "NOT {c}", "timestamp with time zone": "{c} + interval '1 day'",
    "text": "overlay({c} placing CASE right({c}, 1) WHEN 'x' THEN 'y' ELSE 'x' END from greatest(length({c}), 1))",
    "integer[]": "array_append({c}[1:cardinality({c}) - 1], 99)", "smallint[]": "array_append({c}[1:cardinality({c}) - 1], 3::smallint)",
}
FAR = "{c} + 100000"
by_column = {
    ("log_entry", "idx"): FAR, ("log_head", "id"): "2", ("log_entry", "batch"): "CASE e.batch WHEN e.idx THEN e.idx - 1 ELSE e.idx END",
    ("certificate", "status"): "CASE {c} WHEN 0 THEN 1 ELSE 0 END", ("certificate", "idx"): FAR,
    ("certificate", "center"): "CASE {c} WHEN '440305-02' THEN '330106-01' ELSE '440305-02' END", ("certificate", "item"): "'030199'",
    ("certificate", "list_idx"): "({c} + 1) % 1048576",
    ("certificate_event", "idx"): FAR, ("certificate_event", "reason"): "CASE {c} WHEN 4 THEN 5 ELSE 4 END",
    ("certificate_event", "serial"): "(SELECT c.serial FROM zz.certificate c WHERE c.serial <> e.serial ORDER BY c.serial LIMIT 1)",
    ("request", "type"): "CASE {c} WHEN 'issue' THEN 'revoke' ELSE 'issue' END",
    ("request", "received_at"): "{c} + 86400", ("request_event", "at"): "{c} - 86400", ("approval", "received_at"): "{c} + 864000",
    ("request_event", "state"): "CASE {c} WHEN 'executed' THEN 'refused' ELSE 'executed' END",
    ("request_event", "code"): "CASE {c} WHEN 'exam_in_future' THEN 'dates_invalid' ELSE 'exam_in_future' END",
    ("request_event", "outcome"): "array_append({c}[1:cardinality({c}) - 1], CASE {c}[cardinality({c})] WHEN 3 THEN 4 ELSE 3 END::smallint)",
    ("log_pending", "id"): FAR, ("log_pending_done", "pending"): FAR, ("log_pending_done", "idx"): FAR,
    ("log_pending_void", "pending"): FAR, ("publication", "pending"): "(SELECT max(id) + 1 FROM zz.log_pending)",
    ("log_pending", "created_at"): "{c} + 86400", ("manifest", "created_at"): "{c} + 86400", ("roster", "created_at"): "{c} + 86400",
}
# a row beside the others
KEYS = {
    "log_head": "id = 2", "log_entry": "idx = idx + 100000, batch = idx + 100000", "schema_migration": "version = version + 100",
    "request": "id = " + FLIP.format(c="id") + ", jti = reverse(jti)", "request_event": "seq = seq + 1",
    "approval": "kid = reverse(kid), person = person || 'x', jti = reverse(jti)",
    "certificate": "idx = idx + 100000, serial = " + FLIP.format(c="serial") + ", list_idx = (list_idx + 7) % 1048576",
    "certificate_event": "idx = idx + 100000", "log_pending": "id = id + 100000, tag = " + FLIP.format(c="tag"),
    "log_pending_done": "pending = pending + 100000, idx = idx + 1", "log_pending_void": "pending = pending + 100000",
    "publication": "sequence = sequence + 1, pending = pending + 100000", "manifest": "version = version + 100",
    "roster": "version = version + 100", "request_list": "request = (SELECT r.id FROM zz.request r WHERE r.type = 'issue' LIMIT 1)",
}


# ---- what cannot be told in one audit, or not which of two columns it was, and why ----

# Nothing signed speaks of it: the approval of a request that was not executed, the end of a request by time, a second
# execution that changed nothing, the tag of an entry that never came into the log. The audit before has seen it (--state).
REMEMBERED = {("approval", None, "revoke true waiting"), ("request_event", None, "revoke 2 lapsed"),
              ("request_event", None, "revoke 2 executed some"), ("log_pending", "tag", "05 void")}
# Two columns contradict each other, and nothing signed says which is right: both are named, one of them first.
PAIRS = {
    ("request", "received_at"): ["request_event at"],  # a request comes at the time of its first state
    ("request_event", "code"): ["request_event state"], ("request_event", "state"): ["request_event code", "request_event at"],
}
# Columns that name a row: whoever misses it may be named first.
LINKS = {"idx", "serial", "request", "pending", "id", "list", "seq"}


def named(out, table, column=None):
    return any(line.startswith(f"count {table} {column} " if column else f"count {table} ") for line in out.splitlines())


def judge(name, table, column=None, *more):
    code, out = audited(*more)
    say(code == 2 and named(out, table, column), name, f"exit {code}: {out[-1500:]}")
    return next((line for line in out.splitlines() if line.startswith("first ")), "")


def another(table, column, kind, what=""):
    return by_column.get((table, column), by_type[kind]).format(c=f"e.{column}")


def others(table, column, kind, what):
    """The values that are tried. A state may come to a request that waits, or to one that is over; a first one cannot."""
    yield "", another(table, column, kind)
    if (table, column) == ("request_event", "request") and " 1 " not in what:
        for over in ("waiting", "refused"):
            yield f", of what is {over}", ("(SELECT r.id FROM zz.request r WHERE " + NEWEST.format("r.id") + f" = '{over}' AND NOT EXISTS"
                                           " (SELECT FROM zz.request_event x WHERE x.request = r.id AND x.seq = e.seq) LIMIT 1)")


def memory(table, column, what):
    return ["--state", state] if (table, column, what) in REMEMBERED else []


elsewhere = []


def first_judge(what, table, column, first):
    word = " ".join(first.split()[1:3])
    if word == f"{table} {column}" or word in PAIRS.get((table, column), []):
        return
    if column not in LINKS and column not in t.keys[table]:
        elsewhere.append(f"{table}.{column} ({what}) as {first}")


def rows_for(table, column):
    """What is compared with the signed bytes of its own row is so in each: two kinds will do."""
    alone = table in ("request", "approval", "certificate") and covered[table, column] == "EXACT" and column != "status"
    return rows[table][:1] + rows[table][-1:] if alone and len(rows[table]) > 2 else rows[table]


def each_column():
    for table in t.names:
        for column, kind in t.columns[table]:
            for what, where in rows_for(table, column):
                for how, value in others(table, column, kind, what):
                    gone = t.change(table, f"UPDATE zz.{table} e SET {column} = {value} WHERE {where}")
                    if t.differs(table) != 1:
                        say(False, f"another value in {table}.{column}, {what}", "nothing was changed")
                    first = judge(f"another value in {table}.{column}, {what}{how}, is named", table, column, *memory(table, column, what))
                    if not gone:
                        first_judge(what, table, column, first)
                    t.restore(table, gone)
    say(not elsewhere, "what is named first is the column that was changed", "\n".join(elsewhere))


def each_row():
    for table in t.names:
        names = ", ".join(c for c, _ in t.columns[table])
        for what, where in rows[table]:
            t.change(table, f"DELETE FROM zz.{table} e WHERE {where}")
            judge(f"a row deleted from {table}, {what}, is named", table, None, *memory(table, None, what))
            t.restore(table, [])
            gone = t.change(table, f"CREATE TEMP TABLE extra AS SELECT * FROM zz.{table} e WHERE {where};"
                            f"UPDATE extra SET {KEYS[table]}; INSERT INTO zz.{table} OVERRIDING SYSTEM VALUE SELECT {names} FROM extra;"
                            "DROP TABLE extra")
            judge(f"a row put into {table}, {what}, is named", table)
            t.restore(table, gone)
        t.truncate(table)
        judge(f"{table} truncated is named", table)
        t.restore(table, [])


def each_swap():
    """Each value of a row against that of another. Where a time is only bound by others, two rows of one day may swap it."""
    for table in t.names:
        names, key = ", ".join(c for c, _ in t.columns[table]), ", ".join(t.keys[table])
        for column, _ in t.columns[table]:
            rest = " OR ".join(f"a.{c} IS DISTINCT FROM b.{c}" for c, _ in t.columns[table] if c != column)
            pair = (f"SELECT a.ctid AS x, b.ctid AS y FROM zz.{table} a, zz.{table} b WHERE a.{column} < b.{column} AND ({rest})"
                    " ORDER BY a.ctid, b.ctid LIMIT 1")
            if covered[table, column] == "BOUND" or pg.good(f"SELECT count(*) FROM ({pair}) p") == ["0"]:
                continue
            gone = t.change(table, f"CREATE TEMP TABLE pair AS SELECT e.* FROM zz.{table} e, ({pair}) p WHERE e.ctid IN (p.x, p.y);"
                            f"CREATE TEMP TABLE other AS TABLE pair; DELETE FROM zz.{table} WHERE ({key}) IN (SELECT {key} FROM other);"
                            f"UPDATE pair e SET {column} = (SELECT o.{column} FROM other o WHERE o.{column} <> e.{column});"
                            f"INSERT INTO zz.{table} OVERRIDING SYSTEM VALUE SELECT {names} FROM pair; DROP TABLE pair, other")
            if t.differs(table) != 2:
                say(False, f"two rows of {table} swap {column}", "nothing was changed")
            judge(f"two rows of {table} swap {column}: it is named", table)
            t.restore(table, gone)


def timed(name, part, *args):
    begin = time.time()
    pg.good("VACUUM")
    part(*args)
    print(f"# {name}: {time.time() - begin:.1f} s", flush=True)


code, out = audited("--state", state)
say(code == 0, "the instance as it is: nothing differs", out[-1500:])
say(all(rows.values()), "each table has rows", str([table for table in t.names if not rows[table]]))
lost = {(table, what) for table, _, what in REMEMBERED} - {(table, what) for table in t.names for what, _ in rows[table]}
say(not lost, "the exceptions are of kinds that are there", str(lost))
timed("columns", each_column)
timed("rows", each_row)
timed("swaps", each_swap)
timed("catalogue", catalogue.run, pg, t, audited, say)
timed("roles", roles.run, pg, t, another, say)
timed("files", files.run, instance / "public", audited, say)
pg.good("DROP SCHEMA kept CASCADE")
code, out = audited()
say(code == 0, "everything taken back: nothing differs", out[-1500:])
sys.exit(1 if failures else 0)
