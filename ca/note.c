/* note.c - signed notes: what is verified is the text received, and a note has one reading only. */
#include "note.h"

#include "base64.h"
#include "cbor.h"
#include "note_line.h"

#include <string.h>

enum {
	ED25519_BYTES = 32,
	VKEY_BYTES = 1 + ED25519_BYTES,
	BLOB_BYTES = NOTE_KEY_ID_BYTES + KEY_SIGNATURE_BYTES,
	BODY_LINES_MIN = 3, /* origin, size, root */
};

static const char line_prefix[] = "\xe2\x80\x94 "; /* em dash and blank */

bool
note_until(struct bytes *in, char end, struct bytes *out)
{
	const uint8_t *stop;

	if (in->n == 0)
		return false;
	stop = memchr(in->p, end, in->n);
	*out = bytes_of(in->p, stop == NULL ? in->n : (size_t)(stop - in->p));
	*in = bytes_skip(*in, out->n + (stop == NULL ? 0 : 1));
	return true;
}

/* Unicode White_Space above ASCII, in UTF-8. */
static bool
blank_start(struct bytes text)
{
	static const char *const blanks[] = {
	        "\xc2\x85",
	        "\xc2\xa0",
	        "\xe1\x9a\x80",
	        "\xe2\x80\xa8",
	        "\xe2\x80\xa9",
	        "\xe2\x80\xaf",
	        "\xe2\x81\x9f",
	        "\xe3\x80\x80",
	};

	for (size_t i = 0; i < sizeof blanks / sizeof blanks[0]; i++) {
		if (bytes_start(text, blanks[i]))
			return true;
	}
	/* U+2000 to U+200A */
	return text.n >= 3 && bytes_start(text, "\xe2\x80") && text.p[2] >= 0x80 &&
	       text.p[2] <= 0x8a;
}

bool
note_name_valid(struct bytes name)
{
	if (name.n == 0 || !utf8_valid(name, NULL))
		return false;
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] <= ' ' || name.p[i] == '+' || blank_start(bytes_skip(name, i)))
			return false;
	}
	return true;
}

void
note_key_id(
        struct bytes name, enum note_type type, struct bytes public, uint8_t out[NOTE_KEY_ID_BYTES])
{
	const uint8_t between[2] = {'\n', (uint8_t)type};
	struct bytes parts[3] = {name, bytes_of(between, sizeof between), public};
	uint8_t hash[SHA256_BYTES];

	sha256(parts, 3, hash);
	memcpy(out, hash, NOTE_KEY_ID_BYTES);
}

/* signed-note: a type without a number is FF, then a name that nobody else takes. */
static enum err
line_key_id(struct bytes name, const struct key *log, uint8_t out[NOTE_KEY_ID_BYTES])
{
	static const char sm2[] = "SM2-SM3";
	uint8_t typed[sizeof sm2 - 1 + KEY_PUBLIC_BYTES_MAX];

	if (key_suite(log) == KEY_ED25519) {
		note_key_id(name, NOTE_ED25519, key_public(log), out);
		return ERR_OK;
	}
	if (key_suite(log) != KEY_SM2)
		return ERR_ALG_MISMATCH;
	memcpy(typed, sm2, sizeof sm2 - 1);
	memcpy(typed + sizeof sm2 - 1, key_public(log).p, KEY_PUBLIC_BYTES_MAX);
	note_key_id(name, NOTE_PRIVATE, bytes_of(typed, sizeof typed), out);
	return ERR_OK;
}

void
note_vkey_type_put(struct buf *out, struct bytes name, enum note_type type, const struct key *k)
{
	uint8_t id[NOTE_KEY_ID_BYTES], typed[VKEY_BYTES] = {(uint8_t)type};

	if (key_suite(k) != KEY_ED25519 || !note_name_valid(name)) {
		out->failed = true;
		return;
	}
	memcpy(typed + 1, key_public(k).p, ED25519_BYTES);
	note_key_id(name, type, key_public(k), id);
	buf_put(out, name);
	buf_put_u8(out, '+');
	buf_put_hex(out, bytes_of(id, sizeof id));
	buf_put_u8(out, '+');
	base64_put(out, bytes_of(typed, sizeof typed));
}

void
note_vkey_put(struct buf *out, struct bytes name, const struct key *log)
{
	note_vkey_type_put(out, name, NOTE_ED25519, log);
}

enum err
note_vkey_type_decode(struct bytes vkey, enum note_type type, struct bytes *name, struct key **out)
{
	uint8_t given[NOTE_KEY_ID_BYTES], id[NOTE_KEY_ID_BYTES], room[VKEY_BYTES];
	struct buf typed = BUF_OF(room);
	struct bytes label, hex, public;
	enum err e;

	if (!note_until(&vkey, '+', &label) || !note_until(&vkey, '+', &hex) ||
	        !note_name_valid(label))
		return ERR_ENCODING;
	if ((e = hex_decode(hex, given, sizeof given)) != ERR_OK ||
	        (e = base64_get(vkey, &typed)) != ERR_OK)
		return e;
	if (typed.n != VKEY_BYTES || room[0] != type)
		return ERR_VALUE;
	public = bytes_of(room + 1, ED25519_BYTES);
	note_key_id(label, type, public, id);
	if (memcmp(id, given, sizeof id) != 0)
		return ERR_VALUE;
	if ((e = key_from_public(KEY_ED25519, public, out)) != ERR_OK)
		return e;
	*name = label;
	return ERR_OK;
}

enum err
note_vkey_decode(struct bytes vkey, struct bytes *name, struct key **out)
{
	return note_vkey_type_decode(vkey, NOTE_ED25519, name, out);
}

void
note_line_put(struct buf *out, struct bytes name, struct bytes blob)
{
	buf_put_text(out, line_prefix);
	buf_put(out, name);
	buf_put_u8(out, ' ');
	base64_put(out, blob);
	buf_put_u8(out, '\n');
}

enum err
checkpoint_sign(struct bytes origin, uint64_t size, const struct merkle_hash *root,
        const struct key *log, struct buf *out)
{
	uint8_t blob[BLOB_BYTES];
	size_t start = out->n;
	enum err e;

	if (!note_name_valid(origin) || size > INT64_MAX)
		return ERR_VALUE;
	if (key_suite(log) != KEY_ED25519) /* what every reader of notes knows stands first */
		return ERR_ALG_MISMATCH;
	buf_put(out, origin);
	buf_put_u8(out, '\n');
	buf_put_decimal(out, size);
	buf_put_u8(out, '\n');
	base64_put(out, bytes_of(root->b, sizeof root->b));
	buf_put_u8(out, '\n');
	if ((e = buf_end(out)) != ERR_OK)
		return e;
	note_key_id(origin, NOTE_ED25519, key_public(log), blob);
	if ((e = key_sign(log, bytes_skip(buf_bytes(out), start), blob + NOTE_KEY_ID_BYTES)) !=
	        ERR_OK) {
		out->n = start;
		return e;
	}
	buf_put_u8(out, '\n');
	note_line_put(out, origin, bytes_of(blob, sizeof blob));
	return buf_end(out);
}

enum err
checkpoint_sign_also(struct bytes origin, const struct key *log, struct buf *note)
{
	uint8_t blob[BLOB_BYTES];
	struct checkpoint c;
	enum err e = checkpoint_decode(buf_bytes(note), &c);

	if (e != ERR_OK || (e = line_key_id(origin, log, blob)) != ERR_OK ||
	        (e = key_sign(log, c.text, blob + NOTE_KEY_ID_BYTES)) != ERR_OK)
		return e;
	note_line_put(note, origin, bytes_of(blob, sizeof blob));
	return buf_end(note);
}

enum err
note_line_decode(struct bytes line, struct bytes *name, struct buf *blob)
{
	enum err e;

	if (!bytes_start(line, line_prefix))
		return ERR_ENCODING;
	line = bytes_skip(line, sizeof line_prefix - 1);
	if (!note_until(&line, ' ', name) || !note_name_valid(*name))
		return ERR_ENCODING;
	blob->n = 0;
	if ((e = base64_get(line, blob)) != ERR_OK)
		return e;
	return blob->n > NOTE_KEY_ID_BYTES
	               ? ERR_OK
	               : ERR_TRUNCATED; /* signed-note: a signature is not empty */
}

static enum err
lines_check(struct bytes lines)
{
	uint8_t room[CHECKPOINT_BYTES_MAX];
	struct buf blob = BUF_OF(room);
	struct bytes line, name;
	unsigned count = 0;
	enum err e;

	while (note_until(&lines, '\n', &line)) {
		if (++count > NOTE_SIGNATURES_MAX)
			return ERR_LIMIT;
		if ((e = note_line_decode(line, &name, &blob)) != ERR_OK)
			return e;
	}
	return count > 0 ? ERR_OK : ERR_TRUNCATED;
}

/* Text and signatures part at the last blank line; each ends with its line. */
static enum err
note_split(struct bytes note, struct bytes *text, struct bytes *signatures)
{
	size_t blank = 0;

	if (!utf8_valid(note, NULL))
		return ERR_NOT_UTF8;
	for (size_t i = 0; i < note.n; i++) {
		if (note.p[i] < ' ' && note.p[i] != '\n')
			return ERR_ENCODING; /* signed-note: no control characters */
		if (i > 0 && note.p[i] == '\n' && note.p[i - 1] == '\n')
			blank = i;
	}
	if (blank == 0 || note.p[note.n - 1] != '\n')
		return ERR_TRUNCATED;
	*text = bytes_of(note.p, blank);
	*signatures = bytes_skip(note, blank + 1);
	return ERR_OK;
}

static enum err
body_decode(struct bytes text, struct checkpoint *c)
{
	struct buf root = BUF_OF(c->root.b);
	struct bytes line;
	unsigned count = 0;
	enum err e = ERR_OK;

	/* further lines are extensions, which the signature covers and we pass over */
	for (; e == ERR_OK && note_until(&text, '\n', &line); count++) {
		if (line.n == 0)
			return ERR_ENCODING; /* tlog-checkpoint: no line is empty */
		if (count == 0)
			c->origin = line;
		else if (count == 1)
			e = decimal_decode(line, INT64_MAX, &c->size);
		else if (count == 2)
			e = base64_get(line, &root);
	}
	if (e != ERR_OK)
		return e;
	if (count < BODY_LINES_MIN)
		return ERR_TRUNCATED;
	return root.n == SHA256_BYTES ? ERR_OK : ERR_VALUE;
}

enum err
checkpoint_split(struct bytes note, struct checkpoint *out)
{
	struct checkpoint c = {.size = 0};
	enum err e;

	if (note.n > CHECKPOINT_BYTES_MAX)
		return ERR_LIMIT;
	if ((e = note_split(note, &c.text, &c.signatures)) != ERR_OK ||
	        (e = body_decode(c.text, &c)) != ERR_OK)
		return e;
	*out = c;
	return ERR_OK;
}

enum err
checkpoint_decode(struct bytes note, struct checkpoint *out)
{
	struct checkpoint c;
	enum err e;

	if ((e = checkpoint_split(note, &c)) != ERR_OK || (e = lines_check(c.signatures)) != ERR_OK)
		return e;
	*out = c;
	return ERR_OK;
}

enum err
checkpoint_verify(const struct checkpoint *c, struct bytes name, const struct key *log)
{
	uint8_t room[CHECKPOINT_BYTES_MAX], id[NOTE_KEY_ID_BYTES];
	struct buf blob = BUF_OF(room);
	struct bytes lines = c->signatures, line, signer;
	enum err e, found = ERR_KID_UNKNOWN;

	if ((e = line_key_id(name, log, id)) != ERR_OK)
		return e;
	while (note_until(&lines, '\n', &line)) {
		if ((e = note_line_decode(line, &signer, &blob)) != ERR_OK)
			return e;
		if (!bytes_equal(signer, name) || memcmp(room, id, sizeof id) != 0)
			continue;
		found = key_verify(log, c->text, bytes_skip(buf_bytes(&blob), NOTE_KEY_ID_BYTES));
		if (found != ERR_OK)
			return found;
	}
	return found;
}
