/* admin_lost.c - what was published and the signer's journal does not hold: an entry says which
 * certificate was issued, but not to whom, so it cannot be made again. Each is named, and nothing
 * is changed. */
#include "admin.h"
#include "entry.h"
#include "file.h"
#include "note.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PUBLIC_BYTES_MAX = TILE_WIDTH * (ENTRY_BYTES_MAX + 2), VKEY_BYTES_MAX = 400 };

struct lost {
	char dir[CONFIG_TEXT_MAX];
	uint8_t *note;
	struct checkpoint checkpoint; /* views into note */
	struct merkle_frontier frontier;
	uint64_t issued, changed;
};

static enum err
public_read(const struct lost *l, const char *name, uint8_t **p, size_t *n)
{
	char path[FILE_PATH_MAX];
	enum err e = admin_path(path, l->dir, name);

	return e == ERR_OK ? file_read(path, PUBLIC_BYTES_MAX, p, n) : e;
}

/* The newest published checkpoint, verified under the log's key. */
static enum err
checkpoint_take(const struct config *c, struct lost *l)
{
	uint8_t *vkey = NULL;
	struct key *log = NULL;
	struct bytes name;
	size_t n = 0, vkey_n = 0;
	enum err e = public_read(l, "log/checkpoint", &l->note, &n);

	if (e != ERR_OK)
		return e;
	if ((e = admin_trust_read(c, "log.vkey", &vkey, &vkey_n)) != ERR_OK)
		return e;
	while (vkey_n > 0 && vkey[vkey_n - 1] == '\n')
		vkey_n--;
	if ((e = note_vkey_decode(bytes_of(vkey, vkey_n), &name, &log)) == ERR_OK &&
	        (e = checkpoint_decode(bytes_of(l->note, n), &l->checkpoint)) == ERR_OK)
		e = checkpoint_verify(&l->checkpoint, name, log);
	key_free(log);
	free(vkey);
	return e;
}

static void
entry_tell(struct lost *l, uint64_t index, const struct entry *e)
{
	char serial[33];

	if (e->type != ENTRY_ISSUE && e->type != ENTRY_STATUS)
		return;
	hex_encode(e->cti, serial);
	if (e->type == ENTRY_ISSUE) {
		l->issued++;
		printf("lost %" PRIu64 ": certificate %s of centre %.*s, item %.*s\n", index,
		        serial, (int)e->center.n, (const char *)e->center.p, (int)e->item.n,
		        (const char *)e->item.p);
	} else {
		l->changed++;
		printf("lost %" PRIu64 ": certificate %s became %d\n", index, serial,
		        (int)e->status);
	}
}

/* The entries of one bundle from where the frontier stands. */
static enum err
bundle_take(struct lost *l, struct bytes in, uint64_t first)
{
	for (uint64_t index = first; in.n > 0; index++) {
		struct merkle_hash leaf;
		struct bytes entry;
		struct entry e;

		if (in.n < 2 || in.n - 2 < be_get(in.p, 2))
			return ERR_TRUNCATED;
		entry = bytes_of(in.p + 2, (size_t)be_get(in.p, 2));
		in = bytes_skip(in, 2 + entry.n);
		if (index != l->frontier.size || index >= l->checkpoint.size)
			continue;
		merkle_leaf(entry, &leaf);
		merkle_append(&l->frontier, &leaf);
		if (entry_decode(entry, &e) != ERR_OK)
			return ERR_VALUE;
		entry_tell(l, index, &e);
	}
	return ERR_OK;
}

static enum err
bundle_read(struct lost *l, uint64_t n)
{
	uint64_t left = l->checkpoint.size - n * TILE_WIDTH, before = l->frontier.size;
	char name[100] = "log/";
	struct buf path = buf_init(name + 4, sizeof name - 5);
	uint8_t *p = NULL;
	size_t bytes_n = 0;
	enum err e;

	tile_path_put(&path, -1, n, left < TILE_WIDTH ? (unsigned)left : TILE_WIDTH);
	if ((e = buf_end(&path)) != ERR_OK || (e = public_read(l, name, &p, &bytes_n)) != ERR_OK)
		return e;
	e = bundle_take(l, bytes_of(p, bytes_n), n * TILE_WIDTH);
	free(p);
	return e == ERR_OK && l->frontier.size == before ? ERR_TRUNCATED : e;
}

/* Everything that is named must lead to the root that the log's key signed. */
static enum err
lost_walk(struct lost *l)
{
	struct merkle_hash root;
	enum err e = ERR_OK;

	while (e == ERR_OK && l->frontier.size < l->checkpoint.size)
		e = bundle_read(l, l->frontier.size / TILE_WIDTH);
	if (e != ERR_OK)
		return e;
	merkle_root(&l->frontier, &root);
	return memcmp(root.b, l->checkpoint.root.b, sizeof root.b) == 0 ? ERR_OK : ERR_FORK;
}

enum admin_exit
admin_lost(const struct config *c, const struct signer_state *state)
{
	struct lost l = {.frontier = state->frontier};
	enum admin_exit x = ADMIN_DONE;
	enum err e;

	config_path(c, c->public_dir, l.dir, sizeof l.dir);
	e = checkpoint_take(c, &l);
	if (e == ERR_NOT_FOUND) {
		puts("nothing is published yet");
	} else if (e != ERR_OK) {
		x = admin_fault("log/checkpoint", e);
	} else if (l.checkpoint.size > state->size) {
		printf("published %" PRIu64 ", signer %" PRIu64 "\n", l.checkpoint.size,
		        state->size);
		x = ADMIN_REFUSED;
		e = lost_walk(&l);
		fflush(stdout);
		if (e != ERR_OK)
			x = admin_fault("log/tile", e);
		else
			fprintf(stderr,
			        "zz-admin: recover: the signer lost what was published: the "
			        "records of %" PRIu64 " certificates and %" PRIu64
			        " changes of status are gone here.\n"
			        "    Restore a newer copy of the signer's folder; without one, "
			        "nothing may be signed.\n"
			        "    "
			        "签名机缺少已公布的条目，请恢复较新的备份；在此之前不得签发。\n",
			        l.issued, l.changed);
	}
	free(l.note);
	return x;
}
