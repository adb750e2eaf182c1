/* verdict_head.c - head and table as held, opened for verdicts: nothing of them counts before the
 * head's signature and the table's hash are found right. */
#include "verdict.h"

#include <string.h>

static bool
manifest_fits(const struct manifest *m, const struct head *h)
{
	if (h->manifest_version > m->version || !bytes_equal(h->iss, m->iss))
		return false;
	return h->manifest_version < m->version ||
	       memcmp(h->manifest_sha256, m->sha256, SHA256_BYTES) == 0;
}

/* The key's time, and where it was cut off, the tree up to there. */
static bool
key_in_force(const struct manifest_key *key, const struct head *h)
{
	return h->iat >= key->not_before && h->iat < key->not_after &&
	       (key->last_size == UINT64_MAX || h->tree_size <= key->last_size);
}

enum verdict_reason
verdict_head_open(const struct manifest *manifest, const struct bytes parts[2],
        struct table_row *rows, struct verdict_head *out, bool *known)
{
	const struct manifest_key *key;
	struct cose_sign1 m, table_m;
	struct verdict_head v;
	uint8_t hash[SHA256_BYTES];

	*known = false;
	if (head_decode(parts[0], &m, &v.head) != ERR_OK)
		return REASON_HEAD;
	if ((key = manifest_head_key(manifest, m.kid)) == NULL)
		return REASON_NONE;
	if (cose_verify(&m, key->key, HEAD_TYPE) != ERR_OK || !key_in_force(key, &v.head))
		return REASON_HEAD;
	sha256_one(parts[1], hash);
	if (!manifest_fits(manifest, &v.head) ||
	        memcmp(hash, v.head.table_sha256, SHA256_BYTES) != 0)
		return REASON_MIXED;
	if (table_decode(parts[1], &table_m, rows, HEAD_LISTS_MAX, &v.table) != ERR_OK ||
	        (key = manifest_find(manifest, table_m.kid, KEY_STATUS)) == NULL ||
	        cose_verify(&table_m, key->key, TABLE_TYPE) != ERR_OK)
		return REASON_LIST;
	if (v.table.count != v.head.list_count || !bytes_equal(v.table.iss, v.head.iss))
		return REASON_MIXED;
	*out = v;
	*known = true;
	return REASON_NONE;
}
