/* audit_state.c - what the last audit saw: size and root of a log without a difference. One line of
 * text with its SHA-256 before it, so that a file cut short or changed is refused. */
#include "audit.h"
#include "audit_log.h"
#include "file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATE_BYTES_MAX = 600, MEMBERS = 11 };

static bool
member_take(struct bytes *rest, struct bytes *out)
{
	const uint8_t *end = rest->n == 0 ? NULL : memchr(rest->p, ' ', rest->n);
	size_t n = end == NULL ? rest->n : (size_t)(end - rest->p);

	*out = bytes_of(rest->p, n);
	*rest = bytes_skip(*rest, end == NULL ? n : n + 1);
	return n > 0;
}

static enum err
state_decode(struct bytes in, struct audit_last *out)
{
	uint8_t want[SHA256_BYTES], hash[SHA256_BYTES];
	struct bytes m[MEMBERS] = {{NULL, 0}}, rest;
	uint64_t time, seen;
	enum err e;

	if (in.n < 2 * SHA256_BYTES + 2 || in.p[in.n - 1] != '\n')
		return ERR_TRUNCATED;
	rest = bytes_of(in.p + 2 * SHA256_BYTES + 1, in.n - 2 * SHA256_BYTES - 2);
	sha256_one(rest, hash);
	if ((e = hex_decode(bytes_of(in.p, 2 * SHA256_BYTES), want, sizeof want)) != ERR_OK)
		return e;
	if (memcmp(want, hash, sizeof hash) != 0)
		return ERR_ENCODING;
	for (int i = 0; i < MEMBERS; i++)
		if (!member_take(&rest, &m[i]))
			return ERR_TRUNCATED;
	if ((e = decimal_decode(m[0], INT64_MAX, &out->size)) != ERR_OK ||
	        (e = decimal_decode(m[1], INT64_MAX, &time)) != ERR_OK ||
	        (e = hex_decode(m[2], out->root, sizeof out->root)) != ERR_OK ||
	        (e = decimal_decode(m[3], INT64_MAX, &out->requests)) != ERR_OK ||
	        (e = decimal_decode(m[4], INT64_MAX, &out->approvals)) != ERR_OK ||
	        (e = decimal_decode(m[5], INT64_MAX, &seen)) != ERR_OK ||
	        (e = decimal_decode(m[6], INT64_MAX, &out->seen_requests)) != ERR_OK ||
	        (e = decimal_decode(m[7], INT64_MAX, &out->seen_events)) != ERR_OK ||
	        (e = decimal_decode(m[8], INT64_MAX, &out->seen_approvals)) != ERR_OK ||
	        (e = decimal_decode(m[9], INT64_MAX, &out->voids_to)) != ERR_OK ||
	        (e = hex_decode(m[10], out->voids, sizeof out->voids)) != ERR_OK)
		return e;
	out->time = (int64_t)time;
	out->seen_at = (int64_t)seen;
	return ERR_OK;
}

enum err
audit_last_read(struct audit *a)
{
	uint8_t *p = NULL;
	size_t n = 0;
	enum err e;

	if (a->o->state == NULL || a->o->full)
		return ERR_OK;
	e = file_read(a->o->state, STATE_BYTES_MAX, &p, &n);
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e == ERR_OK)
		e = state_decode(bytes_of(p, n), &a->last);
	free(p);
	return e;
}

enum err
audit_last_write(struct audit *a)
{
	char line[STATE_BYTES_MAX], hex[2 * SHA256_BYTES + 1], root[2 * SHA256_BYTES + 1],
	        voids[2 * SHA256_BYTES + 1];
	uint8_t hash[SHA256_BYTES];
	struct merkle_hash now;
	int n;

	if (a->o->state == NULL || a->size == 0)
		return ERR_OK;
	merkle_root(&a->log->frontier, &now);
	hex_encode(bytes_of(now.b, sizeof now.b), root);
	hex_encode(bytes_of(a->last.voids, sizeof a->last.voids), voids);
	n = snprintf(line + 65, sizeof line - 65,
	        "%" PRIu64 " %" PRId64 " %s %" PRIu64 " %" PRIu64 " %" PRId64 " %" PRIu64
	        " %" PRIu64 " %" PRIu64 " %" PRIu64 " %s",
	        a->size, a->time, root, a->last.requests, a->last.approvals, a->last.seen_at,
	        a->last.seen_requests, a->last.seen_events, a->last.seen_approvals,
	        a->last.voids_to, voids);
	sha256_one(bytes_of(line + 65, (size_t)n), hash);
	hex_encode(bytes_of(hash, sizeof hash), hex);
	memcpy(line, hex, 64);
	line[64] = ' ';
	line[65 + n] = '\n';
	return file_write(a->o->state, bytes_of(line, (size_t)n + 66), 0600);
}
