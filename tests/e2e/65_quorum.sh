#!/usr/bin/env bash
# An authority whose manifest demands a witness: verifiers keep nothing without its cosignature, and the publisher
# publishes nothing without it, whatever zz.conf says.
. "$(dirname "$0")/lib.sh"
wport=$(free_port)
vkey=$(zz-witness keygen --name witness.example.org/one --key "$work/one.pem")
witness_run() { # once the authority has its log key
	until [ -s "$work/instance/trust/log.vkey" ]; do sleep 0.1; done
	exec zz-witness run --name witness.example.org/one --key "$work/one.pem" --state "$work/one.state" \
		--log "$(cat "$work/instance/trust/log.vkey")" --listen "127.0.0.1:$wport"
}
witness_up() {
	witness_run >>"$work/one.log" 2>&1 </dev/null &
	witness=$!
	extras+=("$witness")
}

expect "a quorum of more than there are is refused" 2 zz-admin init --dir "$work/none" --witnesses <(echo "one $vkey http://127.0.0.1:$wport") --quorum 2
has "and says why" "at most the number of witnesses"
echo "one $vkey http://127.0.0.1:$wport" >"$work/witnesses"
witness_up
instance_start instance --witnesses "$work/witnesses" --quorum 1
published() { sed -n 2p "$dir/public/log/checkpoint"; }
all_public() { [ "$(published)" = "$(sql "SELECT size FROM zz.log_head")" ]; }
sync() { zz-verify sync --url "$url" --root "$dir/trust/root.pub" --state "$work/state"; }
try_for 10 all_public
bare=$(find "$dir/public/log/checkpoints" -name '[0-9]*' ! -name '*.*' -exec grep -L '^— witness.example.org/one ' {} +)
same "every kept checkpoint was published with the cosignature" "" "$bare"
expect "a verifier syncs" 0 sync
expect "the monitor sees nothing wrong but the hour" 0 bash -c "zz-monitor --url $url --root $dir/trust/root.pub --state $work/monitor \
	--once --json | grep -q '\"end\":\"done\"'"

kill "$witness" && wait "$witness" 2>/dev/null
before=$(published)
client request "$dir/keys/330106-01.pem" 330106-01 >"$work/request"
expect "without the witness sessions are still answered" 0 curl -fsS -o "$work/body" --data-binary @"$work/request" "$url/v1/requests"
try_for 15 grep -q event=quorum_missing "$dir/log/issuer-publish.log"
same "but nothing is published" "$before" "$(published)"
expect "what is published still serves" 0 sync
witness_up
if try_for 15 all_public; then pass "and everything is when it comes back"; else fail "and everything is when it comes back" "$(tail -n 5 "$dir/log/issuer-publish.log")"; fi

# ---- the verifier has a choice of its own ----

other=$(zz-witness keygen --name witness.example.org/two --key "$work/two.pem")
printf 'witness one %s\nquorum one\n' "$vkey" >"$work/own.policy"
printf 'witness two %s\nquorum two\n' "$other" >"$work/other.policy"
printf 'quorum nobody\n' >"$work/wrong.policy"
own() { zz-verify sync --url "$url" --root "$dir/trust/root.pub" --state "$work/own" --policy "$work/$1.policy"; }
expect "witnesses that the verifier does not know are not enough for it" 6 own other
has "and it says so" witness_quorum_missing
expect "its own witness is" 0 own own
expect "a policy that cannot be read is refused" 2 own wrong
has "with its line" "line 1"

# ---- the cosignatures are taken away on their way to the verifier ----

service_signal stop issuer-publish
sed -i '/^— witness/d' "$dir/public/log/checkpoint" "$dir/public/log/checkpoints/$(published)" "$dir"/public/log/checkpoints/*[0-9]
expect "a new verifier keeps nothing of it" 6 zz-verify sync --url "$url" --root "$dir/trust/root.pub" --state "$work/new"
has "and says what is missing" witness_quorum_missing
expect "the monitor calls it an alarm" 2 zz-monitor --url "$url" --root "$dir/trust/root.pub" --state "$work/monitor" --once
has "by name" quorum
service_signal cont issuer-publish
