/* add_checkpoint.c - the question to a witness, for both ends: one spelling, every count bounded.
 */
#include "add_checkpoint.h"

#include "base64.h"

#include <string.h>

static const char old_prefix[] = "old ";

void
add_checkpoint_put(const struct add_checkpoint *a, struct buf *out)
{
	buf_put_text(out, old_prefix);
	buf_put_decimal(out, a->old);
	buf_put_u8(out, '\n');
	for (size_t i = 0; i < a->proof.n; i++) {
		base64_put(out, bytes_of(a->proof.hash[i].b, SHA256_BYTES));
		buf_put_u8(out, '\n');
	}
	buf_put_u8(out, '\n');
	buf_put(out, a->note);
}

/* Takes a line with its end off `in`. */
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
hash_take(struct bytes line, struct merkle_path *proof)
{
	struct merkle_hash h;
	struct buf b = BUF_OF(h.b);
	enum err e;

	if (proof->n == MERKLE_PATH_MAX)
		return ERR_LIMIT; /* tlog-witness: at most 63 lines */
	if ((e = base64_get(line, &b)) != ERR_OK)
		return e;
	if (b.n != SHA256_BYTES)
		return ERR_VALUE;
	proof->hash[proof->n++] = h;
	return ERR_OK;
}

enum err
add_checkpoint_decode(struct bytes in, struct add_checkpoint *out)
{
	struct add_checkpoint a;
	struct bytes line;
	enum err e = in.n > ADD_CHECKPOINT_BYTES_MAX ? ERR_LIMIT : line_take(&in, &line);

	if (e != ERR_OK)
		return e;
	if (!bytes_start(line, old_prefix))
		return ERR_ENCODING;
	e = decimal_decode(bytes_skip(line, sizeof old_prefix - 1), INT64_MAX, &a.old);
	a.proof.n = 0;
	while (e == ERR_OK && (e = line_take(&in, &line)) == ERR_OK && line.n > 0)
		e = hash_take(line, &a.proof);
	if (e != ERR_OK)
		return e;
	if (in.n == 0)
		return ERR_TRUNCATED;
	a.note = in;
	*out = a;
	return ERR_OK;
}
