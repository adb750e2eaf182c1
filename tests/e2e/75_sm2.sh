#!/usr/bin/env bash
# An authority that signs with SM2 and SM3: issue, revoke, sync, check, prove, monitor, audit; and its readers rely on no other
# suite for what is true now.
. "$(dirname "$0")/lib.sh"
instance_start instance --suite sm2
root=$dir/trust/root.pub
good=$(find "$dir/out/low-voltage-60" -name '*.qr.txt' | sort | sed -n 1p)
bad=$(find "$dir/out/low-voltage-60" -name '*.qr.txt' | sort | sed -n 2p)
all_public() { [ "$(sed -n 2p "$dir/public/log/checkpoint")" = "$(sql 'SELECT size FROM zz.log_head')" ]; }
try_for 20 all_public || fail "all is published"

# ---- the same as in any authority ----

same "every key but those of the lists and of the log is SM2" "crl.pem log-sm2.pem record.pem status-sm2.pem " \
	"$(for key in "$dir"/signer/*.pem; do openssl pkey -in "$key" -passin "file:$dir/keys/signer.pass" -noout -text | grep -q SM2 && basename "$key"; done | tr '\n' ' ')"
check() { zz-verify check --root "$root" --state "$work/state" "$@"; }
lists_and_crl() {
	zz-verify sync --url "$url" --root "$root" --state "$work/state" --crl && [ -s "$work/state/crl/0.crl" ]
}
try_for 30 lists_and_crl || fail "lists and CRL are published"
expect "a good certificate is VALID" 0 check "$good"
expect "the revoked one is REVOKED" 20 check "$bad"
has "with its ground's reason from the CRL" privilege_withdrawn
expect "its bundle is VALID offline, log checked" 0 check --require-log "$(find "$dir/out/low-voltage-60" -name "$(basename "$good" .qr.txt)*.bundle")"
expect "a certificate is proved from the public files" 0 zz-verify prove --root "$root" --log "$url" --out "$work" "$(cat "$good")"
record=$(find "$dir/out/low-voltage-60" -name "$(basename "$good" .qr.txt)*.cose")
cp "$record" "$work/other.cose"
printf '\x55' | dd of="$work/other.cose" bs=1 seek=$(($(stat -c %s "$record") - 9)) conv=notrunc status=none
check "$work/other.cose" >"$out" 2>&1
has "one byte of its signature changed, and it is NOT_ISSUED" NOT_ISSUED

expect "zz makes an SM2 key" 0 zz keygen --suite sm2 --out "$work/new.pem"
has "and its JWK" '"crv":"SM2"'
expect "a key that the roster does not name is refused" 4 zz submit --url "$url" --key "$work/new.pem" --out "$work/refused" \
	--session "$dir/out/welding-120/session.json" --results tools/examples/welding-120/results.csv
has "as unknown" kid_unknown

# ---- what a reader of an SM2 authority relies on ----

served=
serve() { # serve FOLDER: at $served
	local at
	at=$(free_port)
	background "$work/served.log" /usr/bin/python3 -m http.server --bind 127.0.0.1 --directory "$1" "$at"
	served=http://127.0.0.1:$at
	try_for 10 curl -fsS -o "$work/probe" "$served/manifest.cose" || fail "the copy is served"
}
copy=$work/copy
taken() { zz-verify sync --url "$served" --root "$root" --state "$work/reader"; }
mkdir "$copy" && cp -r "$dir/public/." "$copy"
serve "$copy"
renewed() { rm -rf "$work/reader" && rm -rf "${copy:?}"/* && cp -r "$dir/public/." "$copy"; }
renewed
expect "a copy of the public files is taken as it is" 0 taken
renewed
cp "$copy/status/head.cwt" "$copy/status/head-sm2.cwt"
expect "a head by the ES256 status key is no head for it" 60 taken
renewed
rm "$copy/status/head-sm2.cwt"
expect "nor is none" 60 taken
renewed
rm "$copy/status/head.cwt"
expect "the other head it does not even ask for" 0 taken
renewed
find "$copy/log/checkpoint" "$copy/log/checkpoints" -type f ! -name '*.cose' -exec sed -i '$d' {} +
same "with the Ed25519 line alone under it" 5 "$(wc -l <"$copy/log/checkpoint")"
expect "a checkpoint is refused" 60 taken

# ---- its keys are replaced as in any authority ----

admin() { zz-admin "$1" --config "$dir/zz.conf" "${@:2}"; }
for purpose in status-sm2 log-sm2 record; do
	expect "one more $purpose key is made" 0 admin new-key $purpose
done
expect "the next manifest is written" 0 admin manifest --out "$work/next.json"
expect "and signed" 0 zz-admin sign-manifest --root "$dir/keys/root.pem" --payload "$work/next.json" --out "$dir/trust/manifest.cose"
expect "and in force" 0 admin roster --wait 30
lines() { grep -c '^— ' "$dir/public/log/checkpoint"; }
three_lines() { all_public && [ "$(lines)" = 3 ]; }
if try_for 20 three_lines; then pass "each SM2 log key has its line"; else fail "each SM2 log key has its line" "$(lines)"; fi
newest() { zz-verify sync --url "$url" --root "$root" --state "$work/state" >"$work/sync.log" && grep -q '^manifest 2' "$work/sync.log"; }
if try_for 20 newest; then pass "the verifier takes the head of the new key"; else fail "the verifier takes the head of the new key" "$(cat "$work/sync.log")"; fi
expect "and the old certificate is VALID" 0 check "$good"

# ---- monitor and audit ----

expect "the monitor sees nothing wrong" 0 bash -c "zz-monitor --url $url --root $root --state $work/monitor --once --json |
	/usr/bin/python3 -c 'import json, sys
r = json.load(sys.stdin)
print(r)
assert all(a[\"alarm\"] == \"night\" for a in r[\"alarms\"]) and r[\"end\"] == \"done\"'"
audit_finds_nothing "an SM2 authority"
audit_copy() { zz-audit --config "$dir/zz.conf" --public "$copy"; }
renewed
cp "$copy/status/head.cwt" "$copy/status/head-sm2.cwt"
expect "the audit tells a head that is not the SM2 key's" 2 audit_copy
has "by its name" head-sm2.cwt
