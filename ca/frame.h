#ifndef CA_FRAME_H
#define CA_FRAME_H
/* clang-format off */
/* frame.h - the signer protocol: u32 length (of what follows), u8 version 1, u8 type, one CBOR
 * array. Source: FORMATS.md section 8. The bodies, request -> answer:
 *
 * ISSUE      [jws, [approval jws …], [record …]] -> [answer number, request hash, [seat row …]]
 *            a record, or null where it is unknown, for each seat with `follows`, or the one that
 *            `replace` names. seat row [seat, outcome, record|null, entry|null, note|null,
 *            tag|null, null|[entry, note, tag] that ends the followed one, directly after]
 * ORDER      [jws, [list], [approval jws …], [record …]] -> [answer number, request hash, [order row …]]
 *            the list that a selector was frozen to (16 B a serial, ascending), or none; an order
 *            above ORDER_CHUNK_MAX comes chunk by chunk. order row [cti, outcome, date of the first decision|null, entry|null, note|null,
 *            tag|null]
 * PREPARE    [size, [[entry, note, tag] …]] -> [size, [[position, error word] …]]: build those anew
 * EXTEND     [size, [[entry, note, tag, record|null] …]] -> [size, root, time, receipt protected,
 *            signature] (the last two null while nothing may be signed)
 * STATE      [checkpoint note|null] -> [size, root, log time, [frontier hash …], manifest version,
 *            manifest SHA-256, roster version, roster SHA-256, field data SHA-256, problem word,
 *            [list row …], held manifest, held roster, last table, last head]
 *            list row [list, sequence, dirty, this update, previous CWT SHA-256]; problem "ok" when
 *            it may sign; held: newest version the signer holds a file of (it may wait for its
 *            entry); table and head: CWTs signed last, empty when none
 * LIST       [list] -> [list, sequence, cwt, jwt, entry, note, tag]
 * TABLE      [size of the newest checkpoint] -> [sequence, cwt]
 * DELTA      [time] -> [base, sequence, cwt]: base the newest head at or before, else the oldest
 * HEAD       [[base …]] -> [sequence, cwt]: names the deltas of that table from those bases
 * CRL        [list] -> [list, number, der]
 * CHECKPOINT [size] -> [note, receipt head]
 * INIT       [last checkpoint of the log before|null] -> [entry, note, tag]
 * ROSTER     [jws] -> [entry, note, tag]
 * MANIFEST   [cose] -> [entry, note, tag]
 * CUTOFF     [kid, last valid tree size|null, reason] -> [entry, note, tag]
 * KEYS       [purpose word|null] -> [[[purpose word, COSE_Key, CRL CA certificate, dropped] …],
 *            [[kid, last valid tree size] …]]: the keys held, after one more was made where a
 *            purpose is named; the certificate is empty but for crl; then what the log cut off
 * RECOVER    [size] -> [size, [[entry, note, tag, record|null] …]]: journal frames from that size,
 *            bounded
 * any        -> ERROR [error word, detail] */
/* clang-format on */
#include "bytes.h"

enum frame_type {
	FRAME_ISSUE = 1,
	FRAME_ORDER,
	FRAME_LAPSE,
	FRAME_PREPARE,
	FRAME_EXTEND,
	FRAME_STATE,
	FRAME_LIST,
	FRAME_TABLE,
	FRAME_HEAD,
	FRAME_DELTA,
	FRAME_CRL,
	FRAME_CHECKPOINT,
	FRAME_INIT,
	FRAME_ROSTER,
	FRAME_MANIFEST,
	FRAME_CUTOFF,
	FRAME_RECOVER,
	FRAME_KEYS,
	FRAME_ANSWER = 0x40,
	FRAME_ERROR = 0x41
};
enum { FRAME_HEAD_BYTES = 6, FRAME_VERSION = 1 };

/* What came of a stream and was not taken yet: several small frames cost one call of the system.
 * Zero it and set fd; frame_in_end is due. */
struct frame_in {
	int fd;
	uint8_t *room; /* grown up to the limit of a frame's type */
	size_t room_n, first, end;
};
/* The body lives until the next call. ERR_TRUNCATED at a clean end of the stream, ERR_PROTOCOL,
 * ERR_LIMIT, ERR_SIGNER on a read error or time-out, ERR_MEMORY. */
MUST_USE enum err frame_read(struct frame_in *in, enum frame_type *type, struct bytes *body);
/* The next frame_read will not wait: a whole frame is here, or one that is refused. */
bool frame_waiting(const struct frame_in *in);
void frame_in_end(struct frame_in *in); /* frees; the stream stays open */

/* The head before a body of n bytes. */
void frame_head_put(uint8_t head[FRAME_HEAD_BYTES], enum frame_type type, size_t n);
/* Sends all of it: one frame or several. ERR_SIGNER. */
MUST_USE enum err frame_send(int fd, struct bytes frames);
size_t frame_limit(
        enum frame_type type); /* largest body of a request of that type; 0 for an unknown type */
#endif
