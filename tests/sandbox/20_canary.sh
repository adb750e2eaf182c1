#!/usr/bin/env bash
# The signer's own keys as canaries: their private bytes are in its locked memory, which no dump holds, and in no core,
# log, public file, database or other process's memory. Needs root, which alone may look there.
. "$(dirname "$0")/../e2e/lib.sh"
[ "$(id -u)" = 0 ] || { fail "tests/sandbox runs as root: only root may look into these processes"; exit 1; }
canary() { /usr/bin/python3 tests/sandbox/canary.py "$@"; }
instance_start
as_pg "$pg_bin/pg_dump" -h "$(readlink -f "$dir/run")/pg" -U postgres zz >"$work/database.sql" || fail "the database is dumped"
mapfile -t files < <(find "$dir/log" "$dir/public" "$dir/out" "$dir/pg/data/base" "$dir/pg/data/pg_wal" -type f)
mkdir "$work/plain"
for file in "$dir"/signer/*.pem; do
	name=${file##*/}
	key=$work/plain/$name # as whoever has the passphrase sees it
	openssl pkey -in "$file" -passin "file:$dir/keys/signer.pass" -out "$key" || fail "$name opens"
	same "$name: in the signer's memory, where it is locked and in no dump, and there alone" "locked memory in no dump" \
		"$(canary "$key" memory "$(service_pid ca-signer)" | sed 's/^[a-z]* in //' | sort -u)"
	for other in issuerd issuer-publish; do
		same "$name: not in the memory of $other" "" "$(canary "$key" memory "$(service_pid $other)")"
	done
	same "$name: not in the dump of the database, nor in ${#files[@]} files of log, public, database" "" \
		"$(canary "$key" file "$work/database.sql" "${files[@]}")"
	same "$name: its own file holds none of it in the clear" "" "$(canary "$key" file "$file")"
	same "control: $name is found in a file that leaks it" "pem" "$(canary "$key" file "$key" | cut -d' ' -f1)"
done
