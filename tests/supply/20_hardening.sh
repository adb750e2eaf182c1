#!/usr/bin/env bash
# Every program that we ship carries the defences of compiler and linker.
. "$(dirname "$0")/../e2e/lib.sh"

lacks() { # lacks PROGRAM: each defence that is not there, one a line; exit 1 when one is missing
	local all missing=
	all=$(readelf -W -h -l -d -n --dyn-syms "$1") || return 2
	want() { grep -qE "$2" <<<"$all" || missing="$missing $1"; }
	refuse() { ! grep -qE "$2" <<<"$all" || missing="$missing $1"; }
	want PIE '^ *Type: +DYN .*(Position-Independent|Shared)'
	want PIE-flag 'FLAGS_1.*PIE'
	refuse TEXTREL 'TEXTREL'
	want RELRO 'GNU_RELRO'
	want BIND_NOW 'BIND_NOW|FLAGS_1.*NOW'
	want stack-not-executable 'GNU_STACK .* RW +0x'
	refuse writable-and-executable '^ *LOAD .* RWE '
	want stack-protector '__stack_chk_fail'
	want FORTIFY ' __[a-z_]+_chk(@|$| )'
	refuse RPATH '\((RPATH|RUNPATH)\)'
	want build-id 'Build ID: [0-9a-f]{40}'
	[ -z "$missing" ] || { echo "missing:$missing"; return 1; }
}

count=0
for program in build/bin/*; do
	expect "$(basename "$program") has every defence" 0 lacks "$program"
	count=$((count + 1))
done
expect "all programs were asked" 0 test $count -ge 9
# Stack clash protection leaves no mark in a program: the command line of each file is asked.
unprotected() { grep '"command"' build/compile_commands.json | grep -vc -- -fstack-clash-protection; }
[ "$(uname -m)" != x86_64 ] || same "each file is compiled with stack clash protection" 0 "$(unprotected)"

# The linker keeps the marks of CET only when every object has them, and Debian's start files of the C library
# may not: so each object of ours is asked, and no program.
unmarked() { # unmarked FOLDER: objects there without the marks
	find "$1" -name '*.o' | while read -r object; do
		readelf -W -n "$object" | grep -qE 'x86 feature:.*IBT.*SHSTK' || echo "$object"
	done
}
if [ "$(uname -m)" = x86_64 ]; then
	same "each object has the marks of CET" "" "$(unmarked build/CMakeFiles)"
	echo 'int f(void) { return 1; }' | gcc -fcf-protection=none -x c -c - -o "$work/bare.o"
	same "an object without them is found" "$work/bare.o" "$(unmarked "$work")"
fi

# Negative control: the same check refuses a program made without them.
printf '%s\n' '#include <stdio.h>' 'int main(int n, char **v) { char b[64]; return !fgets(b, n, stdin) + !v; }' \
	>"$work/bare.c"
expect "a program without defences can be made" 0 gcc -O1 -no-pie -U_FORTIFY_SOURCE -fno-stack-protector \
	-fcf-protection=none -Wl,-z,norelro,-z,lazy,-z,execstack,-rpath,/tmp,--build-id=none "$work/bare.c" -o "$work/bare"
expect "the check refuses it" 1 lacks "$work/bare"
for word in PIE RELRO BIND_NOW stack-not-executable stack-protector FORTIFY RPATH build-id; do
	has "and names $word" " $word"
done
[ $failures = 0 ]
