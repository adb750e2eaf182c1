#ifndef ISSUER_STATIC_H
#define ISSUER_STATIC_H
/* static.h - the public folder over GET and HEAD (DESIGN.md section 5, FORMATS.md section 4; C2SP
 * tlog-tiles "APIs"). A path is served only if it is one of the kinds below, spelled exactly so; no
 * other byte of a client reaches the file system, no symbolic link is followed, only regular files
 * are read. nginx does the same in production. */
#include "http.h"

enum static_kind {
	STATIC_NONE,       /* not one of ours: 404 */
	STATIC_CHECKPOINT, /* /log/checkpoint */
	STATIC_LANDMARKS,  /* /log/landmarks */
	STATIC_TILE,       /* /log/tile/<L>/<N>[.p/<W>], /log/tile/entries/<N>[.p/<W>] */
	STATIC_POLICY,     /* /log/policy.txt */
	STATIC_KEPT,       /* /log/checkpoints/<size>: cosignatures may still come */
	STATIC_KEPT_COSE,  /* /log/checkpoints/<size>.cose */
	STATIC_STATUS,     /* /status/<list>: JWT or CWT by Accept */
	STATIC_STATUS_CWT, /* /status/<list>.cwt */
	STATIC_STATUS_JWT, /* /status/<list>.jwt */
	STATIC_VERSION,    /* /status/version/<list>-<sequence>.cwt */
	STATIC_PROOF,      /* /status/version/<list>-<sequence>.tlog-proof */
	STATIC_HEAD,       /* /status/head.cwt, /status/head-sm2.cwt */
	STATIC_TABLE,      /* /status/table/<sequence>.cwt */
	STATIC_DELTA,      /* /status/delta/<base>-<sequence>.cwt */
	STATIC_CRL,        /* /crl/<list>.crl */
	STATIC_MANIFEST,   /* /manifest.cose */
	STATIC_PAGE,       /* /verify/ and /verify/<name>.html|.js|.css|.json|.wasm|.svg|.txt */
	STATIC_KINDS
};

/* Which kind a request path is; pure, so that tests and the publisher can ask it. */
enum static_kind static_kind_of(struct bytes path);
/* Content type of a page by the suffix of its name ("" is index.html); NULL: not a page. */
const char *static_page_type(struct bytes name);
/* Does this path belong to the public folder (/log/, /status/, /crl/, /manifest.cose, /verify/)? */
bool static_owns(struct bytes path);
/* Answers GET or HEAD of x->path from public_dir: 200, 304 by If-None-Match, 404 or 405. Does not
 * call exchange_done. ETag: SHA-256 of the bytes below STATIC_HASH_BYTES_MAX, else of size, time
 * and inode (files are replaced by rename, so other bytes are another inode or time). */
enum { STATIC_HASH_BYTES_MAX = 1024 * 1024 };
void static_serve(struct exchange *x, const char *public_dir);
#endif
