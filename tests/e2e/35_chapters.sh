#!/usr/bin/env bash
# The README's chapters on people, rotation and a stolen key, followed as they are written: only the places of programs
# and of the instance, and the kid, are filled in.
. "$(dirname "$0")/lib.sh"
instance_start
conf=$dir/zz.conf
kid_of() { zz-admin status --config "$conf" | sed -n "s/^key  *$1  *\([0-9a-f]\{16\}\) .*/\1/p" | tail -n 1; }
chapter() { # chapter START END: the commands that stand between, indented
	sed -n "/^$1/,/^$2/p" README.md | sed -nE 's/^ {4,}((build\/bin\/|mv ).*)/\1/p'
}
follow() { # follow NAME START END
	local line n=0
	while IFS= read -r line; do
		line=${line//build\/bin\//}
		line=${line//var\//$dir/}
		line=${line//KID/$kid}
		n=$((n + 1))
		expect "$1, step $n: ${line%% --*}" 0 bash -c "cd '$work' && echo yes | { $line; }"
	done < <(chapter "$2" "$3")
	same "$1: there were steps" 1 "$((n > 0))"
}

kid=
zz keygen --out "$dir/keys/new.pem" >"$work/kid" 2>&1
client roster "$dir/trust/roster.jws" "$dir/keys/root.pem" --official "$dir/keys/new.pem" --plain >"$work/next.json"
follow "people" '\*\*People come and go' '### Rotation'
same "the roster is in force" 2 "$(zz-admin status --config "$conf" | sed -n 's/^roster  *\([0-9]*\) .*/\1/p')"
first=$(kid_of record)
follow "rotation" '### Rotation' '### A key is stolen'
same "a second manifest is in force" 2 "$(zz-admin status --config "$conf" | sed -n 's/^manifest  *\([0-9]*\) .*/\1/p')"
same "it names another record key" 0 "$([ "$(kid_of record)" != "$first" ]; echo $?)"
kid=$first
follow "a stolen key" '### A key is stolen' 'The drill is'
zz-admin status --config "$conf" >"$work/status"
same "the stolen one is cut off" 1 "$(grep -c "^key .*$first.*cut off at" "$work/status")"
try_for 20 cmp -s "$dir/trust/manifest.cose" "$dir/public/manifest.cose" || fail "the manifest is public"
zz-verify sync --url "$url" --root "$dir/trust/root.pub" --state "$dir/verifier" >"$work/sync" 2>&1
good=$(find "$dir/out/welding-120" -name '*.bundle' | sort | head -n 1)
expect "an honest bundle is VALID" 0 zz-verify check --require-log --root "$dir/trust/root.pub" --state "$dir/verifier" "$good"
client request "$dir/keys/330106-01.pem" 330106-01 >"$work/new.jws"
same "issuing goes on" 201 "$(curl -s -o "$work/answer" -w '%{http_code}' -H 'Content-Type: application/jose' --data-binary @"$work/new.jws" "$url/v1/requests")"
log_is_whole "after all chapters"
audit_finds_nothing "after all chapters"
