#!/usr/bin/env bash
# The README says what the programs say: every setting of zz.conf, every command, every verdict.
. "$(dirname "$0")/lib.sh"

issuerd --help | sed -n '/^Settings:/,$p' | sed 1d | sed 's/^ *//' >"$work/settings"
expect "there are settings" 0 test -s "$work/settings"
missing=
while IFS= read -r line; do
	grep -qF -- "$line" README.md || missing="$missing ${line%% *}"
done <"$work/settings"
if [ -z "$missing" ]; then pass "the README has every setting as --help prints it"; else
	fail "the README has every setting as --help prints it" "missing:$missing"
fi
missing=
for word in $(zz --help | sed -nE 's/^  ([a-z]+)  .*/\1/p'); do
	grep -q "$word" README.md || missing="$missing $word"
done
for word in $(zz-verify --help | sed -nE 's/^ *[0-9]+ ([A-Z_]{5,}) .*/\1/p'); do
	grep -q "$word" README.md || missing="$missing $word"
done
if [ -z "$missing" ]; then pass "the README names every command and verdict"; else
	fail "the README names every command and verdict" "missing:$missing"
fi
