#!/usr/bin/env bash
# Keys are rotated with overlap: the signer makes the new ones, a second manifest names them, and what the old ones
# signed stays what it was, for verifiers, auditors and those who pinned the log's key.
. "$(dirname "$0")/lib.sh"
instance_start
root=$dir/trust/root.pub
conf=$dir/zz.conf
admin() { local c=$1; shift; zz-admin "$c" --config "$conf" "$@"; }
kid_of() { zz-admin status --config "$conf" | sed -n "s/^key  *$1  *\([0-9a-f]\{16\}\) .*/\1/p"; }
check() { zz-verify check --root "$root" --state "$dir/verifier" "$@"; }
sync_it() { zz-verify sync --crl --url "$url" --root "$root" --state "$dir/verifier"; }
old=$(find "$dir/out/welding-120" -name '*.cose' | sort | head -n 1)
cp "$dir/trust/log.vkey" "$work/old.vkey"
cp "$dir/trust/manifest.cose" "$work/manifest-1"
cp "$dir/trust/crl-ca.pem" "$work/old-ca.pem"

# ---- new keys, named by nobody yet ----

before=$(kid_of record)
expect "the signer refuses a purpose that it does not know" 4 admin new-key root
for purpose in record status log crl; do
	expect "one more $purpose key is made" 0 admin new-key $purpose
done
same "no private key left the signer's folder" 8 "$(find "$dir/signer" -name '*.pem' | wc -l)"
same "which nobody else may read" "" "$(find "$dir/signer" -name '*.pem' -perm /077)"
issue() { # issue NAME: a session, its first record in NAME.cose
	client request "$dir/keys/330106-01.pem" 330106-01 >"$work/$1.jws"
	try_for 20 curl -fsS -o "$work/answer" -H 'Content-Type: application/jose' --data-binary @"$work/$1.jws" "$url/v1/requests"
	/usr/bin/python3 -c 'import base64, json, sys
seats = json.load(open(sys.argv[1]))["seats"]
r = next(s["record"] for s in seats if s.get("record"))
open(sys.argv[2], "wb").write(base64.urlsafe_b64decode(r + "=" * (-len(r) % 4)))' "$work/answer" "$work/$1.cose"
}
signed_by() { xxd -p "$1" | tr -d '\n' | grep -o '0448[0-9a-f]\{16\}' | head -n 1 | cut -c5-; }
issue early
same "a key that no manifest names signs nothing" "$before" "$(signed_by "$work/early.cose")"

# ---- the second manifest ----

expect "the next manifest is written for review" 0 admin manifest --out "$work/next.json"
same "it names the old keys and the new ones" 8 "$(grep -c '"kid"' "$work/next.json")"
/usr/bin/python3 - "$work/next.json" "$work" <<-'END'
	import json, sys
	m = json.load(open(sys.argv[1]))
	dropped = dict(m, keys=m["keys"][1:])
	json.dump(dropped, open(sys.argv[2] + "/dropped.json", "w"))
	json.dump(dict(m, colour="red"), open(sys.argv[2] + "/strange.json", "w"))
	cut = json.loads(json.dumps(m)); cut["keys"][0]["last_valid_tree_size"] = 5
	json.dump(cut, open(sys.argv[2] + "/cut.json", "w"))
END
sign() { zz-admin sign-manifest --root "$dir/keys/root.pem" --payload "$work/$1.json" --out "$dir/trust/manifest.cose"; }
expect "what the text may not hold is not signed" 4 sign strange
expect "the root signs a manifest that drops a key" 0 sign dropped
expect "which the signer refuses" 4 admin roster
has "and says why" "drops or shortens a key"
expect "and one that cuts off what the log did not" 0 sign cut
expect "which the signer refuses too" 4 admin roster
has "and says why again" "does not name the cut-offs"
expect "the root signs what was reviewed" 0 sign next
start=$(date +%s%N)
expect "it comes into force" 0 admin roster --wait 30
has "as version 2" "in force: manifest 2"
published() { cmp -s "$dir/trust/manifest.cose" "$dir/public/manifest.cose"; }
expect "the publisher writes it" 0 try_for 10 published
echo "# in force and public after $((($(date +%s%N) - start) / 1000000)) ms"
expect "brought again it changes nothing" 0 admin roster
has "and that is said" "nothing new to bring"
expect "twice the same version is no rotation" 0 cp "$work/manifest-1" "$dir/trust/manifest.cose"
expect "the first manifest does not come back" 4 admin roster
has "which is called by its name" "older than what is in force"
cp "$dir/public/manifest.cose" "$dir/trust/manifest.cose"

# ---- what the new keys sign, and what the old ones signed ----

issue late
new=$(signed_by "$work/late.cose")
same "the new record key signs" 0 "$([ "$new" != "$before" ]; echo $?)"
settled() {
	sync_it >"$work/sync" 2>&1 && [ "$(sed -n 2p "$dir/public/log/checkpoint")" = "$(sql 'SELECT size FROM zz.log_head')" ] &&
		grep -q "^manifest 2," "$work/sync"
}
expect "a verifier takes the new manifest" 0 try_for 20 settled
expect "the old certificate is VALID" 0 check "$old"
expect "the one of today too" 0 try_for 10 check --log "$url" "$work/early.cose"
expect "and the one of the new key" 0 try_for 10 check --log "$url" "$work/late.cose"
expect "its bundle is VALID offline" 0 bash -c "mkdir -p $work/p && zz-verify prove --root $root --log $url --out $work/p $work/late.cose &&
	zz-verify check --require-log --root $root --state $dir/verifier $work/p/*.bundle"
same "two log keys stand under the checkpoint while both are in validity" 2 "$(grep -c "^— [^ ]*/log " "$dir/public/log/checkpoint")"
note_good() { # note_good VKEY NOTE: a signature line of that key is there
	/usr/bin/python3 - "$1" "$2" <<-'END'
		import base64, sys
		from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
		name, kid, key = open(sys.argv[1]).read().strip().split("+", 2)
		text, lines = open(sys.argv[2], encoding="utf-8").read().rsplit("\n\n", 1)
		for line in lines.splitlines():
		    _, who, blob = line.split(" ")
		    blob = base64.b64decode(blob)
		    if who == name and blob[:4].hex() == kid:
		        Ed25519PublicKey.from_public_bytes(base64.b64decode(key)[1:]).verify(blob[4:], (text + "\n").encode())
		        sys.exit(0)
		sys.exit(1)
	END
}
expect "who pinned the old log key goes on with it" 0 note_good "$work/old.vkey" "$dir/public/log/checkpoint"
expect "trust/ has the new one, which is there too" 0 note_good "$dir/trust/log.vkey" "$dir/public/log/checkpoint"
same "which is another" 1 "$(cmp -s "$work/old.vkey" "$dir/trust/log.vkey"; echo $?)"
crl_by() { openssl crl -inform DER -in "$dir/public/crl/0.crl" -noout -CAfile "$1" 2>&1 | grep -q "verify OK"; }
sed '/END CERT/q' "$dir/trust/crl-ca.pem" >"$work/new-ca.pem"
expect "the CRL is by the new key" 0 try_for 10 crl_by "$work/new-ca.pem"
expect "negative control: not by the old one" 1 crl_by "$work/old-ca.pem"
expect "a revoked certificate is REVOKED by list and CRL" 20 check "$dir/out/low-voltage-60/$(sed -n 's/^revoked \([0-9a-f]*\):.*/\1/p' "$work/up.log").cose"
expect "the metrics say until when keys sign" 0 bash -c "curl -fsS $url/metrics | grep 'zz_key_ends_timestamp_seconds{purpose=\"record\"}'"
audit_finds_nothing "after a rotation"
expect "the monitor raises nothing but the hour" 0 bash -c "zz-monitor --url $url --root $root --state $work/monitor --once --json | /usr/bin/python3 -c 'import json, sys
r = json.load(sys.stdin)
print(r)
assert all(a[\"alarm\"] == \"night\" for a in r[\"alarms\"]) and r[\"end\"] == \"done\"'"

# ---- a start with them ----

service_signal term ca-signer
services_up
issue again
same "after a new start the new key signs again" "$new" "$(signed_by "$work/again.cose")"
log_is_whole "after a rotation"
