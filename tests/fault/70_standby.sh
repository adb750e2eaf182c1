#!/usr/bin/env bash
# The database has a synchronous standby on another socket: the primary is killed under load, the standby takes over, and
# nothing that was answered is lost. What is on the primary alone is answered to nobody, also when the wait for the standby is
# cancelled. A standby that is not synchronous is behind: its size tells, and nothing is signed.
. "$(dirname "$0")/../e2e/lib.sh"
instance_start instance --no-demo
center=330106-01
key=$dir/keys/$center.pem
run=$(readlink -f "$dir/run")
super=$([ "$(id -u)" = 0 ] && echo postgres || id -un)
server=pg # the folder of the primary: pg or pg2

sql_of() { as_pg "$pg_bin/psql" -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 -h "$run/$1" -d zz -U "$super" -c "$2"; }
sql() { sql_of "$server" "$1"; }
setting() { sql_of "$1" "ALTER SYSTEM SET $2" && sql_of "$1" "SELECT pg_reload_conf()" >/dev/null; }
pg_of() { # pg_of FOLDER start|promote
	as_pg "$pg_bin/pg_ctl" -D "$dir/$1/data" -l "$dir/$1/log" -w -t 60 "$2" >"$work/pg.log" 2>&1 </dev/null ||
		fail "PostgreSQL: $*" "$(cat "$work/pg.log")"
}
pg_end() { as_pg "$pg_bin/pg_ctl" -D "$dir/$1/data" -m immediate -w stop >/dev/null 2>&1; }
finish() {
	local status=$?
	pg_end pg2
	(exit $status)
	leave
}
trap finish EXIT

standby_make() { # standby_make FOLDER OF: a copy that follows, as in README.md
	mkdir -p "$dir/$1" "$run/$1"
	rm -rf "${dir:?}/$1/data"
	[ "$(id -u)" != 0 ] || chown postgres: "$dir/$1" "$run/$1"
	as_pg "$pg_bin/pg_basebackup" -D "$dir/$1/data" -R -c fast -d "host=$run/$2 user=$super application_name=zz_standby" \
		>"$work/pg.log" 2>&1 || fail "pg_basebackup" "$(cat "$work/pg.log")"
	sed -i "s|^unix_socket_directories = .*|unix_socket_directories = '$run/$1'|" "$dir/$1/data/postgresql.conf"
	pg_of "$1" start
}
server_kill() { # every process of it at once, as when the machine is lost
	local pid
	pid=$(head -n 1 "$dir/$1/data/postmaster.pid")
	kill -STOP "$pid"
	# shellcheck disable=SC2046
	kill -KILL $(pgrep -P "$pid") "$pid"
}
follows() { [ "$(sql "SELECT sync_state FROM pg_stat_replication WHERE state = 'streaming'")" = "$1" ]; }
post() { curl -s -m "${3:-20}" -o "$work/body" -w '%{http_code}' --data-binary @"$work/$2" "$1/v1/requests"; }
id_of() { cut -d. -f1,2 "$work/$1" | tr -d '\n' | sha256sum | cut -d' ' -f1; }
rows_of() { sql_of "$1" "SELECT count(*) FROM zz.certificate WHERE request = '\\x$(id_of "$2")'"; }
signer_size() { zz-admin status --config "$dir/zz.conf" | sed -n 's/^signer_size *//p'; }
published() { sed -n 2p "$dir/public/log/checkpoint"; }
all_public() { [ "$(published)" = "$(sql "SELECT size FROM zz.log_head")" ]; }

# ---- the standby, and fronts that know both servers ----

echo "local replication $super peer" >>"$dir/pg/data/pg_hba.conf"
sql "SELECT pg_reload_conf()" >/dev/null
standby_make pg2 pg
setting pg "synchronous_standby_names = 'zz_standby'"
expect "the standby follows and is synchronous" 0 try_for 10 follows sync
sed -i "/_database = /s|host=$run/pg |host=$run/pg,$run/pg2 target_session_attrs=primary |" "$dir/zz.conf"
expect "each connection names both servers" 0 test "$(grep -c "_database = host=$run/pg,$run/pg2 " "$dir/zz.conf")" = 5
second_port=$(free_port)
second=http://127.0.0.1:$second_port
sed "s|^listen = .*|listen = 127.0.0.1:$second_port|" "$dir/zz.conf" >"$dir/second.conf"
service_signal term issuer-publish
service_signal term issuerd
services_up
front_start "$dir/second.conf"
expect "two fronts are ready" 0 try_for 10 ready "$second"

# ---- the standby stands still ----

for i in one two; do client request "$key" $center >"$work/$i"; done
size=$(signer_size)
receiver=$(sql_of pg2 "SELECT pid FROM pg_stat_wal_receiver")
extras+=("$receiver")
waiting() { [ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")" -gt 0 ]; }
kill -STOP "$receiver"
for i in "one $url" "two $second"; do
	read -r name front_url <<<"$i"
	(post "$front_url" "$name" 15 >"$work/$name.status") &
	try_for 5 waiting
done
expect "a COMMIT waits for the standby" 0 waiting
sleep 12.5 # a front ends who holds the lock of the head for 10 s
same "while the standby stands still, nobody gets an answer" "no no" \
	"$(for i in one two; do grep -q '^20' "$work/$i.status" && echo yes || echo no; done | xargs)"
same "nor sees a row" "0 0" "$(rows_of pg one) $(rows_of pg two)"
expect "and no front ends the COMMIT of the other" 1 grep -h event=head_holder_ended "$dir/log/issuerd.log" "$dir/log/second.conf.log"

# break_waits FUNCTION: each wait for the standby is broken for 2 s, while both are sent again
break_waits() {
	local end=$((SECONDS + 2)) pid pids=() i
	: >"$work/statuses"
	for i in "one $url" "one $second" "two $second"; do
		# shellcheck disable=SC2086
		set -- $i "$1"
		(while [ $SECONDS -lt $end ]; do curl -s -m 2 -o /dev/null -w '%{http_code}\n' --data-binary @"$work/$1" "$2/v1/requests"; sleep 0.2; done \
			>>"$work/statuses") &
		pids+=($!)
		shift 2
	done
	while [ $SECONDS -lt $end ]; do
		sql "SELECT $1(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'" >/dev/null
		sleep 0.1
	done
	for pid in "${pids[@]}"; do wait "$pid"; done
}
for function in pg_cancel_backend pg_terminate_backend; do
	break_waits $function
	same "$function: the rows are on the primary alone" "1 0" "$(rows_of pg one) $(rows_of pg2 one)"
	same "$function: they are answered to nobody, by no front ($(sort "$work/statuses" | uniq -c | xargs))" "" "$(grep '^2' "$work/statuses")"
done
same "nor does the signer have them" "$size" "$(signer_size)"
expect "issuerd says that it did not know" 0 grep -hq "event=commit_unknown why=warning" "$dir/log/issuerd.log" "$dir/log/second.conf.log"
setting pg "synchronous_standby_names = ''"
answered() { [[ $(post "$1" "$2" 5) == 20? ]]; }
expect "negative control: without synchronous_standby_names it is answered" 0 try_for 20 answered "$url" one
same "negative control: though the standby does not have it" 0 "$(rows_of pg2 one)"
setting pg "synchronous_standby_names = 'zz_standby'"
kill -CONT "$receiver"
expect "when the standby goes on, the other is answered too" 0 try_for 20 answered "$second" two
same "each has one certificate, on both servers" "1 1 1 1" "$(rows_of pg one) $(rows_of pg2 one) $(rows_of pg two) $(rows_of pg2 two)"

# ---- the primary is killed under load ----

load() { # load NAME SECONDS COMMAND...
	local folder=$work/$1 name=$1 seconds=$2 pid
	shift 2
	mkdir "$folder"
	client load "$key" $center "$seconds" "$folder" "$url" "$second" >"$folder.out" 2>&1 &
	pid=$!
	"$@"
	if wait $pid; then
		pass "$name: every request was answered in the end ($(cat "$folder.out"))"
	else
		fail "$name: every request was answered in the end" "$(cat "$folder.out")"
	fi
}
machine_is_lost() {
	sleep 1.5
	server_kill pg
	killed=$(date +%s%N)
	before=$(sql_of pg2 "SELECT size FROM zz.log_head")
	pg_of pg2 promote
	server=pg2
	try_for 20 ready && try_for 20 ready "$second"
	pass "the standby is promoted at size $before, both fronts are ready $((($(date +%s%N) - killed) / 1000000)) ms after the kill"
}
load killed 3 machine_is_lost
log_is_whole "after the kill"
acknowledged_are_kept "after the kill" "$work/killed"
expect "the second front gives the same answers" 0 client again "$work/killed" "$second"
expect "nothing speaks of a fork, a gap or a database behind" 1 grep -hE 'event=(log_fork|log_gap|root_differs|database_behind)' \
	"$dir"/log/{ca-signer,issuerd,second.conf,issuer-publish}.log
audit_finds_nothing "after the kill"

# ---- negative control: the next standby is not synchronous, and lags ----

standby_make pg pg2
expect "negative control: the lost machine follows as a standby that is asynchronous" 0 try_for 10 follows async
setting pg "primary_conninfo = ''"
try_for 10 follows ""
old=$(sql "SELECT size FROM zz.log_head")
load lagging 0.5 true
try_for 10 all_public || fail "all is public"
new=$(sql "SELECT size FROM zz.log_head")
checkpoint=$(cat "$dir/public/log/checkpoint")
server_kill pg2
pg_of pg promote
server=pg
behind() { [ "$(curl -s -o "$work/body" -w '%{http_code}' "$1/readyz") $(grep -o database_behind "$work/body")" = "503 database_behind" ]; }
expect "negative control: the front says that the promoted standby is behind" 0 try_for 20 behind "$url"
expect "so does the second" 0 try_for 20 behind "$second"
expect "with both sizes and what to do" 0 grep -hq "event=database_behind database=$old signer=$new do=zz-admin_recover" "$dir/log/issuerd.log"
client request "$key" $center >"$work/request"
same "nothing is issued" "503 503" "$(post "$url" request) $(post "$second" request)"
same "the signer signs nothing" "$new" "$(signer_size)"
same "no second history is published" "$(sed -n 1,3p <<<"$checkpoint")" "$(sed -n 1,3p "$dir/public/log/checkpoint")"
expect "zz-admin recover brings back what the standby lacked" 0 zz-admin recover --config "$dir/zz.conf"
has "and says how much" "the database has $new entries, as the signer"
expect "then the front goes on" 0 try_for 20 ready
expect "and the second" 0 try_for 20 ready "$second"
log_is_whole "after recover"
acknowledged_are_kept "after recover" "$work/lagging"
# The journal keeps no requests: of those that were answered meanwhile the audit names each.
expect "negative control: the audit finds what an asynchronous standby costs" 2 \
	zz-audit --config "$dir/zz.conf" --journal "$dir/signer" --pepper "$dir/keys/pepper"
has "the $(find "$work/lagging" -name '*.jws' | wc -l) requests that were only on the lost machine" \
	"count request (row) $(find "$work/lagging" -name '*.jws' | wc -l)"
