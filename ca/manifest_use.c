/* manifest_use.c - what follows from a manifest: until when its keys sign, what may come after it,
 * and whether a checkpoint is of its log. */
#include "manifest.h"

#include <string.h>

enum { ALARM_DAYS = 30, ALARM_DAY_S = 86400 };

/* Of an entry that is being made the key is not open: none of those is asked about. */
static bool
is_sm2(const struct manifest_key *k)
{
	return k->key != NULL && key_suite(k->key) == KEY_SM2;
}

/* Of the keys of that purpose and suite. */
static int64_t
suite_end(
        const struct manifest_key *keys, size_t count, const struct manifest_key *like, int64_t now)
{
	int64_t end = now;
	bool longer = true;

	while (longer) {
		longer = false;
		for (size_t i = 0; i < count; i++)
			if (keys[i].purpose == like->purpose && is_sm2(&keys[i]) == is_sm2(like) &&
			        keys[i].last_size == UINT64_MAX && keys[i].not_before <= end &&
			        keys[i].not_after > end) {
				end = keys[i].not_after;
				longer = true;
			}
	}
	return end;
}

int64_t
manifest_keys_end(
        const struct manifest_key *keys, size_t count, enum key_purpose purpose, int64_t now)
{
	int64_t end = INT64_MAX;

	for (size_t i = 0; i < count; i++) {
		int64_t of_suite;

		if (keys[i].purpose != purpose)
			continue;
		of_suite = suite_end(keys, count, &keys[i], now);
		end = of_suite < end ? of_suite : end;
	}
	return end == INT64_MAX ? now : end;
}

int
manifest_alarm(int64_t end, int64_t now)
{
	static const int days[] = {1, 7, ALARM_DAYS};

	if (end <= now)
		return 0;
	for (size_t i = 0; i < sizeof days / sizeof days[0]; i++)
		if (end - now <= days[i] * (int64_t)ALARM_DAY_S)
			return days[i];
	return -1;
}

static const struct manifest_key *
by_kid(const struct manifest *m, struct bytes kid)
{
	for (size_t i = 0; i < m->key_count; i++)
		if (bytes_equal(m->keys[i].kid, kid))
			return &m->keys[i];
	return NULL;
}

enum err
manifest_follows(const struct manifest *before, const struct manifest *next, int64_t now)
{
	for (size_t i = 0; i < before->key_count; i++) {
		const struct manifest_key *old = &before->keys[i], *k = by_kid(next, old->kid);
		int64_t end = old->not_after < now ? old->not_after : now;

		if (k == NULL || k->purpose != old->purpose || k->not_before != old->not_before ||
		        k->not_after < end || k->last_size > old->last_size)
			return ERR_VALUE;
	}
	return ERR_OK;
}

enum err
manifest_checkpoint(const struct manifest *m, const struct checkpoint *c)
{
	enum err found = ERR_KID_UNKNOWN;

	if (!bytes_equal(c->origin, m->origin))
		return ERR_VALUE;
	for (size_t i = 0; i < m->key_count; i++) {
		const struct manifest_key *k = &m->keys[i];
		enum err e = ERR_OK;

		if (k->purpose != KEY_LOG || c->size > k->last_size)
			continue;
		e = checkpoint_verify(c, m->origin, k->key);
		if (e == ERR_OK && (!m->sm2 || key_suite(k->key) == KEY_SM2))
			found = ERR_OK;
		else if (e != ERR_OK && e != ERR_KID_UNKNOWN)
			return e; /* a line of one of its keys that does not verify */
	}
	return found;
}

const struct manifest_key *
manifest_head_key(const struct manifest *m, struct bytes kid)
{
	const struct manifest_key *k = manifest_find(m, kid, KEY_STATUS);

	return k != NULL && m->sm2 && key_suite(k->key) != KEY_SM2 ? NULL : k;
}

const char *
manifest_head_path(enum key_suite root)
{
	return root == KEY_SM2 ? "/status/head-sm2.cwt" : "/status/head.cwt";
}
