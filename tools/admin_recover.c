/* admin_recover.c - zz-admin recover: a database that lost committed entries gets them again from
 * the signer's journal. Everything is derived from entries and records; a record that is not the
 * one its entry names stops the work. */
#include "admin.h"
#include "file.h"
#include "hash.h"
#include "holder.h"
#include "record.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PEPPER_BYTES = 32 };

struct rebuild { /* of one batch of journal frames */
	uint8_t pepper[PEPPER_BYTES];
	struct store_certificate *certificates;
	uint8_t (*holder_keys)[SHA256_BYTES];
	uint8_t (*hashes)[SHA256_BYTES]; /* request hash of each entry: what an entry holds by value
	                                    must outlive it */
	struct store_change *changes;
	size_t certificate_count, change_count;
	int64_t time;
};

static enum err
pepper_read(const struct config *c, uint8_t out[PEPPER_BYTES])
{
	char path[CONFIG_TEXT_MAX];
	uint8_t *p = NULL;
	size_t n = 0;
	enum err e = ERR_OK;

	config_path(c, c->pepper_file, path, sizeof path);
	if ((e = file_read(path, PEPPER_BYTES, &p, &n)) != ERR_OK)
		return e;
	if (n == PEPPER_BYTES)
		memcpy(out, p, PEPPER_BYTES);
	secret_wipe(p, n);
	free(p);
	return n == PEPPER_BYTES ? ERR_OK : ERR_CONFIG;
}

static enum err
certificate_add(
        struct rebuild *r, const struct entry *e, const struct signed_entry *from, uint64_t index)
{
	size_t i = r->certificate_count;
	uint8_t digest[SHA256_BYTES];
	struct cose_sign1 message;
	struct record record;
	struct entry_note note;
	enum err fault = ERR_OK;

	sha256_one(from->record, digest);
	if (memcmp(digest, e->record_sha256, sizeof digest) != 0)
		return ERR_PROTOCOL;
	if ((fault = record_open(from->record, false, &message, &record)) != ERR_OK ||
	        (fault = entry_note_decode(from->note, &note)) != ERR_OK)
		return fault;
	holder_hmac(bytes_of(r->pepper, PEPPER_BYTES), record.doc_type, record.doc_number,
	        r->holder_keys[i]);
	r->certificates[i] = (struct store_certificate){
	        .index = index,
	        .serial = record.cti,
	        .request = record.request,
	        .seat = note.seat < 0 ? 0 : (uint32_t)note.seat,
	        .holder_key = bytes_of(r->holder_keys[i], SHA256_BYTES),
	        .item = record.item,
	        .center = record.center,
	        .list = record.list,
	        .idx = record.idx,
	        .status = STATUS_VALID,
	        .exp = record.exp,
	        .record = from->record,
	};
	r->certificate_count++;
	return ERR_OK;
}

static void
change_add(struct rebuild *r, const struct entry *e, uint64_t index)
{
	size_t i = r->change_count++;

	memcpy(r->hashes[i], e->request, SHA256_BYTES);
	r->changes[i] = (struct store_change){
	        .index = index,
	        .serial = e->cti,
	        .status = e->status,
	        .reason = e->crl_reason,
	        .effective = (int32_t)e->effective,
	        .until = e->until,
	        .at = e->time,
	        .request = bytes_of(r->hashes[i], SHA256_BYTES),
	};
}

static enum err
derive(struct rebuild *r, const struct signed_entry *entries, size_t count, uint64_t size)
{
	enum err fault = ERR_OK;

	for (size_t i = 0; i < count; i++) {
		struct entry e;

		if ((fault = entry_decode(entries[i].entry, &e)) != ERR_OK)
			return fault;
		if (entry_time(&e) > r->time)
			r->time = entry_time(&e);
		if (e.type == ENTRY_ISSUE &&
		        (fault = certificate_add(r, &e, &entries[i], size + i)) != ERR_OK)
			return fault;
		if (e.type == ENTRY_STATUS)
			change_add(r, &e, size + i);
	}
	return ERR_OK;
}

static enum err
room_make(struct rebuild *r, size_t count)
{
	r->certificates = calloc(count, sizeof *r->certificates);
	r->holder_keys = calloc(count, sizeof *r->holder_keys);
	r->hashes = calloc(count, sizeof *r->hashes);
	r->changes = calloc(count, sizeof *r->changes);
	if (r->certificates == NULL || r->holder_keys == NULL || r->hashes == NULL ||
	        r->changes == NULL)
		return ERR_MEMORY;
	return ERR_OK;
}

static void
room_free(struct rebuild *r)
{
	free(r->certificates);
	free(r->holder_keys);
	free(r->hashes);
	free(r->changes);
	r->certificates = NULL;
	r->holder_keys = NULL;
	r->hashes = NULL;
	r->changes = NULL;
	r->certificate_count = r->change_count = 0;
}

/* One transaction for the frames of one answer. */
static enum err
batch_store(struct store *s, struct rebuild *r, uint64_t size, const struct signed_entry *entries,
        size_t count)
{
	struct store_recovery recovery = {.size = size, .entries = entries, .entry_count = count};
	enum err e = room_make(r, count);

	if (e == ERR_OK)
		e = derive(r, entries, count, size);
	recovery.time = r->time;
	recovery.certificates = r->certificates;
	recovery.certificate_count = r->certificate_count;
	recovery.changes = r->changes;
	recovery.change_count = r->change_count;
	if (e == ERR_OK)
		e = store_recover(s, &recovery);
	if (e == ERR_OK)
		printf("entries %" PRIu64 " to %" PRIu64
		       ": %zu certificates, %zu changes of status\n",
		        size, size + count - 1, r->certificate_count, r->change_count);
	room_free(r);
	return e;
}

static enum admin_exit
recover_all(struct admin_peers *p, struct rebuild *r, uint64_t until)
{
	struct signed_entry *entries = NULL;
	uint64_t size = 0;
	size_t count = 0;
	enum err e = store_head(p->store, &size, &r->time);

	if (e != ERR_OK)
		return admin_fault("admin_database", e);
	while (size < until) {
		if ((e = signer_recover(p->signer, size, &entries, &count)) != ERR_OK)
			return admin_fault("signer", e);
		if (count == 0)
			return admin_fault("signer", ERR_PROTOCOL);
		if ((e = batch_store(p->store, r, size, entries, count)) != ERR_OK)
			return admin_fault("recover", e);
		size += count;
	}
	printf("recovered: the database has %" PRIu64 " entries, as the signer\n", size);
	puts("requests and approvals of these entries are lost; their certificates and records are "
	     "not");
	return ADMIN_DONE;
}

enum admin_exit
admin_recover(const struct admin_options *o)
{
	struct config c;
	struct admin_peers p = {NULL, NULL};
	struct signer_state state;
	struct rebuild r;
	uint64_t size = 0;
	int64_t t = 0;
	enum admin_exit x = admin_config(o, &c);
	enum err e = ERR_OK;

	memset(&r, 0, sizeof r);
	if (x != ADMIN_DONE)
		return x;
	if ((x = admin_peers_open(&c, &p)) != ADMIN_DONE)
		goto out;
	if ((e = signer_state(p.signer, bytes_of(NULL, 0), &state)) != ERR_OK ||
	        (e = store_head(p.store, &size, &t)) != ERR_OK) {
		x = admin_fault("recover", e);
		goto out;
	}
	if ((x = admin_lost(&c, &state)) != ADMIN_DONE)
		goto out;
	if (size >= state.size) {
		printf("nothing to recover: database %" PRIu64 ", signer %" PRIu64 "\n", size,
		        state.size);
		goto out;
	}
	if ((e = pepper_read(&c, r.pepper)) != ERR_OK) {
		x = admin_fault("pepper_file", e);
		goto out;
	}
	printf("database %" PRIu64 ", signer %" PRIu64 ": recovering from the signer's journal\n",
	        size, state.size);
	x = recover_all(&p, &r, state.size);
out:
	secret_wipe(r.pepper, sizeof r.pepper);
	admin_peers_close(&p);
	return x;
}
