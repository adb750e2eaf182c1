#!/usr/bin/env bash
# What a newcomer gets: tools/up, every seat of every example session, and verification offline, in the words of the
# issue "From an exam session to a certificate that anyone can verify offline".
. "$(dirname "$0")/lib.sh"

# ---- the two commands ----

instance_start
cp "$work/up.log" "$work/first.log"
cp "$work/up.log" "$out"
has "tools/up shows a VALID certificate" "    VALID  "
has "tools/up shows a REVOKED certificate" "    REVOKED  "
state_of() { sql "SELECT (SELECT count(*) FROM zz.certificate), (SELECT count(*) FROM zz.request), (SELECT count(*) FROM zz.certificate_event)"; }
before=$(state_of; cd "$dir" && sha256sum keys/*.pem trust/* zz.conf)
expect "tools/up runs a second time" 0 tools/up --dir "$dir" --port "$port"
has "the second run shows VALID" "    VALID  "
has "the second run shows REVOKED" "    REVOKED  "
same "the second run changed nothing" "$before" "$(state_of; cd "$dir" && sha256sum keys/*.pem trust/* zz.conf)"
log_is_whole "after tools/up"

# ---- every seat ----

for example in tools/examples/*/; do
	name=$(basename "$example")
	center=$(sed -n 's/.*"center": *"\([^"]*\)".*/\1/p' "$example/session.json")
	request=$(sed -n 's/^request \([0-9a-f]*\)$/\1/p' "$dir/out/$name/seats.txt")
	# as kept by the service, and as the centre is answered when it hands in the same request again
	zz show --url "$url" --key "$dir/keys/$center.pem" --json "$request" >"$work/shown.json"
	same "$name: every seat is as expected in zz show" "$(cat "$example/expected.csv")" "$(client seats "$work/shown.json")"
	zz submit --url "$url" --key "$dir/keys/$center.pem" --session "$dir/out/$name/session.json" \
		--results "$example/results.csv" --out "$dir/out/$name" --json >"$work/again.json" 2>"$out"
	code=$?
	case $name in *-faults | other-*) want=3 ;; *) want=0 ;; esac
	same "$name: zz submit says so by its exit code" $want $code
	same "$name: every seat is as expected in zz submit" "$(cat "$example/expected.csv")" "$(client seats "$work/again.json")"
	issued=$(grep -c ',issued$' "$example/expected.csv")
	same "$name: record, bundle and QR text of each certificate" "$issued $issued $issued" \
		"$(cd "$dir/out/$name" && echo "$(ls ./*.cose | wc -l) $(ls ./*.bundle | wc -l) $(ls ./*.qr.txt | wc -l)")"
done
same "handing them in again changed nothing" "${before%%$'\n'*}" "$(state_of)"

# ---- offline: an empty folder with the record, root.pub and the state folder, and no network ----

bad=$(sed -n 's/^revoked \([0-9a-f]*\):.*/\1/p' "$work/first.log")
good=$(basename "$(find "$dir/out/low-voltage-60" -name '*.cose' ! -name "$bad.cose" | sort | tail -n 1)" .cose)
mkdir "$work/alone"
cp -r "$dir/verifier" "$work/alone/state"
cp "$dir/trust/root.pub" "$dir/out/low-voltage-60/$good".* "$dir/out/low-voltage-60/$bad".* "$work/alone"
verify() { (cd "$work/alone" && exec "${cut[@]}" zz-verify check --root root.pub --state state "$@"); }
cut=()
[ "$(id -u)" != 0 ] || cut=(unshare --net)

expect "a QR text is VALID with the network cut off" 0 verify "$(cat "$work/alone/$good.qr.txt")"
has "a bare QR text says that the log was not checked" "log: not checked"
expect "a QR text on standard input is VALID" 0 bash -c "cd '$work/alone' && zz-verify check --root root.pub --state state - <$good.qr.txt"
expect "a record is VALID" 0 verify "$good.cose"
expect "a bundle is VALID" 0 verify --require-log "$good.bundle"
has "a bundle says that the log was checked" "log: checked"
expect "a QR text is NOT_LOGGED where a proof is required" 50 verify --require-log "$good.qr.txt"
expect "the revoked certificate is REVOKED" 20 verify "$bad.bundle"
has "with the day from which it counts" "$(TZ=Asia/Shanghai date -d '7 days ago' +%Y-%m-%d)"
expect "the right item is fine" 0 verify --item 030102 "$good.cose"
expect "another item is ITEM_MISMATCH" 80 verify --item 030101 "$good.cose"
number=$(zz show --url "$url" --key "$dir/keys/official-li.pem" "$good" | grep -oE '\b[0-9]{17}[0-9X]\b' | head -n 1)
expect "the right document is fine" 0 verify --document "$number" "$good.cose"
expect "another document is PERSON_MISMATCH" 81 verify --document 110101199003070011 "$good.cose"
expect "years later it is EXPIRED" 30 verify --at 2040-01-01 "$good.cose"

expect "strace sees no network call in check" 0 bash -c "cd '$work/alone' && strace -f -e trace=%network -o trace zz-verify check --root root.pub --state state $good.qr.txt"
same "and its trace is empty" "" "$(grep -v '+++ exited' "$work/alone/trace")"

# ---- many at once ----

mkdir "$work/alone/bundles"
cp "$dir"/out/low-voltage-60/*.bundle "$work/alone/bundles"
awk 1 "$dir"/out/low-voltage-60/*.qr.txt >"$work/alone/lines" # each ends its line
count=$(wc -l <"$work/alone/lines")
summary="共 total $count"$'\n'"$(printf '%10d  VALID            有效' $((count - 1)))"
for what in bundles lines; do
	expect "many in $what: the one that is revoked gives the exit code" 20 verify "$what"
	has "all of them are in the summary" "$summary"
	same "a line each, in order, as the single check says" "$(cd "$dir/out/low-voltage-60" && ls -- *.bundle |
		awk -v what=$what -v bad="$bad.bundle" '{ print (what == "lines" ? NR : $0), ($0 == bad ? "REVOKED" : "VALID") }')" \
		"$(head -n "$count" "$out" | cut -f 1,2 | tr '\t' ' ')"
done
rm "$work/alone/bundles/$bad.bundle"
expect "without it all are VALID, with the log checked" 0 verify --require-log bundles
expect "each is one JSON object a line" 20 verify --json lines
same "and all of them can be read" "$((count + 1))" "$(/usr/bin/python3 -c 'import json, sys
print(sum(1 for line in sys.stdin if json.loads(line)))' <"$out")"
expect "a bad line takes nothing with it" 70 bash -c "cd '$work/alone' && { echo junk; cat lines; } | zz-verify check --root root.pub --state state -"
has "it is MALFORMED alone" "         1  MALFORMED"
expect "several files are checked in their order" 20 verify "$good.cose" "$bad.cose"
for _ in $(seq 100); do awk 1 "$work/alone/$good.qr.txt"; done >"$work/alone/$good.lines"
expect "a terminal shows how far it is" 0 script -qec "for i in \$(seq 300); do cat '$work/alone/$good.lines'; done >'$work/more' &&
	zz-verify check --root '$work/alone/root.pub' --state '$work/alone/state' '$work/more' >/dev/null" "$work/typescript"
has "with a bar" "[###"

# ---- one bit ----

flips() { # spread over the whole record; tests/test_record.c does every bit
	/usr/bin/python3 - "$work/alone/$good.cose" "$work/flips" <<-'END'
		import os, sys
		data = open(sys.argv[1], "rb").read()
		os.mkdir(sys.argv[2])
		for n in range(0, len(data) * 8, 17):
		    flipped = bytearray(data)
		    flipped[n // 8] ^= 1 << n % 8
		    open(f"{sys.argv[2]}/{n}.cose", "wb").write(flipped)
	END
	local file code counts=()
	for file in "$work"/flips/*; do
		code=0
		zz-verify check --root "$work/alone/root.pub" --state "$work/alone/state" "$file" >/dev/null 2>&1 || code=$?
		counts[code]=$((${counts[code]:-0} + 1))
		case $code in 40 | 70) ;; *) echo "$file: exit $code" ;; esac
	done
	echo "# ${counts[40]:-0} NOT_ISSUED, ${counts[70]:-0} MALFORMED" >&2
}
same "one flipped bit anywhere is NOT_ISSUED or MALFORMED" "" "$(flips)"

# ---- tools of others, and nothing of a person in public ----

expect "openssl accepts the CRL" 0 openssl crl -in "$dir/public/crl/0.crl" -inform DER -verify -CAfile "$dir/trust/crl-ca.pem" -noout
openssl crl -in "$dir/public/crl/0.crl" -inform DER -text -noout >"$out"
has "the CRL names the revoked serial" "${bad^^}"
for example in tools/examples/*/; do
	tail -n +2 "$example/results.csv" | cut -d, -f2,5 | tr , '\n'
done | sed 's/^[[:space:]]*//; s/[[:space:]]*$//' | LC_ALL=C awk 'length >= 6' | sort -u >"$work/persons"
same "no name or number of $(wc -l <"$work/persons") stands in public/ or log/" "" \
	"$(grep -rlaF -f "$work/persons" "$dir/public" "$dir/log" "$dir/pg/log")"
expect "negative control: the records hold them" 0 grep -rqaF -f "$work/persons" "$dir/out/low-voltage-60"
