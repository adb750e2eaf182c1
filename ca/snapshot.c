/* snapshot.c - a fold to bytes and back: a SHA-256 over everything stands in front. */
#include "snapshot.h"

#include "cbor.h"
#include "file.h"
#include "fold_item.h"

#include <stdlib.h>
#include <string.h>

enum { SNAPSHOT_VERSION = 6, ROW_BYTES = 16 + 1 + 8 + 8 };
enum { ROW_DEREGISTERED = 0x40, ROW_NO_REASON = 0xff }; /* in the byte of the reason */
#define SNAPSHOT_BYTES_MAX ((size_t)4 << 30)

static size_t
size_bound(const struct fold *f)
{
	size_t n = 64 * 40 + 4096 + MANIFEST_KEYS_MAX * 32 + holds_bytes(&f->holds) +
	           history_bytes(&f->history);

	for (uint32_t i = 0; i < f->list_count; i++)
		n += LIST_BYTES + f->lists[i].row_count * ROW_BYTES + 256;
	n += (f->caps.count + f->orders.count) * 80 + f->done_room * (SHA256_BYTES + 16);
	return n;
}

static void
list_put(const struct fold_list *l, struct buf *b)
{
	uint8_t *rows;

	cbor_put_array(b, 7);
	cbor_put_bytes(b, bytes_of(l->raw, LIST_BYTES));
	cbor_put_uint(b, l->sequence);
	cbor_put_uint(b, (uint64_t)l->this_update);
	cbor_put_bytes(b, bytes_of(l->previous, SHA256_BYTES));
	cbor_put_uint(b, l->covered);
	cbor_put_uint(b, l->changed);
	rows = cbor_put_bytes_room(b, l->row_count * ROW_BYTES);
	for (size_t i = 0; rows != NULL && i < l->row_count; i++, rows += ROW_BYTES) {
		memcpy(rows, l->rows[i].serial, 16);
		rows[16] =
		        (uint8_t)(l->rows[i].reason < 0     ? ROW_NO_REASON
		                  : l->rows[i].deregistered ? l->rows[i].reason | ROW_DEREGISTERED
		                                            : l->rows[i].reason);
		be_put(rows + 17, (uint64_t)l->rows[i].revoked_at, 8);
		be_put(rows + 25, (uint64_t)l->rows[i].invalid_from, 8);
	}
}

static void
caps_put(const struct fold_caps *caps, struct buf *b)
{
	cbor_put_array(b, caps->count);
	for (size_t i = 0; i < caps->count; i++) {
		cbor_put_array(b, 3);
		cbor_put_text(b, bytes_of_text(caps->rows[i].center));
		cbor_put_uint(b, (uint64_t)caps->rows[i].day);
		cbor_put_uint(b, caps->rows[i].count);
	}
}

static void
cutoffs_put(const struct fold *f, struct buf *b)
{
	cbor_put_array(b, f->cutoff_count);
	for (size_t i = 0; i < f->cutoff_count; i++) {
		cbor_put_array(b, 2);
		cbor_put_bytes(b, bytes_of(f->cutoffs[i].kid, KEY_KID_BYTES));
		cbor_put_uint(b, f->cutoffs[i].last_size);
	}
	cbor_put_uint(b, (uint64_t)f->cutoff_time);
}

static void
cutoffs_get(struct cbor *c, struct fold *f)
{
	uint64_t count = cbor_array(c);

	if (count > MANIFEST_KEYS_MAX)
		cbor_fail(c, ERR_LIMIT);
	for (; f->cutoff_count < count && c->e == ERR_OK; f->cutoff_count++) {
		struct fold_cutoff *row = &f->cutoffs[f->cutoff_count];

		cbor_array_exact(c, 2);
		memcpy(row->kid, cbor_bytes_exact(c, KEY_KID_BYTES).p, KEY_KID_BYTES);
		row->last_size = cbor_uint(c);
	}
	f->cutoff_time = (int64_t)cbor_uint(c);
}

static void
fold_put(const struct fold *f, struct buf *b)
{
	cbor_put_array(b, 17);
	cbor_put_uint(b, SNAPSHOT_VERSION);
	cbor_put_uint(b, f->frontier.size);
	cbor_put_array(b, 64);
	for (unsigned i = 0; i < 64; i++)
		cbor_put_bytes(b, bytes_of(f->frontier.level[i].b,
		                          (f->frontier.size >> i & 1) != 0 ? SHA256_BYTES : 0));
	cbor_put_uint(b, (uint64_t)f->time);
	cbor_put_array(b, f->list_count);
	for (uint32_t i = 0; i < f->list_count; i++)
		list_put(&f->lists[i], b);
	caps_put(&f->caps, b);
	caps_put(&f->orders, b);
	cbor_put_bytes(b, bytes_of(f->done, f->done_room * sizeof *f->done));
	cbor_put_uint(b, f->manifest_version);
	cbor_put_bytes(b, bytes_of(f->manifest_sha256, SHA256_BYTES));
	cbor_put_uint(b, f->roster_version);
	cbor_put_bytes(b, bytes_of(f->roster_sha256, SHA256_BYTES));
	cbor_put_uint(b, f->slots);
	holds_put(&f->holds, b);
	history_put(&f->history, b);
	cutoffs_put(f, b);
}

enum err
snapshot_write(const char *path, const struct fold *f)
{
	size_t room = size_bound(f);
	uint8_t *p = malloc(room);
	struct buf body;
	enum err e;

	if (p == NULL)
		return ERR_MEMORY;
	body = buf_init(p + SHA256_BYTES, room - SHA256_BYTES);
	fold_put(f, &body);
	if ((e = buf_end(&body)) == ERR_OK) {
		sha256_one(buf_bytes(&body), p);
		e = file_write(path, bytes_of(p, SHA256_BYTES + body.n), 0600);
	}
	free(p);
	return e;
}

static void
rows_get(struct bytes rows, struct fold_list *l, struct cbor *c)
{
	size_t count = rows.n / ROW_BYTES;

	if (rows.n % ROW_BYTES != 0 ||
	        (count > 0 && (l->rows = calloc(count, sizeof *l->rows)) == NULL)) {
		cbor_fail(c, ERR_ENCODING);
		return;
	}
	for (size_t i = 0; i < count; i++, rows = bytes_skip(rows, ROW_BYTES)) {
		memcpy(l->rows[i].serial, rows.p, 16);
		l->rows[i].reason = -1;
		if (rows.p[16] != ROW_NO_REASON) {
			l->rows[i].reason = rows.p[16] & ~ROW_DEREGISTERED;
			l->rows[i].deregistered = (rows.p[16] & ROW_DEREGISTERED) != 0;
		}
		l->rows[i].revoked_at = (int64_t)be_get(rows.p + 17, 8);
		l->rows[i].invalid_from = (int64_t)be_get(rows.p + 25, 8);
	}
	l->row_count = l->row_room = count;
	fold_rows_index(l);
}

static void
list_get(struct cbor *c, struct fold_list *l)
{
	struct bytes raw;

	cbor_array_exact(c, 7);
	raw = cbor_bytes(c);
	if (raw.n != LIST_BYTES || (l->raw = malloc(LIST_BYTES)) == NULL) {
		cbor_fail(c, ERR_ENCODING);
		return;
	}
	memcpy(l->raw, raw.p, LIST_BYTES);
	l->sequence = cbor_uint(c);
	l->this_update = (int64_t)cbor_uint(c);
	memcpy(l->previous, cbor_bytes_exact(c, SHA256_BYTES).p, SHA256_BYTES);
	l->covered = cbor_uint(c);
	l->changed = cbor_uint(c);
	rows_get(cbor_bytes(c), l, c);
}

static void
caps_get(struct cbor *c, struct fold_caps *caps)
{
	size_t count = (size_t)cbor_array(c);

	if (count > 0 && (caps->rows = calloc(count, sizeof *caps->rows)) == NULL) {
		cbor_fail(c, ERR_MEMORY);
		return;
	}
	caps->count = caps->room = count;
	for (size_t i = 0; i < count; i++) {
		struct bytes center;

		cbor_array_exact(c, 3);
		center = cbor_text(c);
		if (center.n >= sizeof caps->rows[i].center)
			cbor_fail(c, ERR_ENCODING);
		else if (center.n > 0)
			memcpy(caps->rows[i].center, center.p, center.n);
		caps->rows[i].day = (int64_t)cbor_uint(c);
		caps->rows[i].count = cbor_uint(c);
	}
}

static void
done_get(struct cbor *c, struct fold *f)
{
	struct bytes table = cbor_bytes(c);

	if (table.n % sizeof *f->done != 0) {
		cbor_fail(c, ERR_ENCODING);
		return;
	}
	f->done_room = table.n / sizeof *f->done;
	if (f->done_room == 0)
		return;
	if ((f->done_room & (f->done_room - 1)) != 0 || (f->done = malloc(table.n)) == NULL) {
		f->done_room = 0;
		cbor_fail(c, ERR_ENCODING);
		return;
	}
	memcpy(f->done, table.p, table.n);
	for (size_t i = 0; i < f->done_room; i++)
		f->done_count += f->done[i].exp != 0;
}

static enum err
fold_get(struct bytes in, struct fold *f)
{
	struct cbor c = cbor_init(in);

	cbor_array_exact(&c, 17);
	if (cbor_uint(&c) != SNAPSHOT_VERSION)
		cbor_fail(&c, ERR_VERSION);
	f->frontier.size = cbor_uint(&c);
	cbor_array_exact(&c, 64);
	for (unsigned i = 0; i < 64; i++) {
		struct bytes h = cbor_bytes(&c);

		if (h.n == SHA256_BYTES)
			memcpy(f->frontier.level[i].b, h.p, SHA256_BYTES);
		else if (h.n != 0 || (f->frontier.size >> i & 1) != 0)
			cbor_fail(&c, ERR_ENCODING);
	}
	f->time = (int64_t)cbor_uint(&c);
	f->list_count = (uint32_t)cbor_array(&c);
	if (f->list_count > 0 && (f->lists = calloc(f->list_count, sizeof *f->lists)) == NULL) {
		f->list_count = 0;
		return ERR_MEMORY;
	}
	for (uint32_t i = 0; i < f->list_count; i++)
		list_get(&c, &f->lists[i]);
	caps_get(&c, &f->caps);
	caps_get(&c, &f->orders);
	done_get(&c, f);
	f->manifest_version = cbor_uint(&c);
	memcpy(f->manifest_sha256, cbor_bytes_exact(&c, SHA256_BYTES).p, SHA256_BYTES);
	f->roster_version = cbor_uint(&c);
	memcpy(f->roster_sha256, cbor_bytes_exact(&c, SHA256_BYTES).p, SHA256_BYTES);
	f->slots = cbor_uint(&c);
	holds_get(&c, &f->holds);
	history_get(&c, &f->history);
	cutoffs_get(&c, f);
	return cbor_end(&c);
}

enum err
snapshot_read(const char *path, struct fold *f)
{
	uint8_t *p = NULL, hash[SHA256_BYTES];
	size_t n = 0;
	enum err e = file_read(path, SNAPSHOT_BYTES_MAX, &p, &n);

	if (e != ERR_OK)
		return e;
	e = ERR_ENCODING;
	if (n > SHA256_BYTES) {
		sha256_one(bytes_of(p + SHA256_BYTES, n - SHA256_BYTES), hash);
		if (memcmp(hash, p, SHA256_BYTES) == 0)
			e = fold_get(bytes_of(p + SHA256_BYTES, n - SHA256_BYTES), f);
	}
	free(p);
	return e;
}
