# Helpers of the shell tests in tests/e2e, tests/interop and tests/fault; sourced, never run.
#   . "$(dirname "$0")/lib.sh"            (from the other folders: ../e2e/lib.sh)
#   instance_start                        a service of its own: $dir, $port, $url; stopped at exit
#   expect "revoked says REVOKED" 20 zz-verify check ...   runs it, compares the exit code; output in $out
#   has "it names the date" 2026-10-17    $out holds that text
#   pass NAME, fail NAME [WHY]            one line each, counted by tools/check
# A test gives each check a sentence. ZZ_KEEP=1 keeps the folder of the instance for a look.
# shellcheck shell=bash
set -u
export LC_ALL=C.UTF-8
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$top" || exit 2
export PATH="$top/build/bin:$PATH"

work=$(mktemp -d "${TMPDIR:-/tmp}/zz-test.XXXXXX")
chmod 755 "$work" # the service's own users must be able to pass
out=$work/out
instances=()
failures=0

pass() { echo "ok $1"; }
fail() {
	echo "not ok $1"
	[ $# = 1 ] || sed 's/^/# /' <<<"$2"
	failures=$((failures + 1))
}

expect() { # expect NAME EXIT COMMAND...
	local name=$1 want=$2 got=0
	shift 2
	"$@" >"$out" 2>&1 </dev/null || got=$?
	if [ "$got" = "$want" ]; then
		pass "$name"
	else
		fail "$name" "exit $got, not $want: $*"$'\n'"$(tail -n 20 "$out")"
		return 1
	fi
}

has() { # has NAME TEXT: the output of the last expect holds TEXT
	if grep -qF -e "$2" "$out"; then
		pass "$1"
	else
		fail "$1" "not found: $2"$'\n'"$(tail -n 20 "$out")"
		return 1
	fi
}

free_port() {
	local port
	for port in $(shuf -i 20000-29999 -n 50); do
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
	done
}

instance_start() { # instance_start [NAME]: fresh, in $work/NAME
	dir=$work/${1:-instance}
	port=$(free_port)
	url=http://127.0.0.1:$port
	instances+=("$dir")
	if ! tools/up --dir "$dir" --port "$port" >"$work/up.log" 2>&1 </dev/null; then
		fail "tools/up starts an instance" "$(tail -n 40 "$work/up.log")"
		exit 1
	fi
}

instance_stop() { # instance_stop [DIR]
	tools/up --dir "${1:-$dir}" --stop >>"$work/up.log" 2>&1 </dev/null
}

leave() {
	local status=$? i
	trap - EXIT
	for i in "${instances[@]}"; do
		[ ! -d "$i" ] || instance_stop "$i"
	done
	if [ -n "${ZZ_KEEP:-}" ]; then
		echo "# kept: $work"
	else
		rm -rf "$work"
	fi
	[ $failures = 0 ] || status=1
	exit $status
}
trap leave EXIT
trap 'exit 143' INT TERM
