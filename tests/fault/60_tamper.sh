#!/usr/bin/env bash
# Someone with all rights on the database, or on the public folder, changes one thing: zz-audit names it (tamper.py).
. "$(dirname "$0")/../e2e/lib.sh"
instance_start instance --no-demo
life() { /usr/bin/python3 tests/fault/tamper/life.py "$dir" "$url" "$1" || failures=$((failures + 1)); }
waits() { # pending entries that are neither in the log nor void
	sql "SELECT count(*) FROM zz.log_pending p WHERE NOT EXISTS (SELECT FROM zz.log_pending_done d WHERE d.pending = p.id)
		AND NOT EXISTS (SELECT FROM zz.log_pending_void v WHERE v.pending = p.id)"
}
published() { # all of the log, and a list that covers the newest change
	[ "$(sed -n 2p "$dir/public/log/checkpoint")" = "$(sql 'SELECT size FROM zz.log_head')" ] && [ "$(waits)" = 0 ] &&
		[ "$(sql "SELECT max(v.idx) < (SELECT max(e.idx) FROM zz.log_entry e
			WHERE substring(e.entry, 2, 2) = '\\x0103') FROM zz.certificate_event v")" = t ]
}
at_rest() { [ "$(waits)" = 0 ]; }
settled() { # the audit remembers what nothing that is under way may still come before
	[ "$(sql "SELECT max(p.created_at) + 11 < extract(epoch FROM clock_timestamp()) FROM zz.log_pending p
		JOIN zz.log_pending_void v ON v.pending = p.id")" = t ]
}
lapsed() { [ "$(sql "SELECT count(*) FROM zz.request_event WHERE state = 'lapsed'")" = 1 ]; }

# an entry that came too late, as its maker leaves it behind
sql "WITH p AS (INSERT INTO zz.log_pending (entry, note, tag, created_at) SELECT entry, note,
	decode(repeat('5a', 16), 'hex'), created_at FROM zz.log_pending WHERE substring(entry, 2, 2) = '\\x0105' RETURNING id)
	INSERT INTO zz.log_pending_void (pending, why) SELECT id, 'entry_stale' FROM p"
life one
try_for 20 published || fail "the first part is published"
life two
/usr/bin/python3 tests/e2e/decide.py roster "$dir/trust/roster.jws" "$dir/keys/root.pem" '{"revoke": 3}' >"$work/roster.jws" &&
	cp "$work/roster.jws" "$dir/trust/roster.jws"
expect "a roster that asks for three" 0 zz-admin roster --config "$dir/zz.conf" --wait 20
life three
# whoever starts lapses at once what is over
service_signal term issuerd
services_up
try_for 20 lapsed || fail "what nobody decided has lapsed"
try_for 20 published || fail "all is published"
audit=(zz-audit --config "$dir/zz.conf" --journal "$dir/signer" --pepper "$dir/keys/pepper")
expect "a running instance: nothing differs" 0 "${audit[@]}"
expect "nor by what is served" 0 "${audit[@]}" --public "$url"
service_signal term issuer-publish
try_for 10 at_rest || fail "nothing waits"
for name in issuerd ca-signer; do service_signal term $name; done

try_for 15 settled || fail "the void entry is old enough"
/usr/bin/python3 tests/fault/tamper/tamper.py "$dir" "$work/audit.state" "${audit[@]}" || failures=$((failures + 1))
expect "what was audited is remembered" 0 "${audit[@]}" --state "$work/state"
expect "and the next audit begins there" 0 "${audit[@]}" --state "$work/state"
expect "a state that was changed is refused" 3 bash -c "sed -i 's/[0-9]\$/x/' '$work/state'; ${audit[*]} --state '$work/state'"
expect "without a database it does not finish" 3 bash -c "sed 's|^audit_database.*|audit_database = host=/nowhere|' \
	'$dir/zz.conf' >'$work/none.conf'; zz-audit --config '$work/none.conf'"
