#!/usr/bin/env bash
# The parts of zz-bench that stand beside an instance, not in its database: lists, suites, nginx. A test measures nothing.
. "$(dirname "$0")/lib.sh"

row() { # row NAME: what was measured, of the JSON in $work/json
	/usr/bin/python3 -c 'import json, sys
rows = {r["name"]: r for r in json.load(open(sys.argv[1]))["rows"]}
print(rows[sys.argv[2]]["measured"])' "$work/json" "$1"
}

instance_start main --no-demo
measured() { # measured COMMAND: its rows in $work/json; exit 1: a goal was missed, which is no failure
	local code=0
	TMPDIR=$work zz-bench "$1" --dir "$dir" --seconds 1 --json "$work/json" >"$work/table" 2>&1 || code=$?
	expect "zz-bench $1 runs" 0 test $code -le 1 || cat "$work/table"
}
above_zero() { # above_zero NAME ROW...
	local name=$1 rows
	shift
	rows=$(for i in "$@"; do row "$i"; done | tr '\n' ,)
	expect "$name" 0 /usr/bin/python3 -c "import sys; sys.exit(not all(x > 0 for x in ($rows)))"
}

measured lists
same "all lists are made, and of one changed bit one" "48.0 1.0" "$(row lists) $(row lists_of_a_bit)"
above_zero "each way has its cost and its size" lists_cpu_s lists_mb lists_6_cpu_s lists_6_mb lists_9_cpu_s lists_9_mb lists_bit_cpu_ms

measured suites
above_zero "three suites sign and verify" es256_all_per_second ed25519_all_per_second sm2_all_per_second sm2_sign_us sm2_verify_us
expect "and what is not measured without an SM2 instance is told" 0 grep -q 'tools/up .*--suite sm2' "$work/table"

measured edge
above_zero "nginx by our template and alone serve files" edge_small_per_second edge_small_alone edge_tiles_per_second edge_tiles_alone
expect "negative control: without public files there is no rate" 1 tools/nginx-rate "$work" 1 1
expect "no nginx of the measurement is left" 1 pgrep -f "nginx.*$work/zz-nginx"
