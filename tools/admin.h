#ifndef TOOLS_ADMIN_H
#define TOOLS_ADMIN_H
/* admin.h - what the commands of zz-admin share: exit codes, options, and the two it speaks to.
 * Messages go to standard error, results to standard output. Source: DESIGN.md section 10. */
#include "config.h"
#include "signer_client.h"
#include "store_admin.h"

#include <stdio.h>

enum admin_exit {
	ADMIN_DONE = 0,
	ADMIN_USAGE = 2,
	ADMIN_UNHEALTHY = 3,
	ADMIN_REFUSED = 4,
	ADMIN_UNAVAILABLE = 6, /* safe to run again */
};

struct admin_options { /* NULL: not given */
	const char *config, *dir, *host, *name_zh, *name_en, *listen, *database;
	const char *front_user, *publish_user, *admin_user;
	const char *argument; /* what stands there without an option: a purpose, a kid */
	const char *from, *reason, *size, *proposal, *approval, *roster, *shares, *sha256;
	const char *migrations, *root, *payload, *out, *wait, *witnesses, *quorum;
	const char *suite;
	const char *sandbox; /* "no": the module of a token cannot be confined */
	uint64_t wait_s;
	int64_t now; /* UTC seconds */
};

enum admin_exit admin_ceremony(const struct admin_options *o);
enum admin_exit admin_init(const struct admin_options *o);
enum admin_exit admin_migrate(const struct admin_options *o);
enum admin_exit admin_roster(const struct admin_options *o);
enum admin_exit admin_status(const struct admin_options *o);
enum admin_exit admin_recover(const struct admin_options *o);
/* What is published and the signer does not hold: each lost certificate is named, ADMIN_REFUSED.
 * ADMIN_DONE where the signer has it all. */
enum admin_exit admin_lost(const struct config *c, const struct signer_state *state);
enum admin_exit admin_sign(const struct admin_options *o);
enum admin_exit admin_new_key(const struct admin_options *o);
enum admin_exit admin_cut_off(const struct admin_options *o);
enum admin_exit admin_manifest(const struct admin_options *o);
enum admin_exit admin_sign_manifest(const struct admin_options *o);

/* Says "zz-admin: WHAT: sentence (code)" in both languages and gives the exit code that suits. */
enum admin_exit admin_fault(const char *what, enum err e);
enum admin_exit admin_config(const struct admin_options *o, struct config *out);

/* D/FOLDER/NAME; the room is FILE_PATH_MAX. ERR_LIMIT when it does not fit. */
MUST_USE enum err admin_path(char *out, const char *folder, const char *name);
/* trust_dir/root.pub. */
MUST_USE enum err admin_root(const struct config *c, struct key **out);
/* A file of trust_dir; free() it. */
MUST_USE enum err admin_trust_read(
        const struct config *c, const char *name, uint8_t **p, size_t *n);

/* The private root key of --root; where it is encrypted, by the --shares of its custodians. */
MUST_USE enum err admin_private_root(const struct admin_options *o, struct key **out);
/* A roster's payload, signed and checked as the signer will, into o->out; says so. */
MUST_USE enum err admin_roster_sign(
        const struct admin_options *o, const struct key *root, struct bytes payload);

/* log.vkey and crl-ca.pem, as this manifest has them; says so where one is new. */
struct manifest;
MUST_USE enum err admin_pin(const struct config *c, const struct manifest *m);

struct admin_peers { /* zero it first; admin_peers_close is always due */
	struct signer *signer;
	struct store *store;
};
/* Says itself what is wrong. */
enum admin_exit admin_peers_open(const struct config *c, struct admin_peers *p);
void admin_peers_close(struct admin_peers *p);
/* What admin_roster does after zz.conf was read: brings what is new in trust/ into force. */
enum admin_exit admin_bring(
        const struct config *c, struct admin_peers *p, int64_t now, uint64_t wait_s);
#endif
