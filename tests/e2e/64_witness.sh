#!/usr/bin/env bash
# Witnesses of real processes: one works, one is down, one lies, one is behind. With the quorum required nothing is
# published without it, and all is when it is back.
. "$(dirname "$0")/lib.sh"
instance_start instance --no-demo
center=330106-01
key=$dir/keys/$center.pem
log=$(cat "$dir/trust/log.vkey")
origin=zz.example.gov.cn/log
hash=$(printf '%s' "$origin" | sha256sum | cut -d' ' -f1)
conf=$dir/zz.conf

declare -A ports pids
witness_key() { # witness_key NAME: its key; the vkey in $vkey
	vkey=$(zz-witness keygen --name "witness.example.org/$1" --key "$work/$1.pem")
	ports[$1]=$(free_port)
	echo "witness = $1 $vkey http://127.0.0.1:${ports[$1]}" >>"$work/witnesses"
}
witness_up() {
	background "$work/$1.log" "$top/build/bin/zz-witness" run --name "witness.example.org/$1" --key "$work/$1.pem" \
		--state "$work/$1.state" --log "$log" --listen "127.0.0.1:${ports[$1]}"
	pids[$1]=$!
	try_for 10 grep -q event=ready "$work/$1.log" || fail "witness $1 starts" "$(cat "$work/$1.log")"
}
witness_down() { kill "${pids[$1]}"; wait "${pids[$1]}" 2>/dev/null; : >"$work/$1.log"; }
seen_by() { curl -fsS "http://127.0.0.1:${ports[$1]}/$hash/checkpoint" | sed -n 2p; }
lines_of() { grep -c "^— witness.example.org/$1 " "$dir/public/log/checkpoint"; }
published() { sed -n 2p "$dir/public/log/checkpoint"; }
grown() { sql "SELECT size FROM zz.log_head"; }
all_public() { [ "$(published)" = "$(grown)" ]; }
cosigned_by() { all_public && [ "$(lines_of "$1")" = 1 ]; }
issue() { client request "$key" $center >"$work/request" && curl -fsS -o "$work/body" --data-binary @"$work/request" "$url/v1/requests"; }
as_publish=()
[ "$(id -u)" != 0 ] || as_publish=(setpriv --reuid=zz-publish "--regid=$(id -g zz-publish)" --init-groups)
publisher() { # again, with the settings of now
	service_signal term issuer-publish
	background "$dir/log/issuer-publish.log" "${as_publish[@]}" "$(program_dir)/issuer-publish" --config "$conf"
	echo $! >"$dir/run/issuer-publish.pid"
}

for name in one two; do witness_key $name; done
expect "a key is never written over another" 1 zz-witness keygen --name x --key "$work/one.pem"
# the one that lies: it answers everything with a line that looks like a cosignature
vkey=$(zz-witness keygen --name witness.example.org/liar --key "$work/liar.pem")
ports[liar]=$(free_port)
echo "witness = liar $vkey http://127.0.0.1:${ports[liar]}" >>"$work/witnesses"
background "$work/liar.log" /usr/bin/python3 "$top/tests/e2e/liar.py" "${ports[liar]}" witness.example.org/liar "$vkey"

# ---- async: published at once, cosignatures when they come ----

witness_up one
{ cat "$work/witnesses"; echo "witness_group = offices 2 one two liar"; echo "witness_quorum = offices"; } >>"$conf"
publisher
issue || fail "a session is issued"
if try_for 10 cosigned_by one; then pass "the newest checkpoint bears the cosignature of the witness that works"; else fail "the newest checkpoint bears the cosignature of the witness that works" "$(tail -n 5 "$dir/log/issuer-publish.log")"; fi
same "and the kept one too" "$(cat "$dir/public/log/checkpoint")" "$(cat "$dir/public/log/checkpoints/$(published)")"
same "the lie stands nowhere" 0 "$(grep -rl 'witness.example.org/liar' "$dir/public/log/checkpoint"* | wc -l)"
expect "and was called what it is" 0 grep -q 'witness=liar what=cosignature_bad' "$dir/log/issuer-publish.log"
expect "the one that is down too" 0 grep -q 'witness=two what=unreachable' "$dir/log/issuer-publish.log"
same "the witness saw what is public" "$(published)" "$(seen_by one)"
expect "the policy is published" 0 curl -fsS "$url/log/policy.txt"
has "with its quorum" "quorum offices"
expect "an outsider syncs as before" 0 zz-verify sync --url "$url" --root "$dir/trust/root.pub" --state "$work/state"

# ---- required: without the quorum nothing is published ----

echo "witness_required = yes" >>"$conf"
witness_up two
publisher
try_for 10 cosigned_by two || fail "with two of three everything goes on" "$(tail -n 5 "$dir/log/issuer-publish.log")"
witness_down two
before=$(published)
issue || fail "a session is issued while the quorum is missing"
if try_for 15 grep -q event=quorum_missing "$dir/log/issuer-publish.log"; then pass "that the quorum is missing is said"; else fail "that the quorum is missing is said" "$(tail -n 5 "$dir/log/issuer-publish.log")"; fi
same "and nothing is published" "$before" "$(published)"
if [ "$(grown)" -gt "$before" ]; then pass "though the log has grown"; else fail "though the log has grown"; fi
witness_up two
if try_for 15 cosigned_by two; then pass "when the second comes back, everything is published"; else fail "when the second comes back, everything is published" "$(tail -n 5 "$dir/log/issuer-publish.log")"; fi
same "with both cosignatures" "1 1" "$(lines_of one) $(lines_of two)"

# ---- one that is behind is led on from where it is ----

witness_down two
sed -i 's/offices 2 one two liar/offices 1 one two liar/' "$conf"
publisher
issue && try_for 10 all_public || fail "one of three is enough where the quorum says so"
behind=$(published)
witness_up two
issue && try_for 10 cosigned_by two || fail "the one that was behind catches up"
if [ "$(seen_by two)" -gt "$behind" ]; then pass "a witness that was behind is led on from its own size"; else fail "a witness that was behind is led on from its own size"; fi
