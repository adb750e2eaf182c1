# Helpers of the shell tests in tests/e2e, tests/interop and tests/fault; sourced, never run.
#   . "$(dirname "$0")/lib.sh"            (from the other folders: ../e2e/lib.sh)
#   instance_start                        a service of its own: $dir, $port, $url; stopped at exit
#   expect "revoked says REVOKED" 20 zz-verify check ...   runs it, compares the exit code; output in $out
#   has "it names the date" 2026-10-17    $out holds that text
#   same NAME WANT GOT                    two texts are equal
#   pass NAME, fail NAME [WHY]            one line each, counted by tools/check
#   sql QUERY                             as the database's superuser
#   service_signal kill|stop|cont NAME    to issuerd, ca-signer or issuer-publish of the instance; services_up again
#   front_start CONF                      one more issuerd, its process id in $front; background LOG COMMAND...: the same
#   pg stop|start|restart                 the cluster of the instance
#   log_is_whole NAME                     head, entries, certificates, signer and public log agree
#   audit_finds_nothing NAME              zz-audit derives everything again, and it is the same
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
extras=() # processes that the test started by itself
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

same() { # same NAME WANT GOT
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1" "$(diff <(echo "$2") <(echo "$3") | head -n 10)" # < wanted, > got
		return 1
	fi
}

try_for() { # try_for SECONDS COMMAND...: until it succeeds
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1 </dev/null; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.2
	done
}

client() { /usr/bin/python3 "$top/tests/e2e/client.py" "$@"; }
export PYTHONDONTWRITEBYTECODE=1

free_port() {
	local port
	for port in $(shuf -i 20000-29999 -n 50); do
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
	done
}

instance_start() { # instance_start [NAME [OPTION OF tools/up...]]: fresh, in $work/NAME
	dir=$work/${1:-instance}
	[ $# = 0 ] || shift
	port=$(free_port)
	url=http://127.0.0.1:$port
	instances+=("$dir")
	if ! tools/up --dir "$dir" --port "$port" "$@" >"$work/up.log" 2>&1 </dev/null; then
		fail "tools/up starts an instance" "$(tail -n 40 "$work/up.log")"
		exit 1
	fi
	[ "$(id -u)" != 0 ] || as_front=(setpriv --reuid=zz-front "--regid=$(id -g zz-front)" --init-groups)
}

instance_stop() { # instance_stop [DIR]
	tools/up --dir "${1:-$dir}" --stop >>"$work/up.log" 2>&1 </dev/null
}

# ---- the processes and the database of the instance ----

service_pid() { cat "$dir/run/$1.pid"; }

service_signal() { # service_signal kill|stop|cont|term NAME: it has ended, where it is to end, when this returns
	local pid
	pid=$(service_pid "$2")
	kill "-${1^^}" "$pid"
	case $1 in stop | cont) return ;; esac
	try_for 30 bash -c "! kill -0 $pid" || fail "$2 ends"
}

services_up() { # starts what is not running, as the operator would
	tools/up --dir "$dir" --no-demo >"$work/up.log" 2>&1 </dev/null ||
		{ fail "tools/up starts the services again" "$(tail -n 40 "$work/up.log")"; return 1; }
}

# The user that issuerd runs as, and an issuerd of the test's own: front_start CONF, its process id in $front.
program_dir() { if [ -d "$dir/bin" ]; then echo "$dir/bin"; else echo "$top/build/bin"; fi; }
as_front=()
background() { # background LOG COMMAND...: ended with the test
	local log=$1
	shift
	(cd / && exec "$@") >>"$log" 2>&1 </dev/null &
	extras+=($!)
}
front_start() {
	background "$dir/log/${1##*/}.log" "${as_front[@]}" "$(program_dir)/issuerd" --config "$1"
	front=$!
}

ready() { curl -fsS "${1:-$url}/readyz"; }

pg_bin=$(dirname "$(find /usr/lib/postgresql/*/bin -name pg_ctl | sort -V | tail -n 1)")
as_pg() {
	if [ "$(id -u)" = 0 ]; then
		(cd / && exec setpriv --reuid=postgres --regid="$(id -g postgres)" --init-groups env -u TMPDIR "$@")
	else
		(cd / && exec "$@")
	fi
}

pg() { # pg stop|start|restart [MODE]
	as_pg "$pg_bin/pg_ctl" -D "$dir/pg/data" -l "$dir/pg/log" -w -t 60 ${2:+-m "$2"} "$1" >"$work/pg.log" 2>&1 </dev/null ||
		fail "PostgreSQL: $*" "$(cat "$work/pg.log")"
}

sql() {
	as_pg "$pg_bin/psql" -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 -h "$(readlink -f "$dir/run")/pg" -d zz \
		-U "$([ "$(id -u)" = 0 ] && echo postgres || id -un)" -c "$1"
}

# What must agree at any moment of rest: "log_head = count = newest index + 1 = signer", and each certificate with its entry.
log_numbers() {
	local signer
	signer=$(zz-admin status --config "$dir/zz.conf" | sed -n 's/^signer_size *//p')
	sql "SELECT concat_ws(' ', 'head', h.size = $signer, 'entries', count(e.idx) = h.size, 'gaps', max(e.idx) + 1 <> h.size,
		'issued', count(*) FILTER (WHERE substring(e.entry, 1, 3) = '\x890101') = (SELECT count(*) FROM zz.certificate),
		'misplaced', (SELECT count(*) FROM zz.certificate c LEFT JOIN zz.log_entry e USING (idx)
			WHERE e.entry IS NULL OR substring(e.entry, 5, 16) <> c.serial))
		FROM zz.log_head h, zz.log_entry e GROUP BY h.size"
}

public_log_agrees() {
	zz-verify sync --url "$url" --root "$dir/trust/root.pub" --state "$work/state-${dir##*/}" >"$work/sync.log" 2>&1 &&
		[ "$(sed -n 2p "$dir/public/log/checkpoint")" = "$(sql 'SELECT size FROM zz.log_head')" ]
}

log_is_whole() { # log_is_whole NAME
	try_for 30 ready || fail "$1: the service is ready"
	same "$1: head, entries, certificates and signer agree, no gap" \
		"head t entries t gaps f issued t misplaced 0" "$(log_numbers)"
	if try_for 20 public_log_agrees; then
		pass "$1: the public log holds all and extends what was seen before"
	else
		fail "$1: the public log holds all and extends what was seen before" "$(cat "$work/sync.log")"
	fi
}

# Go's sumdb packages read a log as strangers: `read_log BASE`. Debian's Go has them in its GOPATH; a newer one in PATH
# would look for modules.
log_reader_build() {
	expect "the Go reader builds" 0 env GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE="$work/go" GOTOOLCHAIN=local GOFLAGS= \
		/usr/bin/go build -o "$work/log_reader" tests/interop/log_reader.go
}
read_log() { "$work/log_reader" "$1" "$dir/trust/log.vkey" "${@:2}"; }

audit_finds_nothing() { # of a service that goes on publishing: a second look tells what only came in between
	try_for 10 zz-audit --config "$dir/zz.conf" --journal "$dir/signer" --pepper "$dir/keys/pepper"
	expect "$1: the audit derives the same" 0 \
		zz-audit --config "$dir/zz.conf" --journal "$dir/signer" --pepper "$dir/keys/pepper"
}

# Every certificate that a client of `client.py load` was answered is there once, where the answer said.
acknowledged_are_kept() { # acknowledged_are_kept NAME FOLDER
	sql "SELECT encode(serial, 'hex'), idx, encode(request, 'hex'), encode(sha256(record), 'hex')
		FROM zz.certificate" | LC_ALL=C sort >"$work/kept.txt"
	same "$1: no acknowledged certificate of $(wc -l <"$2/acknowledged.txt") is lost or changed" "" \
		"$(LC_ALL=C comm -23 "$2/acknowledged.txt" "$work/kept.txt" | head -n 3)"
	same "$1: none is there twice" "" "$(sql "SELECT request, seat FROM zz.certificate GROUP BY 1, 2 HAVING count(*) > 1 LIMIT 3")"
	expect "$1: the same requests again get the same answers" 0 client again "$2" "$url"
}

leave() {
	local status=$? i
	trap - EXIT
	for i in "${extras[@]}"; do
		kill -CONT "$i" 2>/dev/null && kill "$i" && wait "$i"
	done
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
