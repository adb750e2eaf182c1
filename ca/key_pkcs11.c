/* key_pkcs11.c - signing in a token. What the token cannot do now is said with one word and may be
 * asked again; a PIN that was refused is never sent again, since a few tries lock a token. */
#include "key_pkcs11.h"

#include "file.h"
#include "hash.h"
#include "log.h"

#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	SESSIONS = 4, /* threads that sign at once */
	SLOTS_MAX = 64,
	PIN_BYTES_MAX = 255,
	POINT_BYTES_MAX = 80,
	URI_BYTES_MAX = 1024,
	AGAIN_S = 1 /* between two attempts to find the token again */
};

struct token {
	CK_FUNCTION_LIST *f;
	P11KitUri *uri;
	char pin_path[FILE_PATH_MAX];
	CK_MECHANISM_TYPE mechanism;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t freed;
	CK_SESSION_HANDLE sessions[SESSIONS];
	CK_OBJECT_HANDLE key;
	unsigned free_count; /* sessions [0, free_count) are free */
	bool open, pin_refused;
	struct timespec tried;
};

static enum err
token_fault(struct token *t, const char *what, CK_RV rv)
{
	log_fault("token_fault", "call=%s code=0x%lx", what, (unsigned long)rv);
	if (rv == CKR_PIN_INCORRECT || rv == CKR_PIN_LOCKED || rv == CKR_PIN_EXPIRED ||
	        rv == CKR_PIN_INVALID || rv == CKR_PIN_LEN_RANGE) {
		t->pin_refused = true;
		return ERR_TOKEN_PIN;
	}
	return ERR_TOKEN;
}

/* ---- the URI ---- */

/* pin-source: a path, or file:PATH; relative ones start at the state folder. */
static enum err
pin_path_set(struct token *t, const char *dir)
{
	const char *source = p11_kit_uri_get_pin_source(t->uri);
	int n;

	if (source == NULL)
		return ERR_CONFIG;
	if (strncmp(source, "file:", 5) == 0)
		source += 5;
	n = source[0] == '/' ? snprintf(t->pin_path, sizeof t->pin_path, "%s", source)
	                     : snprintf(t->pin_path, sizeof t->pin_path, "%s/%s", dir, source);
	return n < 0 || (size_t)n >= sizeof t->pin_path ? ERR_CONFIG : ERR_OK;
}

static enum err
uri_read(struct token *t, const char *dir, struct bytes text)
{
	char room[URI_BYTES_MAX];

	if (text.n >= sizeof room)
		return ERR_CONFIG;
	memcpy(room, text.p, text.n);
	room[text.n] = '\0';
	if ((t->uri = p11_kit_uri_new()) == NULL)
		return ERR_MEMORY;
	if (p11_kit_uri_parse(room, P11_KIT_URI_FOR_ANY, t->uri) != P11_KIT_URI_OK ||
	        p11_kit_uri_any_unrecognized(t->uri) != 0 ||
	        p11_kit_uri_get_module_path(t->uri) == NULL ||
	        p11_kit_uri_get_pin_value(t->uri) != NULL)
		return ERR_CONFIG;
	return pin_path_set(t, dir);
}

/* ---- the token ---- */

static enum err
slot_find(struct token *t, CK_SLOT_ID *out)
{
	CK_SLOT_ID slots[SLOTS_MAX];
	CK_ULONG count = SLOTS_MAX, found = 0;
	CK_TOKEN_INFO info;
	CK_RV rv = t->f->C_GetSlotList(CK_TRUE, slots, &count);

	if (rv != CKR_OK)
		return token_fault(t, "C_GetSlotList", rv);
	for (CK_ULONG i = 0; i < count; i++) {
		if (t->f->C_GetTokenInfo(slots[i], &info) != CKR_OK ||
		        p11_kit_uri_match_token_info(t->uri, &info) != 1)
			continue;
		*out = slots[i];
		found++;
	}
	if (found == 1)
		return ERR_OK;
	log_fault("token_not_found", "tokens=%lu that match the URI", found);
	return ERR_TOKEN;
}

static enum err
login(struct token *t, CK_SESSION_HANDLE session)
{
	uint8_t *pin = NULL;
	size_t n = 0;
	CK_RV rv;
	enum err e = file_read(t->pin_path, PIN_BYTES_MAX, &pin, &n);

	if (e != ERR_OK) {
		log_fault("pin_unreadable", "path=%s error=%s", t->pin_path, err_word(e));
		return e;
	}
	while (n > 0 && (pin[n - 1] == '\n' || pin[n - 1] == '\r'))
		n--;
	rv = t->f->C_Login(session, CKU_USER, pin, n);
	secret_wipe(pin, n);
	free(pin);
	return rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN ? ERR_OK
	                                                        : token_fault(t, "C_Login", rv);
}

/* How many objects of that class bear this label and id, as far as it matters: 0, 1 or 2. */
static enum err
objects_count(struct token *t, CK_OBJECT_CLASS class, const CK_ATTRIBUTE *names, CK_ULONG names_n,
        CK_OBJECT_HANDLE *first, CK_ULONG *count)
{
	CK_ATTRIBUTE wanted[3] = {{CKA_CLASS, &class, sizeof class}};
	CK_OBJECT_HANDLE found[2] = {0};
	CK_RV rv;

	memcpy(wanted + 1, names, names_n * sizeof *names);
	if ((rv = t->f->C_FindObjectsInit(t->sessions[0], wanted, 1 + names_n)) != CKR_OK)
		return token_fault(t, "C_FindObjectsInit", rv);
	rv = t->f->C_FindObjects(t->sessions[0], found, 2, count);
	t->f->C_FindObjectsFinal(t->sessions[0]);
	*first = found[0];
	return rv == CKR_OK ? ERR_OK : token_fault(t, "C_FindObjects", rv);
}

/* The one object of that class that the URI names. */
static enum err
object_find(struct token *t, CK_OBJECT_CLASS class, CK_OBJECT_HANDLE *out)
{
	const CK_ATTRIBUTE *label = p11_kit_uri_get_attribute(t->uri, CKA_LABEL),
	                   *id = p11_kit_uri_get_attribute(t->uri, CKA_ID);
	CK_ATTRIBUTE names[2];
	CK_ULONG n = 0, count = 0;
	enum err e;

	if (label != NULL)
		names[n++] = *label;
	if (id != NULL)
		names[n++] = *id;
	if (n == 0)
		return ERR_CONFIG;
	if ((e = objects_count(t, class, names, n, out, &count)) != ERR_OK)
		return e;
	if (count != 1)
		log_fault("token_object", "objects=%lu that match the URI, not 1", count);
	return count == 1 ? ERR_OK : ERR_TOKEN;
}

static void
sessions_close(struct token *t, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		t->f->C_CloseSession(t->sessions[i]);
	t->open = false;
}

/* Sessions and login; where a key is named, the key too. Lock held, or nobody else has it yet. */
static enum err
token_connect(struct token *t, bool with_key)
{
	CK_SLOT_ID slot = 0;
	unsigned n = 0;
	CK_RV rv = CKR_OK;
	enum err e;

	if (t->pin_refused)
		return ERR_TOKEN_PIN;
	clock_gettime(CLOCK_MONOTONIC, &t->tried);
	if ((e = slot_find(t, &slot)) != ERR_OK)
		return e;
	for (; n < SESSIONS && rv == CKR_OK; n += rv == CKR_OK)
		rv = t->f->C_OpenSession(
		        slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &t->sessions[n]);
	e = rv == CKR_OK ? login(t, t->sessions[0]) : token_fault(t, "C_OpenSession", rv);
	if (e == ERR_OK && with_key)
		e = object_find(t, CKO_PRIVATE_KEY, &t->key);
	if (e != ERR_OK) {
		sessions_close(t, n);
		return e;
	}
	t->free_count = SESSIONS;
	t->open = true;
	return ERR_OK;
}

static void
token_free(void *ctx)
{
	struct token *t = ctx;

	if (t == NULL)
		return;
	if (t->open && t->f != NULL)
		sessions_close(t, SESSIONS);
	if (t->f != NULL) {
		p11_kit_module_finalize(t->f);
		p11_kit_module_release(t->f);
	}
	p11_kit_uri_free(t->uri);
	pthread_cond_destroy(&t->freed);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

static enum err
token_open(const char *dir, struct bytes uri, bool with_key, struct token **out)
{
	struct token *t = calloc(1, sizeof *t);
	CK_RV rv;
	enum err e;

	if (t == NULL)
		return ERR_MEMORY;
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->freed, NULL);
	if ((e = uri_read(t, dir, uri)) != ERR_OK) {
		log_fault("token_uri",
		        "what=\"needs token or serial, object, module-path and pin-source\"");
	} else if ((t->f = p11_kit_module_load(p11_kit_uri_get_module_path(t->uri),
	                    P11_KIT_MODULE_CRITICAL)) == NULL) {
		log_fault("token_module", "path=%s", p11_kit_uri_get_module_path(t->uri));
		e = ERR_CONFIG;
	} else if ((rv = p11_kit_module_initialize(t->f)) != CKR_OK) {
		e = token_fault(t, "C_Initialize", rv);
		p11_kit_module_release(t->f);
		t->f = NULL;
	} else {
		e = token_connect(t, with_key);
	}
	if (e == ERR_OK)
		*out = t;
	else
		token_free(t);
	return e;
}

/* ---- signing ---- */

static bool
may_try_again(const struct token *t)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec - t->tried.tv_sec >= AGAIN_S;
}

static enum err
session_take(struct token *t, CK_SESSION_HANDLE *out, CK_OBJECT_HANDLE *key)
{
	enum err e = ERR_OK;

	pthread_mutex_lock(&t->lock);
	if (!t->open)
		e = t->pin_refused     ? ERR_TOKEN_PIN
		    : may_try_again(t) ? token_connect(t, true)
		                       : ERR_TOKEN;
	while (e == ERR_OK && t->open && t->free_count == 0)
		pthread_cond_wait(&t->freed, &t->lock);
	if (e == ERR_OK && !t->open)
		e = ERR_TOKEN;
	if (e == ERR_OK) {
		*out = t->sessions[--t->free_count];
		*key = t->key;
	}
	pthread_mutex_unlock(&t->lock);
	return e;
}

/* A session after a fault is not used again: all are opened anew when the token is back. */
static void
session_give(struct token *t, CK_SESSION_HANDLE session, bool good)
{
	pthread_mutex_lock(&t->lock);
	if (good && t->open)
		t->sessions[t->free_count++] = session;
	else
		t->f->C_CloseSession(session);
	if (!good && t->open)
		sessions_close(t, t->free_count);
	pthread_cond_broadcast(&t->freed);
	pthread_mutex_unlock(&t->lock);
}

static enum err
token_sign(void *ctx, struct bytes input, uint8_t out[KEY_SIGNATURE_BYTES])
{
	struct token *t = ctx;
	CK_MECHANISM mechanism = {t->mechanism, NULL, 0};
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE key;
	CK_ULONG n = KEY_SIGNATURE_BYTES;
	uint8_t *data = NULL;
	CK_RV rv;
	enum err e = session_take(t, &session, &key);

	if (e != ERR_OK)
		return e;
	memcpy(&data, &input.p, sizeof data); /* C_Sign only reads */
	if ((rv = t->f->C_SignInit(session, &mechanism, key)) == CKR_OK)
		rv = t->f->C_Sign(session, data, input.n, out, &n);
	session_give(t, session, rv == CKR_OK);
	if (rv != CKR_OK) {
		pthread_mutex_lock(&t->lock);
		e = token_fault(t, "C_Sign", rv);
		pthread_mutex_unlock(&t->lock);
		return e;
	}
	return n == KEY_SIGNATURE_BYTES ? ERR_OK : ERR_CRYPTO;
}

/* ---- the public half ---- */

static bool
attribute_get(struct token *t, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, void *p, size_t *n)
{
	CK_ATTRIBUTE a = {type, p, *n};

	if (t->f->C_GetAttributeValue(t->sessions[0], object, &a, 1) != CKR_OK || a.ulValueLen > *n)
		return false;
	*n = a.ulValueLen;
	return true;
}

static bool
flag_get(struct token *t, CK_ATTRIBUTE_TYPE type, CK_BBOOL *out)
{
	size_t n = sizeof *out;

	return attribute_get(t, t->key, type, out, &n) && n == sizeof *out;
}

/* CKA_EC_POINT: an OCTET STRING around 04 ‖ x ‖ y, or around 32 bytes. */
static enum err
point_read(const uint8_t *p, size_t n, bool edwards, struct bytes *out)
{
	size_t want = edwards ? 32 : 65;

	if (n != want + 2 || p[0] != 0x04 || p[1] != want || (!edwards && p[2] != 0x04))
		return ERR_VALUE;
	*out = edwards ? bytes_of(p + 2, 32) : bytes_of(p + 3, 64);
	return ERR_OK;
}

static enum err
public_make(struct token *t, struct key **out)
{
	uint8_t point[POINT_BYTES_MAX];
	CK_KEY_TYPE type = 0;
	CK_OBJECT_HANDLE object;
	CK_BBOOL kept = CK_FALSE, secret = CK_FALSE;
	size_t n = sizeof point, type_n = sizeof type;
	struct bytes raw;
	enum err e = object_find(t, CKO_PUBLIC_KEY, &object);

	if (e != ERR_OK)
		return e;
	if (!flag_get(t, CKA_NEVER_EXTRACTABLE, &kept) ||
	        !flag_get(t, CKA_ALWAYS_SENSITIVE, &secret) || !kept || !secret) {
		log_fault("token_key_extractable",
		        "what=\"the key can leave the token, or was outside once\"");
		return ERR_VALUE;
	}
	if (!attribute_get(t, object, CKA_KEY_TYPE, &type, &type_n) ||
	        !attribute_get(t, object, CKA_EC_POINT, point, &n) ||
	        (type != CKK_EC && type != CKK_EC_EDWARDS))
		return ERR_VALUE;
	t->mechanism = type == CKK_EC ? CKM_ECDSA : CKM_EDDSA;
	if ((e = point_read(point, n, type == CKK_EC_EDWARDS, &raw)) != ERR_OK)
		return e;
	return key_from_public(type == CKK_EC ? KEY_ES256 : KEY_ED25519, raw, out);
}

enum err
key_pkcs11_open(const char *dir, struct bytes uri, struct key **out)
{
	struct token *t = NULL;
	struct key *k = NULL;
	enum err e = token_open(dir, uri, true, &t);

	if (e != ERR_OK)
		return e;
	if ((e = public_make(t, &k)) == ERR_OK)
		e = key_attach(k, &(struct key_elsewhere){token_sign, token_free, t});
	if (e == ERR_OK) {
		*out = k;
		return ERR_OK;
	}
	key_free(k);
	token_free(t);
	return e;
}

/* ---- a new key ---- */

static enum err
pair_make(struct token *t, enum key_suite suite, const char *label)
{
	static const uint8_t p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
	static const uint8_t edwards[] = {
	        0x13, 0x0c, 'e', 'd', 'w', 'a', 'r', 'd', 's', '2', '5', '5', '1', '9'};
	uint8_t params[sizeof edwards];
	size_t params_n = suite == KEY_ES256 ? sizeof p256 : sizeof edwards;
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	char name[64];
	CK_MECHANISM mechanism = {
	        suite == KEY_ES256 ? CKM_EC_KEY_PAIR_GEN : CKM_EC_EDWARDS_KEY_PAIR_GEN, NULL, 0};
	CK_ULONG label_n = (CK_ULONG)snprintf(name, sizeof name, "%s", label);
	CK_ATTRIBUTE public[] = {{CKA_TOKEN, &yes, sizeof yes}, {CKA_VERIFY, &yes, sizeof yes},
	        {CKA_EC_PARAMS, params, params_n}, {CKA_LABEL, name, label_n}};
	CK_ATTRIBUTE private[] = {{CKA_TOKEN, &yes, sizeof yes}, {CKA_PRIVATE, &yes, sizeof yes},
	        {CKA_SIGN, &yes, sizeof yes}, {CKA_SENSITIVE, &yes, sizeof yes},
	        {CKA_EXTRACTABLE, &no, sizeof no}, {CKA_LABEL, name, label_n}};
	CK_OBJECT_HANDLE made[2];
	CK_ULONG there = 0;
	CK_RV rv;
	enum err e;

	if (label_n >= sizeof name)
		return ERR_LIMIT;
	e = objects_count(
	        t, CKO_PRIVATE_KEY, &(CK_ATTRIBUTE){CKA_LABEL, name, label_n}, 1, made, &there);
	if (e != ERR_OK || there != 0)
		return e == ERR_OK ? ERR_EXISTS : e;
	memcpy(params, suite == KEY_ES256 ? p256 : edwards, params_n);
	rv = t->f->C_GenerateKeyPair(t->sessions[0], &mechanism, public,
	        sizeof public / sizeof public[0], private, sizeof private / sizeof private[0],
	        &made[0], &made[1]);
	return rv == CKR_OK ? ERR_OK : token_fault(t, "C_GenerateKeyPair", rv);
}

/* The URI of `like` with another label. */
static enum err
uri_put(struct token *t, const char *label, struct buf *uri)
{
	char name[64], *text = NULL;
	CK_ATTRIBUTE a = {CKA_LABEL, name, (CK_ULONG)snprintf(name, sizeof name, "%s", label)};
	enum err e = ERR_MEMORY;

	p11_kit_uri_clear_attributes(t->uri);
	if (p11_kit_uri_set_attribute(t->uri, &a) == P11_KIT_URI_OK &&
	        p11_kit_uri_format(t->uri, P11_KIT_URI_FOR_ANY, &text) == P11_KIT_URI_OK) {
		buf_put_text(uri, text);
		buf_put_u8(uri, '\n');
		e = buf_end(uri);
	}
	free(text);
	return e;
}

enum err
key_pkcs11_make(const char *dir, struct bytes like, enum key_suite suite, const char *label,
        struct key **out, struct buf *uri)
{
	struct token *t = NULL;
	struct bytes text;
	size_t begin = uri->n;
	enum err e;

	if (suite != KEY_ES256 && suite != KEY_ED25519)
		return ERR_VALUE;
	if ((e = token_open(dir, like, false, &t)) != ERR_OK)
		return e;
	if ((e = pair_make(t, suite, label)) == ERR_OK)
		e = uri_put(t, label, uri);
	token_free(t);
	if (e != ERR_OK)
		return e;
	text = bytes_skip(buf_bytes(uri), begin);
	text.n--; /* its line end */
	return key_pkcs11_open(dir, text, out);
}
