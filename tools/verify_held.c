/* verify_held.c - opens what the state folder holds: a file that is not held is left out, never
 * fetched, and what does not verify says nothing. */
#include "verify_held.h"

#include "cosignature.h"
#include "verify_landmarks.h"
#include "verify_state.h"
#include "verify_sync.h"

#include <stdlib.h>

/* Empty where there is none. */
static enum err
part_read(const char *dir, const char *name, size_t bytes_max, uint8_t **room, struct bytes *out)
{
	size_t n = 0;
	enum err e = state_read(dir, name, bytes_max, room, &n);

	*out = bytes_of(NULL, 0);
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e == ERR_OK)
		*out = bytes_of(*room, n);
	return e;
}

static enum err
manifest_read(struct held *h, const struct key *root)
{
	size_t n = 0;
	enum err e =
	        state_read(h->dir, "manifest.cose", MANIFEST_BYTES_MAX, &h->manifest_bytes, &n);

	if (e != ERR_OK ||
	        (e = manifest_open(bytes_of(h->manifest_bytes, n), root, &h->m)) != ERR_OK)
		return e;
	h->m_open = true;
	return ERR_OK;
}

/* Head and table. A sync may put others in their place between two reads: ERR_BUSY. */
static enum err
head_read(struct held *h)
{
	char name[STATE_NAME_MAX];
	struct bytes parts[2];
	struct cose_sign1 m;
	struct head head;
	enum err e = part_read(h->dir, "head.cwt", HEAD_BYTES_MAX, &h->head_bytes, &parts[0]);

	if (e != ERR_OK || parts[0].n == 0)
		return e;
	if (head_decode(parts[0], &m, &head) != ERR_OK) {
		h->head_fault = REASON_HEAD;
		return ERR_OK;
	}
	state_table_name(head.sequence, name);
	if ((e = part_read(h->dir, name, TABLE_BYTES_MAX, &h->table_bytes, &parts[1])) != ERR_OK)
		return e;
	if (parts[1].n == 0)
		return ERR_BUSY;
	if ((h->rows = calloc(HEAD_LISTS_MAX, sizeof *h->rows)) == NULL)
		return ERR_MEMORY;
	h->head_fault = verdict_head_open(&h->m, parts, h->rows, &h->head, &h->head_known);
	return ERR_OK;
}

static enum err
list_read(struct held *h, uint32_t n)
{
	struct held_list *l = &h->lists[n];
	char name[STATE_NAME_MAX];
	enum err e = ERR_OK;

	state_raw_name(n, h->head.table.rows[n].raw_sha256, name);
	if ((e = part_read(h->dir, name, LIST_BYTES, &l->bytes, &l->raw)) == ERR_OK)
		sha256_one(l->raw, l->sha256);
	return e;
}

/* A list that is lost leaves the others readable: ERR_BUSY after all of them. */
static enum err
status_read(struct held *h, int64_t list)
{
	enum err e = head_read(h);
	bool lost = false;

	if (e != ERR_OK || !h->head_known)
		return e;
	for (uint32_t n = 0; n < h->head.table.count; n++) {
		if (list != HELD_ALL && list != (int64_t)n)
			continue;
		if ((e = list_read(h, n)) != ERR_OK)
			return e;
		lost = lost || h->lists[n].raw.n == 0;
	}
	return lost ? ERR_BUSY : ERR_OK;
}

static void
status_forget(struct held *h)
{
	free(h->head_bytes);
	free(h->table_bytes);
	free(h->rows);
	h->head_bytes = h->table_bytes = NULL;
	h->rows = NULL;
	h->head_known = false;
	h->head_fault = REASON_NONE;
	for (size_t i = 0; h->lists != NULL && i < HEAD_LISTS_MAX; i++) {
		free(h->lists[i].bytes);
		h->lists[i].bytes = NULL;
		h->lists[i].raw = bytes_of(NULL, 0);
	}
}

/* A checkpoint under a log key that the manifest no longer names says nothing, nor does one that
 * too few witnesses have seen. */
static enum err
checkpoint_read(struct held *h)
{
	struct bytes note = {0};
	enum err e =
	        part_read(h->dir, "checkpoint", CHECKPOINT_BYTES_MAX, &h->checkpoint_bytes, &note);

	if (e != ERR_OK || note.n == 0 || checkpoint_decode(note, &h->checkpoint) != ERR_OK)
		return e;
	h->checkpoint_known = manifest_checkpoint(&h->m, &h->checkpoint) == ERR_OK &&
	                      cosignature_quorum(&h->m, &h->checkpoint) == ERR_OK;
	return ERR_OK;
}

static enum err
held_read(struct held *h, const struct key *root, int64_t list)
{
	enum err e = ERR_OK;

	if ((h->lists = calloc(HEAD_LISTS_MAX, sizeof *h->lists)) == NULL)
		return ERR_MEMORY;
	if ((e = manifest_read(h, root)) != ERR_OK)
		return e;
	if ((e = status_read(h, list)) == ERR_BUSY) {
		status_forget(h);
		/* still not there: a file was lost, and its status is unknown */
		if ((e = status_read(h, list)) == ERR_BUSY)
			e = ERR_OK;
	}
	if (e != ERR_OK || (e = checkpoint_read(h)) != ERR_OK ||
	        (e = landmarks_take(h->dir, &h->landmarks)) != ERR_OK)
		return e;
	return state_newest(h->dir, &h->newest);
}

enum err
held_open(const char *dir, const struct key *root, int64_t list, struct held **out)
{
	struct held *h = calloc(1, sizeof *h);
	enum err e = ERR_OK;

	if (h == NULL)
		return ERR_MEMORY;
	h->dir = dir;
	if (pthread_mutex_init(&h->lock, NULL) != 0) {
		free(h);
		return ERR_MEMORY;
	}
	if ((e = held_read(h, root, list)) != ERR_OK) {
		held_free(h);
		return e;
	}
	*out = h;
	return ERR_OK;
}

void
held_free(struct held *h)
{
	if (h == NULL)
		return;
	status_forget(h);
	for (size_t i = 0; h->lists != NULL && i < HEAD_LISTS_MAX; i++)
		crl_free(h->lists[i].crl);
	free(h->lists);
	if (h->m_open)
		manifest_close(&h->m);
	free(h->manifest_bytes);
	free(h->checkpoint_bytes);
	free(h->landmarks);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

/* Read once; one that does not verify is as good as none. */
static enum err
crl_read(struct held *h, uint32_t n)
{
	char name[STATE_NAME_MAX];
	uint8_t *bytes = NULL;
	struct bytes der;
	enum err e = ERR_OK;

	state_crl_name(n, name);
	if ((e = part_read(h->dir, name, SYNC_CRL_BYTES_MAX, &bytes, &der)) != ERR_OK)
		return e;
	if (der.n != 0)
		e = crl_open(der, h->m.crl_ca, &h->lists[n].crl);
	free(bytes);
	if (e == ERR_MEMORY)
		return e;
	h->lists[n].crl_tried = true;
	return ERR_OK;
}

enum err
held_fill(struct held *h, int64_t list, struct verdict_input *in)
{
	struct held_list *l = NULL;
	enum err e = ERR_OK;

	in->manifest = &h->m;
	in->head = h->head_known ? &h->head : NULL;
	in->head_fault = h->head_fault;
	in->landmarks = h->landmarks;
	in->checkpoint = h->checkpoint_known ? &h->checkpoint : NULL;
	in->newest = h->newest;
	if (list < 0 || list >= HEAD_LISTS_MAX)
		return ERR_OK;
	l = &h->lists[list];
	pthread_mutex_lock(&h->lock);
	if (!l->crl_tried)
		e = crl_read(h, (uint32_t)list);
	pthread_mutex_unlock(&h->lock);
	if (e != ERR_OK)
		return e;
	in->crl = l->crl;
	in->raw = l->raw;
	in->raw_sha256 = l->sha256;
	return ERR_OK;
}
