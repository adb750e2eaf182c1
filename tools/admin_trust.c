/* admin_trust.c - manifest 1 and roster 1: each is read back under the root key before it counts as
 * made. */
#include "admin_trust.h"

#include "crl.h"
#include "key_store.h"
#include "note.h"
#include "roster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { YEAR_S = 365 * 86400, DAILY_CAP = 10000000 };

/* Nobody real: names, codes and numbers of the demonstration. */
const struct demo_operator demo_operators[DEMO_OPERATORS] = {
        {"330106-01.pem", "赵敏", "330106-01", "杭州市西湖区安全生产考试点（示范）",
                "123301064701000141", "330000", {"03", NULL, NULL}},
        {"440305-02.pem", "钱进", "440305-02", "深圳市南山区安全生产考试点（示范）",
                "12440305470100022J", "440000", {"01", "02", "03"}},
        {"official-wang.pem", "王建国", NULL, NULL, NULL, NULL, {NULL, NULL, NULL}},
        {"official-li.pem", "李秀英", NULL, NULL, NULL, NULL, {NULL, NULL, NULL}},
        {"official-zhang.pem", "张伟", NULL, NULL, NULL, NULL, {NULL, NULL, NULL}},
};

enum key_suite
trust_key_suite(const struct trust *t, enum trust_key k)
{
	if (k == TRUST_LOG)
		return KEY_ED25519;
	if (k == TRUST_STATUS || (k == TRUST_CRL && t->suite == KEY_ED25519))
		return KEY_ES256; /* few readers of CRLs know Ed25519 */
	return t->suite;
}

size_t
trust_key_count(const struct trust *t)
{
	return t->suite == KEY_SM2 ? TRUST_KEYS : TRUST_STATUS_SM2;
}

enum err
trust_make_keys(struct trust *t)
{
	enum err e = key_generate(trust_key_suite(t, TRUST_ROOT), &t->keys[TRUST_ROOT]);

	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < DEMO_OPERATORS; i++)
		if ((e = key_generate(t->suite, &t->operators[i])) != ERR_OK)
			return e;
	return ERR_OK;
}

void
trust_free_keys(struct trust *t)
{
	for (size_t i = 0; i < TRUST_KEYS; i++)
		key_free(t->keys[i]);
	for (size_t i = 0; i < DEMO_OPERATORS; i++)
		key_free(t->operators[i]);
}

enum err
trust_crl_ca(const struct trust *t, struct buf *der)
{
	char name[HOST_BYTES_MAX + 16];

	snprintf(name, sizeof name, "%s CRL CA", t->host);
	if (strlen(name) > 64) /* ub-common-name of RFC 5280 */
		snprintf(name, sizeof name, "CRL CA");
	return crl_ca_make(t->keys[TRUST_CRL], bytes_of_text(name), t->now - 86400,
	        t->now + 10 * (int64_t)YEAR_S, der);
}

/* Each purpose and for how many years its key signs. */
static const struct {
	enum trust_key key;
	enum key_purpose purpose;
	int years;
} rows[] = {
        {TRUST_RECORD, KEY_RECORD, 1},
        {TRUST_STATUS, KEY_STATUS, 2},
        {TRUST_LOG, KEY_LOG, 10},
        {TRUST_CRL, KEY_CRL, 10},
        {TRUST_STATUS_SM2, KEY_STATUS, 2},
        {TRUST_LOG_SM2, KEY_LOG, 10},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static void
manifest_keys(const struct trust *t, struct manifest *m, uint8_t room[ROWS][KEY_COSE_BYTES_MAX])
{
	for (size_t i = 0; i < ROWS; i++) {
		const struct key *k = t->keys[rows[i].key];
		struct buf cose = buf_init(room[i], KEY_COSE_BYTES_MAX);

		if (k == NULL)
			continue;
		key_put_cose(k, &cose);
		m->keys[m->key_count++] = (struct manifest_key){
		        .kid = key_kid(k),
		        .cose_key = buf_bytes(&cose),
		        .purpose = rows[i].purpose,
		        .not_before = t->now - 86400,
		        .not_after = t->now + rows[i].years * (int64_t)YEAR_S,
		        .last_size = UINT64_MAX,
		        .soft = key_store_soft(k),
		};
	}
}

enum err
trust_manifest(const struct trust *t, struct buf *out)
{
	struct manifest m, again;
	uint8_t cose_room[ROWS][KEY_COSE_BYTES_MAX], vkey_room[HOST_BYTES_MAX + 100];
	char origin[HOST_BYTES_MAX + 8], prefix[HOST_BYTES_MAX + 24];
	struct buf vkey = BUF_OF(vkey_room);
	enum err e = ERR_OK;

	memset(&m, 0, sizeof m);
	snprintf(origin, sizeof origin, "%s/log", t->host);
	snprintf(prefix, sizeof prefix, "https://%s/status/", t->host);
	note_vkey_put(&vkey, bytes_of_text(origin), t->keys[TRUST_LOG]);
	m.iss = bytes_of_text(t->host);
	m.iat = t->now;
	m.version = 1;
	m.name_zh = bytes_of_text(t->name_zh);
	m.name_en = bytes_of_text(t->name_en);
	m.origin = bytes_of_text(origin);
	m.log_vkey = buf_bytes(&vkey);
	m.status_prefix = bytes_of_text(prefix);
	m.crl_ca = t->crl_ca;
	manifest_keys(t, &m, cose_room);
	for (size_t i = 0; t->witnesses != NULL && i < t->witnesses->witness_count; i++)
		m.witnesses[m.witness_count++] = t->witnesses->witnesses[i].vkey;
	m.quorum = t->quorum;
	m.transcript = t->transcript;
	if ((e = manifest_sign(&m, t->keys[TRUST_ROOT], out)) != ERR_OK ||
	        (e = manifest_open(buf_bytes(out), t->keys[TRUST_ROOT], &again)) != ERR_OK)
		return e;
	manifest_close(&again);
	return ERR_OK;
}

static json_t *
jwk_make(const struct key *k)
{
	char room[300];
	struct buf b = BUF_OF(room);

	key_put_jwk(k, &b);
	return json_loadb(room, b.n, JSON_REJECT_DUPLICATES, NULL);
}

static json_t *
center_make(const struct demo_operator *d)
{
	json_t *items = json_array();

	for (size_t i = 0; i < 3 && d->items[i] != NULL; i++)
		json_array_append_new(items, json_string(d->items[i]));
	return json_pack("{s:s,s:s,s:s,s:[s],s:o,s:i}", "code", d->code, "name", d->name, "uscc",
	        d->uscc, "regions", d->region, "items", items, "daily_cap", DAILY_CAP);
}

static json_t *
operator_make(const struct trust *t, size_t i)
{
	const struct demo_operator *d = &demo_operators[i];
	const struct key *k = t->operators[i];
	json_t *o = json_pack("{s:s,s:o,s:s,s:s}", "kid", key_thumb_text(k), "jwk", jwk_make(k),
	        "person", d->person, "role", d->code == NULL ? "official" : "center");

	if (d->code != NULL)
		json_object_set_new(o, "center", center_make(d));
	json_object_set_new(o, "not_before", json_integer(t->now - 86400));
	json_object_set_new(o, "not_after", json_integer(t->now + 5 * (int64_t)YEAR_S));
	return o;
}

enum err
trust_roster(const struct trust *t, struct buf *out)
{
	json_t *operators = json_array(), *roster = NULL;
	struct roster *again = NULL;
	char *text = NULL;
	size_t n = 0;
	enum err e = ERR_MEMORY;

	for (size_t i = 0; i < DEMO_OPERATORS; i++)
		json_array_append_new(operators, operator_make(t, i));
	roster = json_pack("{s:i,s:I,s:I,s:o,s:{s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i}}", "version", 1,
	        "iat", (json_int_t)t->now, "exp", (json_int_t)(t->now + 5 * (int64_t)YEAR_S),
	        "operators", operators, "approvals", "issue", 0, "issue_late", 1, "revoke", 2,
	        "suspend", 1, "reinstate", 2, "replace", 1, "stop", 1, "resume", 2);
	if (roster != NULL && (text = json_write(roster, &n)) != NULL)
		e = jws_sign(t->keys[TRUST_ROOT], ROSTER_TYP, bytes_of(text, n), out);
	if (e == ERR_OK)
		e = roster_read(buf_bytes(out), t->keys[TRUST_ROOT], &again);
	roster_free(again);
	free(text);
	json_decref(roster);
	return e;
}
