#ifndef TOOLS_ZZ_ORDER_H
#define TOOLS_ZZ_ORDER_H
/* zz_order.h - what the files of zz's orders share: one table of what each type carries, the words
 * of its command line, and the payload that is made of them. Source: FORMATS.md section 3. */
#include "zz_answer.h"
#include "zz_select.h"

enum order_part {
	PART_DECISION = 1, /* decision_no, decided_at */
	PART_GROUND = 2,
	PART_EFFECTIVE = 4,
	PART_UNTIL = 8,
	PART_SERIALS = 16,  /* serials, or a selector */
	PART_TARGET = 32,   /* a centre or a key */
	PART_REQUEST = 64,  /* another request */
	PART_CHANGES = 128, /* one serial and what its new certificate says instead */
};

struct order_kind { /* members of the payload beside type, jti, iat, exp */
	const char *word;
	unsigned parts;
};

enum { ORDER_OPTIONS_MAX = 24 };

struct order_words { /* of the command line, NULL where not given */
	const char *url, *key, *out, *ground, *decision_no, *decided, *effective, *until;
	const char *center, *kid;                       /* stop and resume; center also selects */
	const char *from, *to, *item, *request, *file;  /* certificates, but for serials */
	const char *name, *sex, *doc_type, *doc_number; /* changes */
	const char *photo, *photo_sha256;
	const char *rest[ZZ_WORDS_MAX];
	size_t rest_count;
	bool json, select, send;
};

struct order {
	const struct zz *z;
	const struct order_kind *kind;
	struct order_words w;
	struct key *key;
	struct client *client;
	json_t *payload;
	struct zz_request request;
	char dir[ZZ_PATH_MAX], jti[ZZ_JTI_TEXT + 1];
};

size_t order_options(struct order *o, struct zz_option out[ORDER_OPTIONS_MAX]);
/* The words fit each other and the type. Says what the ground means, or what is wrong. */
enum zz_exit order_words_check(const struct order *o);
enum zz_exit order_payload_build(struct order *o);
/* Many certificates at once are shown first, and sent only with --send. */
bool order_is_dry(const struct order *o);
/* Asks which certificates the payload would touch, and prints counts and a sample. */
enum zz_exit order_dry_run(const struct order *o);

/* Takes the order's saved file, or signs and saves it. */
enum zz_exit order_request_take(struct order *o);
/* Sends it; an answer to this request or nothing. *raw lives until the next call of the service. */
enum zz_exit order_post(struct order *o, json_t **answer, struct bytes *raw);

/* A file with a serial a line: an array, or every bad line named. */
enum zz_exit zz_serials_read(const struct zz *z, const char *path, json_t **out);
/* The member "changes": {} where nothing is given. */
enum zz_exit zz_changes_build(const struct order *o, json_t **out);
/* Runs a replace up to its answer: its new record is checked against the old one, then kept. */
enum zz_exit zz_replace_run(struct order *o);
#endif
