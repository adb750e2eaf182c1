/* verify_landmarks.c - landmarks from a log to the state folder: nothing is kept that is not proved
 * against the checkpoint of the view, and what is held never changes. */
#include "verify_landmarks.h"

#include "verify_state.h"

#include <stdlib.h>
#include <string.h>

enum err
landmarks_fetch(const struct sync_source *from, struct landmarks *out)
{
	struct client_reply reply;
	enum err e = from->get(from->ctx, "/log/landmarks", LANDMARKS_TEXT_BYTES_MAX, &reply);

	if (e != ERR_OK)
		return e;
	if (reply.status != 200)
		return reply.status == 404 ? ERR_NOT_FOUND : ERR_HTTP;
	return landmarks_decode(reply.body, out);
}

enum err
landmarks_read(const char *dir, struct landmarks_held *out)
{
	uint8_t *bytes = NULL;
	size_t n = 0;
	enum err e = state_read(dir, "landmarks", LANDMARKS_STATE_BYTES_MAX, &bytes, &n);

	if (e == ERR_OK)
		e = landmarks_held_decode(bytes_of(bytes, n), out);
	free(bytes);
	return e;
}

enum err
landmarks_take(const char *dir, struct landmarks_held **out)
{
	struct landmarks_held *h;
	enum err e;

	*out = NULL;
	if (!state_has(dir, "landmarks"))
		return ERR_OK;
	if ((h = malloc(sizeof *h)) == NULL)
		return ERR_MEMORY;
	if ((e = landmarks_read(dir, h)) != ERR_OK) {
		free(h);
		return e;
	}
	*out = h;
	return ERR_OK;
}

enum err
landmarks_write(const char *dir, const struct landmarks_held *h)
{
	struct buf out = buf_init(malloc(LANDMARKS_STATE_BYTES_MAX), LANDMARKS_STATE_BYTES_MAX);
	enum err e = ERR_MEMORY;

	if (out.p == NULL)
		return e;
	landmarks_held_put(&out, h);
	if ((e = buf_end(&out)) == ERR_OK)
		e = state_write(dir, "landmarks", buf_bytes(&out));
	free(out.p);
	return e;
}

/* The sizes that both know are the same. */
static enum err
same_past(const struct landmarks *held, const struct landmarks *now)
{
	uint64_t first = held->last - held->count, base = now->last - now->count;

	if (now->last < held->last)
		return ERR_VERSION;
	for (uint64_t k = first > base ? first : base; k <= held->last; k++)
		if (held->sizes[k - first] != now->sizes[k - base])
			return ERR_FORK;
	return ERR_OK;
}

/* Its hash from tiles, and that it is part of the signed tree. */
static enum err
subtree_prove(struct log_view *v, const struct subtree *s, struct merkle_hash *out)
{
	uint64_t size = v->checkpoint.size;
	struct merkle_hash hash;
	struct merkle_path path;
	enum err e;

	if ((e = subtree_hash(s, tiles_get, &v->tiles, &hash)) != ERR_OK ||
	        (e = subtree_consistency(s, size, tiles_get, &v->tiles, &path)) != ERR_OK)
		return e;
	if (subtree_consistency_verify(s, size, &hash, &v->checkpoint.root, &path) != ERR_OK)
		return ERR_FORK;
	*out = hash;
	return ERR_OK;
}

static enum err
landmark_prove(struct log_view *v, const struct landmarks *l, size_t at, struct merkle_hash out[2])
{
	struct subtree s[2];
	unsigned n = landmark_subtrees(l, l->last - l->count + 1 + at, s);
	enum err e = ERR_OK;

	memset(out, 0, 2 * sizeof out[0]);
	for (unsigned i = 0; e == ERR_OK && i < n; i++)
		e = subtree_prove(v, &s[i], &out[i]);
	return e;
}

enum err
landmarks_bring(struct log_view *v, struct landmarks_held *h, uint64_t *added)
{
	struct landmarks_held *next = calloc(1, sizeof *next);
	uint64_t first, held_first = h->l.last - h->l.count + 1;
	enum err e = next == NULL ? ERR_MEMORY : landmarks_fetch(v->from, &next->l);

	if (e != ERR_OK || (e = same_past(&h->l, &next->l)) != ERR_OK)
		goto out;
	if (next->l.sizes[next->l.count] > v->checkpoint.size) {
		e = ERR_SIZE;
		goto out;
	}
	first = next->l.last - next->l.count + 1;
	*added = 0;
	for (size_t i = 0; e == ERR_OK && i < next->l.count; i++) {
		uint64_t k = first + i;

		if (h->l.count > 0 && k >= held_first && k <= h->l.last) {
			memcpy(next->hash[i], h->hash[k - held_first], sizeof next->hash[i]);
			continue;
		}
		e = landmark_prove(v, &next->l, i, next->hash[i]);
		(*added)++;
	}
	if (e == ERR_OK)
		*h = *next;
out:
	free(next);
	return e;
}

enum err
landmarks_prove(struct log_view *v, const struct landmarks *l, uint64_t index,
        const struct merkle_hash *leaf, struct landmark_proof *out)
{
	struct subtree s[2];
	struct merkle_hash hash, root;
	unsigned n, at;
	enum err e;

	out->index = index;
	if ((out->number = landmark_of(l, index)) == 0)
		return ERR_NOT_READY;
	n = landmark_subtrees(l, out->number, s);
	at = n == 2 && index >= s[1].start ? 1 : 0;
	if (s[at].end > v->checkpoint.size)
		return ERR_SIZE;
	if ((e = subtree_prove(v, &s[at], &hash)) != ERR_OK ||
	        (e = subtree_inclusion(&s[at], index, tiles_get, &v->tiles, &out->path)) !=
	                ERR_OK ||
	        (e = subtree_inclusion_root(&s[at], index, leaf, &out->path, &root)) != ERR_OK)
		return e;
	return memcmp(hash.b, root.b, sizeof hash.b) == 0 ? ERR_OK : ERR_SIGNATURE;
}
