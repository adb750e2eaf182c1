/* policy.c - tlog-policy files: each name is defined before it is used and used once, so a group
 * can hold no circle and no witness counts twice. */
#include "policy.h"

#include "note_line.h"

#include <string.h>

enum { WORDS_MAX = 3 + POLICY_WITNESSES_MAX + POLICY_GROUPS_MAX, GROUP_BIT = 32 };

struct reading {
	struct policy *p;
	uint64_t used; /* names that are members of a group */
	bool quorum_seen;
	struct bytes words[WORDS_MAX];
	size_t count;
};

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static enum err
words_split(struct reading *r, struct bytes line)
{
	r->count = 0;
	for (size_t i = 0; i < line.n; i++)
		if ((line.p[i] < ' ' && line.p[i] != '\t') || line.p[i] == 0x7f)
			return ERR_ENCODING; /* "Character set" */
	while (line.n > 0) {
		size_t n = 0;

		if (is_blank(line.p[0])) {
			line = bytes_skip(line, 1);
			continue;
		}
		if (r->count == 0 && line.p[0] == '#')
			return ERR_OK;
		if (r->count == WORDS_MAX)
			return ERR_LIMIT;
		while (n < line.n && !is_blank(line.p[n]))
			n++;
		r->words[r->count++] = bytes_of(line.p, n);
		line = bytes_skip(line, n);
	}
	return ERR_OK;
}

/* Number of a defined name, or -1. */
static int
name_find(const struct policy *p, struct bytes name)
{
	for (size_t i = 0; i < p->witness_count; i++)
		if (bytes_equal(p->witnesses[i].name, name))
			return (int)i;
	for (size_t i = 0; i < p->group_count; i++)
		if (bytes_equal(p->groups[i].name, name))
			return (int)(GROUP_BIT + i);
	return -1;
}

static enum err
name_free(const struct policy *p, struct bytes name)
{
	return bytes_equal_text(name, "none") || name_find(p, name) >= 0 ? ERR_VALUE : ERR_OK;
}

static enum err
log_line(struct reading *r)
{
	struct policy *p = r->p;
	struct bytes name;
	struct key *k = NULL;
	enum err e;

	if (r->count < 2 || r->count > 3)
		return ERR_ENCODING;
	if (p->log_count == POLICY_LOGS_MAX)
		return ERR_LIMIT;
	if ((e = note_vkey_decode(r->words[1], &name, &k)) != ERR_OK)
		return e;
	key_free(k);
	for (size_t i = 0; i < p->log_count; i++)
		if (bytes_equal(p->logs[i], r->words[1]))
			return ERR_VALUE;
	p->logs[p->log_count++] = r->words[1];
	return ERR_OK;
}

static enum err
witness_line(struct reading *r)
{
	struct policy *p = r->p;
	struct policy_witness *w = &p->witnesses[p->witness_count];
	enum err e;

	if (r->count < 3 || r->count > 4)
		return ERR_ENCODING;
	if (p->witness_count == POLICY_WITNESSES_MAX)
		return ERR_LIMIT;
	if ((e = name_free(p, r->words[1])) != ERR_OK ||
	        (e = cosigner_vkey_decode(r->words[2], &w->key_name, &w->key)) != ERR_OK)
		return e;
	w->name = r->words[1];
	w->vkey = r->words[2];
	w->url = r->count == 4 ? r->words[3] : bytes_of(NULL, 0);
	p->witness_count++; /* from here on policy_close frees the key */
	for (size_t i = 0; i + 1 < p->witness_count; i++)
		if (bytes_equal(key_public(p->witnesses[i].key), key_public(w->key)))
			return ERR_VALUE;
	return ERR_OK;
}

static enum err
group_need(struct bytes word, unsigned members, unsigned *need)
{
	uint64_t k = 0;
	enum err e = ERR_OK;

	if (bytes_equal_text(word, "all"))
		k = members;
	else if (bytes_equal_text(word, "any"))
		k = 1;
	else
		e = decimal_decode(word, members, &k);
	if (e != ERR_OK || k < 1)
		return ERR_VALUE;
	*need = (unsigned)k;
	return ERR_OK;
}

static enum err
group_line(struct reading *r)
{
	struct policy *p = r->p;
	struct policy_group g = {.members = 0};
	enum err e;

	if (r->count < 4)
		return ERR_ENCODING;
	if (p->group_count == POLICY_GROUPS_MAX)
		return ERR_LIMIT;
	if ((e = name_free(p, r->words[1])) != ERR_OK ||
	        (e = group_need(r->words[2], (unsigned)(r->count - 3), &g.need)) != ERR_OK)
		return e;
	for (size_t i = 3; i < r->count; i++) {
		int at = name_find(p, r->words[i]);

		if (at < 0 || (r->used >> at & 1) != 0)
			return ERR_VALUE;
		r->used |= UINT64_C(1) << at;
		g.members |= UINT64_C(1) << at;
	}
	g.name = r->words[1];
	p->groups[p->group_count++] = g;
	return ERR_OK;
}

static enum err
quorum_line(struct reading *r)
{
	if (r->count != 2)
		return ERR_ENCODING;
	if (r->quorum_seen)
		return ERR_VALUE;
	r->quorum_seen = true;
	r->p->quorum = name_find(r->p, r->words[1]);
	return r->p->quorum >= 0 || bytes_equal_text(r->words[1], "none") ? ERR_OK : ERR_VALUE;
}

static enum err
line_read(struct reading *r, struct bytes line)
{
	static const struct {
		const char *word;
		enum err (*read)(struct reading *r);
	} kinds[] = {{"log", log_line}, {"witness", witness_line}, {"group", group_line},
	        {"quorum", quorum_line}};
	enum err e = words_split(r, line);

	if (e != ERR_OK || r->count == 0)
		return e;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (bytes_equal_text(r->words[0], kinds[i].word))
			return kinds[i].read(r);
	return ERR_ENCODING;
}

enum err
policy_read(struct bytes text, struct policy *out, unsigned *line)
{
	struct policy p = {.quorum = POLICY_NONE};
	struct reading r = {.p = &p};
	struct bytes one;
	enum err e = ERR_OK;

	*line = 0;
	if (text.n > POLICY_BYTES_MAX)
		return ERR_LIMIT;
	if (text.n == 0 || text.p[text.n - 1] != '\n')
		return ERR_TRUNCATED; /* each line ends with a newline */
	while (e == ERR_OK && note_until(&text, '\n', &one)) {
		++*line;
		e = line_read(&r, one);
	}
	if (e == ERR_OK && !r.quorum_seen)
		e = ERR_VALUE;
	if (e != ERR_OK) {
		policy_close(&p);
		return e;
	}
	*out = p;
	return ERR_OK;
}

void
policy_close(struct policy *p)
{
	for (size_t i = 0; i < p->witness_count; i++) {
		key_free(p->witnesses[i].key);
		p->witnesses[i].key = NULL;
	}
	p->witness_count = 0;
}

uint64_t
policy_cosigned(const struct policy *p, const struct checkpoint *c)
{
	struct cosignature found;
	uint64_t mask = 0;

	for (size_t i = 0; i < p->witness_count; i++)
		if (cosignature_find(c->text, c->signatures, p->witnesses[i].key_name,
		            p->witnesses[i].key, &found) == ERR_OK)
			mask |= UINT64_C(1) << i;
	return mask;
}

/* A group's members come before it: one pass is enough. */
bool
policy_met(const struct policy *p, uint64_t witnesses)
{
	uint64_t have = witnesses & UINT32_MAX;

	if (p->quorum == POLICY_NONE)
		return true;
	for (size_t i = 0; i < p->group_count; i++) {
		uint64_t in = have & p->groups[i].members;
		unsigned count = 0;

		for (; in != 0; in &= in - 1)
			count++;
		if (count >= p->groups[i].need)
			have |= UINT64_C(1) << (GROUP_BIT + i);
	}
	return (have >> p->quorum & 1) != 0;
}
