/* admin_status.c - zz-admin status: what database and signer say of themselves, one name and value
 * a line, and whether they agree. */
#include "admin.h"
#include "date.h"
#include "file.h"
#include "manifest.h"
#include "roster.h"
#include "store_writer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PENDING_MAX = 10000, ROSTER_WARN_S = 30 * 86400 };

static void
say_time(const char *name, int64_t t)
{
	char room[32];
	struct buf b = BUF_OF(room);

	time_put_utc(&b, t);
	printf("%-18s %.*s\n", name, (int)b.n, room);
}

static bool
say_signer(const struct signer_state *s)
{
	size_t dirty = 0;

	for (size_t i = 0; i < s->list_count; i++)
		dirty += s->lists[i].dirty;
	printf("%-18s %" PRIu64 "\n", "signer_size", s->size);
	say_time("signer_log_time", s->time);
	printf("%-18s %" PRIu64 " (held %" PRIu64 ")\n", "manifest", s->manifest_version,
	        s->manifest_held);
	printf("%-18s %" PRIu64 " (held %" PRIu64 ")\n", "roster", s->roster_version,
	        s->roster_held);
	printf("%-18s %zu (%zu changed since signed)\n", "lists", s->list_count, dirty);
	printf("%-18s %s\n", "problem", err_word(s->problem));
	if (s->problem != ERR_OK)
		printf("%-18s %s\n%-18s %s\n", "", err_en(s->problem), "", err_zh(s->problem));
	return s->problem == ERR_OK && s->manifest_version > 0 && s->roster_version > 0;
}

static void
say_key(const struct manifest_key *k, int64_t now)
{
	char hex[2 * KEY_KID_BYTES + 1], room[80];
	struct buf b = BUF_OF(room);

	hex_encode(k->kid, hex);
	time_put_utc(&b, k->not_before);
	buf_put_text(&b, " to ");
	time_put_utc(&b, k->not_after);
	printf("%-18s %-6s %s %.*s, %s", "key", key_purpose_word(k->purpose), hex, (int)b.n, room,
	        k->soft ? "software" : "device");
	if (k->last_size != UINT64_MAX)
		printf(", cut off at %" PRIu64 "\n", k->last_size);
	else
		puts(now < k->not_before ? ", not yet" : now >= k->not_after ? ", ended" : "");
}

/* Until when each purpose is served; the alarms of 30, 7 and 1 days. */
static bool
say_keys(const struct manifest *m, int64_t now)
{
	bool all = true;

	for (size_t i = 0; i < m->key_count; i++)
		say_key(&m->keys[i], now);
	for (unsigned p = KEY_RECORD; p <= KEY_CRL; p++) {
		const char *word = key_purpose_word((enum key_purpose)p);
		int64_t end = manifest_keys_end(m->keys, m->key_count, (enum key_purpose)p, now);
		int alarm = manifest_alarm(end, now);

		all = all && alarm != 0;
		if (alarm == 0)
			printf("%-18s no %s key is in force: what it signs stands still\n",
			        "key_ended", word);
		else if (alarm > 0)
			printf("%-18s %s: less than %d days left; zz-admin new-key %s\n",
			        "key_ends", word, alarm, word);
	}
	return all;
}

static bool
say_manifest(const struct config *c, int64_t now)
{
	struct key *root = NULL;
	struct manifest m;
	uint8_t *p = NULL;
	size_t n = 0;
	bool good = admin_root(c, &root) == ERR_OK &&
	            admin_trust_read(c, "manifest.cose", &p, &n) == ERR_OK &&
	            manifest_open(bytes_of(p, n), root, &m) == ERR_OK;

	if (good) {
		good = say_keys(&m, now);
		manifest_close(&m);
	} else
		printf("%-18s trust/manifest.cose cannot be read under trust/root.pub\n", "key");
	free(p);
	key_free(root);
	return good;
}

static enum err
say_database(struct store *s, uint64_t *size)
{
	struct store_pendings p;
	int64_t t = 0;
	enum err e = store_head(s, size, &t);

	if (e != ERR_OK || (e = store_pending(s, PENDING_MAX, &p)) != ERR_OK)
		return e;
	printf("%-18s %" PRIu64 "\n", "database_size", *size);
	say_time("database_log_time", t);
	printf("%-18s %zu\n", "pending", p.count);
	store_result_free(p.owner);
	return ERR_OK;
}

/* A transaction may stand between COMMIT and EXTEND for a moment: only what lasts is a fault. */
static bool
sizes_agree(struct admin_peers *p)
{
	const struct timespec pause = {0, 500 * 1000000L};
	struct signer_state state;
	uint64_t size = 0;
	int64_t t = 0;

	for (int i = 0; i < 6; i++) {
		if (store_head(p->store, &size, &t) != ERR_OK ||
		        signer_state(p->signer, bytes_of(NULL, 0), &state) != ERR_OK)
			return false;
		if (size == state.size)
			return true;
		nanosleep(&pause, NULL);
	}
	printf("%-18s database %" PRIu64 ", signer %" PRIu64 "\n", "sizes_differ", size,
	        state.size);
	if (size < state.size)
		printf("%-18s %s\n%-18s %s\n", "", err_en(ERR_BEHIND), "", err_zh(ERR_BEHIND));
	else
		printf("%-18s the signer is behind: issuerd appends what is missing; does it "
		       "run?\n",
		        "");
	return false;
}

static bool
say_roster(const struct config *c, int64_t now)
{
	struct key *root = NULL;
	struct roster *r = NULL;
	uint8_t *p = NULL;
	size_t n = 0;
	int64_t left = 0;

	if (admin_root(c, &root) == ERR_OK && admin_trust_read(c, "roster.jws", &p, &n) == ERR_OK &&
	        roster_read(bytes_of(p, n), root, &r) == ERR_OK) {
		left = roster_exp(r) - now;
		say_time("roster_expires", roster_exp(r));
		if (left < ROSTER_WARN_S)
			printf("%-18s the roster ends soon or has ended: sign a new one\n", "");
	} else
		printf("%-18s trust/roster.jws cannot be read under trust/root.pub\n",
		        "roster_expires");
	roster_free(r);
	free(p);
	key_free(root);
	return left > 0;
}

enum admin_exit
admin_status(const struct admin_options *o)
{
	struct config c;
	struct admin_peers p = {NULL, NULL};
	struct signer_state state;
	uint64_t size = 0;
	bool healthy = true;
	enum admin_exit x = admin_config(o, &c);
	enum err e = ERR_OK;

	if (x != ADMIN_DONE)
		return x;
	printf("%-18s %s\n", "host", c.host);
	healthy = say_roster(&c, o->now);
	healthy = say_manifest(&c, o->now) && healthy;
	x = admin_peers_open(&c, &p);
	if (p.signer != NULL && (e = signer_state(p.signer, bytes_of(NULL, 0), &state)) == ERR_OK)
		healthy = say_signer(&state) && healthy;
	else if (p.signer != NULL)
		x = admin_fault("signer", e);
	if (p.store != NULL && (e = say_database(p.store, &size)) != ERR_OK)
		x = admin_fault("admin_database", e);
	if (x == ADMIN_DONE)
		healthy = sizes_agree(&p) && healthy;
	admin_peers_close(&p);
	healthy = healthy && x == ADMIN_DONE;
	printf("%-18s %s\n", "healthy", healthy ? "yes" : "no");
	return healthy ? ADMIN_DONE : ADMIN_UNHEALTHY;
}
