#!/usr/bin/env bash
# Who may do what: every role against every route, method and type of request, and whose approvals count (roles.py).
. "$(dirname "$0")/lib.sh"
instance_start instance --no-demo
roles() { /usr/bin/python3 "$top/tests/e2e/roles.py" "$@"; }
next_roster() { # next_roster with|without the key that is to be removed
	roles roster "$dir/keys" "$dir/trust/roster.jws" "$1" >"$work/roster.jws" && cp "$work/roster.jws" "$dir/trust/roster.jws"
	expect "the next roster, $1 it, comes into force" 0 zz-admin roster --config "$dir/zz.conf" --wait 20
}
ask() { zz pending --url "$url" --key "$dir/keys/$1.pem"; }
unknown() { ask "$1" 2>&1 | grep -q 'not on the roster'; }

next_roster with
try_for 10 ask removed || fail "a key that is on the roster may ask"
next_roster without
try_for 10 unknown removed || fail "a key that was removed is not known"
roles run "$url" "$dir/keys" || failures=$((failures + 1))
log_is_whole "after all that"
audit_finds_nothing "at the end"
