#!/usr/bin/env bash
# What an SM2 authority signs, read by implementations that are not OpenSSL: sm-crypto-v2 of the npm registry (manifest,
# records, head, checkpoint, roster, request) and BouncyCastle (CRL). Readers of notes that know Ed25519 alone still take the
# log. One flipped byte, or another ID, and none does.
. "$(dirname "$0")/../e2e/lib.sh"
mkdir "$work/npm" && cp tests/interop/npm/* "$work/npm"
expect "npm installs exactly the versions of the lock file" 0 \
	npm --prefix "$work/npm" ci --ignore-scripts --no-audit --no-fund --prefer-offline
go=/usr/bin/go
export GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE=$work/go GOTOOLCHAIN=local GOFLAGS=
expect "the Go reader builds" 0 $go build -o "$work/log_reader" tests/interop/log_reader.go
expect "the Java reader builds" 0 javac -cp /usr/share/java/bcprov.jar -d "$work/java" tests/interop/SmCrl.java
instance_start instance --suite sm2
public=$work/public
bouncy() { java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$work/java:/usr/share/java/bcprov.jar" SmCrl "${2:-$dir/trust/crl-ca.pem}" "$1"; }
revoked_is_public() { curl -fsS -o "$work/0.crl" "$url/crl/0.crl" && [ -n "$(bouncy "$work/0.crl")" ]; }
try_for 40 revoked_is_public || fail "the revocation is published" "$(bouncy "$work/0.crl" 2>&1)"
cp -r "$dir/public" "$public" && cp "$dir/trust/roster.jws" "$public/roster.jws"
mapfile -t records < <(find "$dir/out" -name '*.qr.txt' | sort)
request=$dir/out/low-voltage-60/request.jws
crypto() { node "$work/npm/sm2.js" "$public" "$dir/trust/root.pub" "$request" "${records[@]}"; }

flipped() { # flipped FILE AT COMMAND...: with that byte changed
	local file=$1 at=$2 got=0
	shift 2
	cp "$file" "$work/saved"
	printf "\\x$(printf %02x $((0x$(xxd -s "$at" -l 1 -p "$file") ^ 1)))" |
		dd of="$file" bs=1 seek="$at" conv=notrunc status=none
	"$@" || got=$?
	cp "$work/saved" "$file"
	return $got
}
middle() { echo $(($(stat -c %s "$1") / 2)); }

expect "sm-crypto-v2 verifies manifest, ${#records[@]} records, head, checkpoint, roster and request" 0 crypto
has "all the records" "${#records[@]} records"
has "and the request last" request
for file in manifest.cose status/head-sm2.cwt roster.jws; do
	expect "a byte of $file changed, and it refuses" 1 flipped "$public/$file" "$(middle "$public/$file")" crypto
done
expect "a digit of the checkpoint's size changed, and it refuses" 1 flipped "$public/log/checkpoint" \
	$(($(head -n 1 "$public/log/checkpoint" | wc -c) + 1)) crypto
records=("${records[0]}")
cp "$request" "$work/request.jws" && request=$work/request.jws
expect "a byte of the request changed, and it refuses" 1 flipped "$request" "$(middle "$request")" crypto

bad=$(find "$dir/out/low-voltage-60" -name '*.qr.txt' -exec basename {} .qr.txt \; | sort | sed -n 2p)
from=$(TZ=Asia/Shanghai date -d "$(TZ=Asia/Shanghai date -d '7 days ago' +%Y-%m-%d)" +%s)
expect "BouncyCastle verifies certificate and CRL" 0 bouncy "$work/0.crl"
same "and reads serial, reason and date as ordered" "$bad 9 $from" "$(cat "$out")"
expect "a byte of the CRL changed, and it refuses" 1 flipped "$work/0.crl" "$(middle "$work/0.crl")" bouncy "$work/0.crl"
has "and says why" refused
openssl crl -inform DER -in "$work/0.crl" -CAfile "$dir/trust/crl-ca.pem" -noout >"$out" 2>&1
has "OpenSSL's own command cannot: it sets no ID" "verify failure"

expect "Go's sumdb, which knows no line of type ff, accepts the log" 0 "$work/log_reader" "$dir/public" "$dir/trust/log.vkey"
