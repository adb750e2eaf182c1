/* fuzz_checkpoint.c - a checkpoint that is read consists of nothing but what it was read as;
 * verifier keys too. */
#include "base64.h"
#include "note.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t room[CHECKPOINT_BYTES_MAX + 64];

static struct key *
log_key(void)
{
	static const uint8_t zero[32];
	static struct key *key; /* of a point that nobody signs with */
	enum err e = ERR_OK;

	if (key == NULL)
		e = key_from_public(KEY_ED25519, bytes_of(zero, sizeof zero), &key);
	assert(e == ERR_OK);
	return key;
}

static void
note_try(struct bytes note)
{
	struct buf again = BUF_OF(room);
	struct checkpoint c;

	if (checkpoint_decode(note, &c) != ERR_OK)
		return;
	assert(c.size <= INT64_MAX && c.origin.n > 0 && c.signatures.n > 0);
	buf_put(&again, c.origin);
	buf_put_u8(&again, '\n');
	buf_put_decimal(&again, c.size);
	buf_put_u8(&again, '\n');
	base64_put(&again, bytes_of(c.root.b, sizeof c.root.b));
	buf_put_u8(&again, '\n');
	assert(again.n <= c.text.n && bytes_equal(buf_bytes(&again), bytes_of(c.text.p, again.n)));
	again.n = 0;
	buf_put(&again, c.text);
	buf_put_u8(&again, '\n');
	buf_put(&again, c.signatures);
	assert(bytes_equal(buf_bytes(&again), note));
	err_ignore(checkpoint_verify(&c, c.origin, log_key()));
}

static void
vkey_try(struct bytes vkey)
{
	struct buf again = BUF_OF(room);
	struct bytes name;
	struct key *k;

	if (note_vkey_decode(vkey, &name, &k) != ERR_OK)
		return;
	note_vkey_put(&again, name, k);
	assert(bytes_equal(buf_bytes(&again), vkey));
	key_free(k);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	note_try(bytes_of(data, size));
	vkey_try(bytes_of(data, size));
	return 0;
}
