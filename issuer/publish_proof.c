/* publish_proof.c - beside each list version the proof that its entry 3 is in the log: whoever
 * reads a head can ask for it, so the status key alone puts no list before anyone. */
#include "publish.h"

#include "file.h"
#include "proof.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PATH_BYTES = 700, MODE = 0644 };

static enum err
entry_take(struct publish *p, uint64_t index, struct proof *proof)
{
	struct store_entries entries;
	enum err e = store_log_from(p->store, index, 1, &entries);

	if (e != ERR_OK)
		return e;
	if (entries.count != 1 || entries.rows[0].entry.n > sizeof proof->extra)
		e = ERR_SIZE;
	else
		memcpy(proof->extra, entries.rows[0].entry.p, entries.rows[0].entry.n);
	proof->extra_n = e == ERR_OK ? entries.rows[0].entry.n : 0;
	store_result_free(entries.owner);
	return e;
}

enum err
publish_version_proof(struct publish *p, const struct store_publication *v)
{
	struct proof proof = {.index = v->index, .note = bytes_of(p->checkpoint, p->checkpoint_n)};
	struct tiles_reader reader = {.public_dir = p->dir, .size = p->published};
	uint8_t room[PROOF_TEXT_BYTES_MAX];
	struct buf text = BUF_OF(room);
	char path[PATH_BYTES];
	enum err e;

	if ((e = entry_take(p, v->index, &proof)) != ERR_OK ||
	        (e = merkle_inclusion(v->index, p->published, tiles_get, &reader, &proof.path)) !=
	                ERR_OK)
		return e;
	proof_put(&text, &proof);
	if ((e = buf_end(&text)) != ERR_OK)
		return e;
	snprintf(path, sizeof path, "%.500s/status/version/%" PRIu32 "-%" PRIu64 ".tlog-proof",
	        p->dir, v->list, v->sequence);
	return file_write(path, buf_bytes(&text), MODE);
}
