#!/usr/bin/env bash
# Someone with all rights on the database, or on the public folder, changes one thing: zz-audit names it. Each column of each
# Not part of tools/check yet: not every change is named in every run (a row of an approval beyond those that were needed;
# the time of an event is laid at the door of its request).
# table, rows deleted, put in, in each other's place; triggers, privileges, settings; files.
. "$(dirname "$0")/../../e2e/lib.sh"
instance_start instance
key=$dir/keys/330106-01.pem
wang=$dir/keys/official-wang.pem
li=$dir/keys/official-li.pem
today=$(TZ=Asia/Shanghai date +%Y-%m-%d)
decision=(--decision-no '应急〔2026〕2号' --decided "$today")
mapfile -t serials < <(find "$dir/out/welding-120" -name '*.qr.txt' -exec basename {} .qr.txt \; | sort | head -n 4)

# an entry that came too late, as a publisher leaves it behind
sql "WITH p AS (INSERT INTO zz.log_pending (entry, note, tag, created_at) SELECT entry, note,
	decode(repeat('5a', 16), 'hex'), created_at FROM zz.log_pending WHERE substring(entry, 2, 2) = '\\x0105' RETURNING id)
	INSERT INTO zz.log_pending_void (pending, why) SELECT id, 'entry_stale' FROM p"
sleep 4 # what comes now is later than it, by any clock
# A life with something of everything: a hold, one rejected, one withdrawn, a stop and its end, a refusal.
orders=0
order() { # order NAME EXIT KEY COMMAND...: its id in $request
	local name=$1 want=$2 who=$3 command=$4
	shift 4
	orders=$((orders + 1))
	expect "$name" "$want" zz "$command" --url "$url" --key "$who" --out "$work/order-$orders" "$@"
	request=$(grep -oE '\b[0-9a-f]{64}\b' "$out" | head -n 1)
}
approve() { expect "which a second official approves" 0 zz approve --url "$url" --key "$li" --yes "$request"; }
order "a hold" 0 "$wang" suspend "${decision[@]}" --ground S01 --effective "$today" \
	--until "$(TZ=Asia/Shanghai date -d '20 days' +%Y-%m-%d)" --serial "${serials[0]}"
approve
order "and its end" 5 "$wang" reinstate "${decision[@]}" --serial "${serials[0]}"
approve
order "a second hold" 0 "$wang" suspend "${decision[@]}" --ground S01 --effective "$today" \
	--until "$(TZ=Asia/Shanghai date -d '20 days' +%Y-%m-%d)" --serial "${serials[2]}"
order "a revocation" 5 "$wang" revoke "${decision[@]}" --ground R05 --effective "$today" --serial "${serials[1]}"
approve
order "again" 5 "$wang" revoke "${decision[@]}" --ground R05 --effective "$today" --serial "${serials[1]}"
approve
order "one to be rejected" 5 "$wang" revoke "${decision[@]}" --ground R05 --effective "$today" --serial "${serials[3]}"
/usr/bin/python3 tests/e2e/decide.py approval "$li" "$request" --set 'decision="reject"' >"$work/rejection"
expect "which a second official rejects" 0 curl -fsS --data-binary @"$work/rejection" "$url/v1/requests/$request/approvals"
order "one to be withdrawn" 5 "$wang" revoke "${decision[@]}" --ground R05 --effective "$today" --serial "${serials[3]}"
expect "which its sender withdraws" 0 zz withdraw --url "$url" --key "$wang" --out "$work/withdrawal" "$request"
order "a centre stopped" 0 "$wang" stop "${decision[@]}" --center 440305-02
order "and resumed" 5 "$wang" resume "${decision[@]}" --center 440305-02
approve
order "one that waits" 5 "$wang" revoke "${decision[@]}" --ground R05 --effective "$today" --serial "${serials[3]}"
/usr/bin/python3 tests/fault/tamper/life.py "$dir" "$url" || failures=1
# refused by a rule: an examination of tomorrow
mkdir "$work/late"
sed -E "s/(\"(theory|practical)_at\": *\")[0-9-]{10}T/\1$(TZ=Asia/Shanghai date -d '2 days' +%Y-%m-%d)T/" \
	tools/examples/low-voltage-60/session.json >"$work/late/session.json"
head -n 3 tools/examples/low-voltage-60/results.csv >"$work/late/results.csv"
expect "a session that is refused" 4 zz submit --url "$url" --key "$key" --session "$work/late/session.json" \
	--results "$work/late/results.csv" --out "$work/late/out"

published() {
	public_log_agrees && [ "$(sql "SELECT count(*) FROM zz.log_pending p WHERE NOT EXISTS
		(SELECT FROM zz.log_pending_done d WHERE d.pending = p.id)
		AND NOT EXISTS (SELECT FROM zz.log_pending_void v WHERE v.pending = p.id)")" = 0 ] &&
		[ "$(sql "SELECT max(v.idx) < (SELECT max(e.idx) FROM zz.log_entry e WHERE substring(e.entry, 2, 2) = '\\x0103')
			FROM zz.certificate_event v")" = t ] && sleep 2
}
try_for 60 published || fail "all is published"
audit=(zz-audit --config "$dir/zz.conf")
expect "a running instance: nothing differs" 0 "${audit[@]}" --journal "$dir/signer" --pepper "$dir/keys/pepper"
expect "nor by what is served" 0 "${audit[@]}" --public "$url"
expect "what was audited is remembered" 0 "${audit[@]}" --state "$work/audit.state"
expect "and the next audit begins there" 0 "${audit[@]}" --state "$work/audit.state"
for name in issuer-publish issuerd ca-signer; do service_signal term $name; done
mkdir "$work/journal" && cp "$dir"/signer/journal-* "$work/journal/"

/usr/bin/python3 tests/fault/tamper/tamper.py "$dir" "${audit[@]}" --journal "$work/journal" --pepper "$dir/keys/pepper" || failures=1
expect "a state that was changed is refused" 3 bash -c "sed -i 's/[0-9]\$/x/' '$work/audit.state';
	zz-audit --config '$dir/zz.conf' --state '$work/audit.state'"
expect "without a database it does not finish" 3 bash -c "sed 's|^audit_database.*|audit_database = host=/nowhere|' \
	'$dir/zz.conf' >'$work/none.conf'; zz-audit --config '$work/none.conf'"
