#!/usr/bin/env bash
# The drill of a stolen record key: cut off in public within minutes, every honest certificate stays VALID, everything
# forged with it is refused, nothing is issued again. ZZ_HONEST=10000 ZZ_FORGED=1000 for the whole drill.
. "$(dirname "$0")/lib.sh"
honest=${ZZ_HONEST:-400} forged=${ZZ_FORGED:-120}
instance_start
root=$dir/trust/root.pub
conf=$dir/zz.conf
check() { zz-verify check --root "$root" --state "$dir/verifier" "$@"; }
sync_it() { zz-verify sync --url "$url" --root "$root" --state "$dir/verifier"; }
all_public() { [ "$(sed -n 2p "$dir/public/log/checkpoint")" = "$(sql 'SELECT size FROM zz.log_head')" ]; }
verdicts() { # verdicts ARG...: "COUNT VERDICT …" of many
	check --json "$@" 2>/dev/null </dev/null | sed -n 's/^{"input".*"verdict": *"\([A-Z_]*\)".*/\1/p' | LC_ALL=C sort | uniq -c | sed 's/^ *//' | paste -sd' '
}
kid=$(zz-admin status --config "$conf" | sed -n 's/^key  *record  *\([0-9a-f]\{16\}\) .*/\1/p')

# ---- honest certificates ----

session=$dir/out/low-voltage-60/session.json
mkdir "$work/honest" "$work/bundles"
for ((left = honest, n = 0; left > 0; left -= 1000, n++)); do
	client csv $((left > 1000 ? 1000 : left)) >"$work/results.csv"
	sed "s/\"id\": *\"[^\"]*\"/\"id\": \"DRILL-$n\"/" "$session" >"$work/session.json"
	zz submit --url "$url" --key "$dir/keys/$(sed -n 's/.*"center": *"\([^"]*\)".*/\1/p' "$session").pem" \
		--session "$work/session.json" --results "$work/results.csv" --out "$work/honest/$n" >"$work/submit" 2>&1 ||
		fail "an honest session is issued" "$(tail -n 5 "$work/submit")"
done
find "$work/honest" -name '*.bundle' -exec ln -t "$work/bundles" {} +
find "$work/honest" -name '*.qr.txt' -exec awk 1 {} + >"$work/qr.txt"
same "$honest honest bundles" "$honest" "$(find "$work/bundles" -type f | wc -l)"
try_for 30 all_public
sync_it >"$work/sync" 2>&1
same "all are VALID" "$honest VALID" "$(verdicts --require-log "$work/bundles")"

# ---- the theft ----

model=$(find "$work/honest" -name '*.cose' | sort | head -n 1)
# what the thief has: the keys, and what opens them
openssl pkey -in "$dir/signer/record.pem" -passin "file:$dir/keys/signer.pass" -out "$work/stolen.pem"
openssl pkey -in "$dir/signer/log.pem" -passin "file:$dir/keys/signer.pass" -out "$work/stolen-log.pem"
forge() { # forge CUT FOLDER
	mkdir "$work/$2"
	/usr/bin/python3 tests/e2e/forge.py "$model" "$work/stolen.pem" "$work/stolen-log.pem" "$1" "$forged" "$work/$2" "${model%.cose}.bundle"
}
sum=$(sql 'SELECT count(*) FROM zz.certificate')
forge $(($(sql 'SELECT size FROM zz.log_head') + 1000000)) before # in a tree of his own
same "negative control: before the cut-off a bare forged one and one with a forged proof pass" \
	"$((forged / 3)) NOT_LOGGED $((forged - forged / 3)) VALID" "$(verdicts "$work/before")"

# ---- cut off, while centres go on ----

mkdir "$work/load"
background "$work/load.log" /usr/bin/python3 "$top/tests/e2e/client.py" load "$dir/keys/330106-01.pem" 330106-01 8 "$work/load" "$url"
load=$!
sleep 1
expect "a new record key is made" 0 zz-admin new-key --config "$conf" record
expect "a reason must be given that the standard has" 2 zz-admin cut-off --config "$conf" --reason anger "$kid"
expect "a key that nobody named is not cut off" 4 zz-admin cut-off --config "$conf" --reason compromise 0011223344556677
start=$(date +%s%N)
expect "the key is cut off" 0 zz-admin cut-off --config "$conf" --reason compromise --root "$dir/keys/root.pem" "$kid"
last=$(sed -n "s/^cut off: $kid, last valid tree size \([0-9]*\)$/\1/p" "$out")
published() { cmp -s "$dir/trust/manifest.cose" "$dir/public/manifest.cose" && sync_it && grep -q "^manifest 2," <(sync_it); }
expect "the last valid tree size is public, and a verifier has it" 0 try_for 60 published
took=$((($(date +%s%N) - start) / 1000000))
echo "# $honest honest, $forged forged: published and synced after $took ms"
same "in less than five minutes" 1 "$((took < 300000))"
expect "run again it changes nothing" 0 zz-admin cut-off --config "$conf" --reason compromise "$kid"
has "and says the same" "last valid tree size $last"
same "one entry 6 stands in the log, at that size" "$last" "$(sql "SELECT idx FROM zz.log_entry WHERE substring(entry, 2, 2) = '\x0106'")"

# ---- what is VALID ----

same "every honest bundle is VALID" "$honest VALID" "$(verdicts --require-log "$work/bundles")"
one=$(head -n 1 "$work/qr.txt")
expect "a bare QR text is NOT_LOGGED" 50 check "$one"
has "because its key was cut off" "cut off"
mkdir "$work/fetched"
expect "after one fetch of a receipt" 0 zz-verify prove --root "$root" --log "$url" --out "$work/fetched" "$one"
expect "it is VALID offline" 0 check --require-log "$work/fetched/"*.bundle
same "so are all of them, each proved in the log" "$(head -n 100 "$work/qr.txt" | wc -l) VALID" \
	"$(head -n 100 "$work/qr.txt" | while IFS= read -r text; do check --log "$dir/public" --json "$text"; done |
		sed -n 's/.*"verdict": *"\([A-Z_]*\)".*/\1/p' | sort | uniq -c | sed 's/^ *//' | paste -sd' ')"

# ---- what is not ----

forge "$last" after
same "what was forged before the cut-off became known is refused" "$forged NOT_LOGGED" "$(verdicts "$work/before")"
# one whose tree is as long as the one that is held is a fork, and ATTACK: refused as well
same "and what is forged after it, with a proof from there on" "$forged NOT_LOGGED" \
	"$(check --json "$work/after" 2>/dev/null | sed -n 's/^{"input".*"verdict": *"\([A-Z_]*\)".*/\1/p' | sed 's/ATTACK/NOT_LOGGED/' |
		uniq -c | sed 's/^ *//' | paste -sd' ')"

# ---- it goes on, and nothing was issued again ----

wait "$load"
same "no session was lost on the way" 0 $?
acknowledged_are_kept "over the cut-off" "$work/load"
same "no certificate below the cut is there twice or was replaced" "$sum" \
	"$(sql "SELECT count(*) FROM (SELECT 1 FROM zz.certificate ORDER BY idx LIMIT $sum) c")"
same "none was superseded" 0 "$(sql 'SELECT count(*) FROM zz.certificate WHERE status = 3')"
client request "$dir/keys/330106-01.pem" 330106-01 >"$work/new.jws"
curl -s -o "$work/answer" -H 'Content-Type: application/jose' --data-binary @"$work/new.jws" "$url/v1/requests"
/usr/bin/python3 -c 'import base64, json, sys
r = next(s["record"] for s in json.load(open(sys.argv[1]))["seats"] if s.get("record"))
open(sys.argv[2], "wb").write(base64.urlsafe_b64decode(r + "=" * (-len(r) % 4)))' "$work/answer" "$work/new.cose"
try_for 10 all_public
sync_it >"$work/sync" 2>&1
expect "the new key issues, and a bare QR of it is VALID" 0 check "$work/new.cose"
serial=$(basename "$model" .cose)
client order "$dir/keys/official-wang.pem" "$serial" >"$work/order.jws"
same "an honest certificate can still be revoked" 202 "$(curl -s -o "$work/answer" -w '%{http_code}' -H 'Content-Type: application/jose' \
	--data-binary @"$work/order.jws" "$url/v1/requests")"
expect "by two officials" 0 zz approve --url "$url" --key "$dir/keys/official-li.pem" --yes \
	"$(/usr/bin/python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["request"])' "$work/answer")"
service_signal term ca-signer
services_up
same "the signer still refuses it after a new start" 1 "$(grep -c "^cut off\|cut off at $last" <(zz-admin status --config "$conf"))"
log_is_whole "after the drill"
audit_finds_nothing "after the drill"
