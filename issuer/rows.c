/* rows.c - an answer of the signer becomes rows of a job: copied to its arena, with what the
 * database will hold of each. */
#include "service.h"

#include "holder.h"
#include "record.h"

#include <string.h>

static enum err
entry_copy(struct arena *a, const struct signed_entry *from, struct signed_entry *to)
{
	to->entry = arena_copy(a, from->entry);
	to->note = arena_copy(a, from->note);
	to->tag = arena_copy(a, from->tag);
	to->record = arena_copy(a, from->record);
	return to->entry.p != NULL && to->note.p != NULL && to->tag.p != NULL &&
	                       to->record.p != NULL
	               ? ERR_OK
	               : ERR_MEMORY;
}

bool
request_issues(struct bytes type)
{
	return bytes_equal_text(type, "issue") || bytes_equal_text(type, "replace");
}

static enum err
certificate_fill(struct service *s, struct job *j, struct job_row *row)
{
	uint8_t key[SHA256_BYTES];
	struct cose_sign1 m;
	struct record r;
	enum err e = record_open(row->e.record, false, &m, &r);

	if (e != ERR_OK)
		return ERR_PROTOCOL;
	holder_hmac(bytes_of(s->pepper, sizeof s->pepper), r.doc_type, r.doc_number, key);
	row->certificate = (struct store_certificate){
	        .serial = r.cti,
	        .request = j->request.id,
	        .seat = row->seat,
	        .holder_key = arena_copy(j->arena, bytes_of(key, sizeof key)),
	        .item = r.item,
	        .center = r.center,
	        .list = r.list,
	        .idx = r.idx,
	        .exp = r.exp,
	        .record = row->e.record,
	        .follows = r.follows,
	};
	row->entry_time = r.iat;
	return row->certificate.holder_key.p != NULL ? ERR_OK : ERR_MEMORY;
}

static enum err
change_fill(struct job *j, struct bytes entry, struct job_row *row)
{
	struct entry e;

	if (entry_decode(entry, &e) != ERR_OK || e.type != (j->targets ? ENTRY_STOP : ENTRY_STATUS))
		return ERR_PROTOCOL;
	row->entry_time = entry_time(&e);
	if (j->targets)
		return ERR_OK;
	row->change = (struct store_change){
	        .serial = e.cti,
	        .status = e.status,
	        .reason = e.crl_reason,
	        .effective = (int32_t)e.effective,
	        .until = e.until,
	        .at = e.time,
	        .request = j->request.id,
	        .ban_until = e.status == STATUS_INVALID ? j->ban_until : 0,
	};
	return ERR_OK;
}

/* What one row of the answer adds to log and database. */
static enum err
row_fill(struct service *s, struct job *j, const struct signer_row *from, struct job_row *row)
{
	enum err e = entry_copy(j->arena, &from->e, &row->e);

	if (e != ERR_OK)
		return e;
	if (j->order)
		return change_fill(j, row->e.entry, row);
	if ((e = certificate_fill(s, j, row)) != ERR_OK || !from->has_end)
		return e;
	row->has_end = true;
	e = entry_copy(j->arena, &from->end, &row->end);
	return e == ERR_OK ? change_fill(j, row->end.entry, row) : e;
}

enum err
rows_take(struct service *s, struct job *j, const struct signer_answer *a)
{
	struct arena *arena = j->arena;
	struct job_row *rows = arena_alloc(arena, a->count * sizeof *rows);
	enum err e = ERR_OK;

	if (rows == NULL)
		return ERR_MEMORY;
	memset(rows, 0, a->count * sizeof *rows);
	for (size_t i = 0; e == ERR_OK && i < a->count; i++) {
		const struct signer_row *from = &a->rows[i];

		if (from->outcome >= OUTCOME_COUNT)
			return ERR_PROTOCOL;
		rows[i].seat = (uint32_t)from->seat;
		rows[i].outcome = (enum outcome)from->outcome;
		rows[i].has_entry = from->has_entry;
		rows[i].first_date = j->order ? from->first_date : -1;
		if (j->order)
			rows[i].cti = arena_copy(arena, from->cti);
		if (from->has_entry)
			e = row_fill(s, j, from, &rows[i]);
	}
	if (e != ERR_OK)
		return e;
	j->rows = rows;
	j->row_count = a->count;
	return ERR_OK;
}

enum err
rows_lapse(struct job *j, const struct signed_entry *entries, size_t count)
{
	struct job_row *rows = arena_alloc(j->arena, count * sizeof *rows);
	enum err e = ERR_OK;

	if (rows == NULL)
		return ERR_MEMORY;
	memset(rows, 0, count * sizeof *rows);
	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		struct entry entry;

		rows[i].has_entry = true;
		if ((e = entry_copy(j->arena, &entries[i], &rows[i].e)) != ERR_OK ||
		        (e = entry_decode(rows[i].e.entry, &entry)) != ERR_OK)
			break;
		/* it repeats the request of the hold that ends */
		j->request.id = bytes_of(entry.request, SHA256_BYTES);
		e = change_fill(j, rows[i].e.entry, &rows[i]);
		rows[i].change.request = arena_copy(j->arena, j->request.id);
	}
	j->request.id = bytes_of(NULL, 0);
	j->rows = rows;
	j->row_count = e == ERR_OK ? count : 0;
	return e;
}
