/* verify_prove.c - a certificate's place in the log and its proof, from published files. */
#include "verify_prove.h"

#include "base45.h"
#include "entry.h"
#include "record.h"

#include <stdio.h>
#include <string.h>

enum {
	BUNDLE_TILE_BYTES_MAX = TILE_WIDTH * (2 + ENTRY_BYTES_MAX + CHECKPOINT_BYTES_MAX),
	TIME_SLACK_S = 2 * ENTRY_AGE_S_MAX, /* an entry may be older than its neighbours by half */
};

static enum err
fetch(const struct sync_source *from, const char *path, size_t bytes_max, struct bytes *out)
{
	struct client_reply reply;
	enum err e = from->get(from->ctx, path, bytes_max, &reply);

	if (e != ERR_OK)
		return e;
	if (reply.status != 200)
		return reply.status == 404 ? ERR_NOT_FOUND : ERR_HTTP;
	*out = reply.body;
	return ERR_OK;
}

enum err
log_view_open(const struct sync_source *from, const struct manifest *m, struct log_view *v)
{
	struct bytes note = {0};
	enum err e = fetch(from, "/log/checkpoint", sizeof v->note, &note);

	if (e != ERR_OK)
		return e;
	memcpy(v->note, note.p, note.n);
	v->note_n = note.n;
	v->from = from;
	v->manifest = m;
	if ((e = checkpoint_decode(bytes_of(v->note, v->note_n), &v->checkpoint)) != ERR_OK ||
	        (e = manifest_checkpoint(m, &v->checkpoint)) != ERR_OK)
		return e;
	tiles_init(&v->tiles, from, v->checkpoint.size);
	return ERR_OK;
}

enum err
log_view_extends(struct log_view *v, const struct checkpoint *held)
{
	struct merkle_path path;
	enum err e;

	if (held->size > v->checkpoint.size)
		return ERR_VERSION;
	e = merkle_consistency(held->size, v->checkpoint.size, tiles_get, &v->tiles, &path);
	if (e != ERR_OK)
		return e;
	return merkle_consistency_verify(held->size, v->checkpoint.size, &held->root,
	               &v->checkpoint.root, &path) == ERR_OK
	               ? ERR_OK
	               : ERR_FORK;
}

/* An entry bundle; the full one where the unfinished one is gone. */
static enum err
bundle_fetch(const struct log_view *v, uint64_t n, struct bytes *out)
{
	uint64_t rest = v->checkpoint.size - n * TILE_WIDTH;
	unsigned width = rest < TILE_WIDTH ? (unsigned)rest : TILE_WIDTH;
	char path[160];
	enum err e = ERR_NOT_FOUND;

	for (; e == ERR_NOT_FOUND; width = TILE_WIDTH) {
		struct buf b = buf_init(path, sizeof path - 1);

		buf_put_text(&b, "/log/");
		tile_path_put(&b, -1, n, width);
		path[b.n] = '\0';
		e = fetch(v->from, path, BUNDLE_TILE_BYTES_MAX, out);
		if (width == TILE_WIDTH)
			break;
	}
	return e;
}

/* Time of the first entry in a bundle whose type is known. */
static enum err
bundle_time(const struct log_view *v, uint64_t n, int64_t *time)
{
	struct bytes in = {0};
	struct entry entry;
	enum err e = bundle_fetch(v, n, &in);

	while (e == ERR_OK && in.n >= 2) {
		size_t size = (size_t)be_get(in.p, 2);

		in = bytes_skip(in, 2);
		if (size > in.n)
			return ERR_TRUNCATED;
		if (entry_decode(bytes_of(in.p, size), &entry) == ERR_OK) {
			*time = entry_time(&entry);
			return ERR_OK;
		}
		in = bytes_skip(in, size);
	}
	return e == ERR_OK ? ERR_NOT_FOUND : e;
}

/* First bundle that begins after `time`; all before it begin at or before, but for the slack. */
static enum err
bundle_after(const struct log_view *v, int64_t time, uint64_t *out)
{
	uint64_t low = 0, high = (v->checkpoint.size + TILE_WIDTH - 1) / TILE_WIDTH;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		int64_t at = 0;
		enum err e = bundle_time(v, middle, &at);

		if (e != ERR_OK)
			return e;
		if (at > time)
			high = middle;
		else
			low = middle + 1;
	}
	*out = low;
	return ERR_OK;
}

enum err
log_find(struct log_view *v, int64_t time, const struct merkle_hash *leaf, struct log_search *s,
        uint64_t *index)
{
	uint64_t first, end;
	struct merkle_hash h;
	enum err e;

	if ((e = bundle_after(v, time - TIME_SLACK_S, &first)) != ERR_OK ||
	        (e = bundle_after(v, time + TIME_SLACK_S, &end)) != ERR_OK)
		return e;
	s->first = first == 0 ? 0 : (first - 1) * TILE_WIDTH;
	s->end = end * TILE_WIDTH < v->checkpoint.size ? end * TILE_WIDTH : v->checkpoint.size;
	for (uint64_t i = s->end; i > s->first; i--) {
		if (s->progress != NULL && i % TILE_WIDTH == 0)
			s->progress(s->ctx, i);
		if ((e = tiles_get(&v->tiles, 0, i - 1, &h)) != ERR_OK)
			return e;
		if (memcmp(h.b, leaf->b, sizeof h.b) != 0)
			continue;
		*index = i - 1;
		return ERR_OK;
	}
	return ERR_NOT_FOUND;
}

enum err
log_prove(
        struct log_view *v, uint64_t index, const struct merkle_hash *leaf, struct merkle_path *out)
{
	uint64_t size = v->checkpoint.size;
	struct merkle_path path;
	struct merkle_hash root;
	enum err e = merkle_inclusion(index, size, tiles_get, &v->tiles, &path);

	if (e != ERR_OK || (e = merkle_inclusion_root(index, size, leaf, &path, &root)) != ERR_OK)
		return e;
	if (memcmp(root.b, v->checkpoint.root.b, sizeof root.b) != 0)
		return ERR_SIGNATURE;
	*out = path;
	return ERR_OK;
}

static struct bytes
text_trim(struct bytes data)
{
	while (data.n > 0 && (data.p[data.n - 1] == '\n' || data.p[data.n - 1] == '\r'))
		data.n--;
	return data;
}

enum err
log_record_read(struct bytes data, struct log_record *out)
{
	bool qr = bytes_start(data, "ZZ1:");
	uint8_t room[RECORD_BYTES_MAX];
	struct buf text = BUF_OF(room), bare = buf_init(out->bare, sizeof out->bare),
	           bytes = buf_init(out->entry, sizeof out->entry);
	struct cose_sign1 m;
	struct record r;
	struct entry entry = {0};
	enum err e = qr ? qr_get(text_trim(data), &text) : ERR_OK;

	if (e != ERR_OK || (e = record_open(qr ? buf_bytes(&text) : data, !qr, &m, &r)) != ERR_OK ||
	        (e = record_bare(&m, &bare)) != ERR_OK)
		return e;
	entry_of_record(&r, buf_bytes(&bare), &entry);
	entry_put(&entry, &bytes);
	if ((e = buf_end(&bytes)) != ERR_OK)
		return e;
	out->bare_n = bare.n;
	out->entry_n = bytes.n;
	out->time = r.iat;
	memcpy(out->serial, r.cti.p, sizeof out->serial);
	merkle_leaf(buf_bytes(&bytes), &out->leaf);
	return ERR_OK;
}

enum err
log_proof_put(const struct log_view *v, const struct log_record *r, uint64_t index,
        const struct merkle_path *path, struct buf *out)
{
	struct proof p = {.index = index,
	        .path = *path,
	        .extra_n = r->entry_n,
	        .note = bytes_of(v->note, v->note_n)};

	memcpy(p.extra, r->entry, r->entry_n);
	proof_put(out, &p);
	return buf_end(out);
}

enum err
log_receipt_put(struct log_view *v, const struct log_record *r, uint64_t index,
        const struct merkle_path *path, struct buf *out)
{
	const struct manifest_key *log;
	struct receipt head, whole;
	struct bytes kept = {0};
	size_t before = out->n;
	char name[80];
	enum err e;

	snprintf(name, sizeof name, "/log/checkpoints/%llu.cose",
	        (unsigned long long)v->checkpoint.size);
	if ((e = fetch(v->from, name, RECEIPT_BYTES_MAX, &kept)) != ERR_OK ||
	        (e = receipt_head_decode(kept, &head)) != ERR_OK)
		return e;
	if ((log = manifest_find(v->manifest, head.kid, KEY_LOG)) == NULL)
		return ERR_KID_UNKNOWN;
	if (head.size != v->checkpoint.size)
		return ERR_SIZE;
	receipt_put(out, head.protected, head.signature, head.size, index, path);
	if ((e = buf_end(out)) != ERR_OK ||
	        (e = receipt_decode(bytes_of(out->p + before, out->n - before), &whole)) != ERR_OK)
		return e;
	return receipt_verify(
	        &whole, log->key, v->manifest->origin, bytes_of(r->entry, r->entry_n));
}
