#!/usr/bin/env bash
# A copy of everything from an old backup agrees with itself; a witness that has seen a longer log tells it, and nothing
# is signed.
. "$(dirname "$0")/../e2e/lib.sh"
instance_start instance --no-demo
center=330106-01
key=$dir/keys/$center.pem
conf=$dir/zz.conf
wport=$(free_port)
vkey=$(zz-witness keygen --name witness.example.org/one --key "$work/one.pem")
background "$work/one.log" "$top/build/bin/zz-witness" run --name witness.example.org/one --key "$work/one.pem" \
	--state "$work/one.state" --log "$(cat "$dir/trust/log.vkey")" --listen "127.0.0.1:$wport"
published() { sed -n 2p "$dir/public/log/checkpoint"; }
all_public() { [ "$(published)" = "$(sql "SELECT size FROM zz.log_head")" ]; }
cosigned() { all_public && grep -q '^— witness.example.org/one ' "$dir/public/log/checkpoint"; }
issue() { client request "$key" $center >"$work/request" && curl -fsS -o "$work/body" --data-binary @"$work/request" "$url/v1/requests"; }
rest() { # all is public, and stops
	try_for 10 cosigned || fail "the newest checkpoint is cosigned" "$(tail -n 5 "$dir/log/issuer-publish.log")"
	service_signal term issuer-publish
	instance_stop
}

cp "$conf" "$work/zz.conf"
printf 'witness = one %s http://127.0.0.1:%s\nwitness_quorum = one\n' "$vkey" "$wport" >>"$conf"
service_signal term issuer-publish
services_up
rest
mkdir "$work/backup"
for part in pg/data signer public; do cp -a "$dir/$part" "$work/backup/${part//\//_}"; done
services_up
issue || fail "the log grows after the backup"
rest
new=$(published)
for part in pg/data signer public; do rm -rf "${dir:?}/$part" && cp -a "$work/backup/${part//\//_}" "$dir/$part"; done
old=$(published)
timeout 6 tools/up --dir "$dir" --no-demo >"$work/up.log" 2>&1 </dev/null
if try_for 10 grep -q event=witness_ahead "$dir/log/issuer-publish.log"; then pass "a restored copy is told from what witnesses saw"; else fail "a restored copy is told from what witnesses saw" "$(tail -n 5 "$dir/log/issuer-publish.log")"; fi
expect "with both sizes and what to do" 0 grep -qE "theirs=$new ours=[0-9]+ .*zz-admin_recover" "$dir/log/issuer-publish.log"
client request "$key" $center >"$work/request"
same "and nothing is issued" 503 "$(curl -s -o "$work/body" -w '%{http_code}' --data-binary @"$work/request" "$url/v1/requests")"
same "nor published" "$old" "$(published)"
# negative control: without its witness the copy goes on
service_signal term issuer-publish
cp "$work/zz.conf" "$conf"
services_up
if issue; then pass "negative control: without witnesses the restored copy issues"; else fail "negative control: without witnesses the restored copy issues" "$(cat "$work/body")"; fi
