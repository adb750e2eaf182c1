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

# Bounded by what was counted, not by how fast: a test measures nothing. Exit 1: a goal was missed, which is no failure.
measured() { # measured COMMAND [OPTION...]: its rows in $work/json
	local code=0
	zz-bench "$@" --dir "$dir" --seconds 1 --json "$work/json" >"$out" 2>&1 || code=$?
	expect "zz-bench $1 measures an instance" 0 test $code -le 1
	same "its audit finds nothing" 0.0 "$(row audit_after)"
}
measured fill --certificates 3000
same "as many are there as were asked for" t "$(sql "SELECT count(*) BETWEEN 2800 AND 3100 FROM zz.certificate")"
measured fill --certificates 3000
expect "what is full is not filled again" 1 grep -q fill_per_second "$work/json"
measured issue
expect "a certificate costs more than nothing, and so do its parts" 0 /usr/bin/python3 -c "import sys
sys.exit(not all(x > 1 for x in ($(row issue_us), $(row sign_us), $(row verify_us), $(row insert_us), $(row pgbench_per_second))))"
same "the database beside it is gone" 0 "$(sql "SELECT count(*) FROM pg_database WHERE datname = 'zz_bench'")"
measured lookup
measured tree
has "the goal, the measure and the ratio are there" "10 million leaves"
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
