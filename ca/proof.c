/* proof.c - tlog-proof text: lines in one order and one spelling, then a checkpoint verbatim. */
#include "proof.h"

#include "base64.h"

#include <string.h>

static const char first_line[] = "c2sp.org/tlog-proof@v1\n";

void
proof_put(struct buf *out, const struct proof *p)
{
	if (p->path.n > MERKLE_PATH_MAX) {
		out->failed = true;
		return;
	}
	buf_put_text(out, first_line);
	if (p->extra_n > 0) {
		buf_put_text(out, "extra ");
		base64_put(out, bytes_of(p->extra, p->extra_n));
		buf_put_text(out, "\n");
	}
	buf_put_text(out, "index ");
	buf_put_decimal(out, p->index);
	buf_put_text(out, "\n");
	for (size_t i = 0; i < p->path.n; i++) {
		base64_put(out, bytes_of(p->path.hash[i].b, SHA256_BYTES));
		buf_put_text(out, "\n");
	}
	buf_put_text(out, "\n");
	buf_put(out, p->note);
}

/* A whole line, without its end. */
static enum err
line_take(struct bytes *in, struct bytes *line)
{
	const uint8_t *end = in->n == 0 ? NULL : memchr(in->p, '\n', in->n);

	if (end == NULL)
		return ERR_TRUNCATED;
	*line = bytes_of(in->p, (size_t)(end - in->p));
	*in = bytes_skip(*in, line->n + 1);
	return ERR_OK;
}

static enum err
extra_read(struct bytes line, struct proof *p)
{
	struct buf room = buf_init(p->extra, sizeof p->extra);
	enum err e = base64_get(bytes_skip(line, strlen("extra ")), &room);

	p->extra_n = room.n;
	return e != ERR_OK ? e : room.n == 0 ? ERR_ENCODING : ERR_OK;
}

static enum err
hash_read(struct bytes line, struct merkle_path *path)
{
	struct buf room;
	enum err e;

	if (path->n == MERKLE_PATH_MAX)
		return ERR_LIMIT;
	if (line.n != BASE64_CHARS(SHA256_BYTES))
		return ERR_ENCODING;
	room = buf_init(path->hash[path->n].b, SHA256_BYTES);
	if ((e = base64_get(line, &room)) != ERR_OK)
		return e;
	path->n++;
	return room.n == SHA256_BYTES ? ERR_OK : ERR_ENCODING;
}

static enum err
path_read(struct bytes *in, struct merkle_path *path)
{
	struct bytes line;
	enum err e;

	for (path->n = 0;;) {
		if ((e = line_take(in, &line)) != ERR_OK)
			return e;
		if (line.n == 0)
			return ERR_OK;
		if ((e = hash_read(line, path)) != ERR_OK)
			return e;
	}
}

enum err
proof_decode(struct bytes text, struct proof *out)
{
	struct bytes in = text, line;
	enum err e;

	if (text.n > PROOF_TEXT_BYTES_MAX)
		return ERR_LIMIT;
	if (!bytes_start(in, first_line))
		return ERR_ENCODING;
	in = bytes_skip(in, strlen(first_line));
	out->extra_n = 0;
	if ((e = line_take(&in, &line)) != ERR_OK)
		return e;
	if (bytes_start(line, "extra ") &&
	        ((e = extra_read(line, out)) != ERR_OK || (e = line_take(&in, &line)) != ERR_OK))
		return e;
	if (!bytes_start(line, "index ") || decimal_decode(bytes_skip(line, strlen("index ")),
	                                            INT64_MAX, &out->index) != ERR_OK)
		return ERR_ENCODING;
	if ((e = path_read(&in, &out->path)) != ERR_OK)
		return e;
	out->note = in;
	return in.n == 0 ? ERR_TRUNCATED : ERR_OK;
}

enum err
proof_verify(const struct proof *p, const struct checkpoint *c, const struct merkle_hash *leaf)
{
	struct merkle_hash root;
	enum err e = merkle_inclusion_root(p->index, c->size, leaf, &p->path, &root);

	if (e != ERR_OK)
		return e;
	return memcmp(root.b, c->root.b, SHA256_BYTES) == 0 ? ERR_OK : ERR_SIGNATURE;
}
