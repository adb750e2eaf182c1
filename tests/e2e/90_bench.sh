#!/usr/bin/env bash
# zz-bench runs, measures what it says it measures, and says no where it cannot: small numbers, since a test measures nothing.
. "$(dirname "$0")/lib.sh"

row() { # row NAME: what was measured, of the JSON in $work/json
	/usr/bin/python3 -c 'import json, sys
rows = {r["name"]: r for r in json.load(open(sys.argv[1]))["rows"]}
print(rows[sys.argv[2]]["measured"])' "$work/json" "$1"
}

instance_start
revoke() {
	zz-bench revoke --url "$url" --key "$dir/keys/330106-01.pem" --official "$dir/keys/official-li.pem" "$@"
}

expect "the status of 100,000 certificates is made and fetched" 0 \
	bash -c 'zz-bench status --certificates 100000 --json >"$1"' - "$work/json"
has "the table has the goals" "< 1500"
same "there is one list" 1.0 "$(row lists)"
expect "nothing is left behind" 1 bash -c 'ls -d "${TMPDIR:-/tmp}"/zz-bench-* 2>/dev/null | grep .'
expect "too few certificates are a usage error" 2 zz-bench status --certificates 10

revoke --approver "$dir/keys/official-wang.pem" --revocations 20 --revoked 20000 --json >"$work/json" 2>"$out"
code=$?
# 1: a goal was missed; the ratio of so few, beside other work, may be
expect "twenty revocations come out under load" 0 test $code -le 1
expect "within a minute" 0 /usr/bin/python3 -c "import sys; sys.exit($(row p99_s) >= 60)"
same "all twenty were seen" 20.0 "$(row revocations)"
expect "the head was really published" 0 test "$(row heads)" != 0.0
expect "20 certificates are revoked in the database" 0 \
	test "$(sql "SELECT count(*) FROM zz.certificate WHERE status = 1")" -ge 20
# negative control: one person's two signatures revoke nothing, and nothing is measured
revoke --approver "$dir/keys/official-li.pem" --revocations 10 --revoked 1000 >"$out" 2>&1
same "the same official twice ends the run" 4 $?
