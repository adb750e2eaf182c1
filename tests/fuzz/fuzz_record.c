/* fuzz_record.c - records, bundles and QR texts: what decodes re-encodes to the same payload and
 * the same bare bytes, and what is not signed is never valid. The first byte chooses: raw bytes,
 * changes to a valid record, a QR text. */
#include "base45.h"
#include "record.h"
#include "verdict.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct key *key;
static uint8_t valid[RECORD_BYTES_MAX];
static size_t valid_n;

static void
prepare(void)
{
	static const uint8_t cti[16] = {1}, request[32] = {2};
	struct buf out = BUF_OF(valid);
	const struct record r = {.iss = BYTES_LIT("zz.example.gov.cn"),
	        .iat = 1792224000,
	        .nbf = 1792166400,
	        .exp = 1981468800,
	        .cti = bytes_of(cti, sizeof cti),
	        .list = 3,
	        .idx = 77,
	        .name = BYTES_LIT("王伟"),
	        .doc_type = BYTES_LIT("01"),
	        .doc_number = BYTES_LIT("330000199608213897"),
	        .sex = 1,
	        .item = BYTES_LIT("030102"),
	        .policy = BYTES_LIT("SP-19"),
	        .first_issued = 20743,
	        .review_due = 21839,
	        .region = BYTES_LIT("330000"),
	        .center = BYTES_LIT("330106-01"),
	        .request = bytes_of(request, sizeof request),
	        .sequence = 5};

	if (key != NULL)
		return;
	if (key_generate(KEY_ES256, &key) != ERR_OK || record_sign(&r, key, &out) != ERR_OK)
		abort();
	valid_n = out.n;
}

static void
record_try(struct bytes in)
{
	uint8_t bare_room[BUNDLE_BYTES_MAX], again_room[BUNDLE_BYTES_MAX];
	struct buf bare = BUF_OF(bare_room), again = BUF_OF(again_room);
	struct cose_sign1 m, back;
	struct record r;
	enum err e = ERR_OK;

	if (record_open(in, true, &m, &r) != ERR_OK)
		return;
	if (record_bare(&m, &bare) != ERR_OK)
		abort();
	if (bytes_equal(m.unprotected, BYTES_LIT("\xa0")) && !bytes_equal(in, buf_bytes(&bare)))
		abort();
	e = record_sign(
	        &r, key, &again); /* a payload near the limit may not fit under our header */
	if (e == ERR_LIMIT)
		return;
	if (e != ERR_OK || cose_decode(buf_bytes(&again), false, &back) != ERR_OK ||
	        !bytes_equal(m.payload, back.payload))
		abort();
}

/* A manifest that knows no key: whatever comes is malformed or not issued, and says so without a
 * fault. */
static void
verdict_try(struct bytes in)
{
	static const struct manifest nobody = {.iss = {(const uint8_t *)"zz.example.gov.cn", 17}};
	const struct verdict_input ask = {
	        .data = in, .manifest = &nobody, .now = 1792224000, .at = -1};
	struct verdict v;

	verdict_find(&ask, &v);
	if (v.code != VERDICT_MALFORMED && v.code != VERDICT_NOT_ISSUED)
		abort();
}

/* Each three bytes: a position and a new value. */
static void
changed_try(struct bytes edits)
{
	uint8_t copy[RECORD_BYTES_MAX];

	memcpy(copy, valid, valid_n);
	for (size_t i = 0; i + 3 <= edits.n; i += 3)
		copy[be_get(edits.p + i, 2) % valid_n] = edits.p[i + 2];
	record_try(bytes_of(copy, valid_n));
	verdict_try(bytes_of(copy, valid_n));
}

static void
qr_try(struct bytes rest)
{
	uint8_t text_room[4096], back_room[4096];
	struct buf text = BUF_OF(text_room), back = BUF_OF(back_room);

	buf_put_text(&text, "ZZ1:");
	buf_put(&text, rest);
	if (text.failed)
		return;
	verdict_try(buf_bytes(&text));
	if (qr_get(buf_bytes(&text), &back) == ERR_OK)
		record_try(buf_bytes(&back));
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
		record_try(rest);
		verdict_try(rest);
		break;
	case 1:
		changed_try(rest);
		break;
	default:
		qr_try(rest);
	}
	return 0;
}
