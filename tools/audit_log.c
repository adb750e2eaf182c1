/* audit_log.c - the pass over the log: pages of entries, certificates and changes side by side.
 * While the pool judges the rows of one page, the page before is folded and the next is read. */
#include "audit_log.h"
#include "audit_journal.h"
#include "audit_public.h"
#include "audit_trust.h"
#include "date.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
static const char entries_sql[] =
	"SELECT e.idx, e.batch, e.entry, e.note, e.tag FROM zz.log_entry e"
	" WHERE e.idx >= $1::int8 AND e.idx < $2::int8 ORDER BY e.idx";
static const char certificates_sql[] =
	"SELECT c.idx, c.serial, c.request, c.seat, c.holder_key, c.item, c.center, c.list, c.list_idx, c.status, c.exp,"
	" c.record FROM zz.certificate c WHERE c.idx >= $1::int8 AND c.idx < $2::int8 ORDER BY c.idx";
static const char changes_sql[] =
	"SELECT v.idx, v.serial, v.status, coalesce(v.reason, -1::int2), v.effective, coalesce(v.until, -1::int8), v.at,"
	" v.request, coalesce(k.idx, -1::int8), coalesce(k.list, -1), coalesce(k.list_idx, -1) FROM zz.certificate_event v"
	" LEFT JOIN zz.certificate k ON k.serial = v.serial WHERE v.idx >= $1::int8 AND v.idx < $2::int8 ORDER BY v.idx";
/* certificates and changes above the head, or that no entry has */
static const char beyond_sql[] =
	"SELECT 0::int8, e.idx FROM zz.log_entry e WHERE e.idx >= $1::int8 AND e.idx < $2::int8"
	" UNION ALL SELECT 1, c.idx FROM zz.certificate c WHERE c.idx >= $1::int8 AND c.idx < $2::int8"
	" UNION ALL SELECT 2, v.idx FROM zz.certificate_event v WHERE v.idx >= $1::int8 AND v.idx < $2::int8 ORDER BY 1, 2 LIMIT 1000";
static const char double_sql[] =
	"SELECT b.idx, a.idx, a.exp, b.record FROM zz.certificate b JOIN zz.certificate a ON a.holder_key = b.holder_key"
	" AND a.item = b.item AND a.idx < b.idx AND b.idx >= $1::int8 AND $2::int8 = 0"
	" WHERE coalesce((SELECT v.status FROM zz.certificate_event v WHERE v.serial = a.serial AND v.idx < b.idx"
	" ORDER BY v.idx DESC LIMIT 1), 0) IN (0, 2)"
	/* renewed, reviewed or replaced: the earlier one ends with the next entry */
	" AND NOT EXISTS (SELECT FROM zz.certificate_event n WHERE n.serial = a.serial AND n.idx = b.idx + 1 AND n.status = 3)";
static const char banned_sql[] =
	"SELECT b.idx, v.idx, v.ban_until, b.record FROM zz.certificate_event v JOIN zz.certificate a ON a.serial = v.serial"
	" JOIN zz.certificate b ON b.holder_key = a.holder_key AND b.idx > v.idx WHERE v.ban_until IS NOT NULL"
	" AND b.idx >= $1::int8 AND $2::int8 = 0"
	" AND NOT EXISTS (SELECT FROM zz.request r WHERE r.id = b.request AND r.type = 'replace')";
/* clang-format on */

struct page {
	struct audit *a;
	uint64_t first;
	size_t count;
	struct log_row rows[AUDIT_PAGE];
	struct pg_result *entries, *certificates, *changes;
	uint8_t *journal, *published;
};

static void
page_end(struct page *p)
{
	pg_result_free(p->entries);
	pg_result_free(p->certificates);
	pg_result_free(p->changes);
	free(p->journal);
	free(p->published);
	p->entries = p->certificates = p->changes = NULL;
	p->journal = p->published = NULL;
	p->count = 0;
}

static void
entries_take(struct page *p)
{
	for (size_t i = 0; i < pg_rows(p->entries); i++) {
		struct pg_row row = pg_row(p->entries, i);
		uint64_t index = pg_next_uint(&row);
		struct log_row *r = &p->rows[index - p->first];

		r->there = true;
		r->batch = (uint64_t)pg_next_int(&row);
		r->entry = pg_next_bytes(&row);
		r->note = pg_next_bytes(&row);
		r->tag = pg_next_bytes(&row);
		r->audited = index < p->a->last.size;
	}
}

static void
certificates_take(struct page *p)
{
	for (size_t i = 0; i < pg_rows(p->certificates); i++) {
		struct pg_row row = pg_row(p->certificates, i);
		uint64_t index = pg_next_uint(&row);
		struct log_certificate *c = &p->rows[index - p->first].c;

		c->there = true;
		c->serial = pg_next_bytes(&row);
		c->request = pg_next_bytes(&row);
		c->seat = pg_next_int(&row);
		c->holder = pg_next_bytes(&row);
		c->item = pg_next_bytes(&row);
		c->center = pg_next_bytes(&row);
		c->list = pg_next_int(&row);
		c->place = pg_next_int(&row);
		c->status = pg_next_int(&row);
		c->exp = pg_next_int(&row);
		c->record = pg_next_bytes(&row);
	}
}

static void
changes_take(struct page *p)
{
	for (size_t i = 0; i < pg_rows(p->changes); i++) {
		struct pg_row row = pg_row(p->changes, i);
		uint64_t index = pg_next_uint(&row);
		struct log_change *v = &p->rows[index - p->first].v;
		int64_t of;

		v->there = true;
		v->serial = pg_next_bytes(&row);
		v->status = pg_next_int(&row);
		v->reason = pg_next_int(&row);
		v->effective = pg_next_int(&row);
		v->until = pg_next_int(&row);
		v->at = pg_next_int(&row);
		v->request = pg_next_bytes(&row);
		of = pg_next_int(&row);
		v->known = of >= 0;
		v->index = (uint64_t)of;
		v->list = pg_next_int(&row);
		v->place = pg_next_int(&row);
	}
}

static enum err
page_read(struct audit *a, struct page *p, uint64_t first)
{
	uint64_t end = first + AUDIT_PAGE < a->size ? first + AUDIT_PAGE : a->size;
	int64_t from = (int64_t)first, to = (int64_t)end;
	enum err e;

	p->a = a;
	p->first = first;
	p->count = (size_t)(end - first);
	memset(p->rows, 0, sizeof p->rows);
	for (size_t i = 0; i < p->count; i++)
		p->rows[i].index = first + i;
	if ((e = audit_read(a, entries_sql, from, to, &p->entries)) != ERR_OK ||
	        (e = audit_read(a, certificates_sql, from, to, &p->certificates)) != ERR_OK ||
	        (e = audit_read(a, changes_sql, from, to, &p->changes)) != ERR_OK)
		return e;
	entries_take(p);
	certificates_take(p);
	changes_take(p);
	if ((e = audit_journal_rows(a, p->rows, p->count, &p->journal)) != ERR_OK)
		return e;
	audit_public_entries(a, p->rows, p->count, &p->published);
	return ERR_OK;
}

static void
row_work(void *page, size_t i)
{
	struct page *p = page;

	audit_row_check(p->a, &p->rows[i]);
}

static void
page_fold(struct audit *a, struct page *p)
{
	for (size_t i = 0; i < p->count; i++)
		audit_fold(a, &p->rows[i]);
	audit_public_leaves(a, p->rows, p->count);
	audit_step(a, p->first + p->count);
	page_end(p);
}

static enum err
pages_run(struct audit *a, struct page *pages)
{
	struct page *now = &pages[0], *next = &pages[1], *swap;
	enum err e = page_read(a, now, 0);

	if (e != ERR_OK || now->count == 0)
		return e;
	audit_pool_start(a->pool, row_work, now, now->count);
	while (e == ERR_OK) {
		bool more = now->first + now->count < a->size;

		if (more)
			e = page_read(a, next, now->first + now->count);
		audit_pool_wait(a->pool);
		if (more && e == ERR_OK)
			audit_pool_start(a->pool, row_work, next, next->count);
		page_fold(a, now);
		if (!more)
			return e;
		swap = now;
		now = next;
		next = swap;
	}
	return e;
}

/* Rows above the head. */
static enum err
beyond_check(struct audit *a)
{
	static const enum audit_column column[3] = {
	        AUDIT_HEAD_SIZE, AUDIT_CERT_IDX, AUDIT_CHANGE_IDX};
	struct pg_result *r;
	enum err e = audit_read(a, beyond_sql, (int64_t)a->size, INT64_MAX, &r);

	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < pg_rows(r); i++) {
		struct pg_row row = pg_row(r, i);
		int64_t table = pg_next_int(&row);
		uint64_t index = pg_next_uint(&row);

		audit_differ_n(a, column[table], "idx", index, "a row above the head");
		if (table == 0)
			audit_differ_n(a, AUDIT_ENTRY_IDX, "idx", index, "a row above the head");
	}
	pg_result_free(r);
	return ERR_OK;
}

/* A holder has one certificate of an item that is not over, and none during a ban. */
static enum err
doubles_check(struct audit *a, const char *sql, bool ban)
{
	struct pg_result *r;
	enum err e = audit_read(a, sql, (int64_t)a->last.size, 0, &r);

	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < pg_rows(r); i++) {
		struct pg_row row = pg_row(r, i);
		uint64_t later = pg_next_uint(&row), earlier = pg_next_uint(&row);
		int64_t exp = pg_next_int(&row);
		struct cose_sign1 m;
		struct record record;
		char why[60];

		if (record_open(pg_next_bytes(&row), false, &m, &record) != ERR_OK ||
		        (ban ? date_shanghai_start(exp) : exp) <= record.iat + AUDIT_SLACK_S)
			continue;
		snprintf(why, sizeof why, "the holder %s idx=%" PRIu64,
		        ban ? "was banned by" : "had that of", earlier);
		audit_differ_n(a, AUDIT_CERT_HOLDER, "idx", later, why);
	}
	pg_result_free(r);
	return ERR_OK;
}

static int
group_order(const void *a, const void *b)
{
	const struct audit_group *x = a, *y = b;
	int c = memcmp(x->request, y->request, SHA256_BYTES);

	return c != 0 ? c : (x->first > y->first) - (x->first < y->first);
}

/* A session is executed once. */
static void
groups_check(struct audit *a)
{
	struct audit_log *l = a->log;

	if (l->group_count > 1)
		qsort(l->groups, l->group_count, sizeof *l->groups, group_order);
	for (size_t i = 1; i < l->group_count; i++)
		if (l->groups[i].type == ENTRY_ISSUE &&
		        memcmp(l->groups[i].request, l->groups[i - 1].request, SHA256_BYTES) == 0)
			audit_differ_n(a, AUDIT_ENTRY_ENTRY, "idx", l->groups[i].first,
			        "its request was executed before");
}

static void
head_check(struct audit *a)
{
	struct audit_log *l = a->log;

	if (l->frontier.size != a->size)
		audit_differ_n(a, AUDIT_HEAD_SIZE, "size", a->size, "entries are missing");
	if (l->time != a->time)
		audit_differ_n(a, AUDIT_HEAD_TIME, "time", (uint64_t)a->time,
		        "is not the newest time of an entry");
	if (audit_public_size(a) > a->size)
		audit_differ_n(a, AUDIT_HEAD_SIZE, "size", a->size, "below what is published");
	if (a->last.size > a->size)
		audit_differ_n(
		        a, AUDIT_HEAD_SIZE, "size", a->size, "below what was audited before");
}

/* What was audited before must still be there. */
static void
last_check(struct audit *a)
{
	const struct audit_log *l = a->log;

	for (size_t i = 0; i < l->root_next; i++)
		if (a->last.size != 0 && l->roots[i].size == a->last.size &&
		        memcmp(l->roots[i].root.b, a->last.root, SHA256_BYTES) != 0)
			audit_differ_n(a, AUDIT_ENTRY_ENTRY, "size", a->last.size,
			        "the log below is not what was audited before");
}

static int
size_order(const void *a, const void *b)
{
	const struct audit_root *x = a, *y = b;

	return (x->size > y->size) - (x->size < y->size);
}

static void
roots_ask(struct audit *a)
{
	struct audit_log *l = a->log;
	size_t count = 0;
	uint64_t *sizes = audit_public_sizes(a, &count);

	l->roots = audit_grow(NULL, count + 2, sizeof *l->roots);
	for (size_t i = 0; i < count; i++)
		l->roots[i].size = sizes[i];
	l->root_count = count;
	l->roots[l->root_count++].size = a->size;
	if (a->last.size != 0)
		l->roots[l->root_count++].size = a->last.size;
	qsort(l->roots, l->root_count, sizeof *l->roots, size_order);
	free(sizes);
}

enum err
audit_log_run(struct audit *a)
{
	struct page *pages = calloc(2, sizeof *pages);
	enum err e;

	a->log = calloc(1, sizeof *a->log);
	if (pages == NULL || a->log == NULL) {
		free(pages);
		return ERR_MEMORY;
	}
	roots_ask(a);
	audit_phase(a, "log", a->size);
	e = pages_run(a, pages);
	page_end(&pages[0]);
	page_end(&pages[1]);
	free(pages);
	if (e != ERR_OK || (e = beyond_check(a)) != ERR_OK)
		return e;
	head_check(a);
	last_check(a);
	groups_check(a);
	audit_journal_end(a);
	if ((e = audit_status_compare(a)) != ERR_OK)
		return e;
	audit_phase(a, "holders", 0);
	e = doubles_check(a, double_sql, false);
	return e != ERR_OK ? e : doubles_check(a, banned_sql, true);
}

/* ---- statuses ---- */

static enum err
place_differ(struct audit *a, uint32_t list, uint32_t place)
{
	struct pg_result *r;
	enum err e = audit_read(a,
	        "SELECT idx, status FROM zz.certificate WHERE list = $1::int8 AND list_idx = "
	        "$2::int8",
	        list, place, &r);

	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < pg_rows(r); i++) {
		struct pg_row row = pg_row(r, i);
		uint64_t index = pg_next_uint(&row);

		audit_differ_n(a, AUDIT_CERT_STATUS, "idx", index, "is not what its entries make");
	}
	pg_result_free(r);
	return ERR_OK;
}

enum err
audit_status_compare(struct audit *a)
{
	enum { MASKS = 4, TOLD_MAX = 1000 };
	const struct audit_log *l = a->log;
	enum err e = ERR_OK;

	for (uint32_t i = 0; i < l->list_count; i++) {
		const struct audit_list *list = &l->lists[i];
		unsigned told = 0;

		for (uint32_t at = 0; e == ERR_OK && at < LIST_BYTES && told < TOLD_MAX; at++) {
			unsigned odd = (unsigned)list->raw[at] ^ list->rows[at];

			for (uint32_t k = 0; odd != 0 && e == ERR_OK && k < MASKS; k++)
				if ((odd >> (2 * k) & 3) != 0) {
					e = place_differ(a, i, 4 * at + k);
					told++;
				}
		}
	}
	return e;
}

void
audit_log_free(struct audit_log *l)
{
	if (l == NULL)
		return;
	for (uint32_t i = 0; i < l->list_count; i++) {
		free(l->lists[i].raw);
		free(l->lists[i].rows);
		free(l->lists[i].taken);
	}
	for (unsigned i = 0; i < AUDIT_LEVELS; i++)
		free(l->levels[i].hashes);
	audit_map_free(&l->hold_of);
	audit_map_free(&l->day_holds);
	audit_map_free(&l->caps);
	audit_map_free(&l->orders);
	audit_map_free(&l->ends);
	free(l->lists);
	free(l->changes);
	free(l->holds);
	free(l->groups);
	free(l->roots);
	free(l->days);
	free(l);
}
