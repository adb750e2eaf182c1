#!/usr/bin/env bash
# Orders by selector and by the thousand: the frozen list, who signs it, and that it all gets done.
. "$(dirname "$0")/lib.sh"
instance_start instance --no-demo
/usr/bin/python3 "$top/tests/e2e/bulk.py" "$dir" "$url" || failures=1
log_is_whole "at the end"
audit_finds_nothing "at the end"
