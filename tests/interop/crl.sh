#!/usr/bin/env bash
# The CRL of a live instance, read by OpenSSL, GnuTLS and python3-cryptography: each verifies it under the CA certificate that
# the manifest carries, and finds serials, reasons and invalidity dates as they were ordered. One flipped byte, and none does.
. "$(dirname "$0")/../e2e/lib.sh"
instance_start instance --no-demo
wang=$dir/keys/official-wang.pem li=$dir/keys/official-li.pem
shanghai() { TZ=Asia/Shanghai date -d "$1" +%Y-%m-%d; }
as() { zz "$2" --url "$url" --key "$1" "${@:3}"; }

mkdir "$work/session"
sed -E "s/(\"(theory|practical)_at\": *\")[0-9-]{10}T/\1$(shanghai '9 days ago')T/" \
	tools/examples/low-voltage-60/session.json >"$work/session/session.json"
head -n 9 tools/examples/low-voltage-60/results.csv >"$work/session/results.csv"
expect "eight certificates" 0 as "$dir/keys/330106-01.pem" submit --session "$work/session/session.json" \
	--results "$work/session/results.csv" --out "$work/session/out"
mapfile -t serials < <(find "$work/session/out" -name '*.qr.txt' -exec basename {} .qr.txt \; | sort)

# "serial reason seconds" as RFC 5280 numbers reasons: the first second in Shanghai of the effective day
order() { # order TYPE GROUND DAY REASON SERIAL [OPTION...]
	local type=$1 ground=$2 day=$3 reason=$4 serial=$5 want=5
	shift 5
	[ "$type" != suspend ] || want=0
	expect "$ground is ordered" $want as "$wang" "$type" --ground "$ground" --decision-no '应急〔2026〕1号' \
		--decided "$(shanghai now)" --effective "$day" --serial "$serial" --out "$work/$ground-$serial" "$@"
	request=$(grep -oE '\b[0-9a-f]{64}\b' "$out" | head -n 1)
	[ $want = 0 ] || expect "$ground is approved" 0 as "$li" approve --yes "$request"
	[ -z "$reason" ] || echo "$serial $reason $(TZ=Asia/Shanghai date -d "$day" +%s)" >>"$work/ordered"
}
order revoke R05 "$(shanghai '7 days ago')" 9 "${serials[0]}"
order revoke R01 "$(shanghai now)" 9 "${serials[1]}"
order revoke W01 "$(shanghai now)" 5 "${serials[2]}"
order revoke C01 "$(shanghai now)" 5 "${serials[3]}"
order revoke V01 "$(shanghai '8 days ago')" 9 "${serials[4]}"
order suspend S01 "$(shanghai now)" 6 "${serials[5]}" --until "$(shanghai '20 days')"
order suspend S01 "$(shanghai now)" "" "${serials[6]}" --until "$(shanghai '20 days')"
expect "a hold is lifted" 5 as "$wang" reinstate --decision-no '应急〔2026〕2号' --decided "$(shanghai now)" \
	--serial "${serials[6]}" --out "$work/lifted"
expect "by two" 0 as "$li" approve --yes "$(grep -oE '\b[0-9a-f]{64}\b' "$out" | head -n 1)"
sort -o "$work/ordered" "$work/ordered"

crl=$work/0.crl
cryptography() { /usr/bin/python3 tests/interop/crl.py "$1" "$work/manifest-ca.der"; }
published() {
	curl -fsS -o "$crl" "$url/crl/0.crl" && cryptography "$crl" | cut -d' ' -f1-3 | diff -q - "$work/ordered"
}
expect "the manifest has a CA certificate" 0 /usr/bin/python3 tests/interop/crl.py --ca "$dir/public/manifest.cose" \
	"$dir/trust/root.pub" "$work/manifest-ca.der"
same "it is the one of the trust folder" "$(openssl x509 -in "$dir/trust/crl-ca.pem" -outform DER | sha256sum)" \
	"$(sha256sum <"$work/manifest-ca.der")"
try_for 60 published || fail "the orders are published"

expect "python3-cryptography verifies the CRL" 0 cryptography "$crl"
same "and finds reasons and invalidity dates as ordered" "$(cat "$work/ordered")" "$(cut -d' ' -f1-3 "$out")"
revoked_at=$(cut -d' ' -f1,4 "$out")

ca=$dir/trust/crl-ca.pem
by_openssl() { openssl crl -inform DER -in "$1" -CAfile "$ca" -noout -text; }
as_openssl_says() { # "serial reason seconds" of its text
	local word value serial='' reason=''
	while IFS= read -r word; do
		value=${word##* }
		case $word in
		*'Serial Number: '*) serial=${value,,} reason='' ;;
		*'Privilege Withdrawn') reason=9 ;;
		*'Cessation Of Operation') reason=5 ;;
		*'Certificate Hold') reason=6 ;;
		*'Superseded') reason=4 ;;
		*' 20'*' GMT') [ -z "$reason" ] || { echo "$serial $reason $(date -d "$word" +%s)" && reason=''; } ;;
		esac
	done | sort
}
expect "OpenSSL reads the CRL" 0 by_openssl "$crl"
has "and verifies it" "verify OK"
same "and finds reasons and invalidity dates as ordered" "$(cat "$work/ordered")" "$(as_openssl_says <"$out")"

by_gnutls() { certtool --verify-crl --inder --load-ca-certificate "$work/manifest-ca.der" --infile "$1"; }
gnutls_list() {
	certtool --crl-info --inder --infile "$1" | awk '/Serial Number/ { s = $NF } /Revoked at/ { sub(/.*at: /, ""); print s, $0 }' |
		while read -r serial at; do echo "$serial $(date -d "$at" +%s)"; done | sort
}
expect "GnuTLS verifies the CRL" 0 by_gnutls "$crl"
has "and says so" "Verified"
same "and finds the same serials and times of revocation" "$revoked_at" "$(gnutls_list "$crl")"

# one byte: of a reason, and of the signature
flip() { # flip AT: that byte of the CRL, in $work/flipped
	cp "$crl" "$work/flipped"
	printf "\\x$(printf %02x $((0x$(xxd -s "$1" -l 1 -p "$crl") ^ 1)))" |
		dd of="$work/flipped" bs=1 seek="$1" conv=notrunc status=none
}
# the reason is the last byte of extension 2.5.29.21: 0603551d15 0403 0a01 xx
at=$(xxd -p "$crl" | tr -d '\n' | grep -ob 0603551d1504030a01 | head -n 1 | cut -d: -f1)
for what in "$((at / 2 + 9)) reason" "$(($(stat -c %s "$crl") - 1)) signature"; do
	flip "${what% *}"
	by_openssl "$work/flipped" >"$out" 2>&1
	has "OpenSSL refuses a CRL with another byte in its ${what#* }" "verify failure"
	expect "GnuTLS refuses it" 1 by_gnutls "$work/flipped"
	expect "python3-cryptography refuses it" 1 cryptography "$work/flipped"
	has "because of the signature" signature
done
