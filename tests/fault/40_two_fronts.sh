#!/usr/bin/env bash
# Two issuerd on one database and one signer, stopped and continued at random: one history, no gap. One that stands still
# while it holds the lock of the head is ended by the other. ZZ_STOPS_S=60 for a minute of it.
. "$(dirname "$0")/../e2e/lib.sh"
instance_start instance --no-demo
center=330106-01
key=$dir/keys/$center.pem
second_port=$(free_port)
second=http://127.0.0.1:$second_port
sed "s|^listen = .*|listen = 127.0.0.1:$second_port|" "$dir/zz.conf" >"$dir/second.conf"
front_start "$dir/second.conf"
expect "a second front starts beside the first" 0 try_for 10 ready "$second"

post() { curl -s -m "${3:-20}" -o "$work/body" -w '%{http_code}' --data-binary @"$work/$2" "$1/v1/requests"; }
client request "$key" $center >"$work/both"
same "a request to the first is done" 201 "$(post "$url" both)"
same "the same to the second is answered" 200 "$(post "$second" both)"

# ---- at random ----

mkdir "$work/load"
client load "$key" $center "${ZZ_STOPS_S:-10}" "$work/load" "$url" "$second" >"$work/load.out" 2>&1 &
load=$!
pids=("$(service_pid issuerd)" "$front")
stops=0
while kill -0 $load 2>/dev/null; do
	pid=${pids[RANDOM % 2]}
	kill -STOP "$pid"
	sleep "0.$((RANDOM % 9))"
	kill -CONT "$pid"
	stops=$((stops + 1))
	sleep "0.$((RANDOM % 5))"
done
if wait $load; then
	pass "every request was answered in the end ($(cat "$work/load.out"), $stops stops)"
else
	fail "every request was answered in the end" "$(cat "$work/load.out")"
fi
expect "the first is ready" 0 try_for 20 ready
expect "the second is ready" 0 try_for 20 ready "$second"
log_is_whole "after the stops"
acknowledged_are_kept "after the stops" "$work/load"
url=$second expect "the second front gives the same answers" 0 client again "$work/load" "$second"
expect "neither speaks of a fork or a gap" 1 grep -hE 'event=(log_fork|log_gap|root_differs)' "$dir"/log/ca-signer.log "$dir"/log/issuerd.log \
	"$dir"/log/second.conf.log "$dir"/log/issuer-publish.log

# ---- with the lock in its hand ----

# While the signer stands still, a writer waits for it inside its transaction.
first=$(service_pid issuerd)
holds() { [ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE usename = 'zz_issuer' AND backend_xid IS NOT NULL AND wait_event = 'ClientRead'")" = 1 ]; }
mkdir "$work/held"
kill -STOP "$first"
client load "$key" $center 4 "$work/held" "$second" >"$work/held.out" 2>&1 &
load=$!
for _ in $(seq 100); do
	sleep "0.0$((RANDOM % 9))"
	service_signal stop ca-signer
	sleep 0.02
	holds && break
	service_signal cont ca-signer
done
expect "the second has the lock" 0 holds
kill -STOP "$front"
service_signal cont ca-signer
kill -CONT "$first"
expect "and stands still with it" 0 holds
begin=$SECONDS
client request "$key" $center >"$work/waits"
through() { [ "$(post "$url" waits 30)" = 201 ] || [ "$(post "$url" waits 30)" = 200 ]; }
expect "the first ends it and goes on" 0 try_for 40 through
seconds=$((SECONDS - begin))
if [ $seconds -le 25 ]; then pass "within 25 s (it took $seconds s)"; else fail "within 25 s" "$seconds s"; fi
expect "and it is said who ended it" 0 grep -hE 'event=head_holder_ended|idle-in-transaction timeout' "$dir/log/issuerd.log" "$dir/pg/log"
cat "$out"
kill -CONT "$front"
if wait $load; then
	pass "continued, the second answers all that it was sent ($(cat "$work/held.out"))"
else
	fail "continued, the second answers all that it was sent" "$(cat "$work/held.out")"
fi
expect "the second is ready" 0 try_for 20 ready "$second"
log_is_whole "after the lock"
acknowledged_are_kept "after the lock" "$work/held"
audit_finds_nothing "at the end"

# ---- one history: every checkpoint that was kept, pair by pair, by code of others ----

log_reader_build
service_signal term issuer-publish
mapfile -t kept < <(find "$dir/public/log/checkpoints" -type f -regex '.*/[0-9]+' -printf '%f\n' | sort -n)
expect "each of ${#kept[@]} kept checkpoints grows into the next" 0 read_log "$dir/public" "${kept[@]}"
tail -n 2 "$out"
middle=$dir/public/log/checkpoints/${kept[${#kept[@]} / 2]}
cp "$dir/public/log/checkpoints/${kept[0]}" "$work/first"
sed -n 3p "$work/first" >"$work/root"
sed -i "3s|.*|$(cat "$work/root")|" "$middle"
expect "negative control: one of them with another root" 1 read_log "$dir/public" "${kept[@]}"
