/* landmark.c - landmarks as text, as a verifier's state, and beside a record: each in one spelling,
 * with sizes that rise. */
#include "landmark.h"

#include "cbor.h"

#include <string.h>

enum { LABEL_LANDMARK = -65544, STATE_HEAD_BYTES = 24, ROW_BYTES = 4 + 2 * SHA256_BYTES };

static const char magic[] = "zzlm";

void
landmarks_init(struct landmarks *l)
{
	l->last = 0;
	l->count = 0;
	l->sizes[0] = 0;
}

void
landmarks_add(struct landmarks *l, uint64_t size)
{
	if (l->count == LANDMARKS_MAX) {
		memmove(l->sizes, l->sizes + 1, LANDMARKS_MAX * sizeof l->sizes[0]);
		l->count--;
	}
	l->sizes[++l->count] = size;
	l->last++;
}

void
landmarks_put(struct buf *out, const struct landmarks *l)
{
	buf_put_decimal(out, l->last);
	buf_put_text(out, " ");
	buf_put_decimal(out, l->count);
	buf_put_text(out, "\n");
	for (size_t i = l->count + 1; i-- > 0;) {
		buf_put_decimal(out, l->sizes[i]);
		buf_put_text(out, "\n");
	}
}

/* A number, and the byte that must follow it. */
static enum err
number_take(struct bytes *in, char end, uint64_t *out)
{
	const uint8_t *at = in->n == 0 ? NULL : memchr(in->p, end, in->n);
	size_t n = at == NULL ? 0 : (size_t)(at - in->p);

	if (at == NULL)
		return ERR_TRUNCATED;
	if (decimal_decode(bytes_of(in->p, n), INT64_MAX, out) != ERR_OK)
		return ERR_ENCODING;
	*in = bytes_skip(*in, n + 1);
	return ERR_OK;
}

/* The base of the first is 0; else older ones were dropped. */
static bool
sizes_rise(const struct landmarks *l)
{
	if (l->last < l->count || (l->last == l->count) != (l->sizes[0] == 0))
		return false;
	for (size_t i = 1; i <= l->count; i++)
		if (l->sizes[i] <= l->sizes[i - 1])
			return false;
	return true;
}

enum err
landmarks_decode(struct bytes text, struct landmarks *out)
{
	uint64_t count = 0;
	enum err e;

	if ((e = number_take(&text, ' ', &out->last)) != ERR_OK ||
	        (e = number_take(&text, '\n', &count)) != ERR_OK)
		return e;
	if (count > LANDMARKS_MAX)
		return ERR_LIMIT;
	out->count = (size_t)count;
	for (size_t i = out->count + 1; i-- > 0;)
		if ((e = number_take(&text, '\n', &out->sizes[i])) != ERR_OK)
			return e;
	if (text.n != 0)
		return ERR_TRAILING;
	return sizes_rise(out) ? ERR_OK : ERR_VALUE;
}

unsigned
landmark_subtrees(const struct landmarks *l, uint64_t number, struct subtree out[2])
{
	uint64_t first = l->last - l->count + 1;

	if (l->count == 0 || number < first || number > l->last)
		return 0;
	return subtree_cover(l->sizes[number - first], l->sizes[number - first + 1], out);
}

uint64_t
landmark_of(const struct landmarks *l, uint64_t index)
{
	if (l->count == 0 || index < l->sizes[0])
		return 0;
	for (size_t i = 1; i <= l->count; i++)
		if (index < l->sizes[i])
			return l->last - l->count + i;
	return 0;
}

uint64_t
landmark_size(const struct landmarks *l, uint64_t number)
{
	return l->sizes[number - (l->last - l->count)];
}

enum err
landmark_bundle_put(struct buf *out, struct bytes bare_record, const struct landmark_proof *p)
{
	struct cose_sign1 m;
	size_t before;
	enum err e;

	if (bare_record.n > RECORD_BYTES_MAX || p->path.n > LANDMARK_PATH_MAX)
		return ERR_LIMIT;
	if ((e = cose_decode(bare_record, false, &m)) != ERR_OK)
		return e;
	before = (size_t)(m.unprotected.p - bare_record.p);
	buf_put(out, bytes_of(bare_record.p, before));
	cbor_put_map(out, 1);
	cbor_put_int(out, LABEL_LANDMARK);
	cbor_put_array(out, 3);
	cbor_put_uint(out, p->number);
	cbor_put_uint(out, p->index);
	cbor_put_array(out, p->path.n);
	for (size_t i = 0; i < p->path.n; i++)
		cbor_put_bytes(out, bytes_of(p->path.hash[i].b, SHA256_BYTES));
	buf_put(out, bytes_skip(bare_record, before + m.unprotected.n));
	return buf_end(out);
}

enum err
landmark_bundle_read(const struct cose_sign1 *m, struct landmark_proof *out)
{
	struct cbor c = cbor_init(m->unprotected);
	uint64_t n;

	if (cbor_map(&c) != 1 || cbor_int(&c) != LABEL_LANDMARK || c.e != ERR_OK)
		return ERR_FIELD_MISSING;
	cbor_array_exact(&c, 3);
	out->number = cbor_uint(&c);
	out->index = cbor_uint(&c);
	n = cbor_array(&c);
	if (n > LANDMARK_PATH_MAX)
		return ERR_LIMIT;
	for (out->path.n = 0; c.e == ERR_OK && out->path.n < n; out->path.n++)
		memcpy(out->path.hash[out->path.n].b, cbor_bytes_exact(&c, SHA256_BYTES).p,
		        SHA256_BYTES);
	return cbor_end(&c);
}

void
landmarks_held_put(struct buf *out, const struct landmarks_held *h)
{
	uint8_t head[STATE_HEAD_BYTES], row[ROW_BYTES], digest[SHA256_BYTES];
	size_t start = out->n;

	memcpy(head, magic, 4);
	be_put(head + 4, h->l.count, 4);
	be_put(head + 8, h->l.last, 8);
	be_put(head + 16, h->l.sizes[0], 8);
	buf_put(out, bytes_of(head, sizeof head));
	for (size_t i = 0; i < h->l.count; i++) {
		if (h->l.sizes[i + 1] - h->l.sizes[i] > UINT32_MAX) {
			out->failed = true;
			return;
		}
		be_put(row, h->l.sizes[i + 1] - h->l.sizes[i], 4);
		memcpy(row + 4, h->hash[i], 2 * SHA256_BYTES);
		buf_put(out, bytes_of(row, sizeof row));
	}
	if (out->failed)
		return;
	sha256_one(bytes_of(out->p + start, out->n - start), digest);
	buf_put(out, bytes_of(digest, sizeof digest));
}

enum err
landmarks_held_decode(struct bytes in, struct landmarks_held *out)
{
	uint8_t digest[SHA256_BYTES];
	size_t body = in.n - SHA256_BYTES;

	if (in.n < STATE_HEAD_BYTES + SHA256_BYTES || memcmp(in.p, magic, 4) != 0)
		return ERR_ENCODING;
	sha256_one(bytes_of(in.p, body), digest);
	out->l.count = (size_t)be_get(in.p + 4, 4);
	if (memcmp(digest, in.p + body, sizeof digest) != 0 || out->l.count > LANDMARKS_MAX ||
	        body != STATE_HEAD_BYTES + out->l.count * ROW_BYTES)
		return ERR_ENCODING;
	out->l.last = be_get(in.p + 8, 8);
	out->l.sizes[0] = be_get(in.p + 16, 8);
	for (size_t i = 0; i < out->l.count; i++) {
		const uint8_t *row = in.p + STATE_HEAD_BYTES + i * ROW_BYTES;

		out->l.sizes[i + 1] = out->l.sizes[i] + be_get(row, 4);
		memcpy(out->hash[i], row + 4, 2 * SHA256_BYTES);
	}
	return sizes_rise(&out->l) ? ERR_OK : ERR_VALUE;
}

enum err
landmark_verify(const struct landmarks_held *h, const struct landmark_proof *p,
        const struct merkle_hash *leaf)
{
	struct subtree s[2];
	struct merkle_hash root;
	unsigned n = landmark_subtrees(&h->l, p->number, s), which;
	size_t at;
	enum err e;

	if (n == 0)
		return ERR_NOT_FOUND;
	which = n == 2 && p->index >= s[1].start ? 1 : 0;
	at = (size_t)(p->number - (h->l.last - h->l.count + 1));
	if ((e = subtree_inclusion_root(&s[which], p->index, leaf, &p->path, &root)) != ERR_OK)
		return e;
	return memcmp(root.b, h->hash[at][which].b, SHA256_BYTES) == 0 ? ERR_OK : ERR_SIGNATURE;
}
