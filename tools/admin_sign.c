/* admin_sign.c - zz-admin sign-roster: a roster written by hand becomes one that the root signed,
 * or is refused for the reason for which the signer would refuse it. */
#include "admin.h"
#include "admin_share.h"
#include "enrolment.h"
#include "file.h"
#include "roster.h"

#include <stdlib.h>

enum err
admin_private_root(const struct admin_options *o, struct key **out)
{
	uint8_t *p = NULL;
	size_t n = 0;
	enum err e = file_read(o->root, KEY_PEM_BYTES_MAX, &p, &n);

	if (e != ERR_OK)
		return e;
	e = o->shares != NULL ? shares_open(o->shares, bytes_of(p, n), out)
	                      : key_read_pem(bytes_of(p, n), out);
	secret_wipe(p, n);
	free(p);
	if (e == ERR_OK && !key_is_private(*out))
		e = ERR_VALUE;
	return e;
}

/* The payload with the two signatures in front, where there are any. */
static enum err
payload_make(const struct admin_options *o, struct bytes plain, struct buf *out)
{
	uint8_t *texts[ENROLMENT_OFFICIALS] = {NULL, NULL};
	struct bytes approvals[ENROLMENT_OFFICIALS];
	const char *const names[ENROLMENT_OFFICIALS] = {o->proposal, o->approval};
	enum err e = ERR_OK;

	if (o->proposal == NULL) {
		buf_put(out, plain);
		return buf_end(out);
	}
	for (size_t i = 0; e == ERR_OK && i < ENROLMENT_OFFICIALS; i++)
		if ((e = file_read(names[i], APPROVAL_BYTES_MAX, &texts[i], &approvals[i].n)) ==
		        ERR_OK)
			approvals[i].p = texts[i];
	if (e == ERR_OK)
		e = enrolment_put(plain, approvals, out);
	for (size_t i = 0; i < ENROLMENT_OFFICIALS; i++)
		free(texts[i]);
	return e;
}

/* As the signer will: by the officials of the roster in force, and above its version. */
static enum err
enrolled(const struct admin_options *o, const struct key *root, struct bytes text,
        const struct roster *next)
{
	struct roster *before = NULL;
	uint8_t *p = NULL;
	size_t n = 0;
	enum err e = ERR_OK;

	if (o->roster == NULL)
		return ERR_OK;
	if ((e = file_read(o->roster, ROSTER_BYTES_MAX, &p, &n)) == ERR_OK &&
	        (e = roster_read(bytes_of(p, n), root, &before)) == ERR_OK)
		e = roster_version(next) > roster_version(before)
		            ? enrolment_check(text, before, o->now)
		            : ERR_VERSION;
	roster_free(before);
	free(p);
	return e;
}

enum err
admin_roster_sign(const struct admin_options *o, const struct key *root, struct bytes payload)
{
	const char *out = o->out;
	size_t room = payload.n * 4 / 3 + 1024;
	struct buf b = buf_init(malloc(room), room);
	struct roster *r = NULL;
	enum err e = ERR_MEMORY;

	if (b.p == NULL)
		return e;
	if ((e = jws_sign(root, ROSTER_TYP, payload, &b)) == ERR_OK &&
	        (e = roster_read(buf_bytes(&b), root, &r)) == ERR_OK &&
	        (e = enrolled(o, root, buf_bytes(&b), r)) == ERR_OK)
		e = file_write(out, buf_bytes(&b), 0644);
	if (e == ERR_OK)
		printf("%s: roster %llu signed\n", out, (unsigned long long)roster_version(r));
	roster_free(r);
	free(b.p);
	return e;
}

enum admin_exit
admin_sign(const struct admin_options *o)
{
	struct key *root = NULL;
	uint8_t *payload = NULL;
	size_t n = 0;
	struct buf whole = {0};
	enum admin_exit x = ADMIN_DONE;
	enum err e = ERR_OK;

	if ((o->proposal == NULL) != (o->approval == NULL) ||
	        (o->proposal == NULL) != (o->roster == NULL)) {
		fputs("zz-admin: --proposal, --approval and --roster go together\n", stderr);
		return ADMIN_USAGE;
	}
	e = admin_private_root(o, &root);

	if (e != ERR_OK)
		x = admin_fault(o->root, e);
	else if ((e = file_read(o->payload, ROSTER_BYTES_MAX, &payload, &n)) != ERR_OK)
		x = admin_fault(o->payload, e);
	else if ((whole = buf_init(malloc(n + 3 * APPROVAL_BYTES_MAX), n + 3 * APPROVAL_BYTES_MAX))
	                         .p == NULL ||
	         (e = payload_make(o, bytes_of(payload, n), &whole)) != ERR_OK ||
	         (e = admin_roster_sign(o, root, buf_bytes(&whole))) != ERR_OK)
		x = admin_fault("roster", e);
	free(whole.p);
	free(payload);
	key_free(root);
	return x;
}
