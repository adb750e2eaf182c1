/* fuzz_status.c - status list tokens and zlib streams: what decodes re-encodes to the same payload,
 * and nothing inflates past its room. The first byte chooses: raw token, changes to a valid token,
 * or a stream. */
#include "status.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TOKEN_ROOM = 4096 };

static struct key *key;
static uint8_t token[TOKEN_ROOM];
static size_t token_n;

static void
prepare(void)
{
	uint8_t raw[LIST_BYTES] = {0}, stream[2048];
	struct buf zlib = BUF_OF(stream), out = BUF_OF(token);
	struct status_token t = {.list = 3,
	        .uri = BYTES_LIT("https://zz.example.gov.cn/status/3"),
	        .iat = 1792224000,
	        .exp = 1792828800,
	        .ttl = 3600,
	        .sequence = 1792224000};

	if (key != NULL)
		return;
	raw[5] = 0x1b;
	if (key_generate(KEY_ES256, &key) != ERR_OK ||
	        status_deflate(bytes_of(raw, sizeof raw), &zlib) != ERR_OK)
		abort();
	t.lst = buf_bytes(&zlib);
	if (status_cwt_sign(&t, key, &out) != ERR_OK)
		abort();
	token_n = out.n;
}

static void
token_try(struct bytes in)
{
	uint8_t *room = NULL;
	struct buf again;
	struct cose_sign1 m, back;
	struct status_token t;

	if (status_cwt_decode(in, &m, &t) != ERR_OK)
		return;
	if ((room = malloc(in.n + 256)) == NULL)
		abort();
	again = buf_init(room, in.n + 256);
	if (status_cwt_sign(&t, key, &again) != ERR_OK ||
	        cose_decode(buf_bytes(&again), false, &back) != ERR_OK ||
	        !bytes_equal(m.payload, back.payload))
		abort();
	free(room);
}

static void
stream_try(struct bytes in)
{
	uint8_t *raw = malloc(1024);

	if (raw == NULL)
		abort();
	err_ignore(status_inflate(in, raw, 1024));
	free(raw);
}

/* Each three bytes: a position and a new value. */
static void
changed_try(struct bytes edits)
{
	uint8_t copy[TOKEN_ROOM];

	memcpy(copy, token, token_n);
	for (size_t i = 0; i + 3 <= edits.n; i += 3)
		copy[be_get(edits.p + i, 2) % token_n] = edits.p[i + 2];
	token_try(bytes_of(copy, token_n));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes rest = {0};

	prepare();
	if (size == 0)
		return 0;
	rest = bytes_of(data + 1, size - 1);
	switch (data[0] % 3) {
	case 0:
		token_try(rest);
		break;
	case 1:
		changed_try(rest);
		break;
	default:
		stream_try(rest);
	}
	return 0;
}
