#ifndef TOOLS_ADMIN_CEREMONY_H
#define TOOLS_ADMIN_CEREMONY_H
/* admin_ceremony.h - the parts of a key ceremony that zz-admin init lacks: the reviewed file, the
 * root key under shares, the transcript. */
#include "admin.h"
#include "admin_share.h"
#include "admin_trust.h"

enum { CEREMONY_BYTES_MAX = 16 * 1024 };

struct ceremony { /* texts live in `room` */
	uint8_t *file;
	size_t file_n;
	uint8_t file_sha256[SHA256_BYTES];
	char *room;
	const char *host, *name_zh, *name_en, *listen, *database, *front_user, *publish_user,
	        *admin_user, *witnesses, *quorum, *place, *suite, *threshold, *roster;
	const char *keys[TRUST_KEYS]; /* where they are made, as key_store.h has it; NULL: a file */
	struct share_names shares;
};

/* The root key, encrypted, and its shares, into DIR; hashes of all go to the transcript. */
MUST_USE enum err ceremony_root(
        const struct ceremony *c, const struct trust *t, const char *dir, struct buf *transcript);
/* Ends the transcript, writes it to DIR/trust/transcript.txt, and gives its hash. */
MUST_USE enum err ceremony_transcript(const struct ceremony *c, const struct trust *t,
        const char *dir, struct buf *transcript, uint8_t sha256[SHA256_BYTES]);
/* Of admin_init.c: as admin_init, by the file. */
enum admin_exit admin_init_by(const struct admin_options *o, const struct ceremony *c);
#endif
