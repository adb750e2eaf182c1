#!/usr/bin/env bash
# Strangers read what a live instance serves: Go's sumdb packages the log, Python the rest. Then one bit is
# flipped in each file that they read, and each time they must refuse.
. "$(dirname "$0")/../e2e/lib.sh"
export PYTHONDONTWRITEBYTECODE=1

# Debian's Go has the packages in its GOPATH; a newer one in PATH would look for modules.
go=/usr/bin/go
export GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE=$work/go GOTOOLCHAIN=local GOFLAGS=
read_log() { "$work/log_reader" "$1" "$dir/trust/log.vkey" "${@:2}"; }
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

expect "the Go reader builds" 0 $go build -o "$work/log_reader" tests/interop/log_reader.go
instance_start
mapfile -t kept < <(find "$dir/public/log/checkpoints" -type f -regex '.*/[0-9]+' -printf '%f\n')
expect "Go's sumdb accepts the log as served" 0 read_log "$url" "${kept[@]}"
cat "$out"
expect "Python accepts everything as served" 0 read_all "$url"
cat "$out"

# The publisher goes on writing, so the flips are made in a copy that stands still.
instance_stop
copy=$work/copy
cp -r "$dir/public" "$copy"
export LOG_READER_LIST=$work/log.list READER_LIST=$work/all.list
expect "Go's sumdb accepts the copy" 0 read_log "$copy"
expect "Python accepts the copy" 0 read_all "$copy"
unset LOG_READER_LIST READER_LIST
refuses read_log "$work/log.list"
refuses read_all "$work/all.list"
