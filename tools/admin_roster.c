/* admin_roster.c - zz-admin roster: brings genesis, manifest and roster before the signer and its
 * answers to the log. Run again it does only what is not done; a document is in force when its
 * entry is appended, never before. */
#include "admin_manifest.h"
#include "roster.h"
#include "store_writer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PENDING_MAX = 1000, POLL_MS = 200 };

struct trusted { /* what stands in trust/ */
	uint8_t *manifest, *roster;
	size_t manifest_n, roster_n;
	uint64_t manifest_version, roster_version;
};

static enum err
manifest_load(const struct config *c, const struct key *root, struct trusted *t)
{
	struct manifest m;
	enum err e = admin_trust_read(c, "manifest.cose", &t->manifest, &t->manifest_n);

	if (e != ERR_OK ||
	        (e = manifest_open(bytes_of(t->manifest, t->manifest_n), root, &m)) != ERR_OK)
		return e;
	t->manifest_version = m.version;
	manifest_close(&m);
	return ERR_OK;
}

static enum err
roster_load(const struct config *c, const struct key *root, struct trusted *t)
{
	struct roster *r = NULL;
	enum err e = admin_trust_read(c, "roster.jws", &t->roster, &t->roster_n);

	if (e != ERR_OK || (e = roster_read(bytes_of(t->roster, t->roster_n), root, &r)) != ERR_OK)
		return e;
	t->roster_version = roster_version(r);
	roster_free(r);
	return ERR_OK;
}

static enum admin_exit
trusted_load(const struct config *c, struct trusted *t)
{
	struct key *root = NULL;
	enum admin_exit x = ADMIN_DONE;
	enum err e = admin_root(c, &root);

	if (e != ERR_OK)
		return admin_fault("trust/root.pub", e);
	if ((e = manifest_load(c, root, t)) != ERR_OK)
		x = admin_fault("trust/manifest.cose", e);
	else if ((e = roster_load(c, root, t)) != ERR_OK)
		x = admin_fault("trust/roster.jws", e);
	key_free(root);
	return x;
}

static void
trusted_free(struct trusted *t)
{
	free(t->manifest);
	free(t->roster);
}

struct waiting { /* what lies in log_pending */
	bool genesis;
	uint64_t manifest_version, roster_version; /* the highest */
};

static enum err
waiting_read(struct store *s, struct waiting *out)
{
	struct store_pendings p;
	enum err e = store_pending(s, PENDING_MAX, &p);

	if (e != ERR_OK)
		return e;
	memset(out, 0, sizeof *out);
	for (size_t i = 0; i < p.count; i++) {
		struct entry entry;

		if (entry_decode(p.rows[i].e.entry, &entry) != ERR_OK)
			continue;
		if (entry.type == ENTRY_GENESIS)
			out->genesis = true;
		if (entry.type == ENTRY_MANIFEST && entry.sequence > out->manifest_version)
			out->manifest_version = entry.sequence;
		if (entry.type == ENTRY_ROSTER && entry.sequence > out->roster_version)
			out->roster_version = entry.sequence;
	}
	store_result_free(p.owner);
	return ERR_OK;
}

struct document {
	enum err (*put)(struct store *s, uint64_t version, struct bytes body, int64_t now);
	uint64_t version;
	struct bytes body;
};

/* Asks the signer for the entry of a document and leaves it where issuerd's writer takes it.
 * The document stands in the database before its entry does, so that whoever sees the entry finds
 * it, and not before the signer takes it: a version that it refuses can be made again. */
static enum admin_exit
bring(struct admin_peers *p, enum frame_type type, const struct document *d, int64_t now)
{
	const char *what = type == FRAME_INIT       ? "genesis"
	                   : type == FRAME_MANIFEST ? "manifest"
	                                            : "roster";
	struct signed_entry entry;
	uint64_t id = 0;
	enum err e = signer_admin(p->signer, type, d->body, &entry);

	if (e != ERR_OK) {
		fprintf(stderr, "zz-admin: the signer refuses the %s: %s\n", what,
		        signer_detail(p->signer));
		return admin_fault(what, e);
	}
	if (d->put != NULL && (e = d->put(p->store, d->version, d->body, now)) != ERR_OK)
		return admin_fault(what, e);
	if ((e = store_pending_put(p->store, &entry, now, &id)) != ERR_OK)
		return admin_fault(what, e);
	printf("%s: before the signer, waits for the log (pending %" PRIu64 ")\n", what, id);
	return ADMIN_DONE;
}

/* A version below the one in force is an old file: bringing it would be a rollback. */
static enum err
not_behind(const struct trusted *t, const struct signer_state *state)
{
	if (t->manifest_version < state->manifest_version ||
	        t->roster_version < state->roster_version)
		return ERR_VERSION;
	return ERR_OK;
}

static enum admin_exit
bring_all(struct admin_peers *p, const struct trusted *t, int64_t now)
{
	struct signer_state state;
	struct waiting w;
	enum admin_exit x = ADMIN_DONE;
	enum err e = signer_state(p->signer, bytes_of(NULL, 0), &state);
	bool genesis = false, manifest = false, roster = false;

	if (e != ERR_OK)
		return admin_fault("signer", e);
	if ((e = not_behind(t, &state)) != ERR_OK)
		return admin_fault("trust/ is older than what is in force", e);
	if ((e = waiting_read(p->store, &w)) != ERR_OK)
		return admin_fault("admin_database", e);
	genesis = state.size == 0 && !w.genesis;
	manifest = t->manifest_version > state.manifest_version &&
	           t->manifest_version > w.manifest_version;
	roster = t->roster_version > state.roster_version && t->roster_version > w.roster_version;
	if (genesis)
		x = bring(p, FRAME_INIT, &(struct document){0}, now);
	if (x == ADMIN_DONE && manifest)
		x = bring(p, FRAME_MANIFEST,
		        &(struct document){store_manifest_put, t->manifest_version,
		                bytes_of(t->manifest, t->manifest_n)},
		        now);
	if (x == ADMIN_DONE && roster)
		x = bring(p, FRAME_ROSTER,
		        &(struct document){store_roster_put, t->roster_version,
		                bytes_of(t->roster, t->roster_n)},
		        now);
	if (x == ADMIN_DONE && !genesis && !manifest && !roster)
		printf("manifest %" PRIu64 " and roster %" PRIu64 ": nothing new to bring\n",
		        t->manifest_version, t->roster_version);
	return x;
}

static enum admin_exit
wait_until_in_force(struct signer *s, const struct trusted *t, uint64_t wait_s)
{
	const struct timespec pause = {0, POLL_MS * 1000000L};
	struct signer_state state;
	enum err e = ERR_OK;

	for (uint64_t i = 0; i <= wait_s * 1000 / POLL_MS; i++) {
		if ((e = signer_state(s, bytes_of(NULL, 0), &state)) != ERR_OK)
			return admin_fault("signer", e);
		if (state.manifest_version >= t->manifest_version &&
		        state.roster_version >= t->roster_version) {
			printf("in force: manifest %" PRIu64 ", roster %" PRIu64
			       ", log size %" PRIu64 "\n",
			        state.manifest_version, state.roster_version, state.size);
			return ADMIN_DONE;
		}
		nanosleep(&pause, NULL);
	}
	fprintf(stderr,
	        "zz-admin: not in force after %" PRIu64
	        " s: entries are appended by issuerd; does it run?\n",
	        wait_s);
	return ADMIN_UNAVAILABLE;
}

enum admin_exit
admin_bring(const struct config *c, struct admin_peers *p, int64_t now, uint64_t wait_s)
{
	struct trusted t;
	enum admin_exit x;

	memset(&t, 0, sizeof t);
	if ((x = trusted_load(c, &t)) == ADMIN_DONE)
		x = bring_all(p, &t, now);
	if (x == ADMIN_DONE && wait_s > 0)
		x = wait_until_in_force(p->signer, &t, wait_s);
	if (x == ADMIN_DONE)
		x = admin_trust_follow(c, bytes_of(t.manifest, t.manifest_n));
	trusted_free(&t);
	return x;
}

enum admin_exit
admin_roster(const struct admin_options *o)
{
	struct config c;
	struct admin_peers p = {NULL, NULL};
	enum admin_exit x = admin_config(o, &c);

	if (x != ADMIN_DONE)
		return x;
	if ((x = admin_peers_open(&c, &p)) == ADMIN_DONE)
		x = admin_bring(&c, &p, o->now, o->wait_s);
	admin_peers_close(&p);
	return x;
}
