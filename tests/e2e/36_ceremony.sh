#!/usr/bin/env bash
# A ceremony as one reviewed file describes it: the root key under 3 of 5 shares, the record and log keys in a token. The
# authority that comes of it issues; what the token cannot do is said, and nothing is half done.
. "$(dirname "$0")/lib.sh"
dir=$work/authority
port=$(free_port)
mkdir -p "$work/token/tokens"
echo 271828 >"$work/token/pin"
printf 'directories.tokendir = %s/token/tokens\nobjectstore.backend = file\nlog.level = ERROR\n' "$work" >"$work/token/softhsm.conf"
export SOFTHSM2_CONF=$work/token/softhsm.conf ZZ_SHIM_CONTROL=$work/token/control
expect "the module between signer and SoftHSM builds" 0 gcc -shared -fPIC -I"$(pkg-config --variable=includedir p11-kit-1)/p11-kit-1" \
	-o "$work/token/shim.so" tests/token_shim.c -ldl
expect "a token" 0 softhsm2-util --init-token --free --label zz --pin 271828 --so-pin 161803
token="pkcs11:token=zz?module-path=$work/token/shim.so&pin-source=file:$work/token/pin"

cat >"$work/ceremony.txt" <<EOF
# reviewed by two officials before it is run
host = zz.example.gov.cn
name_zh = 应急管理演示机关
name_en = Demonstration work safety authority
place = 三楼机房
listen = 127.0.0.1:$port
database = host=$dir/run/pg dbname=zz
threshold = 3
custodian = 甲
custodian = 乙
custodian = 丙
custodian = 丁
custodian = 戊
record_key = $token
log_key = $token
EOF
[ "$(id -u)" != 0 ] || printf 'front_user = zz-front\npublish_user = zz-publish\nadmin_user = root\n' >>"$work/ceremony.txt"
sha256=$(sha256sum "$work/ceremony.txt" | cut -d' ' -f1)
ceremony() { zz-admin ceremony "$work/ceremony.txt" --dir "$dir" --sha256 "$1"; }

# ---- the ceremony ----

expect "another file than the reviewed one is refused" 4 ceremony "$(printf 'other' | sha256sum | cut -d' ' -f1)"
expect "and nothing is made" 1 test -e "$dir/keys"
expect "the ceremony" 0 ceremony "$sha256"
expect "a second one overwrites nothing" 4 ceremony "$sha256"
same "five shares" 5 "$(find "$dir/shares" -type f | wc -l)"
expect "the root key lies encrypted" 0 grep -q 'BEGIN ENCRYPTED PRIVATE KEY' "$dir/keys/root.pem"
expect "no key of the signer lies open" 1 grep -rlE 'BEGIN (EC )?PRIVATE KEY' "$dir/keys/root.pem" "$dir/signer"
same "the record key is a name only" "pkcs11:" "$(head -c 7 "$dir/signer/record.pem")"
expect "the transcript has the reviewed file" 0 grep -q "$sha256" "$dir/trust/transcript.txt"
secret=$(sed -n 's/^data: //p' "$dir/shares/share-1.txt")
expect "and no secret" 1 grep -q "$secret" "$dir/trust/transcript.txt"

# ---- shares ----

mkdir "$work/media"
mv "$dir"/shares/* "$work/media/"
share() { echo "$work/media/share-$1.txt"; }
sign() { # sign SHARES: the next roster
	zz-admin sign-roster --root "$dir/keys/root.pem" --shares "$1" --payload "$work/roster.json" --out "$work/roster.jws"
}
/usr/bin/python3 - "$dir/trust/roster.jws" "$work/roster.json" <<'EOF'
import base64, json, sys
part = open(sys.argv[1]).read().split(".")[1]
roster = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
roster["version"] += 1
json.dump(roster, open(sys.argv[2], "w"))
EOF
expect "two shares of three do not open the root key" 4 sign "$(share 1),$(share 4)"
has "and it says how many it takes" "2 shares, and it takes 3"
expect "one share twice counts once" 4 sign "$(share 1),$(share 4),$(share 4)"
sed 's/^data: ./data: 0/; t; s/^data: 0/data: 1/' "$(share 2)" >"$work/media/flipped"
cmp -s "$(share 2)" "$work/media/flipped" && sed -i 's/^data: ./data: 1/' "$work/media/flipped"
expect "a share with one wrong character is refused" 4 sign "$(share 1),$work/media/flipped,$(share 5)"
has "by name" "flipped: the share is damaged"
expect "without shares the root key is not opened" 4 zz-admin sign-roster --root "$dir/keys/root.pem" --payload "$work/roster.json" --out "$work/roster.jws"
expect "any three open it" 0 sign "$(share 5),$(share 1),$(share 3)"
expect "and any other three" 0 sign "$(share 2),$(share 4),$(share 3)"

# ---- the authority ----

if [ "$(id -u)" = 0 ]; then
	id zz-signer >/dev/null 2>&1 || useradd --system --no-create-home --shell /usr/sbin/nologin zz-signer
	chmod 755 "$work" "$work/token" && chown -R zz-signer: "$work/token/tokens" "$work/token/pin"
fi
expect "a token's module cannot be confined, and zz.conf says so" 0 grep -qx 'sandbox_required = no' "$dir/zz.conf"
expect "it starts" 0 tools/up --dir "$dir" --no-demo
url=http://127.0.0.1:$port
instances+=("$dir")
key=$dir/keys/330106-01.pem
issue() { client request "$key" 330106-01 >"$work/request" && post; }
post() { curl -s -m 30 -o "$work/body" -w '%{http_code}' --data-binary @"$work/request" "$url/v1/requests"; }
same "a session is issued by the token's keys" 201 "$(issue)"
transcript=$(sha256sum "$dir/trust/transcript.txt" | cut -d' ' -f1)
expect "the manifest names the transcript" 0 grep -qc "$(printf '%s' "$transcript" | xxd -r -p | xxd -p -c 64)" <(xxd -p -c 100000 "$dir/public/manifest.cose")
manifest=$(sha256sum "$dir/public/manifest.cose" | cut -d' ' -f1)
same "and the log names the manifest" 1 "$(sql "SELECT count(*) FROM zz.log_entry WHERE substring(entry, 2, 2) = '\\x0104' AND position('\\x$manifest'::bytea IN entry) > 0")"
expect "which keys software holds is said" 0 bash -c "zz-admin status --config '$dir/zz.conf' | grep -E '^key +(record|log) ' | grep -c device | grep -qx 2"

# ---- the token fails ----

echo gone >"$ZZ_SHIM_CONTROL"
same "without its token nothing is issued" "503 key_token_away" "$(issue) $(grep -o 'key_token_[a-z]*' "$work/body" | head -n 1)"
rows=$(sql 'SELECT count(*) FROM zz.certificate')
: >"$ZZ_SHIM_CONTROL"
sleep 1.2
same "it is back: the same request is done" 201 "$(post)"
same "once" $((rows + 1)) "$(sql 'SELECT count(*) FROM zz.certificate')"
echo "slow 300" >"$ZZ_SHIM_CONTROL"
same "a slow one is waited for" 201 "$(issue)"
: >"$ZZ_SHIM_CONTROL"
service_signal term ca-signer
sed -i 's/^sandbox_required = no/sandbox_required = yes/' "$dir/zz.conf"
expect "where the sandbox is required it does not start" 1 timeout 60 tools/up --dir "$dir" --no-demo
expect "and says why" 0 grep -q 'event=sandbox_missing what="a token' "$dir/log/ca-signer.log"
sed -i 's/^sandbox_required = yes/sandbox_required = no/' "$dir/zz.conf"
echo 0 >"$work/token/pin"
expect "with a wrong PIN the signer does not start" 1 timeout 60 tools/up --dir "$dir" --no-demo
same "and nothing is issued" 503 "$(issue)"
expect "and the signer says why" 0 grep -q 'event=key_not_opened file=record.pem error=key_token_locked' "$dir/log/ca-signer.log"
echo 271828 >"$work/token/pin"
services_up
issued() { [ "$(issue)" = 201 ]; }
expect "with the right one it is" 0 try_for 30 issued
log_is_whole "in the end"
audit_finds_nothing "in the end"
