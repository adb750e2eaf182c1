#ifndef CA_AUTHORITY_KEY_H
#define CA_AUTHORITY_KEY_H
/* authority_key.h - the keys of the signer, several for a purpose. Which of them signs follows from
 * the manifest in force, the cut-offs in the log and the time, at each signature anew: never from
 * what signed before. Sources: FORMATS.md section 7, DESIGN.md section 4. */
#include "key.h"

#include <stddef.h>

enum { AUTHORITY_KEYS_MAX = 64 };

struct authority_key {
	enum key_purpose purpose;
	struct key *key;
	uint8_t *ca; /* of a CRL key: its certificate, DER */
	size_t ca_n;
	bool dropped; /* its cut-off was asked for: here it never signs again */
};

struct authority_keys {
	struct authority_key rows[AUTHORITY_KEYS_MAX];
	size_t count;
	int64_t signed_at;           /* the newest time at which a key was chosen */
	int64_t alarm_next;          /* UTC seconds; 0: at once */
	int alarm_said[KEY_REQUEST]; /* level told last, by purpose */
	int64_t alarm_said_at[KEY_REQUEST];
};

struct authority;
struct call;

/* PURPOSE.pem, which zz-admin init made, status-sm2.pem and log-sm2.pem where the root is an SM2
 * key (load it first), and PURPOSE-KID.pem of later keys. Says what is wrong. */
MUST_USE enum err authority_keys_open(struct authority *a);
void authority_keys_close(struct authority_keys *keys);
/* The key that signs for a purpose at `now`: of those held here, in validity by the manifest in
 * force and not cut off, the one that begins last. ERR_RECORD_KEY when there is none. Lock held. */
MUST_USE enum err authority_key_at(struct authority *a, enum key_purpose purpose, int64_t now,
        const struct authority_key **out);
/* An SM2 key for status or log: it signs beside the other, since lists know ES256 and notes
 * Ed25519, and the function above passes over it. */
bool authority_key_beside(const struct authority_key *k);
/* Of those keys. Lock held. */
MUST_USE enum err authority_key_sm2_at(struct authority *a, enum key_purpose purpose, int64_t now,
        const struct authority_key **out);
/* May it sign at `now`? Lock held. */
bool authority_key_signs(const struct authority *a, const struct authority_key *k, int64_t now);
/* Held under that kid and purpose, whether it may sign or not; NULL. */
const struct authority_key *authority_key_held(
        const struct authority *a, enum key_purpose purpose, struct bytes kid);
/* Until when keys for that purpose sign without a gap; `now` when none does. Lock held. */
int64_t authority_key_end(const struct authority *a, enum key_purpose purpose, int64_t now);
/* Log lines where less than 30, 7 or 1 days are left, or nothing; each level at once, and then
 * daily. To be called every second or so; looks once an hour. Takes the lock. */
void authority_key_alarms(struct authority *a, int64_t now);

/* KEYS: all keys held, after one more was made where a purpose is named (status-sm2, log-sm2: of
 * those beside the other). */
enum err authority_keys(struct authority *a, struct call *c);
/* CUTOFF: entry 6 of a key of the manifest in force. From the question on it signs nothing here. */
enum err authority_cutoff(struct authority *a, struct call *c);
#endif
