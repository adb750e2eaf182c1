#ifndef CA_FIELD_H
#define CA_FIELD_H
/* field.h - the field's data (ca/data/, compiled in): items, policies, grounds, document types,
 * regions. What the law may change stands in those files, never in code. */
#include "bytes.h"
#include "hash.h"

struct field; /* parsed once at start, immutable */

struct field_item {
	struct bytes code; /* 6 digits: 03xxxx special operations, 01xxxx and 02xxxx management */
	struct bytes person_type; /* "01" "02" "03": the code's first two digits */
	struct bytes category_zh; /* name of the category or industry */
	struct bytes name_zh, name_en;
	struct bytes scope; /* "CN", or the 6-digit region where alone it is valid */
};

struct field_policy {
	struct bytes id;  /* SP-30, SP-19, MG-44 */
	int64_t from, to; /* days of the examination, inclusive; to = INT64_MAX while open */
	int validity_years, review_years; /* review 0: none */
	int renewal_window_days, age_min, pass_tenths;
	bool provisional;
};

enum ground_kind {
	GROUND_REVOKE = 1,
	GROUND_WITHDRAW,
	GROUND_CANCEL,
	GROUND_LAPSE,
	GROUND_SUSPEND,
	GROUND_ADVISORY,
	GROUND_SUPERSEDE,
	GROUND_VOID,
	GROUND_FLAG
};
enum ground_effect {
	EFFECT_EX_NUNC = 1,
	EFFECT_EX_TUNC,
	EFFECT_CASE,
	EFFECT_FROM_TIME,
	EFFECT_FOLLOWS,
	EFFECT_NONE
};

struct field_ground {
	struct bytes code, name_zh, name_en, public_zh;
	enum ground_kind kind;
	enum ground_effect effect;
	int ban_months;
	int officials;  /* in all, the sender included */
	int crl_reason; /* 4, 5, 6, 9; -1 none */
};

/* ERR_CONFIG when the compiled-in data is inconsistent. */
MUST_USE enum err field_open(struct field **out);
void field_free(struct field *f);
/* Look-ups give NULL, or an empty text, where the code is unknown. */
const struct field_item *field_item(const struct field *f, struct bytes code);
/* Policy of an item's person type on the day of the practical examination, or NULL. */
const struct field_policy *field_policy(
        const struct field *f, const struct field_item *item, int64_t day);
const struct field_policy *field_policy_by_id(const struct field *f, struct bytes id);
const struct field_ground *field_ground(const struct field *f, struct bytes code);
bool field_region_known(const struct field *f, struct bytes code);
struct bytes field_region_name(const struct field *f, struct bytes code);
struct bytes field_document_name(const struct field *f, struct bytes code);
/* SHA-256 over the compiled-in files, one after the other in the order of their names
 * (field_data.h); shown by --version and STATE. */
void field_sha256(const struct field *f, uint8_t out[SHA256_BYTES]);
/* Are there provisional policies? Writes their ids, for the warning at start. */
bool field_provisional(const struct field *f, struct buf *ids);
#endif
