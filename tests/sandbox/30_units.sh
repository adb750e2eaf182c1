#!/usr/bin/env bash
# The units of tools/deploy: systemd reads them, they leave each program the system calls that it needs to confine itself
# and to work, and little else.
. "$(dirname "$0")/../e2e/lib.sh"
systemd-analyze syscall-filter --no-pager >"$work/groups" 2>/dev/null
declare -A profile=([ca-signer]=SIGNER [issuerd]=FRONT [issuer-publish]=PUBLISHER)
units=$top/tools/deploy
for name in "${!profile[@]}"; do
	expect "$name.service leaves what $name needs" 0 /usr/bin/python3 tests/sandbox/units.py "$units/$name.service" "${profile[$name]}" "$work/groups"
	sed 's/^SystemCallFilter=capset .*/SystemCallFilter=~futex/' "$units/$name.service" >"$work/$name.service"
	expect "negative control: without them it is told" 1 /usr/bin/python3 tests/sandbox/units.py "$work/$name.service" "${profile[$name]}" "$work/groups"
	has "by name" "futex landlock_add_rule"
	score=$(systemd-analyze security --offline=true "$units/$name.service" 2>/dev/null | sed -n 's/.*exposure level for [^:]*: \([0-9.]*\).*/\1/p')
	if awk "BEGIN { exit !(\"$score\" != \"\" && \"$score\" < 2) }"; then pass "$name.service is exposed by $score of 10"; else fail "$name.service is exposed by less than 2 of 10" "$score"; fi
done
