#!/usr/bin/env bash
# Two builds of one checkout give the same bytes: other folder, user, umask, time zone, locale, dates of files.
. "$(dirname "$0")/../e2e/lib.sh"

programs="ca-signer zz-verify"
copy() { # copy FOLDER DATE
	mkdir -p "$1"
	git -c safe.directory='*' ls-files -z | tar --null -T - -cf - | tar -xf - -C "$1" --no-same-owner
	find "$1" -exec touch -h -d "$2" {} +
}
first=$work/one second=$work/a-second-folder/of-another-name
copy "$first" 2001-02-03
copy "$second" 2024-05-06
as_other=()
if [ "$(id -u)" = 0 ]; then
	chown -R nobody "$second"
	as_other=(runuser -u nobody --)
fi

# The compiler itself, not a cache of it: a cache would hide a difference.
build() { # build FOLDER UMASK TZ LOCALE [RUN AS...]
	local folder=$1 mask=$2 zone=$3 locale=$4
	shift 4
	# shellcheck disable=SC2016,SC2086
	"$@" env -u CMAKE_C_COMPILER_LAUNCHER -u SOURCE_DATE_EPOCH TZ="$zone" LC_ALL="$locale" HOME=/nonexistent \
		bash -c 'umask "$1"; cd "$2"; shift 2; exec tools/build release "$@"' - "$mask" "$folder" $programs
}
expect "a first build, in a folder of ours" 0 build "$first" 022 Asia/Shanghai C
expect "a second build, in another folder by another user" 0 \
	build "$second" 077 America/New_York C.UTF-8 "${as_other[@]}"
sums() { (cd "$1/build/bin" && for name in $programs; do sha256sum "$name"; done); }
for name in $programs; do
	expect "$name was built" 0 test -s "$first/build/bin/$name"
done
same "both builds have the same bytes" "$(sums "$first")" "$(sums "$second")"

# Negative control: the flag is what does it.
object() { # object FOLDER FLAG...
	rm -f "$work/object.o"
	(cd "$1" && gcc -std=c11 -D_GNU_SOURCE -g -O2 "${@:2}" -c "$1/ca/date.c" -o "$work/object.o") || return 1
	sha256sum <"$work/object.o"
}
same "one object with the prefix map is the same" "$(object "$first" -ffile-prefix-map="$first"=.)" \
	"$(object "$second" -ffile-prefix-map="$second"=.)"
expect "one object without the prefix map differs" 1 test "$(object "$first")" = "$(object "$second")"
[ $failures = 0 ]
