#!/usr/bin/env bash
# Anyone proves a certificate from the public files alone: from a server, from a folder, with the place looked for or
# named; and a certificate that the log does not hold is NOT_LOGGED.
. "$(dirname "$0")/lib.sh"
instance_start
root=$dir/trust/root.pub
first=$dir/out/welding-120
record=$(find "$first" -name '*.cose' | sort | head -n 1)
serial=$(basename "$record" .cose)
mkdir "$work/old" "$work/proofs" "$work/again"
cp -r "$dir/public/." "$work/old"
cp -r "$dir/verifier" "$work/state"

# ---- prove ----

prove() { zz-verify prove --root "$root" "$@"; }
expect "from the server" 0 prove --log "$url" --out "$work/proofs" "$record"
same "a tlog-proof, a receipt and a bundle" "$serial.bundle $serial.receipt $serial.tlog-proof" "$(cd "$work/proofs" && echo ./* | sed 's|\./||g')"
index=$(sed -n 's/^index //p' "$work/proofs/$serial.tlog-proof")
expect "from a folder, by its QR text" 0 prove --log "$dir/public" --out "$work/again" "$(cat "$first/$serial.qr.txt")"
same "which gives the same proof" "$(cat "$work/proofs/$serial.tlog-proof")" "$(cat "$work/again/$serial.tlog-proof")"
expect "at the index that is named" 0 prove --log "$dir/public" --index "$index" --out "$work/again" "$record"
expect "at another index there is none" 50 prove --log "$dir/public" --index $((index + 1)) --out "$work/again" "$record"
expect "beyond the log there is none" 50 prove --log "$dir/public" --index 99999999 --out "$work/again" "$record"
expect "the bundle is VALID offline, log checked" 0 zz-verify check --require-log --root "$root" --state "$dir/verifier" "$work/proofs/$serial.bundle"
has "and says so" "log: checked"
expect "of every certificate of the session" 0 bash -c "for f in '$first'/*.cose; do zz-verify prove --root '$root' --log '$dir/public' --out '$work/again' \"\$f\" || exit; done"

# ---- check with the log ----

check() { zz-verify check --root "$root" --state "$work/state" "$@"; }
expect "a bare record is checked in the log" 0 check --log "$url" "$record"
has "which says so" "log: checked"
expect "also from a folder, in JSON" 0 check --log "$dir/public" --json "$record"
item=$(sed -n 's/.*"item": *"\([0-9]*\)".*/\1/p' tools/examples/welding-120/session.json)
expect "with all that check can be asked: for this item" 0 check --log "$url" --item "$item" --max-age 3600 "$record"
expect "for another item" 80 check --log "$url" --item 000000 "$record"
expect "for another person" 81 check --log "$url" --document 330106199001010011 "$record"
expect "at a time before it" 31 check --log "$url" --at 2001-01-01 "$record"
expect "a word that is none" 2 check --log "$url" --at soon "$record"
bad=$(sed -n 's/^revoked \([0-9a-f]*\):.*/\1/p' "$work/up.log")
expect "a revoked one is REVOKED" 20 check --log "$url" "$dir/out/low-voltage-60/$bad.cose"

# ---- what is not there ----

center=330106-01
client request "$dir/keys/$center.pem" $center >"$work/new.jws"
same "one more session" 201 "$(curl -s -o "$work/answer" -w '%{http_code}' -H 'Content-Type: application/jose' --data-binary @"$work/new.jws" "$url/v1/requests")"
/usr/bin/python3 -c 'import base64, json, sys
seats = json.load(open(sys.argv[1]))["seats"]
r = next(s["record"] for s in seats if s.get("record"))
open(sys.argv[2], "wb").write(base64.urlsafe_b64decode(r + "=" * (-len(r) % 4)))' "$work/answer" "$work/new.cose"
expect "a log that does not hold the certificate: NOT_LOGGED" 50 check --log "$work/old" "$work/new.cose"
expect "no proof can be made from it either" 50 prove --log "$work/old" --out "$work/again" "$work/new.cose"
expect "negative control: the log of today holds it" 0 try_for 10 check --log "$url" "$work/new.cose"
smallest=$(find "$work/old/log/checkpoints" -regex '.*/[0-9]+' -printf '%f\n' | sort -n | head -n 1)
cp "$work/old/log/checkpoints/$smallest" "$work/old/log/checkpoint"
expect "a log that is older than what was synced: ATTACK" 60 check --log "$work/old" "$record"
has "which is called a rollback" "Rollback"

# ---- landmarks: none before a day has ended; tests/test_landmark.c has the rest ----

expect "landmarks are kept" 0 zz-verify landmarks --root "$root" --state "$work/state" --log "$url"
has "of which there are none on the first day" "landmarks 0, new 0"
expect "and no certificate has the form yet" 6 prove --landmark --log "$url" --out "$work/again" "$record"

# ---- one bit ----

flip() { # flip FILE: a bit in its middle
	/usr/bin/python3 -c 'import sys
b = bytearray(open(sys.argv[1], "rb").read()); b[len(b) // 2] ^= 1; open(sys.argv[1], "wb").write(b)' "$1"
}
cp -r "$dir/public" "$work/copy"
size=$(sed -n 2p "$work/copy/log/checkpoint")
passed=
for file in log/checkpoint "log/checkpoints/$size.cose" manifest.cose log/tile/0/000; do
	cp "$work/copy/$file" "$work/saved"
	flip "$work/copy/$file"
	# the middle of a tile is a hash of the path of one of its neighbours or of the root above it
	prove --log "$work/copy" --index "$index" --out "$work/again" "$record" >"$out" 2>&1 && passed="$passed $file"
	cp "$work/saved" "$work/copy/$file"
done
same "a flipped bit in checkpoint, receipt, manifest or tile: no proof" "" "$passed"
expect "negative control: without it there is one" 0 prove --log "$work/copy" --index "$index" --out "$work/again" "$record"
