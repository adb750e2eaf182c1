#!/usr/bin/env bash
# A front that was taken over speaks to the running signer over its real socket: ten thousand hostile messages give no
# signature and move nothing; honest ones beside them work. Needs root, to be each of the users that knock.
. "$(dirname "$0")/../e2e/lib.sh"
[ "$(id -u)" = 0 ] || { fail "tests/sandbox runs as root: only root may be each of the users that knock"; exit 1; }
instance_start
dir=$(readlink -f "$dir")
service_signal term issuerd
signer=$(service_pid ca-signer)
open_files() { find "/proc/$signer/fd" -mindepth 1 | wc -l; }
resident() { awk '$1 == "VmRSS:" { print $2 }' "/proc/$signer/status"; }
files=$(open_files) kib=$(resident) said=$(wc -l <"$dir/log/ca-signer.log")

mkdir -m 755 "$dir/hostile"
sed 's|^run_dir = .*|run_dir = hostile|' "$dir/zz.conf" >"$dir/hostile.conf"
/usr/bin/python3 tests/sandbox/hostile_front.py "$dir" "$url" 20261018 \
	"${as_front[@]}" "$(program_dir)/issuerd" --config "$dir/hostile.conf" >"$work/attack" 2>"$work/attack.log" ||
	fail "the hostile front ends well" "$(tail -n 20 "$work/attack.log")"
cat "$work/attack"

same "the signer is the process that it was" "$signer" "$(pgrep -f "ca-signer --config $dir/zz.conf")"
files_again() { [ "$(open_files)" = "$files" ]; }
try_for 10 files_again && pass "it holds no file more than before" || fail "it holds no file more than before" "$files, now $(open_files)"
grown=$(($(resident) - kib))
[ $grown -lt 8192 ] && pass "its memory grew by less than 8 MiB" || fail "its memory grew by less than 8 MiB" "$grown KiB"
echo "# $grown KiB, and $(($(wc -l <"$dir/log/ca-signer.log") - said)) lines of its log"
for word in peer_refused frame_refused message_not_allowed connections_full; do
	grep -q "event=$word" "$dir/log/ca-signer.log" && pass "its log tells of $word" || fail "its log tells of $word"
done
same "and of no fault" "" "$(grep -h "level=fault" "$dir/log/ca-signer.log" | grep -v what=repeated_entries_differ | head -n 3)"

services_up
client request "$dir/keys/330106-01.pem" 330106-01 --seats 3 >"$work/request.jws"
expect "the honest front issues again" 0 curl -fsS -H "Content-Type: application/jose" --data-binary "@$work/request.jws" "$url/v1/requests"
has "it is executed" '"state":"executed"'
log_is_whole "after the attack"
audit_finds_nothing "after the attack"

# Before a session is logged the signer answers it anew: records that the hostile front kept back, and no log holds.
verify() { zz-verify "$1" --root "$dir/trust/root.pub" --state "$dir/verifier" "${@:2}"; }
expect "a verifier fetches the lists" 0 verify sync --url "$url"
expect "a record that was kept back is revoked with the one that was logged" 20 verify check "$dir/hostile/revoked.cose"
expect "and whoever asks the log refuses it" 50 verify check --require-log "$dir/hostile/good.cose"
expect "control: as a bare record it is as good as the logged one" 0 verify check "$dir/hostile/good.cose"
