#!/usr/bin/env bash
# zz-monitor beside a real instance: what is honest raises nothing, a centre sees what is issued in its name, and public
# files that lie are called by their name.
. "$(dirname "$0")/lib.sh"
instance_start
monitor() { zz-monitor --url "$url" --root "$dir/trust/root.pub" --state "$work/${state:-monitor}" --once "$@"; }
all_public() { [ "$(sed -n 2p "$dir/public/log/checkpoint")" = "$(sql "SELECT size FROM zz.log_head")" ]; }
settled() { all_public && monitor --json >"$work/json" && grep -q '"new":0' "$work/json"; }

try_for 20 settled
expect "an honest instance raises nothing, whatever the hour" 0 bash -c "zz-monitor --url $url --root $dir/trust/root.pub \
	--state $work/again --once --json | /usr/bin/python3 -c 'import json, sys
r = json.load(sys.stdin)
print(r)
assert all(a[\"alarm\"] == \"night\" for a in r[\"alarms\"]) and r[\"decisions\"][\"invalid\"] == 1 and r[\"end\"] == \"done\"'"
sum=$(sql "SELECT count(*) FROM zz.certificate")
same "it counts every certificate" "$sum" "$(/usr/bin/python3 -c 'import json, sys
print(sum(c["certificates"] for c in json.load(open(sys.argv[1]))["counts"]))' "$work/json")"
expect "with nothing new there is nothing to say" 0 monitor
has "but the size" "new 新增 0"

# ---- a centre watches its name ----

sql "SELECT DISTINCT encode(request, 'hex') FROM zz.certificate WHERE center = '330106-01'" >"$work/known" 2>/dev/null
state=centre expect "a centre that knows its requests hears nothing" "$(TZ=Asia/Shanghai date +%H | awk '{ print ($1 >= 22 || $1 < 6) ? 2 : 0 }')" \
	monitor --center 330106-01 --known "$work/known"
client request "$dir/keys/330106-01.pem" 330106-01 >"$work/request"
curl -fsS -o "$work/body" --data-binary @"$work/request" "$url/v1/requests" || fail "a session is issued"
try_for 10 all_public
state=centre expect "a session that it does not know is an alarm" 2 monitor --center 330106-01 --known "$work/known"
has "by name" unknown_request
id=$(/usr/bin/python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["request"])' "$work/body")
has "with the request" "$id"
state=centre expect "and said once" 0 monitor --center 330106-01 --known "$work/known"

# ---- public files that lie: the publisher is stopped, so that they stand still ----

monitor >"$work/catch-up" 2>&1
service_signal stop issuer-publish
lie() { # lie FILE NAME ALARM: what is in FILE now is a lie
	expect "$2 is an alarm" 2 monitor
	has "and named" "$3"
	cp -p "$work/true" "$dir/public/$1"
}
truth() { cp -p "$dir/public/$1" "$work/true"; }

truth status/0.cwt
printf 'x' | dd of="$dir/public/status/0.cwt" bs=1 seek=200 conv=notrunc 2>/dev/null
lie status/0.cwt "a list that was changed" list_hidden
truth log/checkpoint
cp "$dir/public/log/checkpoints/$(find "$dir/public/log/checkpoints" -name '[0-9]*' ! -name '*.cose' -printf '%f\n' | sort -n | head -n 1)" "$dir/public/log/checkpoint"
lie log/checkpoint "a checkpoint taken back" rollback
truth log/checkpoint
sed -i '3s/^./+/' "$dir/public/log/checkpoint"
lie log/checkpoint "a checkpoint of another root" checkpoint
bundle=log/tile/entries/000
[ -e "$dir/public/$bundle" ] || bundle=$bundle.p/$(sed -n 2p "$dir/public/log/checkpoint")
truth "$bundle"
printf 'x' | dd of="$dir/public/$bundle" bs=1 seek=300 conv=notrunc 2>/dev/null
state=fresh lie "$bundle" "an entry that was changed" entries
expect "the truth again raises nothing" 0 monitor
service_signal cont issuer-publish

# ---- nobody there ----

service_signal stop issuerd
expect "a service that does not answer is no alarm" 3 timeout 150 zz-monitor --url http://127.0.0.1:9 --root "$dir/trust/root.pub" \
	--state "$work/monitor" --once
service_signal cont issuerd
expect "another root is an alarm" 2 zz-monitor --url "$url" --root "$dir/keys/official-li.pem" --state "$work/other" --once
