#ifndef CA_LIMITS_H
#define CA_LIMITS_H
/* limits.h - every limit of the system, each with its unit and its source. Each is tested at its
 * edge. */

enum {
	/* requests (FORMATS.md section 3) */
	REQUEST_BYTES_MAX = 4 * 1024 * 1024, /* JSON payload of a request */
	JWS_BYTES_MAX = 6 * 1024 * 1024,     /* compact JWS of it: 4/3 and header */
	APPROVAL_BYTES_MAX = 8 * 1024,       /* compact JWS of an approval or query token */
	REQUEST_SEATS_MAX = 5000,
	REQUEST_SERIALS_MAX = 100000, /* serials named one by one in an order */
	ORDER_LIST_MAX = 200000,      /* certificates that a selector may name */
	ORDER_ALONE_MAX = 1000, /* more, or more of one sender's in a day: one official more */
	REQUEST_APPROVALS_MAX = 8,
	JSON_DEPTH_MAX = 6,
	JSON_VALUES_MAX = 256 * 1024, /* brackets and commas: what a JSON text may cost in memory */
	JTI_BYTES_MIN = 22,
	JTI_BYTES_MAX = 64,
	IAT_AHEAD_S_MAX = 300,
	ISSUE_LIFETIME_S_MAX = 24 * 3600,
	ORDER_LIFETIME_S_MAX = 7 * 24 * 3600,
	QUERY_LIFETIME_S_MAX = 300,
	TEXT_BYTES_MAX = 200, /* session id, decision number, reason: bytes of UTF-8 */
	EXAM_LATE_DAYS = 60,
	EXAM_OLD_DAYS = 365,
	NAME_POINTS_MAX = 64, /* code points of a holder's name */
	NAME_BYTES_MAX = 4 * NAME_POINTS_MAX,
	DOCUMENT_BYTES_MAX = 20, /* normalised document number */

	/* records and tokens (FORMATS.md sections 2, 5, 6) */
	RECORD_BYTES_MAX = 1024,
	ENTRY_BYTES_MAX = 512,
	NOTE_BYTES_MAX = 512, /* private note beside an entry */
	QR_TEXT_BYTES_MAX = 4 + (RECORD_BYTES_MAX * 3 + 1) / 2 + 1,
	RECEIPT_BYTES_MAX = 3072,
	BUNDLE_BYTES_MAX = RECORD_BYTES_MAX + RECEIPT_BYTES_MAX + 16,
	MERKLE_PATH_MAX = 63,
	CHECKPOINT_BYTES_MAX = 16 * 1024,
	NOTE_SIGNATURES_MAX = 32,
	LIST_ENTRIES = 1 << 20, /* certificates of one status list */
	LIST_BYTES = LIST_ENTRIES / 4,
	TOKEN_BYTES_MAX = 512 * 1024, /* a status list token, CWT or JWT */
	MANIFEST_BYTES_MAX = 16 * 1024,
	MANIFEST_KEYS_MAX = 64,
	ROSTER_BYTES_MAX = 4 * 1024 * 1024,
	ROSTER_OPERATORS_MAX = 10000,
	HOST_BYTES_MAX = 100,
	CBOR_DEPTH_MAX = 16,

	/* signer (FORMATS.md section 8, DESIGN.md section 4) */
	FRAME_BYTES_MAX = 32 * 1024 * 1024,
	BATCH_CERTIFICATES_MAX = 1000, /* of one transaction, or one larger request */
	ORDER_CHUNK_MAX = 1000,        /* certificates of an order in one transaction */
	ENTRY_AGE_S_MAX = 60,          /* older than the log's newest time: built anew */
	CLOCK_GAP_S_MAX =
	        30 * 24 * 3600, /* from the log's newest time to the start of the signer */
	CLOCK_LEAP_S_MAX = 24 * 3600,

	/* publication (DESIGN.md section 5) */
	CHECKPOINT_INTERVAL_MS_MIN = 250,
	LIST_TTL_S = 3600,
	LIST_LIFETIME_S = 7 * 24 * 3600,
	STATUS_FRESH_S = 24 * 3600, /* check: VALID becomes VALID_AS_OF */
	SEQUENCE_AHEAD_S_MAX = 300,
};
#endif
