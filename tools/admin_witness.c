/* admin_witness.c - witnesses for zz-admin init: one file makes manifest and zz.conf say the same.
 */
#include "admin_witness.h"

#include "file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MANIFEST_WITNESSES_MAX = 16 };

static enum err
wrong(const char *what)
{
	fprintf(stderr, "zz-admin: --witnesses, --quorum: %s\n", what);
	return ERR_VALUE;
}

/* "witness " before each line: a policy without groups. */
static void
policy_put(struct bytes lines, struct buf *b)
{
	while (lines.n > 0) {
		const uint8_t *end = memchr(lines.p, '\n', lines.n);
		size_t n = end == NULL ? lines.n : (size_t)(end - lines.p);

		if (n > 0) {
			buf_put_text(b, "witness ");
			buf_put(b, bytes_of(lines.p, n));
			buf_put_u8(b, '\n');
		}
		lines = bytes_skip(lines, end == NULL ? n : n + 1);
	}
	buf_put_text(b, "quorum none\n");
}

static enum err
policy_make(const char *path, struct admin_witnesses *w)
{
	struct buf b = buf_init(malloc(POLICY_BYTES_MAX), POLICY_BYTES_MAX);
	uint8_t *lines = NULL;
	unsigned line;
	size_t n = 0;
	enum err e = b.p == NULL ? ERR_MEMORY : file_read(path, POLICY_BYTES_MAX, &lines, &n);

	w->text = b.p;
	if (e != ERR_OK)
		return wrong("the file cannot be read");
	policy_put(bytes_of(lines, n), &b);
	free(lines);
	if (buf_end(&b) != ERR_OK || policy_read(buf_bytes(&b), &w->policy, &line) != ERR_OK)
		return wrong("each line is NAME VKEY URL, each name and key once");
	return ERR_OK;
}

static void
settings_put(const struct admin_witnesses *w, struct buf *b)
{
	const struct policy *p = &w->policy;

	for (size_t i = 0; i < p->witness_count; i++) {
		buf_put_text(b, "witness = ");
		buf_put(b, p->witnesses[i].name);
		buf_put_u8(b, ' ');
		buf_put(b, p->witnesses[i].vkey);
		buf_put_u8(b, ' ');
		buf_put(b, p->witnesses[i].url);
		buf_put_u8(b, '\n');
	}
	buf_put_text(b, "witness_group = quorum ");
	buf_put_decimal(b, w->quorum);
	for (size_t i = 0; i < p->witness_count; i++) {
		buf_put_u8(b, ' ');
		buf_put(b, p->witnesses[i].name);
	}
	buf_put_text(b, "\nwitness_quorum = quorum\n");
}

enum err
admin_witnesses_read(const struct admin_options *o, struct admin_witnesses *w)
{
	struct buf b = BUF_OF(w->settings);
	enum err e;

	if (o->witnesses == NULL && o->quorum == NULL)
		return ERR_OK;
	if (o->witnesses == NULL || o->quorum == NULL)
		return wrong("one needs the other");
	if ((e = policy_make(o->witnesses, w)) != ERR_OK)
		return e;
	for (size_t i = 0; i < w->policy.witness_count; i++)
		if (w->policy.witnesses[i].url.n == 0)
			return wrong("each witness needs its URL");
	if (w->policy.witness_count > MANIFEST_WITNESSES_MAX ||
	        decimal_decode(bytes_of_text(o->quorum), w->policy.witness_count, &w->quorum) !=
	                ERR_OK ||
	        w->quorum == 0)
		return wrong("the quorum is at least 1 and at most the number of witnesses, 16");
	settings_put(w, &b);
	if (buf_end(&b) != ERR_OK)
		return wrong("these are too many");
	w->settings_n = b.n;
	return ERR_OK;
}

void
admin_witnesses_close(struct admin_witnesses *w)
{
	policy_close(&w->policy);
	free(w->text);
}
