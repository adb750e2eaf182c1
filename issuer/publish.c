/* publish.c - order is everything: a checkpoint is public only when its tiles are in place, a list
 * version only when a public checkpoint holds its entry 3, a head only when its lists are; a CRL
 * that takes long comes after the head. */
#include "publish.h"

#include "file.h"
#include "http.h"
#include "log.h"
#include "note.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 700, MODE = 0644, READ_ENTRIES = 2048 };

static void
path_of(const struct publish *p, char out[PATH_BYTES], const char *format, uint64_t a, uint64_t b)
{
	char name[120];

	snprintf(name, sizeof name, format, a, b);
	snprintf(out, PATH_BYTES, "%s/%s", p->dir, name);
}

static enum err
folders_make(const struct publish *p)
{
	static const char *const folders[] = {
	        "log/checkpoints", "status/version", "status/table", "status/delta", "crl"};
	char path[PATH_BYTES];
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < sizeof folders / sizeof folders[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", p->dir, folders[i]);
		e = file_make_folders(path, 0755);
	}
	return e;
}

/* What is public already; the signer judges whether it is its own. */
static enum err
checkpoint_load(struct publish *p)
{
	char path[PATH_BYTES];
	struct checkpoint c;
	uint8_t *text = NULL;
	size_t n = 0;
	enum err e;

	path_of(p, path, "log/checkpoint", 0, 0);
	e = file_read(path, sizeof p->checkpoint, &text, &n);
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e == ERR_OK && (e = checkpoint_decode(bytes_of(text, n), &c)) == ERR_OK) {
		memcpy(p->checkpoint, text, n);
		p->checkpoint_n = n;
		p->published = c.size;
	}
	free(text);
	return e;
}

enum err
publish_open(const struct config *c, struct publish *p)
{
	char run[CONFIG_TEXT_MAX], path[CONFIG_TEXT_MAX + 20];
	enum err e;

	memset(p, 0, sizeof *p);
	p->config = c;
	config_path(c, c->public_dir, p->dir, sizeof p->dir);
	config_path(c, c->run_dir, run, sizeof run);
	snprintf(path, sizeof path, "%s/publish.sock", run);
	if ((e = folders_make(p)) != ERR_OK || (e = checkpoint_load(p)) != ERR_OK ||
	        (e = publish_head_open(p)) != ERR_OK ||
	        (e = tiles_init(&p->tiles, p->dir)) != ERR_OK ||
	        (e = prune_open(p->dir, &p->prune)) != ERR_OK ||
	        (e = publish_witness_open(p)) != ERR_OK ||
	        (e = signer_open(path, &p->signer)) != ERR_OK)
		return e;
	return store_open(c->publish_database, STORE_PUBLISH, &p->store);
}

void
publish_close(struct publish *p)
{
	store_free(p->store);
	signer_free(p->signer);
	tiles_end(&p->tiles);
	publish_head_close(p);
	prune_free(p->prune);
	publish_witness_close(p);
	free(p->lists);
}

/* Reads entries up to `size` into the tiles. What is public already is written again only where a
 * file is missing. */
static enum err
tiles_until(struct publish *p, uint64_t size)
{
	while (p->tiles.size < size) {
		uint64_t left = size - p->tiles.size;
		struct store_entries entries;
		enum err e = store_log_from(p->store, p->tiles.size,
		        left < READ_ENTRIES ? (size_t)left : READ_ENTRIES, &entries);

		if (e != ERR_OK)
			return e;
		if (entries.count == 0)
			e = ERR_SIZE;
		for (size_t i = 0; e == ERR_OK && i < entries.count; i++) {
			publish_landmark_see(p, entries.rows[i].entry);
			e = tiles_append(&p->tiles, entries.rows[i].entry, true);
		}
		store_result_free(entries.owner);
		if (e != ERR_OK)
			return e;
	}
	return tiles_flush(&p->tiles);
}

enum err
publish_checkpoint_write(struct publish *p, uint64_t size, struct bytes note, struct bytes receipt)
{
	char path[PATH_BYTES];
	enum err e;

	if (note.n > sizeof p->checkpoint)
		return ERR_LIMIT;
	path_of(p, path, "log/checkpoints/%" PRIu64, size, 0);
	if ((e = file_write(path, note, MODE)) != ERR_OK)
		return e;
	path_of(p, path, "log/checkpoints/%" PRIu64 ".cose", size, 0);
	if ((e = file_write(path, receipt, MODE)) != ERR_OK)
		return e;
	path_of(p, path, "log/checkpoint", 0, 0);
	if ((e = file_write(path, note, MODE)) != ERR_OK)
		return e;
	memcpy(p->checkpoint, note.p, note.n);
	p->checkpoint_n = note.n;
	p->published = size;
	prune_checkpoint(p->prune, size);
	return publish_landmark_write(p); /* of the same tiles */
}

/* The root of what was written must be the one that the signer has: else nothing is asked for. */
static enum err
checkpoint_publish(struct publish *p, const struct signer_state *t)
{
	struct merkle_hash root;
	struct bytes note, receipt;
	enum err e;

	if (t->size == p->published || t->size == 0 || p->candidate.size != 0)
		return ERR_OK;
	if ((e = tiles_until(p, t->size)) != ERR_OK)
		return e;
	merkle_root(&p->tiles.frontier, &root);
	if (memcmp(root.b, t->root.b, SHA256_BYTES) != 0) {
		log_fault("root_differs",
		        "size=%" PRIu64 " what=the database's entries are not the signer's",
		        t->size);
		return ERR_FORK;
	}
	p->asked_ms = http_now_ms();
	if ((e = signer_checkpoint(p->signer, t->size, &note, &receipt)) != ERR_OK)
		return e;
	p->signed_size = p->tiles.size;
	if (publish_required(p))
		return publish_candidate_put(p, p->tiles.size, note, receipt);
	if ((e = publish_checkpoint_write(p, p->tiles.size, note, receipt)) != ERR_OK)
		return e;
	return witnesses_target(&p->witnesses, note);
}

/* Asks for a new version of a list unless one is under way. */
static enum err
list_renew(struct publish *p, uint32_t list, int64_t now)
{
	struct store_publication newest;
	struct signer_token token;
	uint64_t pending;
	enum err e = store_publication_latest(p->store, list, false, &newest);

	if (e == ERR_OK) {
		enum store_pending_state state = newest.state;

		store_result_free(newest.owner);
		if (state == PENDING_OPEN)
			return ERR_OK;
	} else if (e != ERR_NOT_FOUND) {
		return e;
	}
	if ((e = signer_list(p->signer, list, &token)) != ERR_OK)
		return e == ERR_VERSION ? ERR_OK
		                        : e; /* a version of this second is there: the next round */
	return store_publication_put(p->store, list, &token, now, &pending);
}

static enum err
lists_renew(struct publish *p, const struct signer_state *t, int64_t now)
{
	int64_t refresh = (int64_t)p->config->list_refresh_s;
	enum err e = ERR_OK;
	uint32_t due[64];
	size_t count = 0;

	/* the state's rows live until the next call of the signer */
	for (size_t i = 0; i < t->list_count && count < sizeof due / sizeof due[0]; i++)
		if (t->lists[i].dirty || t->lists[i].this_update + refresh <= now)
			due[count++] = t->lists[i].list;
	for (size_t i = 0; e == ERR_OK && i < count; i++)
		e = list_renew(p, due[i], now);
	return e;
}

static enum err
written_room(struct publish *p, uint32_t list)
{
	struct publish_list *grown;

	if (list < p->list_room)
		return ERR_OK;
	if ((grown = reallocarray(p->lists, list + 1U, sizeof *grown)) == NULL)
		return ERR_MEMORY;
	memset(grown + p->list_room, 0, (list + 1U - p->list_room) * sizeof *grown);
	p->lists = grown;
	p->list_room = list + 1U;
	return ERR_OK;
}

static enum err
list_files(struct publish *p, const struct store_publication *v)
{
	char path[PATH_BYTES];
	enum err e = publish_version_proof(p, v);

	if (e != ERR_OK)
		return e;
	path_of(p, path, "status/version/%" PRIu64 "-%" PRIu64 ".cwt", v->list, v->sequence);
	if ((e = file_write_once(path, v->cwt, MODE)) != ERR_OK)
		return e;
	path_of(p, path, "status/%" PRIu64 ".cwt", v->list, 0);
	if ((e = file_write(path, v->cwt, MODE)) != ERR_OK)
		return e;
	path_of(p, path, "status/%" PRIu64 ".jwt", v->list, 0);
	if ((e = file_write(path, v->jwt, MODE)) != ERR_OK)
		return e;
	/* the last: where it is in place, all are */
	path_of(p, path, "status/%" PRIu64, v->list, 0);
	return file_write(path, v->jwt, MODE);
}

/* After a start: are the files of this version there already? */
static bool
list_in_place(const struct publish *p, const struct store_publication *v)
{
	char path[PATH_BYTES];
	uint8_t *bytes = NULL;
	size_t n = 0;
	bool same;

	path_of(p, path, "status/%" PRIu64, v->list, 0);
	same = file_read(path, TOKEN_BYTES_MAX, &bytes, &n) == ERR_OK &&
	       bytes_equal(bytes_of(bytes, n), v->jwt);
	free(bytes);
	path_of(p, path, "status/version/%" PRIu64 "-%" PRIu64 ".tlog-proof", v->list, v->sequence);
	same = same && file_exists(path);
	path_of(p, path, "status/version/%" PRIu64 "-%" PRIu64 ".cwt", v->list, v->sequence);
	return same && file_exists(path);
}

/* The row must be the version that the signer signed and logged. */
static enum err
version_check(const struct store_publication *v, const struct publish_list *l)
{
	uint8_t hash[SHA256_BYTES];

	sha256_one(v->cwt, hash);
	if (memcmp(hash, l->signed_sha256, SHA256_BYTES) == 0)
		return ERR_OK;
	log_fault("version_differs", "list=%" PRIu32 " sequence=%" PRIu64, v->list, v->sequence);
	return ERR_FORK;
}

/* What the signer's log says of each list, before its answer is gone; and a database that lacks
 * some of that log publishes nothing. */
static enum err
signed_take(struct publish *p, const struct signer_state *t)
{
	uint64_t size = 0;
	int64_t time = 0;
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < t->list_count; i++) {
		if ((e = written_room(p, (uint32_t)i)) != ERR_OK)
			break;
		p->lists[i].signed_sequence = t->lists[i].sequence;
		memcpy(p->lists[i].signed_sha256, t->lists[i].previous.p, SHA256_BYTES);
	}
	if (e == ERR_OK && (e = store_head(p->store, &size, &time)) == ERR_OK && size < t->size)
		e = ERR_BEHIND;
	return e;
}

static void
list_note(struct publish_list *l, const struct store_publication *v)
{
	l->written = v->sequence;
	l->crl_due = true; /* after a start too: whether it was made is not known */
	l->cwt_n = v->cwt.n;
}

/* Files only from the row, and only when the public checkpoint holds its entry 3. */
static enum err
list_publish(struct publish *p, uint32_t list, int64_t now)
{
	struct store_publication v;
	struct publish_list *l;
	enum err e = written_room(p, list);

	if (e == ERR_OK)
		e = store_publication_latest(p->store, list, true, &v);
	if (e != ERR_OK)
		return e != ERR_NOT_FOUND                   ? e
		       : p->lists[list].signed_sequence > 0 ? list_renew(p, list, now)
		                                            : ERR_OK;
	l = &p->lists[list];
	if (v.sequence != l->signed_sequence) {
		bool lost = v.sequence < l->signed_sequence;

		store_result_free(v.owner);
		/* a database from an old backup: what is public is newer and stays; a new version
		 * replaces it */
		return lost ? list_renew(p, list, now) : ERR_OK;
	}
	if ((e = version_check(&v, l)) != ERR_OK) {
		store_result_free(v.owner);
		return e;
	}
	if (v.index < p->published && v.sequence > l->written) {
		if (l->written == 0 && list_in_place(p, &v))
			l->crl_next = now + 1; /* not in the second of the one that is there */
		else
			e = list_files(p, &v);
		if (e == ERR_OK)
			list_note(l, &v);
	}
	store_result_free(v.owner);
	return e;
}

/* Its keys judge what is published from now on. */
static enum err
manifest_take(struct publish *p, struct bytes message)
{
	uint8_t *bytes = malloc(message.n + 1);
	struct manifest m;
	enum err e;

	if (bytes == NULL)
		return ERR_MEMORY;
	memcpy(bytes, message.p, message.n);
	if ((e = manifest_open(bytes_of(bytes, message.n), p->root, &m)) != ERR_OK) {
		free(bytes);
		return e;
	}
	if (p->manifest_bytes != NULL)
		manifest_close(&p->manifest);
	free(p->manifest_bytes);
	p->manifest = m;
	p->manifest_bytes = bytes;
	p->manifest_n = message.n;
	/* another key may sign the CRLs now, or one of them does no longer */
	for (uint32_t i = 0; i < p->list_room; i++)
		p->lists[i].crl_due = p->lists[i].crl_due || p->lists[i].written > 0;
	return ERR_OK;
}

/* Taken before a checkpoint is published, since it may demand a quorum. */
static enum err
manifest_newest(struct publish *p, uint64_t version)
{
	struct store_message m;
	enum err e;

	if (version == 0 || (p->manifest_bytes != NULL && version == p->manifest.version))
		return ERR_OK;
	if ((e = store_manifest_get(p->store, version, &m)) != ERR_OK)
		return e;
	e = manifest_take(p, m.message);
	store_result_free(m.owner);
	return e;
}

static enum err
manifest_publish(struct publish *p, uint64_t version)
{
	char path[PATH_BYTES];
	enum err e;

	if (version == 0 || version == p->manifest_version)
		return ERR_OK;
	path_of(p, path, "manifest.cose", 0, 0);
	if ((e = file_write(path, bytes_of(p->manifest_bytes, p->manifest_n), MODE)) != ERR_OK ||
	        (e = publish_policy(p)) != ERR_OK)
		return e;
	p->manifest_version = version;
	return ERR_OK;
}

/* Lists whose entry 3 is public, then a head of them; CRLs on both sides of it. */
static enum err
lists_publish(struct publish *p, size_t lists, int64_t now)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < lists; i++)
		e = list_publish(p, (uint32_t)i, now);
	if (e != ERR_OK)
		return e;
	publish_crls(p, now, false);
	if ((e = publish_head_round(p, now)) != ERR_OK)
		return e;
	publish_crls(p, now, true);
	prune_turn(p->prune, &(struct prune_public){now, p->published, p->head.sequence});
	return ERR_OK;
}

enum err
publish_round(struct publish *p, int64_t now)
{
	struct signer_state t;
	uint64_t manifest;
	size_t lists;
	enum err e = publish_guard(p, now);

	p->asked_ms = http_now_ms();
	/* empty, not null: nothing published yet */
	if (e != ERR_OK || (e = signer_state(p->signer, bytes_of(p->checkpoint, p->checkpoint_n),
	                            &t)) != ERR_OK)
		return e;
	if (t.problem != ERR_OK)
		return t.problem == ERR_NOT_READY ? ERR_OK : t.problem;
	manifest = t.manifest_version;
	lists = t.list_count;
	if ((e = signed_take(p, &t)) != ERR_OK || (e = publish_head_take(p, &t)) != ERR_OK ||
	        (e = lists_renew(p, &t, now)) != ERR_OK ||
	        (e = manifest_newest(p, manifest)) != ERR_OK ||
	        (e = publish_candidate_finish(p)) != ERR_OK ||
	        (!publish_required(p) && (e = checkpoint_publish(p, &t)) != ERR_OK) ||
	        (e = manifest_publish(p, manifest)) != ERR_OK ||
	        (publish_settled(p, t.size) && (e = lists_publish(p, lists, now)) != ERR_OK))
		return e;
	return publish_required(p) ? checkpoint_publish(p, &t) : ERR_OK;
}
