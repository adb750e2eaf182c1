#!/usr/bin/env bash
# Orders under four eyes: suspend, reinstate, stop, resume, withdraw, reject, and whose approval counts.
. "$(dirname "$0")/lib.sh"
instance_start instance --no-demo
center=330106-01
key=$dir/keys/$center.pem
wang=$dir/keys/official-wang.pem
li=$dir/keys/official-li.pem
zhang=$dir/keys/official-zhang.pem
shanghai() { TZ=Asia/Shanghai date -d "$1" +%Y-%m-%d; }
today=$(shanghai now)
until=$(shanghai '20 days')
decide() { /usr/bin/python3 "$top/tests/e2e/decide.py" "$@"; }

# zz with the service and a key, its folder below $work, so that each order is a new one.
orders=0
as() { # as KEY COMMAND [OPTION...]
	local who=$1 command=$2
	shift 2
	zz "$command" --url "$url" --key "$who" "$@"
}
ask() { # ask NAME EXIT KEY TYPE [OPTION...]: an order; its id in $request
	local name=$1 want=$2 who=$3 type=$4
	shift 4
	orders=$((orders + 1))
	expect "$name" "$want" as "$who" "$type" --out "$work/order-$orders" "$@"
	request=$(grep -oE '\b[0-9a-f]{64}\b' "$out" | head -n 1)
}
decision=(--decision-no '应急〔2026〕1号' --decided "$today")
suspend() { # suspend NAME EXIT KEY SERIAL
	ask "$1" "$2" "$3" suspend "${decision[@]}" --ground S01 --effective "$today" --until "$until" --serial "$4"
}
revoke() { ask "$1" "$2" "$3" revoke "${decision[@]}" --ground R05 --effective "$today" --serial "$4"; }
approve() { expect "$1" "$2" as "$3" approve --yes "$request"; }

post() { # post PATH FILE: "STATUS CODE-OR-STATE"; body in $work/body
	local status
	status=$(curl -s -o "$work/body" -w '%{http_code}' --data-binary @"$work/$2" "$url/v1/requests$1")
	echo "$status $(sed -nE 's/.*"type":"urn:zz:error:([a-z_]+)".*/\1/p; t; s/.*"state":"([a-z]+)".*/\1/p' "$work/body")"
}
approval() { # approval NAME WANT KEY REQUEST [NAME=JSON...]: signed by hand, sent to $request
	local name=$1 want=$2
	shift 2
	decide approval "$@" >"$work/approval"
	same "$name" "$want" "$(post "/$request/approvals" approval)"
}

submit() { # submit FOLDER FIRST COUNT [KEY]: a session of those candidates
	local session=low-voltage-60
	[ "${4:-$key}" = "$key" ] || session=height-40-faults
	mkdir -p "$work/$1"
	sed -E "s/(\"(theory|practical)_at\": *\")[0-9-]{10}T/\1$(shanghai '2 days ago')T/" \
		"tools/examples/$session/session.json" >"$work/$1/session.json"
	{ head -n 1 "tools/examples/$session/results.csv"
		tail -n +$(($2 + 1)) "tools/examples/$session/results.csv" | head -n "$3"; } >"$work/$1/results.csv"
	as "${4:-$key}" submit --session "$work/$1/session.json" --results "$work/$1/results.csv" --out "$work/$1/out"
}
check() {
	zz-verify sync --url "$url" --root "$dir/trust/root.pub" --state "$work/verifier" &&
		zz-verify check --root "$dir/trust/root.pub" --state "$work/verifier" "$work/first/out/$1.qr.txt"
}
gives() { local got=0; check "$2" || got=$?; [ $got = "$1" ]; }
verdict() { # verdict NAME EXIT SERIAL: within a minute, as the target of publication is
	if try_for 60 gives "$2" "$3"; then pass "$1"; else fail "$1" "$(check "$3" 2>&1)"; fi
}
status_of() { sql "SELECT status FROM zz.certificate_event WHERE serial = '\\x$1' ORDER BY idx" | tr '\n' ' '; }

expect "six certificates" 0 submit first 1 6
mapfile -t serials < <(find "$work/first/out" -name '*.qr.txt' -exec basename {} .qr.txt \; | sort)
one=${serials[0]} two=${serials[1]} three=${serials[2]} four=${serials[3]}
verdict "a new certificate is VALID" 0 "$one"

# ---- a hold: one official, a second one, and back ----

suspend "one official suspends at once" 0 "$wang" "$one"
has "and is told that it lapses" "lapses after 72 hours unless a second official approves it"
hold=$request
same "it lasts 72 hours at most" "t" "$(sql "SELECT until = at + 72 * 3600 FROM zz.certificate_event WHERE serial = '\\x$one'")"
verdict "it is SUSPENDED" 21 "$one"
approval "its sender cannot confirm it" "422 approval_same_person" "$wang" "$hold"
expect "nor try it with zz" 4 as "$wang" approve --yes "$hold"
expect "a centre cannot confirm it" 4 as "$key" approve --yes "$hold"
expect "whoever looks and does not say yes signs nothing" 4 as "$li" approve "$hold"
has "but has seen until when" "$until"
has "and what it is" "The hold has begun"
approve "a second official confirms it" 0 "$li"
has "and is told so" "confirmed by a second official"
same "it lasts until the end of that day" "$(($(TZ=Asia/Shanghai date -d "$until" +%s) + 86399))" \
	"$(sql "SELECT until FROM zz.certificate_event WHERE serial = '\\x$one' ORDER BY idx DESC LIMIT 1")"
verdict "it is still SUSPENDED" 21 "$one"
request=$hold
approve "a third official changes nothing" 0 "$zhang"
same "there are two entries, no more" "2 2 " "$(status_of "$one")"
ask "a hold ends by two: the first one waits" 5 "$wang" reinstate "${decision[@]}" --serial "$one"
expect "it is among what waits" 0 as "$zhang" pending
has "by its id" "$request"
approve "the second one reinstates" 0 "$li"
verdict "it is VALID again" 0 "$one"
request=$hold
approval "the old hold is not begun again by a late approval" "200 executed" "$zhang" "$hold"
same "it stays as it is" "2 2 0 " "$(status_of "$one")"
suspend "one official alone does not hold it again" 3 "$zhang" "$one"
has "for 90 days" "held within the last 90 days"
suspend "another certificate of the same official" 0 "$zhang" "$four"
ask "what is suspended" 5 "$wang" reinstate "${decision[@]}" --serial "$four"
approve "two officials end a hold that one began" 0 "$li"

# ---- a hold, a revocation, and no way back ----

suspend "another one is suspended" 0 "$li" "$two"
revoke "and to be revoked" 5 "$wang" "$two"
approve "which a second official approves" 0 "$zhang"
verdict "it is REVOKED" 20 "$two"
ask "nobody reinstates what was revoked" 5 "$wang" reinstate "${decision[@]}" --serial "$two"
approve "two officials neither" 3 "$li"
has "the answer says why" move_not_allowed
suspend "nor is it suspended" 3 "$li" "$two"
first=$(sql "SELECT at FROM zz.certificate_event WHERE serial = '\\x$two' AND status = 1")
revoke "it can be asked for again" 5 "$zhang" "$two"
approval "which answers executed" "200 executed" "$li" "$request"
same "as it was already, with the first date" "\"outcome\":\"already\" \"decided\":$first" \
	"$(grep -oE '"outcome":"[a-z]+"' "$work/body") $(grep -oE '"decided":[0-9]+' "$work/body")"
same "the log has one revocation" "2 1 " "$(status_of "$two")"

# ---- at once ----

five=${serials[4]}
at_once() { # at_once REQUEST KEY [REQUEST KEY...]: approvals sent at the same time; statuses and states, sorted
	local n=0 pids=()
	rm -f "$work"/once.*
	while [ $# != 0 ]; do
		n=$((n + 1))
		decide approval "$2" "$1" >"$work/approval.$n"
		(post_quietly "$1" "approval.$n" >"$work/once.$n") &
		pids+=($!)
		shift 2
	done
	wait "${pids[@]}"
	sort "$work"/once.* | uniq -c | awk '{ printf "%s x %s %s, ", $1, $2, $3 }'
}
post_quietly() {
	curl -s -w '%{http_code} ' --data-binary @"$work/$2" -o "$work/$2.body" "$url/v1/requests/$1/approvals"
	grep -oE '"state":"[a-z]+"|error:[a-z_]+' "$work/$2.body"
}
suspend "a hold that two officials confirm at once" 0 "$wang" "$five"
same "is confirmed" '2 x 200 "state":"executed", ' "$(at_once "$request" "$li" "$request" "$zhang")"
same "once" "2 2 " "$(status_of "$five")"
revoke "a revocation waits" 5 "$wang" "$five"
revocation=$request
ask "and a reinstatement of the same certificate" 5 "$zhang" reinstate "${decision[@]}" --serial "$five"
same "both are approved at once, both are answered" '2 x 200 "state":"executed", ' \
	"$(at_once "$revocation" "$li" "$request" "$li")"
same "what was revoked stays so, whoever was first" 1 "$(status_of "$five" | awk '{ print $NF }')"
verdict "it is REVOKED" 20 "$five"

# ---- a centre stops ----

ask "one official stops a centre" 0 "$wang" stop "${decision[@]}" --center $center
start=$SECONDS
expect "its next session is refused" 4 submit stopped 7 3
has "as stopped" center_stopped
same "at once" 0 $(((SECONDS - start) / 5))
expect "another centre goes on" 3 submit other 1 10 "$dir/keys/440305-02.pem"
ask "stopping it again" 0 "$li" stop "${decision[@]}" --center $center
has "is nothing new" "此前已处于该状态"
ask "it is resumed by two" 5 "$wang" resume "${decision[@]}" --center $center
expect "before the second one it stays stopped" 4 submit stopped-still 7 3
expect "the second one sees which centre" 4 as "$li" approve "$request"
has "by its code" "$center"
approve "and approves" 0 "$li"
expect "then it issues again" 0 submit resumed 7 3
ask "one key of it is stopped" 0 "$wang" stop "${decision[@]}" --kid "$(decide kid "$key")"
expect "nothing is issued with it" 4 submit stopped-key 10 3
has "as stopped" center_stopped
ask "and resumed" 5 "$wang" resume "${decision[@]}" --kid "$(decide kid "$key")"
approve "by two" 0 "$li"
expect "then it issues again" 0 submit resumed-key 10 3
ask "a centre that nobody knows is not stopped" 4 "$wang" stop "${decision[@]}" --center 330106-99
ask "nor is an official's key" 4 "$wang" stop "${decision[@]}" --kid "$(decide kid "$li")"
ask "a centre stops nobody" 4 "$key" stop "${decision[@]}" --center 440305-02
has "it has not the role" role_not_allowed

# ---- withdrawn and rejected ----

revoke "a revocation waits" 5 "$wang" "$three"
withdrawn=$request
orders=$((orders + 1))
expect "another official cannot withdraw it" 4 as "$li" withdraw --out "$work/order-$orders" "$withdrawn"
has "it is not his" not_yours
orders=$((orders + 1))
expect "its sender withdraws it" 0 as "$wang" withdraw --out "$work/order-$orders" "$withdrawn"
expect "the same withdrawal again is the same" 0 as "$wang" withdraw --out "$work/order-$orders" "$withdrawn"
approval "nobody approves it any more" "409 not_waiting" "$li" "$withdrawn"
approval "nor rejects it" "409 not_waiting" "$li" "$withdrawn" 'decision="reject"'
expect "zz says that it waits for nothing" 4 as "$li" approve --yes "$withdrawn"
has "but was withdrawn" withdrawn
orders=$((orders + 1))
expect "it is not withdrawn twice" 4 as "$wang" withdraw --out "$work/order-$orders" "$withdrawn"
has "it does not wait" not_waiting

revoke "another one waits" 5 "$wang" "$three"
rejected=$request
approval "its sender cannot reject it" "422 approval_same_person" "$wang" "$rejected" 'decision="reject"'
approval "nor can a centre" "403 role_not_allowed" "$key" "$rejected" 'decision="reject"'
expect "an official who does not say yes rejects nothing" 4 as "$li" reject "$rejected"
has "but has seen the ground" R05
expect "an official rejects it" 0 as "$li" reject --reason 证据不足 --yes "$rejected"
expect "the same again is the same" 0 as "$li" reject --yes "$rejected"
approval "nobody approves it any more" "409 not_waiting" "$zhang" "$rejected"
expect "its sender sees what became of it" 0 as "$wang" show "$rejected"
has "it was rejected" rejected
has "and why" 证据不足
expect "what was withdrawn and rejected waits no more" 0 as "$zhang" pending
same "the list is empty" "" "$(grep -E "$withdrawn|$rejected" "$out")"
same "and nothing was done" "" "$(status_of "$three")"

# ---- whose approval counts ----

zz keygen --out "$work/li-again.pem" >"$work/keygen.log" 2>&1 || fail "a second key for Li"
decide roster "$dir/trust/roster.jws" "$dir/keys/root.pem" '{"revoke":3}' "$li" "$work/li-again.pem" >"$work/roster.jws"
cp "$work/roster.jws" "$dir/trust/roster.jws"
expect "a roster that asks for three" 0 zz-admin roster --config "$dir/zz.conf" --wait 20
li_again() { as "$work/li-again.pem" pending; }
try_for 10 li_again
revoke "a revocation waits" 5 "$zhang" "$four"
other=$request
revoke "and another" 5 "$wang" "$three"
approval "an approval of another request does not count" "422 approval_other_request" "$li" "$other"
approval "nor one of a list that nobody froze" "422 approval_other_request" "$li" "$request" \
	"list_sha256=\"$other\""
approval "nor one of its sender" "422 approval_same_person" "$wang" "$request"
approval "nor one of a centre" "403 role_not_allowed" "$key" "$request"
approval "nor one that is past" "422 request_expired" "$li" "$request" "iat=$(($(date +%s) - 7200))" "exp=$(($(date +%s) - 1))"
approval "nor one for eight days" "422 lifetime_too_long" "$li" "$request" "exp=$(($(date +%s) + 8 * 86400))"
approval "nor one of tomorrow" "422 iat_ahead" "$li" "$request" "iat=$(($(date +%s) + 3600))"
approval "one official approves" "202 waiting" "$li" "$request"
same "the same approval again is the same" "202 waiting" "$(post "/$request/approvals" approval)"
approval "the same person again does not count" "422 approval_same_person" "$li" "$request"
approval "nor with another key" "422 approval_same_person" "$work/li-again.pem" "$request"
expect "zz says that he has signed" 5 as "$li" approve --yes "$request"
approval "who has approved does not reject" "422 approval_same_person" "$li" "$request" 'decision="reject"'
approve "a third official completes it" 0 "$zhang"
same "once" "1 " "$(status_of "$three")"
same "each approval is kept once" 2 "$(sql "SELECT count(*) FROM zz.approval WHERE request = '\\x$request'")"

# ---- orders of another form ----

refused() { # refused NAME WANT TYPE [NAME=JSON...]
	local name=$1 want=$2
	shift 2
	decide order "$wang" "$@" >"$work/order"
	same "$name" "$want" "$(post "" order)"
}
common=('decision_no="1"' "decided_at=\"$today\"")
hold_of=("${common[@]}" 'ground="S01"' "effective_at=\"$today\"" "serials=[\"$three\"]")
refused "a hold of 31 days" "422 dates_invalid" suspend "${hold_of[@]}" "until=\"$(shanghai '31 days')\""
refused "a hold without an end" "400 field_missing" suspend "${hold_of[@]}"
refused "a hold for a ground of revocation" "422 ground_invalid" suspend "${hold_of[@]}" "until=\"$until\"" 'ground="R05"'
refused "a reinstatement that is decided tomorrow" "422 dates_invalid" reinstate "${common[@]}" "serials=[\"$three\"]" \
	"decided_at=\"$(shanghai tomorrow)\""
refused "a centre and a key" "400 field_invalid" stop "${common[@]}" "center=\"$center\"" "kid=\"$(decide kid "$key")\""
refused "neither a centre nor a key" "400 field_invalid" stop "${common[@]}"
refused "a serial that nobody knows" "422 serial_unknown" suspend "${hold_of[@]}" "until=\"$until\"" \
	'serials=["00112233445566778899aabbccddeeff"]'
refused "a selector that fits nothing" "422 selection_empty" reinstate "${common[@]}" 'select={"center":"999999-99"}'
log_is_whole "after all that"
audit_finds_nothing "at the end"
