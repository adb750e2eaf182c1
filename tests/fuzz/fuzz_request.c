/* fuzz_request.c - the input is a payload: what decodes keeps the bounds that the rules rely on,
 * and decodes again from the JSON that was read. */
#include "base64.h"
#include "request.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err
decode(struct bytes payload, const char *typ, struct request *r, struct approval *a,
        struct query *q)
{
	size_t room = BASE64URL_CHARS(payload.n) + 1;
	struct buf b = buf_init(malloc(room), room);
	struct jws j;
	enum err e = ERR_OK;

	assert(b.p != NULL);
	memset(&j, 0, sizeof j);
	memcpy(j.typ, typ, strlen(typ) + 1);
	base64url_put(&b, payload);
	j.payload_text = buf_bytes(&b);
	if (r != NULL)
		e = request_decode(&j, r);
	else
		e = a != NULL ? approval_decode(&j, a) : query_decode(&j, q);
	free(b.p);
	return e;
}

static void
check(const struct request *r)
{
	if (r->type == REQUEST_ISSUE)
		assert(r->seat_count >= 1 && r->seat_count <= REQUEST_SEATS_MAX &&
		        r->seats[0].seat >= 1);
	else
		assert(r->serial_count >= 1 && r->serial_count <= REQUEST_SERIALS_MAX);
	assert(r->jti.n >= JTI_BYTES_MIN && r->jti.n <= JTI_BYTES_MAX && r->iat >= 0 &&
	        r->exp >= 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes payload = bytes_of(data, size);
	struct request r, again;
	struct approval a;
	struct query q;

	err_ignore(decode(payload, APPROVAL_TYP, NULL, &a, NULL));
	err_ignore(decode(payload, QUERY_TYP, NULL, NULL, &q));
	if (decode(payload, REQUEST_TYP, &r, NULL, NULL) == ERR_OK) {
		size_t n = 0;
		char *text = json_write(r.json, &n);

		check(&r);
		assert(decode(bytes_of(text, n), REQUEST_TYP, &again, NULL, NULL) == ERR_OK);
		assert(again.seat_count == r.seat_count && again.serial_count == r.serial_count);
		free(text);
		request_free(&again);
		request_free(&r);
	}
	return 0;
}
