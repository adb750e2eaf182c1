/* cosignature.c - cosignatures of witnesses: each covers its own time and the whole text of the
 * checkpoint, and one key is one witness. */
#include "cosignature.h"

#include "note_line.h"

#include <string.h>

enum {
	TIME_BYTES = 8,
	BLOB_BYTES = NOTE_KEY_ID_BYTES + TIME_BYTES + KEY_SIGNATURE_BYTES,
	MESSAGE_BYTES_MAX = CHECKPOINT_BYTES_MAX + 64,
};

void
cosigner_vkey_put(struct buf *out, struct bytes name, const struct key *k)
{
	note_vkey_type_put(out, name, NOTE_COSIGNATURE, k);
}

enum err
cosigner_vkey_decode(struct bytes vkey, struct bytes *name, struct key **out)
{
	return note_vkey_type_decode(vkey, NOTE_COSIGNATURE, name, out);
}

/* "cosignature/v1", the time in decimal, then the text as it stands. */
static enum err
message_put(struct bytes text, uint64_t time, struct buf *out)
{
	buf_put_text(out, "cosignature/v1\ntime ");
	buf_put_decimal(out, time);
	buf_put_u8(out, '\n');
	buf_put(out, text);
	return buf_end(out);
}

enum err
cosignature_sign(
        struct bytes text, struct bytes name, const struct key *k, int64_t time, struct buf *out)
{
	uint8_t room[MESSAGE_BYTES_MAX], blob[BLOB_BYTES];
	struct buf message = BUF_OF(room);
	enum err e;

	if (time < 0 || !note_name_valid(name) || name.n > COSIGNER_NAME_BYTES_MAX)
		return ERR_VALUE;
	if (key_suite(k) != KEY_ED25519)
		return ERR_ALG_MISMATCH;
	note_key_id(name, NOTE_COSIGNATURE, key_public(k), blob);
	be_put(blob + NOTE_KEY_ID_BYTES, (uint64_t)time, TIME_BYTES);
	if ((e = message_put(text, (uint64_t)time, &message)) != ERR_OK ||
	        (e = key_sign(k, buf_bytes(&message), blob + NOTE_KEY_ID_BYTES + TIME_BYTES)) !=
	                ERR_OK)
		return e;
	note_line_put(out, name, bytes_of(blob, sizeof blob));
	return buf_end(out);
}

static enum err
blob_verify(struct bytes text, struct bytes blob, const struct key *k, int64_t *time)
{
	uint8_t room[MESSAGE_BYTES_MAX];
	struct buf message = BUF_OF(room);
	uint64_t t;
	enum err e;

	if (blob.n != BLOB_BYTES)
		return ERR_SIGNATURE;
	t = be_get(blob.p + NOTE_KEY_ID_BYTES, TIME_BYTES);
	if (t > INT64_MAX)
		return ERR_SIGNATURE;
	if ((e = message_put(text, t, &message)) != ERR_OK ||
	        (e = key_verify(k, buf_bytes(&message),
	                 bytes_skip(blob, NOTE_KEY_ID_BYTES + TIME_BYTES))) != ERR_OK)
		return e;
	*time = (int64_t)t;
	return ERR_OK;
}

enum err
cosignature_find(struct bytes text, struct bytes lines, struct bytes name, const struct key *k,
        struct cosignature *out)
{
	uint8_t room[CHECKPOINT_BYTES_MAX], id[NOTE_KEY_ID_BYTES];
	struct buf blob = BUF_OF(room);
	struct bytes line, signer, rest = lines;
	struct cosignature found;
	enum err e;

	if (key_suite(k) != KEY_ED25519)
		return ERR_ALG_MISMATCH;
	note_key_id(name, NOTE_COSIGNATURE, key_public(k), id);
	while (rest.n > 0 && memchr(rest.p, '\n', rest.n) != NULL) {
		if (!note_until(&rest, '\n', &line) ||
		        note_line_decode(line, &signer, &blob) != ERR_OK ||
		        !bytes_equal(signer, name) || memcmp(room, id, sizeof id) != 0)
			continue;
		if ((e = blob_verify(text, buf_bytes(&blob), k, &found.time)) != ERR_OK)
			return e;
		found.line = bytes_of(line.p, line.n + 1);
		*out = found;
		return ERR_OK;
	}
	return ERR_KID_UNKNOWN;
}

static bool
witnessed(const struct checkpoint *c, struct bytes name, const struct key *k)
{
	struct cosignature found;

	return cosignature_find(c->text, c->signatures, name, k, &found) == ERR_OK;
}

enum err
cosignature_quorum(const struct manifest *m, const struct checkpoint *c)
{
	struct key *keys[sizeof m->witnesses / sizeof m->witnesses[0]];
	struct bytes name;
	uint64_t have = 0;
	size_t opened = 0;

	for (size_t i = 0; i < m->witness_count && have < m->quorum; i++) {
		bool again = false;

		if (cosigner_vkey_decode(m->witnesses[i], &name, &keys[opened]) != ERR_OK)
			continue; /* of another type: it does not count for us */
		for (size_t j = 0; j < opened; j++)
			again = again || bytes_equal(key_public(keys[j]), key_public(keys[opened]));
		if (!again && witnessed(c, name, keys[opened]))
			have++;
		opened++;
	}
	while (opened > 0)
		key_free(keys[--opened]);
	return have >= m->quorum ? ERR_OK : ERR_QUORUM;
}
