"""One psql of the database's superuser, who changes a table and takes it back."""
import os
import pathlib
import re
import subprocess


class Server:
    """Each script ends with a mark."""

    def __init__(self, instance):
        user, prefix = "postgres", []
        if os.getuid() == 0:
            prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
        else:
            user = os.environ.get("USER") or os.environ["LOGNAME"]
        binary = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/psql"), key=lambda p: int(p.parts[4]))[-1]
        self.p = subprocess.Popen([*prefix, str(binary), "-X", "-q", "-A", "-t", "-h", os.path.realpath(instance / "run") + "/pg",
                                   "-d", "zz", "-U", user], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, cwd="/")
        self.run("SET synchronous_commit = off")  # all is taken back: nothing need outlive a crash

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
            raise SystemExit("not ok the superuser's script runs\n# " + script[:600] + "\n# " + "\n# ".join(bad))
        return lines


class Tables:
    """The tables of schema zz as the catalogue has them, each with a copy in schema kept."""

    def __init__(self, pg):
        self.pg = pg
        of_zz = "relnamespace = 'zz'::regnamespace AND relkind = 'r'"
        self.names = pg.good(f"SELECT relname FROM pg_class WHERE {of_zz} ORDER BY 1")
        self.columns, self.keys, self.triggers, self.identity = ({t: [] for t in self.names} for _ in range(4))
        for line in pg.good("SELECT c.relname, a.attname, format_type(a.atttypid, -1), coalesce(a.attnum = ANY(i.indkey), false),"
                            " a.attidentity <> '' FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
                            " LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary"
                            f" WHERE {of_zz} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attnum"):
            table, column, kind, key, identity = line.split("|")
            self.columns[table].append((column, kind))
            if key == "t":
                self.keys[table].append(column)
            if identity == "t":
                self.identity[table].append(column)
        for line in pg.good("SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
                            f" WHERE {of_zz} AND NOT t.tgisinternal"):
            table, name = line.split("|")
            self.triggers[table].append(name)
        pg.good("DROP SCHEMA IF EXISTS kept CASCADE; CREATE SCHEMA kept;"
                + "".join(f"CREATE TABLE kept.{t} AS TABLE zz.{t};" for t in self.names))

    def rows(self, table, kind):
        """One row of each kind: the kind, and the condition that finds the row as `e`."""
        found = " || ' AND ' || ".join(f"format('e.%I = %L', '{k}', e.{k})" for k in self.keys[table])
        return [tuple(line.split("\t")) for line in self.pg.good(
            f"SELECT DISTINCT ON (k) k || chr(9) || c FROM (SELECT coalesce(({kind})::text, '-') AS k, {found} AS c,"
            f" e.ctid AS at FROM zz.{table} e) x ORDER BY k, at")]

    def unguarded(self, table, script):
        """As a superuser does it: without triggers and identity, and they are back when he is done."""
        identity = "".join(f"ALTER TABLE zz.{table} ALTER COLUMN {c} SET GENERATED {{}};" for c in self.identity[table])
        return (f"BEGIN; ALTER TABLE zz.{table} DISABLE TRIGGER ALL; {identity.format('BY DEFAULT')} {script};"
                f"ALTER TABLE zz.{table} ENABLE TRIGGER ALL;"
                + "".join(f"ALTER TABLE zz.{table} ENABLE ALWAYS TRIGGER {t};" for t in self.triggers[table])
                + identity.format("ALWAYS") + "COMMIT;")

    def change(self, table, script):
        """Constraints that stand in the way go: their definitions, to be made again."""
        gone = []
        while True:
            drop = "".join(f"ALTER TABLE zz.{table} DROP CONSTRAINT {name};" for name, _ in gone)
            error = next((line for line in self.pg.run(self.unguarded(table, drop + script)) if line.startswith("ERROR")), None)
            if error is None:
                return gone
            self.pg.run("ROLLBACK")
            name = re.search(r'constraint "(\w+)"', error)
            null = re.search(r'null value in column "(\w+)"', error)
            if name is None or null or any(name[1] == n for n, _ in gone):
                raise SystemExit(f"not ok the superuser changes {table}\n# {script}\n# {error}")
            definition = self.pg.good(f"SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = '{name[1]}'"
                                      f" AND conrelid = 'zz.{table}'::regclass")
            gone.append((name[1], definition[0]))

    def restore(self, table, gone):
        """Only rows that differ, so that the tables do not fill with dead ones; without a key a row may be there twice."""
        self.pg.good(self.unguarded(
            table, (f"DELETE FROM zz.{table};" if gone else
                    f"DELETE FROM zz.{table} e WHERE e::text NOT IN (SELECT k::text FROM kept.{table} k);")
            + f"INSERT INTO zz.{table} OVERRIDING SYSTEM VALUE SELECT * FROM kept.{table} k WHERE k::text NOT IN (SELECT e::text FROM zz.{table} e);"
            + "".join(f"ALTER TABLE zz.{table} ADD CONSTRAINT {n} {d};" for n, d in gone)))

    def truncate(self, table):
        """Alone: what refers to it stays, and is made to refer to it again."""
        keys = [line.split("|") for line in self.pg.good(
            "SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint"
            f" WHERE contype = 'f' AND confrelid = 'zz.{table}'::regclass")]
        self.pg.good(self.unguarded(
            table, "".join(f"ALTER TABLE {other} DROP CONSTRAINT {name};" for other, name, _ in keys) + f"TRUNCATE zz.{table};"
            + "".join(f"ALTER TABLE {other} ADD CONSTRAINT {name} {d} NOT VALID; UPDATE pg_constraint SET convalidated = true"
                      f" WHERE conname = '{name}';" for other, name, d in keys)))

    def differs(self, table):
        """How many rows are not as they were."""
        return int(self.pg.good(f"SELECT count(*) FROM (SELECT * FROM zz.{table} EXCEPT ALL SELECT * FROM kept.{table}) x")[0])
