#!/usr/bin/env bash
# Status list tokens of a live instance, read by libraries of others: Debian's for JOSE and COSE, and those of the npm registry
# that npm/package-lock.json names. Each says what zz-verify says, and refuses six versions that are not the list asked for.
. "$(dirname "$0")/../e2e/lib.sh"
mkdir "$work/npm" && cp tests/interop/npm/* "$work/npm"
expect "npm installs exactly the versions of the lock file" 0 \
	npm --prefix "$work/npm" ci --ignore-scripts --no-audit --no-fund --prefer-offline
instance_start
shanghai() { TZ=Asia/Shanghai date -d "$1" +%Y-%m-%d; }
mapfile -t serials < <(find "$dir/out" -name '*.qr.txt' -exec basename {} .qr.txt \; | sort)
check() {
	zz-verify check --root "$dir/trust/root.pub" --state "$work/verifier" "$(find "$dir/out" -name "$1.qr.txt")" >"$work/check.out"
}
suspended() {
	local got=0
	zz-verify sync --url "$url" --root "$dir/trust/root.pub" --state "$work/verifier" && check "$1" || got=$?
	[ $got = 21 ]
}

# one certificate was revoked by tools/up; two more are suspended
held=("${serials[5]}" "${serials[$((${#serials[@]} - 1))]}")
expect "two certificates are suspended" 0 zz suspend --url "$url" --key "$dir/keys/official-wang.pem" --out "$work/hold" \
	--decision-no '应急〔2026〕1号' --decided "$(shanghai now)" --ground S01 --effective "$(shanghai now)" \
	--until "$(shanghai '20 days')" --serial "${held[0]}" --serial "${held[1]}"
try_for 60 suspended "${held[1]}" || fail "the hold is published"
cp -r "$dir/public" "$work/public"

# what zz-verify says of every certificate that was issued, as "place status"
declare -A place
while read -r serial at; do
	place[$serial]=$at
done < <(sql "SELECT encode(serial, 'hex'), list_idx FROM zz.certificate")
declare -A status=([0]=0 [20]=1 [21]=2 [22]=3)
for serial in "${serials[@]}"; do
	got=0
	check "$serial" || got=$?
	[ "${status[$got]:-}" = 0 ] || echo "${place[$serial]} ${status[$got]:-verdict $got}"
done | sort -n >"$work/verified"
same "zz-verify knows one revoked, two suspended of ${#serials[@]}" "1 2 2 " \
	"$(cut -d' ' -f2 "$work/verified" | sort | tr '\n' ' ')"

expect "the key that the lists are signed with again" 0 openssl pkey -in "$dir/signer/status.pem" \
	-passin "file:$dir/keys/signer.pass" -out "$work/status.pem"
tokens=$work/tokens
mkdir "$tokens"
expect "the tokens are prepared" 0 /usr/bin/python3 tests/interop/list_tokens.py \
	"$work/public" "$dir/trust/root.pub" "$work/status.pem" "$tokens"
read -ra versions <"$out"
uri=$(cat "$tokens/uri")
pyjwt() { /usr/bin/python3 tests/interop/list_jwt.py pyjwt "$tokens/$1.jwt" "$tokens/status.jwk" "$uri"; }
jwcrypto() { /usr/bin/python3 tests/interop/list_jwt.py jwcrypto "$tokens/$1.jwt" "$tokens/status.jwk" "$uri"; }
ruby_cose() { /usr/bin/ruby tests/interop/list_cwt.rb "$tokens/$1.cwt" "$tokens/status.pem" "$uri"; }
node_jwt() { node "$work/npm/list.js" "$tokens/$1.jwt" "$tokens/status.jwk" "$uri"; }
node_cwt() { node "$work/npm/list.js" "$tokens/$1.cwt" "$tokens/status.jwk" "$uri"; }

for reader in pyjwt jwcrypto ruby_cose node_jwt node_cwt; do
	expect "$reader reads the published token" 0 $reader good
	same "$reader finds the places that zz-verify names, and no other" "$(cat "$work/verified")" "$(tail -n +2 "$out")"
	digest=${digest:-$(head -n 1 "$out")}
	same "$reader unpacks the same list as the first reader" "$digest" "$(head -n 1 "$out")"
	for version in "${versions[@]:1}"; do
		expect "$reader refuses another $version" 1 $reader "$version" && has "$reader says so" refused:
	done
done
same "all six versions were tried" "good signature list key type subject expired" "${versions[*]}"
