/* authority.c - the signer's state folder: opened once, locked to one process, changed only by
 * whole files. */
#include "authority_issue.h"

#include "file.h"
#include "hash.h"
#include "log.h"
#include "snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { PATH_BYTES = 600, SLOT_BLOCK = 4096 };

static void
path_of(const struct authority *a, const char *name, char out[PATH_BYTES])
{
	snprintf(out, PATH_BYTES, "%s/%s", a->dir, name);
}

/* One process a log: two signers of one state would fork it. */
static enum err
dir_lock(struct authority *a)
{
	char path[PATH_BYTES];

	path_of(a, "lock", path);
	a->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (a->lock_fd >= 0 && flock(a->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return ERR_OK;
	log_fault("signer_locked", "folder=%s errno=%d", a->dir, errno);
	return ERR_EXISTS;
}

enum err
authority_file_read(
        const struct authority *a, const char *name, size_t bytes_max, uint8_t **p, size_t *n)
{
	char path[PATH_BYTES];
	enum err e;

	path_of(a, name, path);
	e = file_read(path, bytes_max, p, n);
	if (e != ERR_OK)
		log_fault("state_unreadable", "file=%s error=%s", path, err_word(e));
	return e;
}

enum err
authority_key_load(struct authority *a, const char *name, struct key **out)
{
	uint8_t *p = NULL;
	size_t n = 0;
	enum err e = authority_file_read(a, name, KEY_FILE_BYTES_MAX, &p, &n);

	if (e != ERR_OK)
		return e;
	if ((e = key_store_open(&a->store, bytes_of(p, n), out)) != ERR_OK)
		log_fault("key_not_opened", "file=%s error=%s", name, err_word(e));
	secret_wipe(p, n);
	free(p);
	return e;
}

static enum err
secret_load(const struct authority *a, const char *name, uint8_t out[32])
{
	uint8_t *p = NULL;
	size_t n = 0;
	enum err e = authority_file_read(a, name, 32, &p, &n);

	if (e != ERR_OK)
		return e;
	if (n == 32)
		memcpy(out, p, 32);
	secret_wipe(p, n);
	free(p);
	return n == 32 ? ERR_OK : ERR_CONFIG;
}

static enum err
host_load(struct authority *a)
{
	uint8_t *p = NULL;
	size_t n = 0;
	enum err e = authority_file_read(a, "host", HOST_BYTES_MAX, &p, &n);

	if (e != ERR_OK)
		return e;
	while (n > 0 && (p[n - 1] == '\n' || p[n - 1] == ' '))
		n--;
	memcpy(a->host, p, n);
	free(p);
	snprintf(a->origin, sizeof a->origin, "%s/log", a->host);
	return n > 0 ? ERR_OK : ERR_CONFIG;
}

/* The file holds the first slot that was never reserved. */
static enum err
slots_load(struct authority *a)
{
	char path[PATH_BYTES];
	uint8_t *p = NULL;
	size_t n = 0;
	enum err e;

	path_of(a, "slots", path);
	e = file_read(path, 32, &p, &n);
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e != ERR_OK)
		return e;
	e = decimal_decode(bytes_of(p, n), INT64_MAX, &a->slot_next);
	a->slot_limit = a->slot_next;
	free(p);
	return e;
}

static enum err
slots_write(const struct authority *a, uint64_t limit)
{
	char path[PATH_BYTES];
	uint8_t room[32];
	struct buf text = BUF_OF(room);

	path_of(a, "slots", path);
	buf_put_decimal(&text, limit);
	return file_write(path, buf_bytes(&text), 0600);
}

enum err
authority_slots(struct authority *a, uint64_t count, uint64_t *first)
{
	/* a restored state may be older than the log that it caught up with */
	if (a->slot_next < a->fold.slots)
		a->slot_next = a->fold.slots;
	if (a->slot_next + count > a->slot_limit) {
		uint64_t limit = a->slot_next + count + SLOT_BLOCK;
		enum err e = slots_write(a, limit);

		if (e != ERR_OK)
			return e;
		a->slot_limit = limit;
	}
	*first = a->slot_next;
	a->slot_next += count;
	return ERR_OK;
}

void
authority_put_entry(const struct authority *a, struct buf *out, const struct entry *e,
        const struct entry_note *n)
{
	uint8_t entry_room[ENTRY_BYTES_MAX + CHECKPOINT_BYTES_MAX], note_room[NOTE_BYTES_MAX],
	        tag[ENTRY_TAG_BYTES];
	struct buf entry = BUF_OF(entry_room), note = BUF_OF(note_room);

	entry_put(e, &entry);
	entry_note_put(n, &note);
	if (entry.failed || note.failed) {
		out->failed = true;
		return;
	}
	entry_tag(
	        bytes_of(a->tag_key, sizeof a->tag_key), buf_bytes(&entry), buf_bytes(&note), tag);
	cbor_put_bytes(out, buf_bytes(&entry));
	cbor_put_bytes(out, buf_bytes(&note));
	cbor_put_bytes(out, bytes_of(tag, sizeof tag));
}

enum err
authority_approvals(struct cbor *in, struct evidence *ev, const struct roster *roster, int64_t now)
{
	uint64_t count = cbor_array(in);
	enum err e = ERR_OK;

	if (count > REQUEST_APPROVALS_MAX)
		return ERR_LIMIT;
	for (uint64_t i = 0; e == ERR_OK && i < count; i++)
		e = evidence_add(ev, cbor_bytes(in), roster, now);
	if (e != ERR_OK || evidence_complete(ev))
		return e;
	return ev->request.type == REQUEST_ISSUE && ev->session.late ? ERR_EXAM_LATE
	                                                             : ERR_APPROVALS;
}

void
authority_note(const struct evidence *ev, uint64_t answer, struct entry_note *out)
{
	*out = (struct entry_note){.sender = key_thumb(ev->sender->key),
	        .exp = ev->request.exp,
	        .slot = -1,
	        .seat = -1,
	        .answer = answer};
	for (size_t i = 0; i < ev->official_count; i++)
		out->officials[out->official_count++] = key_thumb(ev->officials[i]->key);
}

enum err
authority_problem(const struct authority *a, const struct call *c)
{
	if (a->stopped)
		return a->recount_differs ? ERR_RECOUNT : ERR_FORK;
	if (a->fold.frontier.size == 0 || a->manifest == NULL || a->roster == NULL ||
	        !a->checkpoint_seen)
		return ERR_NOT_READY;
	if (a->fold.frontier.size < a->guard_size)
		return ERR_SIZE;
	if (roster_exp(a->roster) <= c->now)
		return ERR_ROSTER_EXPIRED;
	/* the clock comes last: who forgives it knows that everything else is there */
	if (c->clock != ERR_OK)
		return c->clock;
	return c->now < a->fold.time || a->clock_doubt ? ERR_CLOCK : ERR_OK;
}

static void
manifest_load(struct authority *a)
{
	struct authority_manifest *m = calloc(1, sizeof *m);
	char name[64];
	size_t n = 0;
	enum err e = ERR_MEMORY;

	snprintf(name, sizeof name, "manifest-%" PRIu64 ".cose", a->fold.manifest_version);
	if (m != NULL &&
	        (e = authority_file_read(a, name, MANIFEST_BYTES_MAX, &m->bytes, &n)) == ERR_OK &&
	        (e = manifest_open(bytes_of(m->bytes, n), a->root, &m->m)) == ERR_OK) {
		if (memcmp(m->m.sha256, a->fold.manifest_sha256, SHA256_BYTES) == 0) {
			m->before = a->manifests;
			a->manifests = a->manifest = m;
			return;
		}
		manifest_close(&m->m);
		e = ERR_FORK;
	}
	log_fault("manifest_missing", "version=%" PRIu64 " error=%s", a->fold.manifest_version,
	        err_word(e));
	if (m != NULL)
		free(m->bytes);
	free(m);
	a->manifest = NULL;
}

static void
roster_load(struct authority *a)
{
	struct authority_roster *row = calloc(1, sizeof *row);
	struct roster *r = NULL;
	uint8_t *p = NULL, hash[SHA256_BYTES];
	char name[64];
	size_t n = 0;
	enum err e = ERR_MEMORY;

	snprintf(name, sizeof name, "roster-%" PRIu64 ".jws", a->fold.roster_version);
	if (row != NULL && (e = authority_file_read(a, name, ROSTER_BYTES_MAX, &p, &n)) == ERR_OK &&
	        (e = roster_read(bytes_of(p, n), a->root, &r)) == ERR_OK) {
		roster_sha256(r, hash);
		if (memcmp(hash, a->fold.roster_sha256, SHA256_BYTES) != 0) {
			roster_free(r);
			r = NULL;
			e = ERR_FORK;
		}
	}
	if (e != ERR_OK)
		log_fault("roster_missing", "version=%" PRIu64 " error=%s", a->fold.roster_version,
		        err_word(e));
	free(p);
	a->roster = r;
	if (r == NULL) {
		free(row);
		return;
	}
	row->r = r;
	row->before = a->rosters;
	a->rosters = row;
}

void
authority_refresh(struct authority *a)
{
	if (a->fold.manifest_version > 0 &&
	        (a->manifest == NULL || a->manifest->m.version != a->fold.manifest_version))
		manifest_load(a);
	if (a->fold.roster_version > 0 &&
	        (a->roster == NULL || roster_version(a->roster) != a->fold.roster_version))
		roster_load(a);
	if (a->manifest_held < a->fold.manifest_version)
		a->manifest_held = a->fold.manifest_version;
	if (a->roster_held < a->fold.roster_version)
		a->roster_held = a->fold.roster_version;
}

/* Own journal: hashes guard the bytes, the tags guard where they came from; the checks were made
 * when it was written. */
static enum err
frame_fold(void *ctx, const struct journal_frame *frame)
{
	struct authority *a = ctx;
	struct fold_batch *b = NULL;
	struct merkle_hash root;
	enum err e = ERR_OK;

	if (frame->size < a->fold.frontier.size)
		return ERR_OK;
	if (frame->size != a->fold.frontier.size)
		return ERR_FORK;
	e = fold_batch_open(&a->fold, NULL, false, &b);
	for (size_t i = 0; e == ERR_OK && i < frame->count; i++) {
		const struct signed_entry *s = &frame->entries[i];
		struct entry_note note;
		struct entry entry;

		if ((e = entry_decode(s->entry, &entry)) == ERR_OK &&
		        (e = entry_note_decode(s->note, &note)) == ERR_OK)
			e = fold_batch_add(b, &entry, &note, s->entry);
	}
	if (e == ERR_OK) {
		fold_batch_apply(b, &a->fold);
		merkle_root(&a->fold.frontier, &root);
		if (memcmp(root.b, frame->root.b, SHA256_BYTES) != 0)
			e = ERR_RECOUNT;
	}
	fold_batch_free(b);
	return e;
}

static enum err
keys_load(struct authority *a)
{
	enum err e;

	if ((e = authority_key_load(a, "root.pub", &a->root)) != ERR_OK ||
	        (e = authority_keys_open(a)) != ERR_OK ||
	        (e = secret_load(a, "tag.key", a->tag_key)) != ERR_OK)
		return e;
	return secret_load(a, "slot.key", a->slot_key);
}

static enum err
log_load(struct authority *a)
{
	char path[PATH_BYTES];
	enum err e;

	path_of(a, "snapshot", path);
	e = snapshot_read(path, &a->fold);
	if (e != ERR_OK) {
		if (e != ERR_NOT_FOUND)
			log_note("snapshot_ignored", "error=%s", err_word(e));
		fold_free(&a->fold);
		fold_init(&a->fold);
	}
	a->snapshot_size = a->fold.frontier.size;
	if ((e = journal_open(a->dir, a->fold.frontier.size, frame_fold, a, &a->journal)) == ERR_OK)
		e = authority_recount_start(a);
	if (e != ERR_OK)
		log_fault("journal_refused", "size=%" PRIu64 " error=%s", a->fold.frontier.size,
		        err_word(e));
	return e;
}

enum err
authority_open(const char *dir, int64_t now, struct authority **out)
{
	struct authority *a = calloc(1, sizeof *a);
	enum err e;

	if (a == NULL)
		return ERR_MEMORY;
	snprintf(a->dir, sizeof a->dir, "%s", dir);
	a->store.dir = a->dir;
	a->lock_fd = -1;
	fold_init(&a->fold);
	pthread_mutex_init(&a->lock, NULL);
	a->answer = (uint64_t)now << 20;
	a->places = authority_places_new();
	e = a->places == NULL ? ERR_MEMORY : ERR_OK;
	if (e != ERR_OK || (e = dir_lock(a)) != ERR_OK || (e = host_load(a)) != ERR_OK ||
	        (e = keys_load(a)) != ERR_OK || (e = slots_load(a)) != ERR_OK ||
	        (e = field_open(&a->field)) != ERR_OK || (e = log_load(a)) != ERR_OK ||
	        (e = authority_publication_open(a)) != ERR_OK)
		goto out;
	authority_refresh(a);
	authority_head_keep(a);
	/* a machine that wakes in 2040 would date the log there, and log time never falls */
	a->clock_doubt = a->fold.frontier.size > 0 && now > a->fold.time + CLOCK_GAP_S_MAX;
	if (a->clock_doubt)
		log_fault("clock_doubt",
		        "log_time=%" PRId64 " now=%" PRId64 " do=start_once_with_--confirm-clock",
		        a->fold.time, now);
	*out = a;
	return ERR_OK;
out:
	authority_free(a);
	return e;
}

void
authority_head_keep(struct authority *a)
{
	struct authority_head *h = &a->heads[a->head_count++ % AUTHORITY_HEADS];

	h->size = a->fold.frontier.size;
	h->time = a->fold.time;
	merkle_root(&a->fold.frontier, &h->root);
	merkle_root(&a->recount, &h->recount);
}

void
authority_snapshot(struct authority *a)
{
	char path[PATH_BYTES];
	struct merkle_hash root;
	enum err e;

	if (a->fold.frontier.size == a->snapshot_size || a->recount_differs ||
	        authority_recount_same(a, &root) != ERR_OK)
		return; /* what fell over in memory must not be kept */
	path_of(a, "snapshot", path);
	if ((e = snapshot_write(path, &a->fold)) != ERR_OK)
		log_fault("snapshot_failed", "error=%s", err_word(e)); /* the journal has it all */
	else
		a->snapshot_size = a->fold.frontier.size;
}

static void
in_force_free(struct authority *a)
{
	while (a->manifests != NULL) {
		struct authority_manifest *m = a->manifests;

		a->manifests = m->before;
		manifest_close(&m->m);
		free(m->bytes);
		free(m);
	}
	while (a->rosters != NULL) {
		struct authority_roster *row = a->rosters;

		a->rosters = row->before;
		roster_free(row->r);
		free(row);
	}
}

void
authority_free(struct authority *a)
{
	if (a == NULL)
		return;
	if (a->journal != NULL) {
		authority_snapshot(a);
		err_ignore(slots_write(
		        a, a->slot_next)); /* what was reserved and not drawn is free again */
	}
	journal_free(a->journal);
	fold_free(&a->fold);
	in_force_free(a);
	free(a->places);
	authority_publication_free(&a->publication);
	authority_keys_close(&a->keys);
	key_store_end(&a->store);
	key_free(a->root);
	field_free(a->field);
	secret_wipe(a->tag_key, sizeof a->tag_key);
	secret_wipe(a->slot_key, sizeof a->slot_key);
	pthread_mutex_destroy(&a->lock);
	if (a->lock_fd >= 0)
		close(a->lock_fd);
	free(a);
}
