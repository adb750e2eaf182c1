#!/usr/bin/env bash
# A database restored from an old backup lacks certificates that were answered: nothing starts on it, zz-admin recover
# brings everything back from the signer's journal. A signer restored from an old backup signs no second history.
. "$(dirname "$0")/../e2e/lib.sh"
instance_start instance --no-demo
center=330106-01
key=$dir/keys/$center.pem

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
rest() { # stops everything; the size at which it rests in $size
	service_signal term issuer-publish
	service_signal term issuerd
	size=$(sql "SELECT size FROM zz.log_head")
	instance_stop
}

load before
rest
old=$size
backup pg/data signer
services_up
load after
sql "SELECT encode(serial, 'hex'), status FROM zz.certificate ORDER BY 1" >"$work/statuses"
published=$(cat "$dir/public/log/checkpoint")
rest
new=$size

# ---- the database alone is old ----

restore pg/data
expect "tools/up does not start on the old backup" 1 tools/up --dir "$dir" --no-demo
has "and says why" "database_behind"
has "with both sizes" "database=$old signer=$new"
begin=$(date +%s%N)
expect "issuerd refuses to start" 4 "${as_front[@]}" timeout 10 "$(program_dir)/issuerd" --config "$dir/zz.conf"
milliseconds=$((($(date +%s%N) - begin) / 1000000))
has "issuerd says both sizes and what to do" "database=$old signer=$new do=zz-admin_recover"
if [ $milliseconds -lt 1000 ]; then pass "within a second"; else fail "within a second" "$milliseconds ms"; fi
same "nothing was published of it" "$(sed -n 1,2p <<<"$published")" "$(sed -n 1,2p "$dir/public/log/checkpoint")"
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
revoked_again() { public_log_agrees && [ -z "$(records_are 20 <"$work/after.revoked")" ]; }
try_for 20 revoked_again
same "the revoked ones of both are REVOKED" "" "$(cat "$work/before.revoked" "$work/after.revoked" | records_are 20)"
same "a sample of the others is VALID" "" "$(cut -d' ' -f1 "$work/after/acknowledged.txt" | tail -n +2 | shuf -n 15 | records_are 0)"
load later
sql "SELECT idx, encode(serial, 'hex') FROM zz.certificate WHERE idx >= $old" >"$work/issued"

# ---- negative control: the signer's journal is as old, so issuerd starts; but what was published is known ----

rest
published=$(cat "$dir/public/log/checkpoint")
restore pg/data signer
timeout 6 tools/up --dir "$dir" --no-demo >"$work/up.log" 2>&1 </dev/null
expect "negative control: beside a journal as old as it, the old backup is not refused" 0 curl -fsS "$url/healthz"
status=$(curl -s -o "$work/body" -w '%{http_code}' "$url/readyz")
same "but the signer knows what was published" "503 log_size_mismatch" "$status $(grep -o 'log_[a-z_]*' "$work/body")"
client request "$key" $center >"$work/request"
same "and nothing is issued" 503 "$(curl -s -o "$work/body" -w '%{http_code}' --data-binary @"$work/request" "$url/v1/requests")"
same "no second history is published" "$published" "$(cat "$dir/public/log/checkpoint")"
# What is gone is named: the serials that were issued after the backup, in the order of the log.
expect "zz-admin recover refuses" 4 zz-admin recover --config "$dir/zz.conf"
cp "$out" "$work/lost"
expect "and says both sizes" 0 grep -qx "published $(sed -n 2p <<<"$published"), signer $old" "$work/lost"
awk -v size="$(sed -n 2p <<<"$published")" '$1 < size { print $2 }' "$work/issued" | sort >"$work/gone"
same "and names each of the $(wc -l <"$work/gone") certificates whose records are gone, and no other" "" \
	"$(sed -n 's/^lost [0-9]*: certificate \([0-9a-f]*\) of centre.*/\1/p' "$work/lost" | sort | diff - "$work/gone" | head -n 3)"
bundle=$(find "$dir/public/log/tile/entries" -type f -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2)
cp "$bundle" "$work/bundle"
printf '\x01' | dd of="$bundle" bs=1 seek=$(($(stat -c %s "$bundle") - 3)) conv=notrunc status=none
expect "negative control: it believes no public file that the log's key did not sign" 4 zz-admin recover --config "$dir/zz.conf"
has "and says so" "log_fork"
