#ifndef TESTS_TEST_ZZ_RECORD_H
#define TESTS_TEST_ZZ_RECORD_H
/* test_zz_record.h - the toy authority's state, its lies, and the records that it signs. Its record
 * key is Ed25519, so that the same seat gives the same record again. */
#include "base64.h"
#include "cose.h"
#include "date.h"
#include "document.h"
#include "file.h"
#include "manifest.h"
#include "receipt.h"
#include "record.h"
#include "zz_commands.h"
#include "zz_request.h"

#include <dirent.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "test_zz_toy.h"

enum { NOW = 1792224000 };
#define DIGEST "5f5007465f4b7f3b1f3ee8c23ca0abacb5480ccc9a843973d691a20689d83309"
#define ZERO_ID "0000000000000000000000000000000000000000000000000000000000000000"
#define HEAD "seat,name,sex,doc_type,doc_number,theory,practical,photo_sha256,evidence_sha256\n"
#define RESULTS                                                                                    \
	HEAD "1,买买提·艾力,M,01,330000199608213897,95.8,81.9," DIGEST "," DIGEST "\n"             \
	     "2,王伟,F,01,３３０００019850101002x,95.8,81.9," DIGEST "," DIGEST "\n"
#define SESSION                                                                                    \
	"{\"id\":\"330106-2026-10-0042\",\"center\":\"330106-01\",\"region\":\"330000\",\"item\":" \
	"\"030102\","                                                                              \
	"\"theory_at\":\"2026-10-15T09:00:00+08:00\",\"practical_at\":\"2026-10-15T14:00:00+08:"   \
	"00\","                                                                                    \
	"\"paper_sha256\":\"" DIGEST "\",\"recording_sha256\":\"" DIGEST                           \
	"\",\"examiners\":[\"E33-0069\",\"E33-0692\"]}"

/* What the toy does wrong, one thing at a time. */
enum lie {
	TRUTH,
	REFUSE_SECOND,
	WAIT,
	PROBLEM_422,
	PROBLEM_503,
	PLAIN_502,
	NO_JSON,
	OTHER_REQUEST_ID,
	OTHER_SERIAL,
	OTHER_NAME,
	OTHER_DOCUMENT,
	OTHER_SEX,
	OTHER_ITEM,
	OTHER_HASH,
	OTHER_PHOTO,
	OTHER_FOLLOWS,
	SEAT_TWICE,
	SEAT_MISSING,
	BROKEN_RECORD,
	BROKEN_RECEIPT,
	OTHER_INDEX,
	NO_RECEIPT,
	BAD_SERIAL,
	UPPER_SERIAL
};

struct world {
	struct toy toy;
	enum lie lie;
	struct key *record_key, *log_key;
	struct key *root_key, *manifest_key; /* the manifest names manifest_key for records */
	char dir[64], key[160], other_key[160], session[160], results[160], out_dir[160], root[160];
	char *out, *err; /* what the last command said */
	char *sent;      /* bodies of POSTs, one after the other */
	size_t sent_n;
	/* orders */
	char state[16];
	char *order; /* the JWS that waits */
	char *approvals[4];
	size_t approval_count;
	const char *outcome;               /* of what an approval executes; NULL: revoked */
	char record[2 * RECORD_BYTES_MAX]; /* base64url of the last record */
	char serial[33];
	unsigned serials; /* drawn so far */
	/* what a test answers of its own; false: as the toy does */
	bool (*more)(struct world *w, const struct toy_request *in, struct toy_reply *out);
	void *more_ctx;
};

/* ---- the toy authority ---- */

static inline void
record_make(
        struct world *w, const struct zz_request *q, const struct request_seat *s, struct buf *out)
{
	static const uint8_t zero[32];
	char number[DOCUMENT_BYTES_MAX + 1];
	uint8_t cti[16], photo[32], follows[16];
	struct record r = {.iss = BYTES_LIT("zz.example.gov.cn"),
	        .iat = NOW,
	        .list = 0,
	        .idx = 7,
	        .name = s->name,
	        .doc_type = s->doc_type,
	        .item = q->request.session.item,
	        .policy = BYTES_LIT("SP-30"),
	        .region = q->request.session.region,
	        .center = q->request.session.center,
	        .sequence = -1,
	        .request = bytes_of(q->jws.hash, SHA256_BYTES)};

	memset(cti, 0, sizeof cti);
	cti[6] = 0x70;
	cti[8] = 0x80;
	cti[15] = (uint8_t)++w->serials;
	assert_int_equal(document_normalise(s->doc_number, number), ERR_OK);
	assert_int_equal(hex_decode(s->photo_sha256, photo, 32), ERR_OK);
	r.doc_number = bytes_of_text(number);
	r.photo = bytes_of(photo, 16);
	r.cti = bytes_of(cti, 16);
	r.sex = bytes_equal_text(s->sex, "M") ? 1 : 2;
	r.first_issued = date_shanghai(NOW);
	r.review_due = -1;
	r.nbf = date_shanghai_start(r.first_issued);
	r.exp = date_shanghai_start(date_last_valid(r.first_issued, 6) + 1);
	if (w->lie == OTHER_NAME)
		r.name = BYTES_LIT("李伟");
	if (w->lie == OTHER_DOCUMENT)
		r.doc_number = BYTES_LIT("330000198501010011");
	if (w->lie == OTHER_SEX)
		r.sex = 3 - r.sex;
	if (w->lie == OTHER_ITEM)
		r.item = BYTES_LIT("030101");
	if (w->lie == OTHER_HASH)
		r.request = bytes_of(zero, 32);
	if (w->lie == OTHER_PHOTO)
		r.photo = bytes_of(zero, 16);
	if (s->follows.n && hex_decode(s->follows, follows, 16) == ERR_OK)
		r.follows = bytes_of(follows, 16);
	if (w->lie == OTHER_FOLLOWS)
		r.follows = bytes_of(zero, 16);
	hex_encode(bytes_of(cti, 16), w->serial);
	assert_int_equal(record_sign(&r, w->record_key, out), ERR_OK);
}

static inline void
seat_answer(struct world *w, const struct zz_request *q, unsigned i, json_t *seats)
{
	uint8_t record_room[RECORD_BYTES_MAX], head_room[256], receipt_room[RECEIPT_BYTES_MAX];
	uint8_t signature[KEY_SIGNATURE_BYTES];
	char record_text[2 * RECORD_BYTES_MAX] = {0}, receipt_text[2 * RECEIPT_BYTES_MAX] = {0};
	struct buf record = BUF_OF(record_room), head = BUF_OF(head_room),
	           receipt = BUF_OF(receipt_room);
	struct buf a = BUF_OF(record_text), b = BUF_OF(receipt_text);
	struct merkle_hash root = {{0}};
	struct merkle_path path = {.n = 1};
	json_t *seat;

	record_make(w, q, &q->request.seats[i], &record);
	base64url_put(&a, buf_bytes(&record));
	memcpy(w->record, record_text, sizeof w->record);
	assert_int_equal(receipt_sign(w->log_key, BYTES_LIT("zz.example.gov.cn/log"), NOW, 2, &root,
	                         &head, signature),
	        ERR_OK);
	receipt_put(&receipt, buf_bytes(&head), bytes_of(signature, sizeof signature), 2, 0, &path);
	base64url_put(&b, buf_bytes(&receipt));
	if (w->lie == BROKEN_RECORD)
		record_text[40] = record_text[40] == 'A' ? 'B' : 'A';
	if (w->lie == BROKEN_RECEIPT)
		receipt_text[3] = receipt_text[3] == 'A' ? 'B' : 'A';
	if (w->lie == OTHER_SERIAL)
		w->serial[0] = '1';
	if (w->lie == BAD_SERIAL)
		memcpy(w->serial, "../../../../../../../tmp/zz-evil", 33);
	if (w->lie == UPPER_SERIAL)
		w->serial[0] = 'A';
	seat = json_pack("{s:i,s:s,s:s,s:s,s:i,s:s}", "seat", w->lie == SEAT_TWICE ? 1 : (int)i + 1,
	        "outcome", "issued", "serial", w->serial, "record", record_text, "index",
	        w->lie == OTHER_INDEX ? 1 : 0, "receipt", receipt_text);
	if (w->lie == NO_RECEIPT)
		json_object_del(seat, "receipt");
	json_array_append_new(seats, seat);
}
#endif
