#!/usr/bin/env bash
# The nginx of tools/deploy/nginx.conf in front of a live instance: requests and public files through TLS 1.3, and what
# must not come through does not.
. "$(dirname "$0")/lib.sh"
instance_start
center=330106-01
key=$dir/keys/$center.pem

# ---- start ----

run=$work/nginx
mkdir "$run"
tls_port=$(free_port)
host=zz.example.gov.cn
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$host" -addext "subjectAltName=DNS:$host" \
	-keyout "$run/key.pem" -out "$run/cert.pem" 2>/dev/null
sed "s|@LISTEN@|127.0.0.1:$tls_port|; s|@CERT@|$run/cert.pem|; s|@KEY@|$run/key.pem|; s|@PUBLIC@|$(readlink -f "$dir/public")|
	s|@UPSTREAM@|127.0.0.1:$port|; s|@RUN@|$run|" tools/deploy/nginx.conf >"$run/nginx.conf"
nginx=$(PATH=$PATH:/usr/sbin command -v nginx)
expect "nginx accepts the configuration" 0 "$nginx" -t -e "$run/nginx-error.log" -c "$run/nginx.conf"
same "every placeholder was replaced" "" "$(grep -E '^[^#]*@[A-Z]+@' "$run/nginx.conf")"
background "$run/out" "$nginx" -e "$run/nginx-error.log" -c "$run/nginx.conf" -g 'daemon off;'
https() { curl -sS -m 20 --cacert "$run/cert.pem" --resolve "$host:$tls_port:127.0.0.1" "$@"; }
base=https://$host:$tls_port
expect "it answers" 0 try_for 10 https -f "$base/log/checkpoint"

# ---- requests ----

post() { https -o "$work/body" -D "$work/head" -w '%{http_code}' -H 'Content-Type: application/jose' --data-binary @"$work/$1" "$base/v1/requests"; }
client request "$key" $center >"$work/one"
same "a request is done" 201 "$(post one)"
same "again: answered" 200 "$(post one)"
client request "$key" $center --seats 2000 >"$work/many"
same "a session of 2,000 seats comes through" 201 "$(post many)"
same "and its answer is whole" 2000 "$(client seats "$work/body" | grep -c ,issued)"
expect "the request that zz submit saved" 0 zz submit --url "$url" --key "$key" --session "$dir/out/welding-120/session.json" \
	--results tools/examples/welding-120/results.csv --out "$dir/out/welding-120"
cp "$dir/out/welding-120/request.jws" "$work/saved"
same "is the same request through nginx" 200 "$(post saved)"
same "with the same seats" "$(cat tools/examples/welding-120/expected.csv)" "$(client seats "$work/body")"
client request "$key" $center --days -2 >"$work/future"
same "a refusal keeps its status" 422 "$(post future)"
expect "and its type" 0 grep -qi '^content-type: application/problem+json' "$work/head"

# ---- public files ----

header() { grep -i "^$1:" "$work/head" | cut -d' ' -f2- | tr -d '\r'; }
file() { # file PATH FILE CACHE-CONTROL TYPE [CURL OPTION...]: the very bytes, with the right headers
	local path=$1 file=$2 cache=$3 type=$4 got
	shift 4
	got=$(https -o "$work/body" -D "$work/head" -w '%{http_code}' "$@" "$base/$path")
	if [ "$got" != 200 ] || ! cmp -s "$work/body" "$dir/public/$file"; then
		fail "/$path is served" "$got"
	elif [ "$(header cache-control)|$(header content-type)" != "$cache|$type" ]; then
		fail "/$path has its headers" "$(cat "$work/head")"
	elif [ "$(header access-control-allow-origin)|$(header x-content-type-options)" != "*|nosniff" ]; then
		fail "/$path may be read by any page" "$(cat "$work/head")"
	else
		pass "/$path: $type, $cache"
	fi
}
sleep 3 # until what was issued is published, so that files stand still
forever='public, max-age=31536000, immutable' minutes='public, max-age=300'
file log/checkpoint log/checkpoint no-cache 'text/plain; charset=utf-8'
file log/tile/0/000 log/tile/0/000 "$forever" application/octet-stream
file log/tile/entries/000 log/tile/entries/000 "$forever" application/octet-stream
file log/tile/entries/000 log/tile/entries/000 "$forever" application/octet-stream --compressed
same "which is sent compressed to whoever takes it" gzip "$(header content-encoding)"
size=$(sed -n 2p "$dir/public/log/checkpoint")
file "log/checkpoints/$size" "log/checkpoints/$size" no-cache 'text/plain; charset=utf-8'
file "log/checkpoints/$size.cose" "log/checkpoints/$size.cose" "$forever" application/cose
file status/0 status/0.jwt "$minutes" application/statuslist+jwt
file status/0 status/0.cwt "$minutes" application/statuslist+cwt -H 'Accept: application/statuslist+cwt'
same "which varies by Accept" Accept "$(header vary)"
same "and has a strong ETag" '"' "$(header etag | cut -c1)"
same "by which it is not sent twice" 304 "$(https -o "$work/body" -w '%{http_code}' -H "If-None-Match: $(header etag)" \
	-H 'Accept: application/statuslist+cwt' "$base/status/0")"
file status/0.cwt status/0.cwt "$minutes" application/statuslist+cwt
file crl/0.crl crl/0.crl "$minutes" application/pkix-crl
file manifest.cose manifest.cose no-cache application/cose
same "nginx and issuerd say the same of a status list" "$(curl -s -D - -o "$work/body" "$url/status/0.cwt" | grep -iE '^(cache-control|content-type|vary|access-control-allow-origin|x-content-type-options):' | tr 'A-Z' 'a-z' | sort)" \
	"$(https -D - -o "$work/body" "$base/status/0.cwt" | grep -iE '^(cache-control|content-type|vary|access-control-allow-origin|x-content-type-options):' | tr 'A-Z' 'a-z' | sort)"

# ---- files that change ----

status() { https -o "$work/body" -w '%{http_code}' "$@"; }
put() { echo "$2" >"$dir/public/new" && chmod 644 "$dir/public/new" && mv "$dir/public/new" "$dir/public/$1"; }
body_is() { [ "$(status "$base/$1") $(cat "$work/body")" = "200 $2" ]; }
for name in log/checkpoints/9000000000 status/99.cwt; do
	put $name first
	expect "a new /$name is served" 0 body_is $name first
	put $name second
	case $name in
	log/*) expect "and what takes its place at once" 0 body_is $name second ;;
	*) expect "and what takes its place soon" 0 try_for 4 body_is $name second ;;
	esac
done
echo secret >"$work/secret"
refused() { [ "$(status "$base/$1")" = 403 ]; }
ln -s "$work/secret" "$dir/public/crl/98.crl"
expect "no link leads out of the folder" 0 refused crl/98.crl
ln -sfn "$work/secret" "$dir/public/status/99.cwt"
expect "nor one that takes the place of a file just served" 0 try_for 4 refused status/99.cwt
rm "$dir/public/crl/98.crl" "$dir/public/status/99.cwt" "$dir/public/log/checkpoints/9000000000"

# ---- what does not come through ----

same "TLS 1.2" 35 "$(https --tls-max 1.2 "$base/log/checkpoint" >"$out" 2>&1; echo $?)"
same "HTTP without TLS" 400 "$(curl -s -o "$work/body" -w '%{http_code}' "http://127.0.0.1:$tls_port/log/checkpoint")"
same "HTTP/1.0" 505 "$(status --http1.0 "$base/log/checkpoint")"
same "/metrics" 404 "$(status "$base/metrics")"
same "/healthz" 404 "$(status "$base/healthz")"
same "/readyz" 404 "$(status "$base/readyz")"
same "a query string" 400 "$(status "$base/v1/requests?document=1")"
same "an escape in the path" 400 "$(status "$base/log/%63heckpoint")"
same "two slashes" 400 "$(status --path-as-is "$base/log//checkpoint")"
same "two dots" 400 "$(status --path-as-is "$base/log/../manifest.cose")"
same "a file that is no public one" 404 "$(status "$base/log/tile")"
same "another method" 405 "$(status -X DELETE "$base/v1/requests")"
same "a chunked body" 411 "$(status -H 'Transfer-Encoding: chunked' --data-binary @"$work/one" "$base/v1/requests")"
head -c 7500000 /dev/zero | tr '\0' a >"$work/large"
same "a body of 7.5 MB" 413 "$(post large)"
raw() { # raw LINE...: the status line of what nginx says to these header lines
	{ printf '%s\r\n' "$@" ''; sleep 1; } | timeout 5 openssl s_client -quiet -connect "127.0.0.1:$tls_port" -servername $host 2>/dev/null | sed -n '1s/\r//p'
}
same "two Content-Lengths" "HTTP/1.1 400 Bad Request" "$(raw 'POST /v1/requests HTTP/1.1' "Host: $host" 'Content-Length: 5' 'Content-Length: 6')"
same "two Hosts" "HTTP/1.1 400 Bad Request" "$(raw 'GET /log/checkpoint HTTP/1.1' "Host: $host" 'Host: other')"
same "no Host" "HTTP/1.1 400 Bad Request" "$(raw 'GET /log/checkpoint HTTP/1.1')"
expect "negative control: with one Host it is answered" 0 grep -q 'HTTP/1.1 200' <(raw 'GET /log/checkpoint HTTP/1.1' "Host: $host")

# ---- the service behind it ----

service_signal term issuerd
same "without issuerd: 503" 503 "$(post one)"
expect "come again" 0 grep -qi '^retry-after:' "$work/head"
same "public files are served all the same" 200 "$(status "$base/log/checkpoint")"
services_up
same "and then it is answered" 200 "$(post one)"
sleep 5.5 # the access log is buffered
same "no address of a client stands in the access log" "" "$(grep -F 127.0.0.1 "$run/nginx-access.log" | head -n 2)"
expect "negative control: it has lines" 0 grep -q 'POST /v1/requests 201' "$run/nginx-access.log"
