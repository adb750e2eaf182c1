#!/usr/bin/env bash
# From inside each running process: a dozen and more forbidden acts, each denied (ENOSYS, EPERM, EACCES) or its end
# (SIGSYS). Negative control: the same acts by a process without a sandbox happen. Needs root, as any debugger here.
. "$(dirname "$0")/../e2e/lib.sh"
[ "$(id -u)" = 0 ] || { fail "tests/sandbox runs as root: only root may look into these processes"; exit 1; }
gcc -std=gnu11 -D_GNU_SOURCE -O1 -Wall -Wextra -Werror -o "$work/inject" tests/sandbox/inject.c || exit 2
instance_start instance --no-demo
: >"$dir/public/witness-of-the-test" && chmod 666 "$dir/public/witness-of-the-test"
mkdir "$work/open" && chmod 777 "$work/open" # only the sandbox forbids this one

declare -A user=([ca-signer]=zz-signer [issuerd]=zz-front [issuer-publish]=zz-publish) pid most=([ca-signer]=20 [issuer-publish]=30 [issuerd]=45)
sealed() { grep -q '^Seccomp:.2$' "/proc/$1/status"; }
again() { # again NAME: after its end
	background "$dir/log/$1.log" setpriv "--reuid=${user[$1]}" "--regid=$(id -g "${user[$1]}")" --init-groups \
		"$(program_dir)/$1" --config "$dir/zz.conf"
	pid[$1]=$!
	try_for 20 sealed "${pid[$1]}" || fail "$1 starts again" "$(tail -n 3 "$dir/log/$1.log")"
}
denied() { # denied PROCESS ACT [PATH]
	expect "$1: $2${3:+ ${3##*/}} is denied" 0 "$work/inject" "${pid[$1]}" "${@:2}"
}

of_status() { awk -v name="$2:" '$1 == name { print $2 }' "/proc/$1/status"; }
for name in ca-signer issuer-publish issuerd; do
	pid[$name]=$(service_pid $name)
	p=${pid[$name]}
	same "$name runs as ${user[$name]}" "$(id -u "${user[$name]}")" "$(of_status "$p" Uid)"
	same "$name: no capability, no new privileges, a filter" "0000000000000000 0000000000000000 0000000000000000 1 2" \
		"$(of_status "$p" CapPrm) $(of_status "$p" CapEff) $(of_status "$p" CapAmb) $(of_status "$p" NoNewPrivs) $(of_status "$p" Seccomp)"
	same "$name: every thread has the filter" "" "$(grep -L '^Seccomp:.2$' /proc/"$p"/task/*/status)"
	same "$name: no core" "0 0" "$(awk '/^Max core/ { print $5, $6 }' "/proc/$p/limits")"
	same "$name: not dumpable: its /proc belongs to root" 0 "$(stat -c %u "/proc/$p/environ")"
	calls=$(sed -n 's/.*event=sandbox landlock=[1-9][0-9]* calls=\([0-9]*\) .*/\1/p' "$dir/log/$name.log" | tail -n 1)
	[ "${calls:-999}" -le "${most[$name]}" ] && pass "$name: ${calls} system calls, at most ${most[$name]}" ||
		fail "$name: at most ${most[$name]} system calls" "${calls:-none said}"
	for act in chmod packet code memfd dumpable core process signal; do
		# front and publisher may have sockets; a raw one takes a capability
		denied $name $act "$dir/zz.conf"
	done
	denied $name write /etc/passwd
	denied $name create "$work/open/made-by-$name"
	denied $name read "$dir/keys/root.pem"
	denied $name read "/proc/1/status"
	[ $name = ca-signer ] || denied $name read "$dir/signer/tag.key"
	[ $name = issuer-publish ] || denied $name unlink "$dir/public/witness-of-the-test"
	[ $name = issuer-publish ] || denied $name write "$dir/public/witness-of-the-test"
done
denied ca-signer inet
denied ca-signer read /etc/passwd
denied ca-signer read "$dir/zz.conf"
denied issuer-publish read "$dir/keys/pepper"

same "the acts changed nothing" "" "$(ls "$work/open")"
try_for 10 ready && pass "all three still serve"

# Acts that no library explains end the process at once; each takes a process of its own.
for name in issuerd issuer-publish ca-signer; do
	service_signal term $name
	for act in execve fork ptrace mount kill setuid peek bpf io_uring unshare; do
		again $name
		expect "$name: $act ends it" 0 "$work/inject" "${pid[$name]}" $act /bin/true
		has "$name: $act ends it by the filter" killed
		wait "${pid[$name]}" 2>/dev/null
	done
	again $name # for the next ones
done

sleep 60 &
extras+=($!)
control=$!
for act in chmod packet code memfd dumpable core signal ptrace mount kill setuid peek io_uring unshare inet; do
	expect "control: without a sandbox, $act happens" 1 "$work/inject" $control $act "$work/open"
done
expect "control: without a sandbox, a file is made" 1 "$work/inject" $control create "$work/open/control"
