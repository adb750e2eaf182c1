#!/usr/bin/env bash
# A database restored from an old backup lacks certificates that were answered: nothing starts on it, zz-admin recover
# brings everything back from the signer's journal. A signer restored from an old backup signs no second history.
. "$(dirname "$0")/../e2e/lib.sh"
instance_start instance --no-demo
center=330106-01
key=$dir/keys/$center.pem
bin=$top/build/bin
[ ! -d "$dir/bin" ] || bin=$dir/bin
as_front() { if [ "$(id -u)" = 0 ]; then (cd / && exec setpriv --reuid=zz-front --regid="$(id -g zz-front)" --init-groups "$@"); else "$@"; fi; }

load() { # load FOLDER: half a second of sessions; the first certificate is revoked
	local serial request
	mkdir "$work/$1"
	expect "load of folder $1 is acknowledged" 0 client load "$key" $center 0.5 "$work/$1" "$url"
	serial=$(head -n 1 "$work/$1/acknowledged.txt" | cut -d' ' -f1)
	expect "a revocation waits" 5 zz revoke --url "$url" --key "$dir/keys/official-wang.pem" --ground R05 --decision-no 1 \
		--decided "$(TZ=Asia/Shanghai date +%F)" --effective "$(TZ=Asia/Shanghai date +%F)" --serial "$serial" --out "$work/$1.revoke"
	request=$(grep -oE '\b[0-9a-f]{64}\b' "$out" | head -n 1)
	expect "and is approved" 0 zz approve --url "$url" --key "$dir/keys/official-li.pem" --yes "$request"
	echo "$serial" >"$work/$1.revoked"
	log_is_whole "after $1"
}
copy_of() { echo "$work/backup/${1//\//_}"; }
backup() { local part; mkdir "$work/backup"; for part; do cp -a "$dir/$part" "$(copy_of "$part")"; done; }
restore() { local part; for part; do rm -rf "${dir:?}/$part"; cp -a "$(copy_of "$part")" "$dir/$part"; done; }
size_of() { sql "SELECT size FROM zz.log_head"; }

load before
old=$(size_of)
instance_stop
backup pg/data signer
services_up
load after
new=$(size_of)
sql "SELECT encode(serial, 'hex'), status FROM zz.certificate ORDER BY 1" >"$work/statuses"
instance_stop

# ---- the database alone is old ----

restore pg/data
expect "tools/up does not start on the old backup" 1 tools/up --dir "$dir" --no-demo
has "and says why" "database_behind"
has "with both sizes" "database=$old signer=$new"
begin=$(date +%s%N)
expect "issuerd refuses to start" 4 as_front timeout 10 "$bin/issuerd" --config "$dir/zz.conf"
milliseconds=$((($(date +%s%N) - begin) / 1000000))
has "issuerd says both sizes and what to do" "database=$old signer=$new do=zz-admin_recover"
if [ $milliseconds -lt 1000 ]; then pass "within a second"; else fail "within a second" "$milliseconds ms"; fi
same "nothing was published of it" "$new" "$(sed -n 2p "$dir/public/log/checkpoint")"
expect "zz-admin status says that it is not healthy" 3 zz-admin status --config "$dir/zz.conf"

expect "zz-admin recover brings it back" 0 zz-admin recover --config "$dir/zz.conf"
has "and says how much" "the database has $new entries, as the signer"
expect "a second recover has nothing to do" 0 zz-admin recover --config "$dir/zz.conf"
has "and says so" "nothing to recover"
expect "then everything starts" 0 tools/up --dir "$dir" --no-demo
log_is_whole "after recover"
same "every certificate has its status again" "" \
	"$(sql "SELECT encode(serial, 'hex'), status FROM zz.certificate ORDER BY 1" | diff - "$work/statuses" | head -n 3)"
acknowledged_are_kept "what came before the backup" "$work/before"
acknowledged_are_kept "what came after the backup" "$work/after"

check() { zz-verify check --root "$dir/trust/root.pub" --state "$work/state-instance" "$1"; }
records_are() { # records_are EXIT FOLDER SERIALS: as the service gives them out
	local serial code bad=
	while read -r serial; do
		zz show --url "$url" --key "$key" --json "$serial" >"$work/shown.json"
		/usr/bin/python3 -c 'import base64, json, sys
record = json.load(open(sys.argv[1]))["record"]
sys.stdout.buffer.write(base64.urlsafe_b64decode(record + "=" * (-len(record) % 4)))' "$work/shown.json" >"$work/record.cose"
		code=0
		check "$work/record.cose" >"$out" 2>&1 || code=$?
		[ $code = "$1" ] || bad="$bad $serial: $code"
	done
	echo "$bad"
}
same "the revoked ones of both are REVOKED" "" "$(cat "$work/before.revoked" "$work/after.revoked" | records_are 20)"
same "a sample of the others is VALID" "" "$(cut -d' ' -f1 "$work/after/acknowledged.txt" | tail -n +2 | shuf -n 15 | records_are 0)"
load later

# ---- negative control: the signer's journal is as old, so nobody knows better; but what was published is known ----

instance_stop
published=$(cat "$dir/public/log/checkpoint")
restore pg/data signer
services_up
pass "negative control: without the signer's journal the old backup starts"
mkdir "$work/fork"
client load "$key" $center 1 "$work/fork" "$url" >"$out" 2>&1
sleep 1
same "and yet no second history is published" "$published" "$(cat "$dir/public/log/checkpoint")"
expect "the signer has stopped at the published size" 0 grep -q "event=log_fork" "$dir/log/ca-signer.log"
expect "nothing is issued any more" 22 ready
