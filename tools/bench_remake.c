/* bench_remake.c - the status lists of 50 million certificates from their bits to signed CWT, by
 * what the signer chooses and by zlib's levels; then of one changed bit. */
#include "bench_part.h"

#include "bench_lists.h"
#include "key.h"
#include "status.h"

#include <stdlib.h>

enum { CERTIFICATES = 50000000 };

struct remade {
	unsigned lists;
	double cpu_s, bytes;
};

/* What was changed since it was signed, as the signer's STATE says it to the publisher. */
static enum err
changed_make(const struct fold *f, struct bench_token *t, struct remade *out)
{
	double start = bench_cpu_s();
	enum err e = ERR_OK;

	*out = (struct remade){0};
	for (uint32_t i = 0; e == ERR_OK && i < f->list_count; i++) {
		struct fold_list *l = &f->lists[i];

		if (l->covered >= l->changed)
			continue;
		e = bench_token_make(t, i, l->raw);
		l->covered = l->changed;
		out->lists++;
		out->bytes += (double)t->cwt.n;
	}
	out->cpu_s = bench_cpu_s() - start;
	return e;
}

static enum err
all_make(const struct fold *f, struct bench_token *t, int level, struct remade *out)
{
	for (uint32_t i = 0; i < f->list_count; i++)
		f->lists[i].changed++;
	t->level = level;
	return changed_make(f, t, out);
}

static enum err
one_make(const struct fold *f, struct bench_token *t, struct remade *out)
{
	struct fold_list *l = &f->lists[f->list_count / 2];
	uint32_t idx = 0;

	while (status_get(l->raw, idx) != STATUS_VALID)
		idx++;
	status_set(l->raw, idx, STATUS_INVALID);
	l->changed++;
	t->level = 0;
	return changed_make(f, t, out);
}

static enum err
plain_measure(struct bench_run *r, struct fold *f, struct bench_token *t)
{
	struct remade chosen, six, nine, one;
	enum err e;

	if ((e = bench_lists_fill(f, CERTIFICATES, (struct bench_shares){90, 10, 0}, r->now)) !=
	                ERR_OK ||
	        (e = all_make(f, t, 0, &chosen)) != ERR_OK ||
	        (e = all_make(f, t, 6, &six)) != ERR_OK ||
	        (e = all_make(f, t, 9, &nine)) != ERR_OK || (e = one_make(f, t, &one)) != ERR_OK)
		return e;
	bench_row(r, "lists", "status lists of 50 million certificates, 1 % revoked", "",
	        chosen.lists);
	bench_goal_add(r->goals,
	        (struct bench_row){"lists_cpu_s", "  all changed: from bits to signed CWT, CPU",
	                "s", 1, chosen.cpu_s});
	bench_goal_add(r->goals,
	        (struct bench_row){"lists_mb", "  all of them", "MB", 0.80, chosen.bytes / 1e6});
	bench_row(r, "lists_6_cpu_s", "  with zlib's level 6: CPU", "s", six.cpu_s);
	bench_row(r, "lists_6_mb", "  all of them", "MB", six.bytes / 1e6);
	bench_row(r, "lists_9_cpu_s", "  with zlib's level 9: CPU", "s", nine.cpu_s);
	bench_row(r, "lists_9_mb", "  all of them", "MB", nine.bytes / 1e6);
	bench_goal_add(r->goals, (struct bench_row){"lists_of_a_bit", "one bit changed: lists made",
	                                 "", 1.5, one.lists});
	bench_row(r, "lists_bit_cpu_ms", "  its CPU", "ms", 1e3 * one.cpu_s);
	return ERR_OK;
}

static enum err
superseded_measure(struct bench_run *r, struct fold *f, struct bench_token *t)
{
	struct remade chosen;
	enum err e;

	if ((e = bench_lists_fill(f, CERTIFICATES, (struct bench_shares){90, 10, 2500}, r->now)) !=
	                ERR_OK ||
	        (e = all_make(f, t, 0, &chosen)) != ERR_OK)
		return e;
	bench_goal_add(
	        r->goals, (struct bench_row){"lists_superseded_cpu_s",
	                          "and 25 % superseded: all changed, CPU", "s", 1, chosen.cpu_s});
	bench_row(r, "lists_superseded_mb", "  all of them", "MB", chosen.bytes / 1e6);
	return ERR_OK;
}

enum err
bench_part_lists(struct bench_run *r)
{
	struct bench_token t = {
	        .prefix = BYTES_LIT("https://zz.example.gov.cn/status/"), .now = r->now};
	struct fold plain, superseded;
	struct key *key = NULL;
	enum err e;

	fold_init(&plain);
	fold_init(&superseded);
	if ((e = key_generate(KEY_ES256, &key)) == ERR_OK && (e = bench_token_room(&t)) == ERR_OK) {
		t.key = key;
		if ((e = plain_measure(r, &plain, &t)) == ERR_OK)
			e = superseded_measure(r, &superseded, &t);
	}
	fold_free(&plain);
	fold_free(&superseded);
	bench_token_free(&t);
	key_free(key);
	return e;
}
