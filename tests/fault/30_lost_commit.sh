#!/usr/bin/env bash
# The connection breaks at COMMIT, before, during or after it, or the server ends the session: the outcome is read back,
# never guessed.
. "$(dirname "$0")/../e2e/lib.sh"
instance_start instance --no-demo
center=330106-01
key=$dir/keys/$center.pem

# load NAME COMMAND...: sessions are handed in while COMMAND does its harm
load() {
	local name=$1 folder=$work/load.${1// /_}
	shift
	mkdir "$folder"
	client load "$key" $center 5 "$folder" "$url" >"$folder.out" 2>&1 &
	local pid=$!
	"$@" $pid
	if wait $pid; then
		pass "$name: every request was answered in the end ($(cat "$folder.out"))"
	else
		fail "$name: every request was answered in the end" "$(cat "$folder.out")"
	fi
	log_is_whole "$name"
	acknowledged_are_kept "$name" "$folder"
}

# ---- a wire that breaks at COMMIT ----

mkdir "$work/wire"
chmod 777 "$work/wire"
background "$work/proxy.log" "${as_front[@]}" /usr/bin/python3 "$top/tests/fault/lossy_proxy.py" "$work/wire" "$(readlink -f "$dir/run")/pg"
proxy=$!
try_for 5 test -S "$work/wire/.s.PGSQL.5432"
sed "s|^issuer_database = .*|issuer_database = host=$work/wire dbname=zz user=zz_issuer|" "$dir/zz.conf" >"$dir/lossy.conf"
service_signal term issuerd
front_start "$dir/lossy.conf"
try_for 10 ready
load "connections cut at COMMIT" true
kill $proxy
wait $proxy
cat "$work/proxy.log" >"$out"
expect "the wire was cut before, during and after many a COMMIT ($(cat "$out"))" 0 \
	awk -F '[ ,]+' '{ many = $1 > 2 && $6 > 2 && $11 > 2 } END { exit !many }' "$work/proxy.log"
expect "issuerd says that it did not know" 0 grep -q event=commit_unknown "$dir/log/lossy.conf.log"
kill $front
wait $front
services_up

# ---- sessions that the server ends ----

terminate() { # terminate PID: as long as that process lives
	ended=0
	while kill -0 "$1" 2>/dev/null; do
		ended=$((ended + $(sql "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE usename = 'zz_issuer' AND state <> 'idle'")))
		sleep 0.2
	done
}
load "sessions ended by the server" terminate
if [ "$ended" -gt 5 ]; then pass "that were $ended sessions"; else fail "many sessions were ended" "$ended"; fi
audit_finds_nothing "at the end"
