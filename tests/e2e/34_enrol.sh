#!/usr/bin/env bash
# Officials come and go: one proposes the next roster, another approves it, the root signs it, the log names it by its
# hash; in force within five seconds, and who was removed is refused at once.
. "$(dirname "$0")/lib.sh"
instance_start
conf=$dir/zz.conf
keys=$dir/keys
roster=$dir/trust/roster.jws
cp "$roster" "$work/roster-1"
expect "the new official makes a key" 0 zz keygen --out "$keys/official-new.pem"
client roster "$roster" "$keys/root.pem" --official "$keys/official-new.pem" --plain >"$work/next.json"
enrol() { zz enrol --key "$keys/$1.pem" --payload "$work/${3:-next}.json" --roster "$roster" --out "$work/$2.jws" --yes; }
expect "one official proposes" 0 enrol official-wang proposal
has "who sees that one comes" "+ comes"
has "and nobody else" "1 operators change"
expect "another approves" 0 enrol official-li approval
expect "negative control: who answers nothing signs nothing" 2 zz enrol --key "$keys/official-li.pem" --payload "$work/next.json" \
	--roster "$roster" --out "$work/silent.jws"

sign() { # sign PROPOSAL APPROVAL [PAYLOAD]
	zz-admin sign-roster --root "$keys/root.pem" --payload "$work/${3:-next}.json" --proposal "$work/$1.jws" \
		--approval "$work/$2.jws" --roster "$work/roster-1" --out "$work/signed.jws"
}
bring() { cp "$1" "$roster" && zz-admin roster --config "$conf" --wait 10; }
expect "the proposer does not approve too" 4 sign proposal proposal
has "which is said" approval_same_person
expect "nor does a centre" 0 enrol 330106-01 centre
expect "whatever it signs" 4 sign proposal centre
has "which is said too" role_not_allowed
expect "nor the new official himself" 0 enrol official-new himself
expect "who is not yet one" 4 sign proposal himself
sed 's/"daily_cap": [0-9]*/"daily_cap": 999999/' "$work/next.json" >"$work/other.json"
expect "the root cannot sign another text with these signatures" 4 sign proposal approval other
has "they bind every byte" approval_other_request
expect "the root alone may try" 0 zz-admin sign-roster --root "$keys/root.pem" --payload "$work/next.json" --out "$work/alone.jws"
expect "the signer refuses it" 4 bring "$work/alone.jws"
has "and says why" "two officials of the roster in force"
same "nothing changed" 1 "$(sql 'SELECT max(version) FROM zz.roster')"

expect "the root signs what two officials signed" 0 sign proposal approval
client order "$keys/official-new.pem" 00000000000070008000000000000000 >"$work/order.jws"
post() { curl -s -o "$work/answer" -w '%{http_code}' -H 'Content-Type: application/jose' --data-binary @"$1" "$url/v1/requests"; }
same "before, the new key is unknown" 401 "$(post "$work/order.jws")"
taken() { [ "$(post "$work/order.jws")" != 401 ]; }
start=$(date +%s%N)
expect "it is brought" 0 bring "$work/signed.jws"
try_for 10 taken || fail "the new official is taken"
took=$((($(date +%s%N) - start) / 1000000))
echo "# enrolled after $took ms"
same "the new official is known within five seconds" 1 "$((took < 5000))"
same "the log names the roster by its hash" "$(sha256sum <"$roster" | cut -d' ' -f1)" \
	"$(sql "SELECT encode(substring(entry FROM octet_length(entry) - 36 FOR 32), 'hex') FROM zz.log_entry WHERE substring(entry, 2, 2) = '\x0105' ORDER BY idx DESC LIMIT 1")"

# ---- removal ----

cp "$roster" "$work/roster-1"
client roster "$roster" "$keys/root.pem" --remove "$keys/official-zhang.pem" --plain >"$work/next.json"
client order "$keys/official-zhang.pem" 00000000000070008000000000000000 >"$work/order.jws"
same "before, the old key is known" 422 "$(post "$work/order.jws")"
expect "one proposes, also the new one" 0 enrol official-new proposal
has "who sees that one goes" "- goes"
expect "another approves" 0 enrol official-li approval
expect "the root signs" 0 sign proposal approval
client order "$keys/official-zhang.pem" 00000000000070008000000000000001 >"$work/order.jws"
refused() { [ "$(post "$work/order.jws")" = 401 ]; }
start=$(date +%s%N)
expect "it is brought" 0 bring "$work/signed.jws"
try_for 10 refused || fail "the removed official is refused"
took=$((($(date +%s%N) - start) / 1000000))
echo "# removed after $took ms"
same "who was removed is refused within five seconds" 1 "$((took < 5000))"
expect "the roster before does not come back" 4 bring "$work/roster-1"
cp "$work/signed.jws" "$roster"
log_is_whole "after enrolment and removal"
audit_finds_nothing "after enrolment and removal"
