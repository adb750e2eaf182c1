/* admin_sign.c - zz-admin sign-roster: a roster written by hand becomes one that the root signed,
 * or is refused for the reason for which the signer would refuse it. */
#include "admin.h"
#include "admin_share.h"
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

enum err
admin_roster_sign(const struct key *root, struct bytes payload, const char *out)
{
	size_t room = payload.n * 4 / 3 + 1024;
	struct buf b = buf_init(malloc(room), room);
	struct roster *r = NULL;
	enum err e = ERR_MEMORY;

	if (b.p == NULL)
		return e;
	if ((e = jws_sign(root, ROSTER_TYP, payload, &b)) == ERR_OK &&
	        (e = roster_read(buf_bytes(&b), root, &r)) == ERR_OK)
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
	enum admin_exit x = ADMIN_DONE;
	enum err e = admin_private_root(o, &root);

	if (e != ERR_OK)
		x = admin_fault(o->root, e);
	else if ((e = file_read(o->payload, ROSTER_BYTES_MAX, &payload, &n)) != ERR_OK)
		x = admin_fault(o->payload, e);
	else if ((e = admin_roster_sign(root, bytes_of(payload, n), o->out)) != ERR_OK)
		x = admin_fault("roster", e);
	free(payload);
	key_free(root);
	return x;
}
