/* witness_log.c - compare and swap under one lock: a tree is cosigned only where it extends the one
 * on disk, and is on disk before its cosignature leaves. */
#include "witness_log.h"

#include "add_checkpoint.h"
#include "file.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { MODE = 0644, DIR_BYTES = 500, PATH_BYTES = DIR_BYTES + WITNESS_ORIGIN_HEX + 2 };

struct witness_log {
	struct bytes origin; /* a view into the caller's vkey */
	struct key *key;
	char hex[WITNESS_ORIGIN_HEX + 1];
	uint64_t size; /* cosigned last; 0 none */
	struct merkle_hash root;
	uint8_t note[CHECKPOINT_BYTES_MAX];
	size_t note_n;
};

struct witness {
	char dir[DIR_BYTES];
	struct bytes name;
	const struct key *key;
	struct witness_log logs[WITNESS_LOGS_MAX];
	size_t count;
	int lock_fd;
	pthread_mutex_t lock;
};

static void
log_path(const struct witness *w, const struct witness_log *l, char out[PATH_BYTES])
{
	snprintf(out, PATH_BYTES, "%s/%s", w->dir, l->hex);
}

static enum err
folder_lock(struct witness *w)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof path, "%s/lock", w->dir);
	w->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (w->lock_fd < 0)
		return ERR_IO;
	return flock(w->lock_fd, LOCK_EX | LOCK_NB) == 0 ? ERR_OK
	       : errno == EWOULDBLOCK                    ? ERR_EXISTS
	                                                 : ERR_IO;
}

/* A note of the folder counts only with both signatures. */
static enum err
log_load(const struct witness *w, struct witness_log *l)
{
	char path[PATH_BYTES];
	struct cosignature own;
	struct checkpoint c;
	uint8_t *note = NULL;
	size_t n = 0;
	enum err e;

	log_path(w, l, path);
	e = file_read(path, sizeof l->note, &note, &n);
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e == ERR_OK && (e = checkpoint_decode(bytes_of(note, n), &c)) == ERR_OK &&
	        (e = checkpoint_verify(&c, l->origin, l->key)) == ERR_OK &&
	        (e = cosignature_find(c.text, c.signatures, w->name, w->key, &own)) == ERR_OK) {
		e = bytes_equal(c.origin, l->origin) ? ERR_OK : ERR_SIGNATURE;
		l->size = c.size;
		l->root = c.root;
		memcpy(l->note, note, n);
		l->note_n = n;
	}
	free(note);
	if (e != ERR_OK)
		log_fault("state_refused", "file=%s error=%s", path, err_word(e));
	return e;
}

static enum err
log_add(struct witness *w, const char *vkey)
{
	struct witness_log *l = &w->logs[w->count];
	uint8_t hash[SHA256_BYTES];
	enum err e;

	if (w->count == WITNESS_LOGS_MAX)
		return ERR_LIMIT;
	if ((e = note_vkey_decode(bytes_of_text(vkey), &l->origin, &l->key)) != ERR_OK)
		return e;
	w->count++;
	sha256_one(l->origin, hash);
	hex_encode(bytes_of(hash, sizeof hash), l->hex);
	for (size_t i = 0; i + 1 < w->count; i++)
		if (bytes_equal(w->logs[i].origin, l->origin))
			return ERR_EXISTS;
	return log_load(w, l);
}

enum err
witness_open(const char *dir, const char *name, const struct key *key, const char *const *vkeys,
        struct witness **out)
{
	struct witness *w = calloc(1, sizeof *w);
	enum err e = ERR_OK;

	if (w == NULL)
		return ERR_MEMORY;
	w->name = bytes_of_text(name);
	w->key = key;
	w->lock_fd = -1;
	pthread_mutex_init(&w->lock, NULL);
	if ((size_t)snprintf(w->dir, sizeof w->dir, "%s", dir) >= sizeof w->dir)
		e = ERR_LIMIT;
	if (e == ERR_OK && (e = file_make_folders(dir, 0755)) == ERR_OK)
		e = folder_lock(w);
	for (size_t i = 0; e == ERR_OK && vkeys[i] != NULL; i++)
		e = log_add(w, vkeys[i]);
	if (e != ERR_OK) {
		witness_free(w);
		return e;
	}
	*out = w;
	return ERR_OK;
}

void
witness_free(struct witness *w)
{
	if (w == NULL)
		return;
	for (size_t i = 0; i < w->count; i++)
		key_free(w->logs[i].key);
	if (w->lock_fd >= 0)
		close(w->lock_fd);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

static void
answer(struct witness_answer *out, unsigned status, const char *text)
{
	out->status = status;
	out->n = (size_t)snprintf(out->body, sizeof out->body, "%s\n", text);
}

static struct witness_log *
log_find(struct witness *w, struct bytes origin)
{
	for (size_t i = 0; i < w->count; i++)
		if (bytes_equal(w->logs[i].origin, origin))
			return &w->logs[i];
	return NULL;
}

/* The text, the log's own signature and ours: lines of others are not kept. */
static enum err
note_make(
        const struct witness_log *l, const struct checkpoint *c, struct bytes line, struct buf *out)
{
	struct checkpoint alone = *c;
	struct bytes rest = c->signatures;

	buf_put(out, c->text);
	buf_put_u8(out, '\n');
	while (rest.n > 0) {
		const uint8_t *end = memchr(rest.p, '\n', rest.n);
		size_t n = end == NULL ? rest.n : (size_t)(end - rest.p) + 1;

		alone.signatures = bytes_of(rest.p, n);
		rest = bytes_skip(rest, n);
		if (checkpoint_verify(&alone, l->origin, l->key) == ERR_OK)
			break;
	}
	buf_put(out, alone.signatures);
	buf_put(out, line);
	return buf_end(out);
}

/* Signs, writes, then remembers: what is remembered is on disk. */
static enum err
log_swap(struct witness *w, struct witness_log *l, const struct checkpoint *c, int64_t now,
        struct buf *line)
{
	uint8_t room[CHECKPOINT_BYTES_MAX];
	struct buf note = BUF_OF(room);
	char path[PATH_BYTES];
	enum err e;

	if ((e = cosignature_sign(c->text, w->name, w->key, now, line)) != ERR_OK ||
	        (e = note_make(l, c, buf_bytes(line), &note)) != ERR_OK)
		return e;
	log_path(w, l, path);
	if ((e = file_write(path, buf_bytes(&note), MODE)) != ERR_OK)
		return e;
	l->size = c->size;
	l->root = c->root;
	memcpy(l->note, room, note.n);
	l->note_n = note.n;
	return ERR_OK;
}

static bool
proof_holds(const struct witness_log *l, const struct add_checkpoint *a, const struct checkpoint *c)
{
	struct merkle_frontier none = {.size = 0};
	struct merkle_hash before = l->root, empty;

	merkle_root(&none, &empty);
	if (c->size == 0 && memcmp(c->root.b, empty.b, sizeof empty.b) != 0)
		return false;
	if (l->size == 0)
		before = empty;
	return merkle_consistency_verify(l->size, c->size, &before, &c->root, &a->proof) == ERR_OK;
}

/* With the lock held. */
static void
add_locked(struct witness *w, const struct add_checkpoint *a, const struct checkpoint *c,
        int64_t now, struct witness_answer *out)
{
	struct witness_log *l = log_find(w, c->origin);
	struct buf line = buf_init(out->body, sizeof out->body);
	char size[24];
	enum err e;

	if (a->old != l->size) {
		snprintf(size, sizeof size, "%llu", (unsigned long long)l->size);
		answer(out, 409, size);
		return;
	}
	if (!proof_holds(l, a, c)) {
		log_refuse("inconsistent",
		        "log=%.*s size=%llu offered=%llu what=\"signed by the log, but it does not "
		        "extend what was seen: keep this line\"",
		        (int)l->origin.n, (const char *)l->origin.p, (unsigned long long)l->size,
		        (unsigned long long)c->size);
		answer(out, 422, "the consistency proof does not verify");
		return;
	}
	if ((e = log_swap(w, l, c, now, &line)) != ERR_OK) {
		log_fault("cosign", "error=%s", err_word(e));
		answer(out, 500, "not cosigned: a fault of this witness");
		return;
	}
	out->status = 200;
	out->n = line.n;
}

void
witness_add(struct witness *w, struct bytes body, int64_t now, struct witness_answer *out)
{
	struct add_checkpoint a;
	struct checkpoint c;
	const struct witness_log *l;

	if (add_checkpoint_decode(body, &a) != ERR_OK || checkpoint_split(a.note, &c) != ERR_OK) {
		answer(out, 400, "not an add-checkpoint request");
		return;
	}
	if ((l = log_find(w, c.origin)) == NULL) {
		answer(out, 404, "unknown log");
		return;
	}
	if (checkpoint_verify(&c, l->origin, l->key) != ERR_OK) {
		answer(out, 403, "no valid signature of the log");
		return;
	}
	if (a.old > c.size) {
		answer(out, 400, "the old size is above the size of the checkpoint");
		return;
	}
	pthread_mutex_lock(&w->lock);
	add_locked(w, &a, &c, now, out);
	pthread_mutex_unlock(&w->lock);
}

enum err
witness_last(struct witness *w, struct bytes hex, struct buf *out)
{
	enum err e = ERR_NOT_FOUND;

	pthread_mutex_lock(&w->lock);
	for (size_t i = 0; i < w->count; i++)
		if (bytes_equal_text(hex, w->logs[i].hex) && w->logs[i].note_n > 0) {
			buf_put(out, bytes_of(w->logs[i].note, w->logs[i].note_n));
			e = buf_end(out);
		}
	pthread_mutex_unlock(&w->lock);
	return e;
}
