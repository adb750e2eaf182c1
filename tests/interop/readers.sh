#!/usr/bin/env bash
# Strangers read what a live instance serves: Go's sumdb packages the log, Python the rest. Then one bit is
# flipped in each file that they read, and each time they must refuse.
. "$(dirname "$0")/../e2e/lib.sh"
export PYTHONDONTWRITEBYTECODE=1

read_all() { /usr/bin/python3 tests/interop/reader.py instance "$1" "$dir/trust/root.pub" "$dir/out"; }

flip_bit() { # in the middle of FILE
	local at
	at=$(($(stat -c %s "$1") / 2))
	printf "\\x$(printf %02x $((0x$(xxd -s $at -l 1 -p "$1") ^ 1)))" |
		dd of="$1" bs=1 seek=$at conv=notrunc status=none
}

refuses() { # refuses READER FILES-IT-READ: a flipped bit in any of them
	local path passed=
	while read -r path; do
		cp -p "$copy/$path" "$work/saved"
		flip_bit "$copy/$path"
		"$1" "$copy" >"$out" 2>&1 && passed="$passed $path"
		cp -p "$work/saved" "$copy/$path"
	done <"$2"
	if [ -s "$2" ] && [ -z "$passed" ]; then
		pass "$1 refuses a flipped bit in each of $(wc -l <"$2") files"
	else
		fail "$1 refuses a flipped bit in each of $(wc -l <"$2") files" "accepted:$passed"
	fi
}

log_reader_build
instance_start
mapfile -t kept < <(find "$dir/public/log/checkpoints" -type f -regex '.*/[0-9]+' -printf '%f\n')
mapfile -t lists < <(cd "$dir/public" && find status/version -name '*.tlog-proof')
expect "Go's sumdb accepts the log and the proofs of the lists as served" 0 read_log "$url" "${kept[@]}" "${lists[@]}"
cat "$out"
expect "Python accepts everything as served" 0 read_all "$url"
cat "$out"

# The publisher goes on writing, so the flips are made in a copy that stands still.
instance_stop
copy=$work/copy
cp -r "$dir/public" "$copy"
mkdir "$copy/proofs"
mapfile -t records < <(find "$dir/out" -name '*.cose' | sort | awk 'NR % 40 == 1')
for record in "${records[@]}"; do
	zz-verify prove --root "$dir/trust/root.pub" --log "$copy" --out "$copy/proofs" "$record" >"$out" 2>&1 || fail "a proof for $record" "$(cat "$out")"
done
mapfile -t proofs < <(cd "$copy" && find status/version proofs -name '*.tlog-proof' | sort)
export LOG_READER_LIST=$work/log.list READER_LIST=$work/all.list
expect "Go's sumdb accepts the copy, and what zz-verify prove made from it" 0 read_log "$copy" "${proofs[@]}"
cat "$out"
expect "Python accepts the copy" 0 read_all "$copy"
unset LOG_READER_LIST READER_LIST
same "every tile, entry bundle, checkpoint and proof was read" \
	"$(cd "$copy" && find log/tile log/checkpoint log/checkpoints status/version proofs -type f \( -name '*.tlog-proof' -o -path 'log/*' ! -name '*.*' -o -path '*.p/*' \) | sort)" \
	"$(sort -u "$work/log.list")"

# Any static server will do.
port=$(free_port)
background "$work/http.log" /usr/bin/python3 -m http.server --bind 127.0.0.1 --directory "$copy" "$port"
url=http://127.0.0.1:$port
expect "a plain server gives the copy" 0 try_for 10 curl -sf -o "$work/x" "$url/log/checkpoint"
read_log_http() { read_log "$url" "${kept[@]}" "${proofs[@]}"; }
mapfile -t kept < <(find "$copy/log/checkpoints" -type f -regex '.*/[0-9]+' -printf '%f\n')
expect "negative control: without a flip Go accepts it over HTTP" 0 read_log_http
refuses read_log_http "$work/log.list"
refuses read_all "$work/all.list"
