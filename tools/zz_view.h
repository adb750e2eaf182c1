#ifndef TOOLS_ZZ_VIEW_H
#define TOOLS_ZZ_VIEW_H
/* zz_view.h - a request that someone is about to decide on: fetched, held against the hash by which
 * it was named, and shown in words before anything is signed. */
#include "zz_certificate.h"
#include "zz_request.h"
#include "zz_select.h"

struct zz_view_options { /* the words of the command line; root may be NULL */
	const char *url, *key_path, *root, *id;
};

struct zz_view { /* zero it first; not to be copied */
	const struct zz *z;
	struct zz_service service;
	const char *id;
	json_t *state; /* answer of GET /v1/requests/{id} */
	struct zz_request request;
	struct zz_authority authority;
	struct field *field;
	struct key *key;
	struct zz_list list; /* after zz_view_print: the certificates of an order */
	bool frozen;         /* the service froze the list, for a selector */
};

/* Fetches the request; ZZ_DONE only where the bytes are those that `id` is the hash of. Says what
 * is wrong. zz_view_close is due in every case. */
enum zz_exit zz_view_open(const struct zz *z, const struct zz_view_options *o, struct zz_view *out);
void zz_view_close(struct zz_view *v);
/* Everything that a signature would be put under, with each certificate. */
enum zz_exit zz_view_print(struct zz_view *v);
enum zz_exit zz_view_order_print(struct zz_view *v);              /* its part for orders */
const struct manifest *zz_view_manifest(const struct zz_view *v); /* NULL without a root key */
/* Is an approval (or rejection) by this key among those that the service has? */
bool zz_view_is_mine(const struct zz_view *v, bool approve);
bool zz_view_is_executed(const struct zz_view *v); /* as the service says */
#endif
