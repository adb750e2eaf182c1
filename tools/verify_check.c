/* verify_check.c - gathers what is held and asks for the verdict: a file that is not held is left
 * out, never fetched. */
#include "verify_check.h"

#include "cosignature.h"
#include "verify_state.h"
#include "verify_sync.h"

#include <stdlib.h>
#include <string.h>

static struct bytes
data_trim(struct bytes data)
{
	if (bytes_start(data, "ZZ1:"))
		while (data.n > 0 && (data.p[data.n - 1] == '\n' || data.p[data.n - 1] == '\r'))
			data.n--;
	return data;
}

/* Empty where there is none. */
static enum err
held_read(const char *dir, const char *name, size_t bytes_max, uint8_t **room, struct bytes *out)
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
manifest_read(const struct check_options *o, struct check *c)
{
	size_t n = 0;
	enum err e =
	        state_read(o->dir, "manifest.cose", MANIFEST_BYTES_MAX, &c->manifest_bytes, &n);

	if (e != ERR_OK ||
	        (e = manifest_open(bytes_of(c->manifest_bytes, n), o->root, &c->m)) != ERR_OK)
		return e;
	c->m_open = true;
	return ERR_OK;
}

/* Head and table. A sync may put others in their place between two reads. */
static enum err
head_read(const struct check_options *o, struct check *c, struct verdict_input *in)
{
	char name[STATE_NAME_MAX];
	struct bytes parts[2];
	struct cose_sign1 m;
	struct head h;
	bool known = false;
	enum err e = held_read(o->dir, "head.cwt", HEAD_BYTES_MAX, &c->head_bytes, &parts[0]);

	if (e != ERR_OK || parts[0].n == 0)
		return e;
	if (head_decode(parts[0], &m, &h) != ERR_OK) {
		in->head_fault = REASON_HEAD;
		return ERR_OK;
	}
	state_table_name(h.sequence, name);
	if ((e = held_read(o->dir, name, TABLE_BYTES_MAX, &c->table_bytes, &parts[1])) != ERR_OK)
		return e;
	if (parts[1].n == 0)
		return ERR_BUSY;
	if ((c->rows = calloc(HEAD_LISTS_MAX, sizeof *c->rows)) == NULL)
		return ERR_MEMORY;
	in->head_fault = verdict_head_open(&c->m, parts, c->rows, &c->head, &known);
	in->head = known ? &c->head : NULL;
	return ERR_OK;
}

/* Status of the record's own list. Data that names none is judged without. */
static enum err
status_read(const struct check_options *o, struct check *c, struct verdict_input *in)
{
	char name[STATE_NAME_MAX];
	uint32_t list = 0;
	enum err e = head_read(o, c, in);

	if (e != ERR_OK || verdict_list(in->data, &list) != ERR_OK)
		return e;
	if (in->head != NULL && list < in->head->table.count) {
		state_raw_name(list, in->head->table.rows[list].raw_sha256, name);
		if ((e = held_read(o->dir, name, LIST_BYTES, &c->list, &in->raw)) != ERR_OK)
			return e;
		if (in->raw.n == 0)
			return ERR_BUSY;
	}
	state_crl_name(list, name);
	return held_read(o->dir, name, SYNC_CRL_BYTES_MAX, &c->crl, &in->crl);
}

static void
status_forget(struct check *c, struct verdict_input *in)
{
	free(c->head_bytes);
	free(c->table_bytes);
	free(c->rows);
	free(c->list);
	c->head_bytes = c->table_bytes = c->list = NULL;
	c->rows = NULL;
	in->head = NULL;
	in->raw = bytes_of(NULL, 0);
}

/* A checkpoint under a log key that the manifest no longer names says nothing, nor does one that
 * too few witnesses have seen. */
static enum err
checkpoint_read(const struct check_options *o, struct check *c, struct verdict_input *in)
{
	struct bytes note = {0}, name = {0};
	struct key *log = NULL;
	enum err e =
	        held_read(o->dir, "checkpoint", CHECKPOINT_BYTES_MAX, &c->checkpoint_bytes, &note);

	if (e != ERR_OK || note.n == 0 || checkpoint_decode(note, &c->checkpoint) != ERR_OK ||
	        note_vkey_decode(c->m.log_vkey, &name, &log) != ERR_OK)
		return e;
	if (bytes_equal(c->checkpoint.origin, c->m.origin) &&
	        checkpoint_verify(&c->checkpoint, name, log) == ERR_OK &&
	        cosignature_quorum(&c->m, &c->checkpoint) == ERR_OK)
		in->checkpoint = &c->checkpoint;
	key_free(log);
	return ERR_OK;
}

enum err
check_run(const struct check_options *o, struct check *c)
{
	struct verdict_input in = {.data = data_trim(o->data),
	        .now = o->now,
	        .at = o->at,
	        .age_s_max = o->age_s_max,
	        .require_log = o->require_log,
	        .item = o->item,
	        .document = o->document};
	enum err e = ERR_OK;

	if ((e = manifest_read(o, c)) != ERR_OK)
		return e;
	if ((e = status_read(o, c, &in)) == ERR_BUSY) {
		status_forget(c, &in);
		/* still not there: a file was lost, and the status is unknown */
		if ((e = status_read(o, c, &in)) == ERR_BUSY)
			e = ERR_OK;
	}
	if (e != ERR_OK || (e = checkpoint_read(o, c, &in)) != ERR_OK ||
	        (e = state_newest(o->dir, &in.newest)) != ERR_OK)
		return e;
	in.manifest = &c->m;
	c->item = o->item;
	verdict_find(&in, &c->v);
	return ERR_OK;
}

void
check_close(struct check *c)
{
	if (c->m_open)
		manifest_close(&c->m);
	free(c->manifest_bytes);
	free(c->head_bytes);
	free(c->table_bytes);
	free(c->rows);
	free(c->list);
	free(c->crl);
	free(c->checkpoint_bytes);
	memset(c, 0, sizeof *c);
}
