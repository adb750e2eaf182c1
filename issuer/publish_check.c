/* publish_check.c - what is on disk is read again and judged before a head names it: nothing that
 * was decided is taken back, and the numbers are those of the database. */
#include "log.h"
#include "publish.h"

#include "file.h"
#include "status.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PATH_BYTES = 700, COUNT_EVERY_S = 60, COUNT_SHARE = 20 };

/* Reads a version's file and inflates it into raw. ERR_NOT_FOUND; ERR_FORK where it is not what the
 * row says. */
static enum err
version_read(const struct publish *p, uint32_t list, const struct table_row *row, uint8_t *raw)
{
	char path[PATH_BYTES];
	uint8_t *bytes = NULL, hash[SHA256_BYTES];
	const struct manifest_key *key;
	struct status_token t;
	struct cose_sign1 m;
	size_t n = 0;
	enum err e;

	snprintf(path, sizeof path, "%s/status/version/%" PRIu32 "-%" PRIu64 ".cwt", p->dir, list,
	        row->sequence);
	if ((e = file_read(path, TOKEN_BYTES_MAX, &bytes, &n)) != ERR_OK)
		return e;
	sha256_one(bytes_of(bytes, n), hash);
	e = memcmp(hash, row->cwt_sha256, SHA256_BYTES) == 0 ? ERR_OK : ERR_FORK;
	if (e == ERR_OK && (e = status_cwt_decode(bytes_of(bytes, n), &m, &t)) == ERR_OK) {
		key = manifest_find(&p->manifest, m.kid, KEY_STATUS);
		e = key == NULL ? ERR_KID_UNKNOWN : cose_verify(&m, key->key, STATUS_CWT_TYPE);
	}
	if (e == ERR_OK && (t.list != list || t.sequence != row->sequence))
		e = ERR_FORK;
	if (e == ERR_OK)
		e = status_inflate(t.lst, raw, LIST_BYTES);
	free(bytes);
	if (e != ERR_OK)
		return e;
	sha256_one(bytes_of(raw, LIST_BYTES), hash);
	return memcmp(hash, row->raw_sha256, SHA256_BYTES) == 0 ? ERR_OK : ERR_FORK;
}

enum err
publish_row_check(
        struct publish *p, uint32_t list, const struct table_row *row, const struct table_row *old)
{
	uint8_t *raw;
	enum err e;

	if (old != NULL && row->sequence < old->sequence)
		return ERR_VERSION;
	if ((raw = malloc((size_t)2 * LIST_BYTES)) == NULL)
		return ERR_MEMORY;
	e = version_read(p, list, row, raw);
	if (e == ERR_OK && old != NULL) {
		enum err before = version_read(p, list, old, raw + LIST_BYTES);

		/* a folder that is made again lacks old versions: the signer compares too */
		if (before == ERR_OK && status_undoes(raw + LIST_BYTES, raw))
			e = ERR_MOVE;
		else if (before != ERR_OK && before != ERR_NOT_FOUND && before != ERR_KID_UNKNOWN)
			e = before;
	}
	if (e == ERR_OK) {
		status_count(raw, p->lists[list].counts);
		p->lists[list].counted = row->sequence;
	}
	free(raw);
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		log_fault("list_refused", "list=%" PRIu32 " sequence=%" PRIu64 " error=%s", list,
		        row->sequence, err_word(e));
	return e;
}

bool
publish_counts_agree(const struct publish_list *l, const struct store_list_count *db, bool quiet)
{
	uint64_t listed = l->counts[STATUS_INVALID] + l->counts[STATUS_SUPERSEDED];
	uint64_t stored = db->status[STATUS_INVALID] + db->status[STATUS_SUPERSEDED];

	if (listed > stored || db->certificates > LIST_ENTRIES)
		return false;
	return !quiet || (l->counts[STATUS_INVALID] == db->status[STATUS_INVALID] &&
	                         l->counts[STATUS_SUSPENDED] == db->status[STATUS_SUSPENDED] &&
	                         l->counts[STATUS_SUPERSEDED] == db->status[STATUS_SUPERSEDED]);
}

static bool
list_quiet(const struct publish *p, const struct signer_state *t, uint32_t list)
{
	return list < t->list_count && !t->lists[list].dirty &&
	       t->lists[list].sequence == p->lists[list].counted;
}

static bool
counts_compare(
        struct publish *p, const struct store_list_counts *counts, const struct signer_state *t)
{
	for (size_t i = 0; i < counts->count; i++) {
		const struct store_list_count *db = &counts->rows[i];

		if (db->list >= p->list_room || p->lists[db->list].counted == 0)
			continue; /* opened since, or judged before this start */
		if (publish_counts_agree(&p->lists[db->list], db, list_quiet(p, t, db->list)))
			continue;
		log_fault("count_differs", "list=%" PRIu32 " invalid=%" PRIu64 " database=%" PRIu64,
		        db->list, p->lists[db->list].counts[STATUS_INVALID],
		        db->status[STATUS_INVALID]);
		return false;
	}
	return true;
}

static bool
any_counted(const struct publish *p)
{
	for (size_t i = 0; i < p->list_room; i++)
		if (p->lists[i].counted != 0)
			return true;
	return false;
}

/* Counting reads the whole table: at most once a minute, and at most a twentieth of the time. A
 * count that differs is made again at once, since a decision may just have been committed; it
 * refuses until it agrees. */
enum err
publish_counts_check(struct publish *p, int64_t now)
{
	struct timespec start, end;
	struct store_list_counts counts;
	struct signer_state t;
	enum err e;

	if (!any_counted(p))
		return ERR_OK; /* nothing was judged since the start: no head names anything new */
	if (now < p->head.count_next)
		return p->head.counted_off ? ERR_VALUE : ERR_OK;
	clock_gettime(CLOCK_MONOTONIC, &start);
	if ((e = store_list_counts(p->store, &counts)) != ERR_OK)
		return e;
	clock_gettime(CLOCK_MONOTONIC, &end);
	p->head.count_next = now + COUNT_SHARE * (end.tv_sec - start.tv_sec);
	e = signer_state(p->signer, bytes_of(p->checkpoint, p->checkpoint_n), &t);
	if (e == ERR_OK) {
		p->head.counted_off = !counts_compare(p, &counts, &t);
		e = p->head.counted_off ? ERR_VALUE : ERR_OK;
		p->head.count_next += p->head.counted_off ? 0 : COUNT_EVERY_S;
	}
	store_result_free(counts.owner);
	return e;
}
