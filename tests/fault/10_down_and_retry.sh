#!/usr/bin/env bash
# Whatever goes down, and however: the sender is told to come again, coming again is safe, and what was acknowledged is
# in the log exactly once.
. "$(dirname "$0")/../e2e/lib.sh"
instance_start instance --no-demo
center=330106-01
key=$dir/keys/$center.pem

post() { # post FILE: "status code"; headers in $work/head
	local status
	status=$(curl -s -m 45 -o "$work/body" -D "$work/head" -w '%{http_code}' --data-binary @"$work/$1" "$url/v1/requests")
	echo "$status $(grep -o 'urn:zz:error:[a-z_]*' "$work/body" | cut -d: -f4)"
}
one_certificate() { # one_certificate NAME FILE
	same "$1" 1 "$(sql "SELECT count(*) FROM zz.certificate WHERE request = '\\x$(cut -d. -f1,2 "$work/$2" | tr -d '\n' | sha256sum | cut -d' ' -f1)'")"
}

not_ready() { ! ready; }
answered() { post "$1" >"$work/answered" && ! grep -q '^503' "$work/answered"; }

# down WHAT CODE: a request of before, one of now, the tool; all come again when it is back
down() {
	same "$1: 503, come again" "503 $2" "$(post "$1")"
	expect "$1: says when, by Retry-After" 0 grep -qi '^retry-after: [0-9]' "$work/head"
	expect "$1: /readyz says no" 0 try_for 5 not_ready
	expect "$1: /healthz says that the process lives" 0 curl -fsS "$url/healthz"
	expect "$1: public files are served" 0 curl -fsS "$url/log/checkpoint"
	expect "$1: zz submit says that it is safe to run again" 6 submit "$1"
}
session() { # session FOLDER SEATS: of new people
	mkdir "$work/$1.session"
	client csv "$2" >"$work/$1.session/results.csv"
	sed "s/2026-10-17/$(TZ=Asia/Shanghai date -d '2 days ago' +%Y-%m-%d)/" tools/examples/low-voltage-60/session.json >"$work/$1.session/session.json"
}
submit() { zz submit --url "$url" --key "$key" --session "$work/$1.session/session.json" --results "$work/$1.session/results.csv" --out "$work/$1.out"; }
back() {
	expect "$1: ready again" 0 try_for 30 ready
	expect "$1: the same bytes again get an answer" 0 try_for 10 answered "$1"
	same "$1: which says that it is done now" "201 " "$(cat "$work/answered")"
	same "$1: and again are answered" "200 " "$(post "$1")"
	one_certificate "$1: with one certificate" "$1"
	expect "$1: zz submit, run again, is done" 0 submit "$1"
	expect "$1: and again" 0 submit "$1"
	same "$1: with three certificates" 3 "$(find "$work/$1.out" -name '*.cose' | wc -l)"
}

client request "$key" $center >"$work/database"
session database 3
pg stop fast
down database database_unavailable
pg start
back database

client request "$key" $center >"$work/signer"
session signer 3
service_signal term ca-signer
down signer signer_unavailable
services_up
back signer
log_is_whole "after both"

# ---- in the middle of load ----

under_load() { # under_load NAME COMMAND...
	local name=$1 folder=$work/load.$1 pid
	shift
	mkdir "$folder"
	client load "$key" $center 4 "$folder" "$url" >"$folder.out" 2>&1 &
	pid=$!
	sleep 2
	"$@"
	if wait $pid; then
		pass "$name: every request was answered in the end ($(cat "$folder.out"))"
	else
		fail "$name: every request was answered in the end" "$(cat "$folder.out")"
	fi
	log_is_whole "$name"
	acknowledged_are_kept "$name" "$folder"
}
kill_one() { service_signal kill "$1" && services_up; }
under_load "issuerd is killed" kill_one issuerd
under_load "ca-signer is killed" kill_one ca-signer
under_load "PostgreSQL crashes" pg restart immediate
under_load "issuer-publish is killed" kill_one issuer-publish
audit_finds_nothing "at the end"
