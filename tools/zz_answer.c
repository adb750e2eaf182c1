/* zz_answer.c - an answer is believed only where it fits the request that was signed, seat by seat.
 */
#include "zz_answer.h"
#include "base45.h"
#include "base64.h"
#include "document.h"
#include "file.h"
#include "receipt.h"
#include "record.h"
#include "zz_text.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROGRESS_EACH = 50 };

struct seat_answer {
	const struct request_seat *seat;
	const json_t *json;
	struct bytes serial;
};

static enum err
wrong(struct zz_answer *a, const struct seat_answer *s, const char *rule)
{
	snprintf(a->wrong, sizeof a->wrong, "seat %u: %s", s->seat ? s->seat->seat : 0, rule);
	return ERR_VALUE;
}

static const struct request_seat *
seat_find(const struct request *r, int64_t number)
{
	size_t i;

	for (i = 0; i < r->seat_count; i++) {
		if (r->seats[i].seat == number)
			return &r->seats[i];
	}
	return NULL;
}

/* Who and what a record must say: of a seat and its session, or of the certificate replaced. */
struct wanted {
	struct bytes name, doc_type, doc_number, item, region, center;
	struct bytes photo;   /* 16 or more, or empty */
	struct bytes follows; /* 16, or empty */
	int sex;
	int64_t exp; /* -1: for the signer to say */
	char number[DOCUMENT_BYTES_MAX + 1];
	uint8_t digest[SHA256_BYTES], serial[16];
};

static int
sex_of(struct bytes word)
{
	return bytes_equal_text(word, "M") ? 1 : bytes_equal_text(word, "F") ? 2 : 0;
}

static enum err
number_want(struct wanted *w, struct bytes text)
{
	enum err e = document_normalise(text, w->number);

	w->doc_number = bytes_of_text(w->number);
	return e;
}

static enum err
photo_want(struct wanted *w, struct bytes hex)
{
	enum err e = hex_decode(hex, w->digest, sizeof w->digest);

	w->photo = bytes_of(w->digest, sizeof w->digest);
	return e;
}

static enum err
seat_want(const struct request *r, const struct request_seat *s, struct wanted *w)
{
	enum err e = ERR_OK;

	w->name = s->name;
	w->doc_type = s->doc_type;
	w->sex = sex_of(s->sex);
	w->item = r->session.item;
	w->region = r->session.region;
	w->center = r->session.center;
	if (s->follows.n) {
		e = hex_decode(s->follows, w->serial, sizeof w->serial);
		w->follows = bytes_of(w->serial, sizeof w->serial);
	}
	if (e != ERR_OK || (e = number_want(w, s->doc_number)) != ERR_OK)
		return e;
	return photo_want(w, s->photo_sha256);
}

/* The old record, but for what the request changes; the term goes on. */
static enum err
replaced_want(const struct request *r, const struct record *old, struct wanted *w)
{
	const struct request_seat *c = &r->changes;
	enum err e = ERR_OK;

	w->name = c->name.p ? c->name : old->name;
	w->sex = c->sex.p ? sex_of(c->sex) : old->sex;
	w->doc_type = c->doc_type.p ? c->doc_type : old->doc_type;
	w->doc_number = old->doc_number;
	w->item = old->item;
	w->exp = old->exp;
	w->region = old->region;
	w->center = old->center;
	w->photo = old->photo;
	w->follows = bytes_of(r->serials[0], 16);
	if (c->doc_number.p && (e = number_want(w, c->doc_number)) != ERR_OK)
		return e;
	return c->photo_sha256.p ? photo_want(w, c->photo_sha256) : e;
}

static bool
photo_fits(const struct wanted *w, const struct record *r)
{
	return !r->photo.n || (w->photo.n >= r->photo.n &&
	                              bytes_equal(r->photo, bytes_of(w->photo.p, r->photo.n)));
}

static enum err
wanted_fits(struct zz_answer *a, const struct seat_answer *s, const struct wanted *w,
        const struct record *r)
{
	if (!bytes_equal(r->name, w->name))
		return wrong(a, s, "the record bears another name");
	if (!bytes_equal(r->doc_type, w->doc_type) || !bytes_equal(r->doc_number, w->doc_number))
		return wrong(a, s, "the record bears another document");
	if (r->sex != w->sex)
		return wrong(a, s, "the record bears another sex");
	if (!bytes_equal(r->item, w->item) || !bytes_equal(r->region, w->region) ||
	        !bytes_equal(r->center, w->center))
		return wrong(a, s, "the record is for another item, region or centre");
	if (!bytes_equal(r->follows, w->follows))
		return wrong(a, s, "the record follows another certificate");
	if (w->exp >= 0 && r->exp != w->exp)
		return wrong(a, s, "the record has another last day than the old one");
	return photo_fits(w, r) ? ERR_OK : wrong(a, s, "the record bears another photograph");
}

/* Everything in a record that came from this request. */
static enum err
record_fits(struct zz_answer *a, const struct seat_answer *s, const struct record *r)
{
	const struct request *q = &a->request->request;
	struct wanted w = {.exp = -1};
	uint8_t serial[16];
	enum err e;

	if (hex_decode(s->serial, serial, sizeof serial) != ERR_OK ||
	        !bytes_equal(r->cti, bytes_of(serial, sizeof serial)))
		return wrong(a, s, "the record bears another serial");
	if (!bytes_equal(r->request, bytes_of(a->request->jws.hash, SHA256_BYTES)))
		return wrong(a, s, "the record was made for another request");
	e = s->seat ? seat_want(q, s->seat, &w) : replaced_want(q, a->old, &w);
	if (e != ERR_OK)
		return wrong(a, s, "the record is of a seat that cannot be read");
	return wanted_fits(a, s, &w, r);
}

/* No fsync: whatever a power cut takes is fetched again by the same command. */
static enum err
file_put(const char *path, struct bytes data)
{
	char temp[ZZ_PATH_MAX + 8];
	enum err e;
	int fd;

	snprintf(temp, sizeof temp, "%s.part", path);
	if ((fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) < 0)
		return ERR_IO;
	e = file_put_all(fd, data);
	if (close(fd) || (e == ERR_OK && rename(temp, path)))
		e = ERR_IO;
	if (e != ERR_OK)
		unlink(temp);
	return e;
}

/* A record never changes: a file that is there must be the same (ERR_FORK). */
static enum err
serial_put(const struct zz_answer *a, const struct seat_answer *s, const char *suffix,
        struct bytes data)
{
	bool fixed = strcmp(suffix, ".bundle") != 0;
	char path[ZZ_PATH_MAX];
	uint8_t *old = NULL;
	size_t n = 0;
	bool same;

	if (snprintf(path, sizeof path, "%s/%.*s%s", a->dir, (int)s->serial.n,
	            (const char *)s->serial.p, suffix) >= (int)sizeof path)
		return ERR_LIMIT;
	if (!fixed || !file_exists(path))
		return file_put(path, data);
	if (file_read(path, QR_TEXT_BYTES_MAX, &old, &n) != ERR_OK)
		return ERR_FORK;
	same = bytes_equal(bytes_of(old, n), data);
	free(old);
	return same ? ERR_OK : ERR_FORK;
}

static enum err
files_put(struct zz_answer *a, const struct seat_answer *s, struct bytes record)
{
	uint8_t receipt[RECEIPT_BYTES_MAX], bundle[BUNDLE_BYTES_MAX];
	char qr[QR_TEXT_BYTES_MAX];
	struct buf r = BUF_OF(receipt), b = BUF_OF(bundle), q = BUF_OF(qr);
	struct bytes text = zz_text_of(s->json, "receipt");
	struct receipt proof;
	enum err e;

	qr_put(&q, record);
	if ((e = buf_end(&q)) != ERR_OK || (e = serial_put(a, s, ".cose", record)) != ERR_OK ||
	        (e = serial_put(a, s, ".qr.txt", buf_bytes(&q))) != ERR_OK)
		return e;
	if (!text.n) {
		a->unproved++;
		return ERR_OK;
	}
	if (base64url_get(text, &r) != ERR_OK || receipt_decode(buf_bytes(&r), &proof) != ERR_OK)
		return wrong(a, s, "the receipt is malformed");
	if (zz_number_of(s->json, "index") != (int64_t)proof.index)
		return wrong(a, s, "the receipt is of another log index");
	if ((e = bundle_put(&b, record, buf_bytes(&r))) != ERR_OK || (e = buf_end(&b)) != ERR_OK)
		return e;
	return serial_put(a, s, ".bundle", buf_bytes(&b));
}

static enum err
issued_keep(struct zz_answer *a, struct seat_answer *s)
{
	uint8_t room[RECORD_BYTES_MAX];
	struct buf b = BUF_OF(room);
	struct cose_sign1 message;
	struct record record;
	enum err e;

	s->serial = zz_text_of(s->json, "serial");
	if (!zz_is_hex(s->serial, 32))
		return wrong(a, s, "the serial is not 32 hex digits");
	if (base64url_get(zz_text_of(s->json, "record"), &b) != ERR_OK || buf_end(&b) != ERR_OK ||
	        record_open(buf_bytes(&b), false, &message, &record) != ERR_OK)
		return wrong(a, s, "the record is malformed");
	if ((e = record_fits(a, s, &record)) != ERR_OK)
		return e;
	e = files_put(a, s, buf_bytes(&b));
	if (e == ERR_FORK)
		return wrong(a, s, "another record of this serial is in the folder already");
	if (e == ERR_IO || e == ERR_LIMIT)
		return wrong(a, s, "its files could not be written");
	return e;
}

static enum err
seat_keep(struct zz_answer *a, struct seat_answer *s, bool *seen)
{
	const struct request *r = &a->request->request;

	s->seat = seat_find(r, zz_number_of(s->json, "seat"));
	if (!s->seat || seen[s->seat - r->seats])
		return wrong(a, s, "the answer does not hold each seat once");
	seen[s->seat - r->seats] = true;
	return bytes_equal_text(zz_text_of(s->json, "outcome"), "issued") ? issued_keep(a, s)
	                                                                  : ERR_OK;
}

/* A replace has one row, which no seat of a session belongs to. */
static enum err
replaced_keep(struct zz_answer *a, const json_t *seats)
{
	struct seat_answer s = {.json = json_array_get(seats, 0)};

	if (json_array_size(seats) != 1)
		return wrong(a, &s, "the answer does not hold the new certificate once");
	return bytes_equal_text(zz_text_of(s.json, "outcome"), "issued") ? issued_keep(a, &s)
	                                                                 : ERR_OK;
}

enum err
zz_answer_keep(struct zz_answer *a, const json_t *answer)
{
	const json_t *seats = json_object_get(answer, "seats");
	const struct request *r = &a->request->request;
	struct seat_answer s = {0};
	bool *seen;
	enum err e = ERR_OK;

	if (r->type == REQUEST_REPLACE)
		return replaced_keep(a, seats);
	if (json_array_size(seats) != r->seat_count)
		return wrong(a, &s, "the answer does not hold each seat once");
	if (!(seen = calloc(r->seat_count, sizeof *seen)))
		return ERR_MEMORY;
	for (size_t i = 0; i < r->seat_count && e == ERR_OK; i++) {
		s = (struct seat_answer){.json = json_array_get(seats, i)};
		e = seat_keep(a, &s, seen);
		if (i % PROGRESS_EACH == 0)
			text_progress(
			        a->z->err, a->z->terminal, "Checking 核对", i + 1, r->seat_count);
	}
	text_progress(a->z->err, a->z->terminal, NULL, 0, 0);
	free(seen);
	return e;
}
