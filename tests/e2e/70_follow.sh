#!/usr/bin/env bash
# Certificates that follow others: renewal, review, replacement, and what stands in their way.
. "$(dirname "$0")/lib.sh"
instance_start instance --no-demo
/usr/bin/python3 "$top/tests/e2e/follow.py" "$dir" "$url" || failures=1
same "a ban ends on the day after three years" "t" "$(sql "SELECT bool_and(ban_until = (date '1970-01-01' + ban_until) - date '1970-01-01'
	AND date '1970-01-01' + ban_until = (now() AT TIME ZONE 'Asia/Shanghai')::date + interval '3 years 1 day')
	FROM zz.certificate_event WHERE ban_until IS NOT NULL")"
log_is_whole "at the end"
try_for 30 zz-verify sync --url "$url" --root "$dir/trust/root.pub" --state "$work/verifier"
expect "the published lists can be fetched and hold together" 0 \
	zz-verify sync --url "$url" --root "$dir/trust/root.pub" --state "$work/verifier"
audit_finds_nothing "at the end"
