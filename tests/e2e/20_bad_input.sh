#!/usr/bin/env bash
# Bad input gets a stable code, a sentence that says what to do, and nothing is half done.
. "$(dirname "$0")/lib.sh"
instance_start instance --no-demo
center=330106-01
key=$dir/keys/$center.pem
other_key=$dir/keys/440305-02.pem
official=$dir/keys/official-wang.pem

make() { # make FILE [OPTION OF client.py request...]
	local file=$1
	shift
	client request "$key" $center "$@" >"$work/$file" || fail "client.py makes $file"
}
post() { # post FILE [CURL OPTION...]: status; body in $work/body, headers in $work/head
	local file=$1
	shift
	curl -s -o "$work/body" -D "$work/head" -w '%{http_code}' -H 'Content-Type: application/jose' \
		--data-binary @"$work/$file" "$@" "$url/v1/requests"
}
fields() { # fields NAME...: members of the answer, one a line
	/usr/bin/python3 -c 'import json, sys
answer = json.load(open(sys.argv[1]))
print(*(answer.get(name, "") for name in sys.argv[2:]), sep="\n")' "$work/body" "$@"
}
effects() {
	sql "SELECT (SELECT count(*) FROM zz.certificate), (SELECT count(*) FROM zz.certificate_event), (SELECT count(*) FROM zz.log_entry
		WHERE substring(entry, 2, 2) <> '\x0103'), (SELECT count(*) FROM zz.request_event WHERE state IN ('executed', 'waiting'))"
}

# One line a refusal: status, stable code, a problem with a sentence in both languages, and no effect.
problem() { # problem NAME STATUS CODE GOT-STATUS
	local got english chinese id type status
	{ read -r type; read -r status; read -r english; read -r chinese; read -r id; } < <(fields type status title title_zh request_id)
	got="$4 ${type#urn:zz:error:} $status"
	if [ "$got" != "$2 $3 $2" ]; then
		fail "$1" "want: $2 $3"$'\n'"got:  $got $(head -c 300 "$work/body")"
	elif ! grep -qi '^content-type: application/problem+json' "$work/head" || [ ${#english} -lt 15 ] || [ -z "$chinese$id" ]; then
		fail "$1" "$(cat "$work/head" "$work/body")"
	elif [ "$(effects)" != "$rest" ]; then
		fail "$1" "it had an effect: $rest, then $(effects)"
	else
		pass "$1: $2 $3"
	fi
}
refused() { # refused NAME STATUS CODE FILE [CURL OPTION...]
	local name=$1 status=$2 code=$3 got
	shift 3
	got=$(post "$@")
	problem "$name" "$status" "$code" "$got"
}
rest=$(effects)

# ---- not a request ----

echo hello >"$work/words"
refused "words are no JWS" 400 jws_invalid words
make plain
tr . , <"$work/plain" >"$work/commas"
refused "commas are no dots" 400 jws_invalid commas
head -c 7000000 /dev/zero | tr '\0' a >"$work/large"
refused "a body of 7 MB is too large" 413 body_too_large large
payload() { # payload FILE: standard input, signed
	cat >"$work/payload"
	make "$1" --payload "$work/payload"
}
{ echo '{"type":"issue",'; head -c 4300000 /dev/zero | tr '\0' ' '; echo '"jti":"x"}'; } | payload spaces
refused "a payload of 4.3 MB is too large" 400 limit_exceeded spaces
echo '{"type":"issue","session":[[[[[[[[[[1]]]]]]]]]]}' | payload deep
refused "ten brackets are too deep" 400 json_too_deep deep
echo '{"type":"issue","jti":"a","jti":"b"}' | payload twice
refused "two members of one name" 400 json_duplicate_name twice
printf '{"type":"issue","jti":"\xff\xfe"}' | payload bytes
refused "bytes that are not UTF-8" 400 not_utf8 bytes
echo '{"type":"issue",' | payload broken
refused "half a JSON text" 400 json_invalid broken
make member --set 'colour="blue"'
refused "an unknown member" 400 field_unknown member
echo '{"type":"issue"}' | payload missing
refused "a member that is missing" 400 field_missing missing
make jti --set 'jti="short"'
refused "a jti of five letters" 400 jti_invalid jti
make type --set 'type="praise"'
refused "a type that nobody knows" 422 request_type_unknown type

# ---- not this key ----

expect "zz keygen makes a key" 0 zz keygen --out "$work/stranger.pem"
client request "$work/stranger.pem" $center >"$work/stranger"
refused "a key that is not on the roster" 401 kid_unknown stranger
make forged --bad-signature
refused "a signature by another key" 401 signature_invalid forged
make alg --header alg=EdDSA
refused "another algorithm than the key's" 401 alg_mismatch alg
make typ --header typ=JWT
refused "a JWT of another kind" 400 jws_invalid typ
client request "$official" $center >"$work/official"
refused "an official hands in a session" 403 role_not_allowed official
client order "$key" 00112233445566778899aabbccddeeff >"$work/order"
refused "a centre revokes" 403 role_not_allowed order
client order "$official" 00112233445566778899aabbccddeeff >"$work/unknown_serial"

expect "keys for the next roster" 0 zz keygen --out "$work/expired.pem"
expect "keys for the next roster" 0 zz keygen --out "$work/capped.pem"
client roster "$dir/trust/roster.jws" "$dir/keys/root.pem" --expired "$work/expired.pem" $center \
	--capped "$work/capped.pem" $center 5 >"$work/roster.jws"
cp "$work/roster.jws" "$dir/trust/roster.jws"
expect "the next roster comes into force" 0 zz-admin roster --config "$dir/zz.conf" --wait 20
roster_taken() { client request "$work/expired.pem" $center >"$work/expired" && [ "$(post expired)" = 401 ] && [ "$(fields type)" != urn:zz:error:kid_unknown ]; }
try_for 10 roster_taken
rest=$(effects)
refused "a key that has expired" 401 key_not_in_force expired
client request "$work/capped.pem" $center-capped --set 'session.region="330000"' --seats 6 >"$work/cap"
refused "six certificates of a cap of five" 403 daily_cap_exceeded cap

# ---- not this session ----

make center --set 'session.center="440305-02"'
refused "the session of another centre" 403 center_mismatch center
make region --set 'session.region="440000"'
refused "a region outside its own" 403 region_not_in_scope region
make item --set 'session.item="020301"'
refused "an item outside its own" 403 item_not_in_scope item
make no_item --set 'session.item="039999"'
refused "an item that nobody knows" 422 item_unknown no_item
make future --days -2
refused "an examination in the future" 422 exam_in_future future
make old --days 400
refused "an examination of more than a year ago" 422 exam_too_old old
make order_of_parts --set 'session.practical_at="2026-01-01T00:00:00+08:00"'
refused "practice before theory" 422 exam_times_invalid order_of_parts
make examiners --set 'session.examiners=["E1","E1"]'
refused "one examiner, twice" 422 examiners_invalid examiners
make seats --seats 2 --set 'results.1.seat=1'
refused "one seat, twice" 422 seats_invalid seats
make ahead --set "iat=$(($(date +%s) + 900))" --set "exp=$(($(date +%s) + 1800))"
refused "signed in the future" 422 iat_ahead ahead
make expired_request --set "iat=$(($(date +%s) - 7200))" --set "exp=$(($(date +%s) - 3600))"
refused "a request past its exp" 422 request_expired expired_request
make lifetime --set "exp=$(($(date +%s) + 200000))"
refused "a request for two days" 422 lifetime_too_long lifetime
same "what was refused for its content is kept as evidence, as refused" "refused" \
	"$(sql "SELECT DISTINCT state FROM zz.request_event")"
refused "the same refused request again" 422 exam_in_future future

# ---- HTTP ----

status() { curl -s -o "$work/body" -D "$work/head" -w '%{http_code}' "$@"; }
problem "an address that does not exist" 404 not_found "$(status "$url/v2/requests")"
problem "a GET where a POST belongs" 405 method_not_allowed "$(status -X PUT -d x "$url/v1/requests")"
problem "a query string" 400 http_refused "$(status "$url/v1/requests?document=1")"
problem "a chunked body" 400 http_refused "$(status -H 'Transfer-Encoding: chunked' --data-binary @"$work/plain" "$url/v1/requests")"
problem "a question without a token" 401 authorization_missing "$(status "$url/v1/requests")"

# ---- again, and at once ----

make first
same "a good request is done" 201 "$(post first)"
cp "$work/body" "$work/answer"
rest=$(effects)
same "the same bytes again are answered 200" 200 "$(post first)"
same "with the same answer" "$(client seats "$work/answer") $(grep -o '"serial":"[^"]*"' "$work/answer")" \
	"$(client seats "$work/body") $(grep -o '"serial":"[^"]*"' "$work/body")"
same "and without effect" "$rest" "$(effects)"
jti=$(cut -d. -f2 "$work/first" | tr -- -_ +/ | base64 -d 2>/dev/null | grep -o '"jti": "[^"]*"' | cut -d'"' -f4)
make conflict --set "jti=\"$jti\""
refused "other bytes under that jti" 409 jti_conflict conflict
same "which names the first request" "$(cut -d. -f1,2 "$work/first" | tr -d '\n' | sha256sum | cut -d' ' -f1)" "$(fields request)"

at_once() { # at_once FILE...: all of them at the same time; statuses and serials of the answers, sorted
	local file n=0 pids=()
	for file in "$@"; do
		n=$((n + 1))
		curl -s -o "$work/once.$n" -w '%{http_code}\n' --data-binary @"$work/$file" "$url/v1/requests" >"$work/status.$n" &
		pids+=($!)
	done
	wait "${pids[@]}"
	echo "$(cat "$work"/status.* | sort | uniq -c | awk '{ printf "%s x %s, ", $1, $2 }')serials $(grep -oh '"serial":"[^"]*"' "$work"/once.* | sort -u | wc -l)"
	grep -oh "urn:zz[^\"]*" "$work"/once.* >&2; rm -f "$work"/once.* "$work"/status.*
}
make both
count=$(sql "SELECT count(*) FROM zz.certificate")
same "eight times the same request at once has one result" "7 x 200, 1 x 201, serials 1" "$(at_once both both both both both both both both)"
same "and makes one certificate" $((count + 1)) "$(sql "SELECT count(*) FROM zz.certificate")"
make left
jti=$(cut -d. -f2 "$work/left" | tr -- -_ +/ | base64 -d 2>/dev/null | grep -o '"jti": "[^"]*"' | cut -d'"' -f4)
make right --set "jti=\"$jti\""
same "two requests at once under one jti: one is done" "1 x 201, 1 x 409, serials 1" "$(at_once left right)"
same "and makes one certificate" $((count + 2)) "$(sql "SELECT count(*) FROM zz.certificate")"

# ---- late, with an official ----

make late --days 70
same "an examination of 70 days ago waits" "202 waiting" "$(post late) $(fields state)"
request=$(fields request)
same "the same again still waits" "202" "$(post late)"
expect "a centre cannot approve it" 4 zz approve --url "$url" --key "$other_key" --yes "$request"
expect "an official approves it" 0 zz approve --url "$url" --key "$official" --yes "$request"
same "then it is done" "200 executed" "$(post late) $(fields state)"
same "with one certificate" 1 "$(sql "SELECT count(*) FROM zz.certificate WHERE request = '\\x$request'")"
expect "approving it again is the same" 0 zz approve --url "$url" --key "$official" --yes "$request"
same "and still one certificate" 1 "$(sql "SELECT count(*) FROM zz.certificate WHERE request = '\\x$request'")"

# ---- the tool, and a holder who has one already ----

sed 's/2026-10-17/'"$(TZ=Asia/Shanghai date -d '2 days ago' +%Y-%m-%d)"'/' tools/examples/low-voltage-60/session.json >"$work/session.json"
head -n 4 tools/examples/low-voltage-60/results.csv >"$work/results.csv"
submit() { zz submit --url "$url" --key "$key" --session "$work/session.json" --results "$work/results.csv" --out "$work/$1" --json; }
expect "zz submit: three issued" 0 submit one
expect "zz submit: the same holders in another session" 3 submit two
same "are refused as holders of one already" 3 "$(grep -o '"already_holds"' "$out" | wc -l)"
sed -i 's/330000/110000/' "$work/session.json"
expect "zz submit: exit 4 for a session outside the region" 4 submit three
has "with a sentence" "The centre is not entitled to this region."
has "in Chinese too" "该考试点无权在此地区组织考试。"
expect "zz submit: exit 2 without a key" 2 zz submit --url "$url"
expect "zz submit: exit 6 where nobody answers" 6 zz submit --url http://127.0.0.1:9 --key "$key" --session "$work/session.json" \
	--results "$work/results.csv" --out "$work/four"
expect "zz revoke: exit 4 for a centre" 4 zz revoke --url "$url" --key "$key" --ground R05 --decision-no 1 \
	--decided "$(date +%F)" --effective "$(date +%F)" --serial 00112233445566778899aabbccddeeff --out "$work/five"
printf 'seat,name,sex,doc_type,doc_number,theory,practical,photo_sha256,evidence_sha256\n1,\xff,M,01,x,1,1,,\n' >"$work/results.csv"
expect "zz submit: exit 2 for a file that is not UTF-8" 2 submit six
has "names the line" "line 2"

# ---- configuration ----

{ cat "$dir/zz.conf"; echo 'colour = blue'; } >"$dir/bad.conf"
for program in ca-signer issuerd issuer-publish; do
	expect "$program refuses a configuration with an unknown name" 2 timeout 10 $program --config "$dir/bad.conf"
	has "and says why" "line $(wc -l <"$dir/bad.conf"): the setting is unknown"
done
expect "zz-admin refuses it too" 2 zz-admin status --config "$dir/bad.conf"
log_is_whole "after all that"
