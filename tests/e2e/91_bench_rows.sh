#!/usr/bin/env bash
# zz-bench measures an instance from inside: its commands run, count what the database counts, and leave nothing behind.
. "$(dirname "$0")/lib.sh"

row() { # row NAME: what was measured, of the JSON in $work/json
	/usr/bin/python3 -c 'import json, sys
rows = {r["name"]: r for r in json.load(open(sys.argv[1]))["rows"]}
print(rows[sys.argv[2]]["measured"])' "$work/json" "$1"
}

instance_start main --no-demo
# Bounded by what was counted, not by how fast: a test measures nothing. Exit 1: a goal was missed, which is no failure.
measured() { # measured COMMAND [OPTION...]: its rows in $work/json
	local code=0
	zz-bench "$@" --dir "$dir" --seconds 1 --json "$work/json" >"$work/table" 2>&1 || code=$?
	expect "zz-bench $1 measures an instance" 0 test $code -le 1 || cat "$work/table"
	same "its audit finds nothing" 0.0 "$(row audit_after)"
}
measured fill --certificates 3000
same "as many are there as were asked for" t "$(sql "SELECT count(*) BETWEEN 2990 AND 3100 FROM zz.certificate")"
measured fill --certificates 3000
expect "what is full is not filled again" 1 grep -q fill_per_second "$work/json"
measured issue
expect "a certificate costs more than nothing, and so do its parts" 0 /usr/bin/python3 -c "import sys
sys.exit(not all(x > 1 for x in ($(row issue_us), $(row sign_us), $(row verify_us), $(row insert_us), $(row pgbench_per_second))))"
same "the database beside it is gone" 0 "$(sql "SELECT count(*) FROM pg_database WHERE datname = 'zz_bench'")"
measured lookup
measured tree
expect "the table has the row" 0 grep -q "10 million leaves" "$work/table"
# negative control: a tree that is not the published one
checkpoint=$dir/public/log/checkpoint
sed -E '3s/^./#/;3s/#/A/' "$checkpoint" >"$work/checkpoint" && sed -E '3s/^./#/;3s/#/B/' "$checkpoint" >"$work/checkpoint2"
cmp -s "$work/checkpoint" "$checkpoint" && mv "$work/checkpoint2" "$work/checkpoint"
service_signal stop issuer-publish
cp -p "$checkpoint" "$work/kept" && cp "$work/checkpoint" "$checkpoint"
expect "a tree with another root is told" 4 zz-bench tree --dir "$dir"
cp -p "$work/kept" "$checkpoint"
service_signal cont issuer-publish
expect "an instance that is not there is told" 4 zz-bench tree --dir "$work/none"
