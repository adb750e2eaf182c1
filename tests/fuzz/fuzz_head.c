/* fuzz_head.c - heads, tables and deltas: what decodes signs again to the same payload. The first
 * byte chooses the kind, and whether the rest is a message or changes to a valid one. */
#include "head.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { KINDS = 3, ROOM = 4096, ROWS = 64, AT = 1792224000 };

static struct key *key;
static uint8_t valid[KINDS][ROOM];
static size_t valid_n[KINDS];

static void
prepare(void)
{
	struct bytes iss = BYTES_LIT("zz.example.gov.cn");
	struct head h = {.iss = iss,
	        .iat = AT,
	        .exp = AT + 10,
	        .sequence = AT,
	        .tree_size = 9,
	        .delta_count = 1,
	        .deltas = {{.base = AT - 9}},
	        .manifest_version = 1};
	struct table_row rows[2] = {{.sequence = AT}, {.sequence = AT - 1}};
	struct table t = {iss, AT, rows, 2};
	struct delta_change changes[2] = {{0, 7, STATUS_INVALID}, {1, 3, STATUS_VALID}};
	struct delta d = {iss, AT, AT - 9, AT, changes, 2};
	struct buf out[KINDS] = {BUF_OF(valid[0]), BUF_OF(valid[1]), BUF_OF(valid[2])};

	if (key != NULL)
		return;
	if (key_generate(KEY_ES256, &key) != ERR_OK || head_sign(&h, key, &out[0]) != ERR_OK ||
	        table_sign(&t, key, &out[1]) != ERR_OK || delta_sign(&d, key, &out[2]) != ERR_OK)
		abort();
	for (size_t i = 0; i < KINDS; i++)
		valid_n[i] = out[i].n;
}

/* Decodes and signs again; false where the input is refused. */
static bool
again(unsigned kind, struct bytes in, struct cose_sign1 *m, struct buf *out)
{
	struct table_row rows[ROWS];
	struct delta_change changes[ROWS];
	struct head h;
	struct table t;
	struct delta d;
	enum err e = ERR_OK;

	if (kind == 0 && head_decode(in, m, &h) == ERR_OK)
		e = head_sign(&h, key, out);
	else if (kind == 1 && table_decode(in, m, rows, ROWS, &t) == ERR_OK)
		e = table_sign(&t, key, out);
	else if (kind == 2 && delta_decode(in, m, changes, ROWS, &d) == ERR_OK)
		e = delta_sign(&d, key, out);
	else
		return false;
	/* a message of ours may be shorter in its header than the one that was read */
	if (e != ERR_OK && !(kind == 0 && e == ERR_LIMIT))
		abort();
	return e == ERR_OK;
}

static void
message_try(unsigned kind, struct bytes in)
{
	uint8_t room[2 * ROOM + 8192];
	struct buf out = BUF_OF(room);
	struct cose_sign1 m, back;

	if (!again(kind, in, &m, &out))
		return;
	if (cose_decode(buf_bytes(&out), false, &back) != ERR_OK ||
	        !bytes_equal(m.payload, back.payload))
		abort();
}

/* Each three bytes: a position and a new value. */
static void
changed_try(unsigned kind, struct bytes edits)
{
	uint8_t copy[ROOM];

	memcpy(copy, valid[kind], valid_n[kind]);
	for (size_t i = 0; i + 3 <= edits.n; i += 3)
		copy[be_get(edits.p + i, 2) % valid_n[kind]] = edits.p[i + 2];
	message_try(kind, bytes_of(copy, valid_n[kind]));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	prepare();
	if (size == 0)
		return 0;
	if (data[0] / KINDS % 2 == 0)
		message_try(data[0] % KINDS, bytes_of(data + 1, size - 1));
	else
		changed_try(data[0] % KINDS, bytes_of(data + 1, size - 1));
	return 0;
}
