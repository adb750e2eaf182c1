/* zz_answer.c - an answer is believed only where it fits the request that was signed, seat by seat.
 */
#include "zz_answer.h"
#include "base45.h"
#include "base64.h"
#include "document.h"
#include "file.h"
#include "receipt.h"
#include "record.h"
#include "rules.h"
#include "zz_text.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAME_CELLS = 22, PROGRESS_EACH = 50 };

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

static bool
digest_fits(const struct request_seat *s, const struct record *r)
{
	uint8_t digest[SHA256_BYTES];

	if (!r->photo.n)
		return true;
	return hex_decode(s->photo_sha256, digest, sizeof digest) == ERR_OK &&
	       bytes_equal(r->photo, bytes_of(digest, r->photo.n));
}

/* Who and what: everything in a record that came from this seat and this session. */
static enum err
record_fits(struct zz_answer *a, const struct seat_answer *s, const struct record *r)
{
	const struct request_session *session = &a->request->request.session;
	char number[DOCUMENT_BYTES_MAX + 1];
	uint8_t serial[16];

	if (hex_decode(s->serial, serial, sizeof serial) != ERR_OK ||
	        !bytes_equal(r->cti, bytes_of(serial, sizeof serial)))
		return wrong(a, s, "the record bears another serial");
	if (!bytes_equal(r->request, bytes_of(a->request->jws.hash, SHA256_BYTES)))
		return wrong(a, s, "the record was made for another request");
	if (!bytes_equal(r->name, s->seat->name))
		return wrong(a, s, "the record bears another name");
	if (!bytes_equal(r->doc_type, s->seat->doc_type) ||
	        document_normalise(s->seat->doc_number, number) != ERR_OK ||
	        !bytes_equal_text(r->doc_number, number))
		return wrong(a, s, "the record bears another document");
	if (r->sex != (bytes_equal_text(s->seat->sex, "M")          ? 1
	                      : bytes_equal_text(s->seat->sex, "F") ? 2
	                                                            : 0))
		return wrong(a, s, "the record bears another sex");
	if (!bytes_equal(r->item, session->item) || !bytes_equal(r->region, session->region) ||
	        !bytes_equal(r->center, session->center))
		return wrong(a, s, "the record is for another item, region or centre");
	return digest_fits(s->seat, r) ? ERR_OK
	                               : wrong(a, s, "the record bears another photograph");
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

enum err
zz_answer_keep(struct zz_answer *a, const json_t *answer)
{
	const json_t *seats = json_object_get(answer, "seats");
	const struct request *r = &a->request->request;
	struct seat_answer s = {0};
	bool *seen;
	enum err e = ERR_OK;
	size_t i;

	if (json_array_size(seats) != r->seat_count)
		return wrong(a, &s, "the answer does not hold each seat once");
	if (!(seen = calloc(r->seat_count, sizeof *seen)))
		return ERR_MEMORY;
	for (i = 0; i < r->seat_count && e == ERR_OK; i++) {
		s.json = json_array_get(seats, i);
		s.seat = seat_find(r, zz_number_of(s.json, "seat"));
		if (!s.seat || seen[s.seat - r->seats]) {
			e = wrong(a, &s, "the answer does not hold each seat once");
			break;
		}
		seen[s.seat - r->seats] = true;
		if (bytes_equal_text(zz_text_of(s.json, "outcome"), "issued"))
			e = issued_keep(a, &s);
		if (i % PROGRESS_EACH == 0)
			text_progress(
			        a->z->err, a->z->terminal, "Checking 核对", i + 1, r->seat_count);
	}
	text_progress(a->z->err, a->z->terminal, NULL, 0, 0);
	free(seen);
	return e;
}

void
zz_outcome_put(FILE *to, struct bytes code)
{
	enum outcome o;

	for (o = 0; o < OUTCOME_COUNT; o++) {
		if (!bytes_equal_text(code, outcome_word(o)))
			continue;
		fprintf(to, "%s %s", outcome_zh(o), outcome_en(o));
		return;
	}
	text_put(to, code);
}

static bool
outcome_is_good(struct bytes code)
{
	static const enum outcome good[] = {OUTCOME_ISSUED, OUTCOME_REVOKED, OUTCOME_ALREADY,
	        OUTCOME_SUSPENDED, OUTCOME_CONFIRMED, OUTCOME_REINSTATED, OUTCOME_STOPPED,
	        OUTCOME_RESUMED};

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		if (bytes_equal_text(code, outcome_word(good[i])))
			return true;
	}
	return false;
}

/* Serial of the certificate; stop and resume have none, but a centre or key. */
static void
subject_put(const struct zz_answer *a, const json_t *row)
{
	const struct request *r = &a->request->request;
	bool target = r->type == REQUEST_STOP || r->type == REQUEST_RESUME;

	if (target)
		text_put(a->z->out, r->center);
	else
		text_column(a->z->out, zz_text_of(row, "serial"), 32);
}

static void
row_print(struct zz_answer *a, const json_t *row)
{
	const struct request_seat *seat =
	        seat_find(&a->request->request, zz_number_of(row, "seat"));
	struct bytes code = zz_text_of(row, "outcome");
	FILE *to = a->z->out;

	if (seat) {
		fprintf(to, "%5u  ", seat->seat);
		text_column(to, seat->name, NAME_CELLS);
		fputs("  ", to);
	}
	subject_put(a, row);
	fputs("  ", to);
	zz_outcome_put(to, code);
	if (zz_number_of(row, "decided") >= 0) {
		fputs(" ", to);
		text_put_time(to, zz_number_of(row, "decided"));
	}
	if (!outcome_is_good(code)) {
		fputs(" (", to);
		text_put(to, code);
		fputs(")", to);
	}
	fputs("\n", to);
}

void
zz_answer_table(struct zz_answer *a, const json_t *answer)
{
	bool seats = a->request->request.type == REQUEST_ISSUE;
	const json_t *rows = json_object_get(answer, seats ? "seats" : "certificates");
	size_t i;

	if (seats) {
		text_column(a->z->out, BYTES_LIT(" Seat  Name"), 7 + NAME_CELLS + 2);
		fprintf(a->z->out, "%-32s  Outcome\n", "Serial");
		text_column(a->z->out, BYTES_LIT(" 座位  姓名"), 7 + NAME_CELLS + 2);
		text_column(a->z->out, BYTES_LIT("序列号"), 32);
		fputs("  结果\n", a->z->out);
	}
	for (i = 0; i < json_array_size(rows); i++)
		row_print(a, json_array_get(rows, i));
}

void
zz_answer_count(struct zz_answer *a, const json_t *answer)
{
	bool seats = a->request->request.type == REQUEST_ISSUE;
	const json_t *rows = json_object_get(answer, seats ? "seats" : "certificates");
	size_t i;

	a->done = a->refused = 0;
	for (i = 0; i < json_array_size(rows); i++) {
		if (outcome_is_good(zz_text_of(json_array_get(rows, i), "outcome")))
			a->done++;
		else
			a->refused++;
	}
}

static enum zz_exit
waits_say(const struct zz_answer *a, const json_t *answer, const char *url)
{
	int64_t needed = zz_number_of(answer, "officials_needed"),
	        have = zz_number_of(answer, "officials_signed");

	fprintf(a->z->err,
	        "Waits for approval: %lld of %lld officials have signed. 等待批准：需 %lld "
	        "人，已签 %lld 人。\n"
	        "Next, another official runs 请另一名监管人员运行:\n"
	        "    zz approve --url %s --key KEY.pem %s\n",
	        (long long)have, (long long)needed, (long long)needed, (long long)have, url,
	        a->request->id);
	return ZZ_WAITS;
}

/* The counts stand in the last line: scripts and people look there. */
static void
summary_print(const struct zz_answer *a)
{
	bool seats = a->request->request.type == REQUEST_ISSUE;

	fprintf(a->z->out, "\nrequest %s\nfolder  %s\n", a->request->id, a->dir);
	fprintf(a->z->out, "%zu %s, %zu refused, of %zu. %s %zu，未通过 %zu，共 %zu。\n", a->done,
	        seats ? "issued" : "done", a->refused, a->done + a->refused,
	        seats ? "已签发" : "已办理", a->done, a->refused, a->done + a->refused);
}

enum zz_exit
zz_answer_say(struct zz_answer *a, const json_t *answer, const struct bytes *raw, const char *url)
{
	struct bytes state = zz_text_of(answer, "state");
	bool executed = bytes_equal_text(state, "executed");

	if (raw) {
		fwrite(raw->p, 1, raw->n, a->z->out);
		fputs("\n", a->z->out);
	} else if (executed) {
		zz_answer_table(a, answer);
	}
	if (bytes_equal_text(state, "waiting")) {
		if (!raw)
			fprintf(a->z->out, "request %s\n", a->request->id);
		return waits_say(a, answer, url);
	}
	if (!executed) {
		fputs("zz: the request was not executed; its state 状态: ", a->z->err);
		text_put(a->z->err, state);
		fputs("\n", a->z->err);
		return ZZ_REFUSED;
	}
	zz_answer_count(a, answer);
	if (a->unproved)
		fprintf(a->z->err,
		        "%zu certificates came without their proof from the log; they are valid. "
		        "Run again "
		        "in a minute for the .bundle files. 日志证明稍后可重新运行获取。\n",
		        a->unproved);
	if (!raw)
		summary_print(a);
	return a->refused ? ZZ_SOME : ZZ_DONE;
}
