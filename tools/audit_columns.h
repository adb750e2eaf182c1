#ifndef TOOLS_AUDIT_COLUMNS_H
#define TOOLS_AUDIT_COLUMNS_H
/* audit_columns.h - every column of schema zz, and what a change of it contradicts. The catalogue
 * of the database must hold exactly these: a new column that nothing here covers is itself a
 * difference. Kinds: EXACT, any other value contradicts signed or hashed bytes; STRUCTURE, any
 * other value contradicts other rows; BOUND, only a value outside of what other times allow is
 * seen; JOURNAL, seen beside the signer's journal (--journal); PEPPER, seen with the pepper
 * (--pepper). */

/* clang-format off */
#define AUDIT_COLUMNS(X) \
	X(HEAD_ID, "log_head", "id", STRUCTURE) \
	X(HEAD_SIZE, "log_head", "size", STRUCTURE) \
	X(HEAD_TIME, "log_head", "time", EXACT) \
	X(ENTRY_IDX, "log_entry", "idx", STRUCTURE) \
	X(ENTRY_BATCH, "log_entry", "batch", JOURNAL) \
	X(ENTRY_ENTRY, "log_entry", "entry", EXACT) \
	X(ENTRY_NOTE, "log_entry", "note", JOURNAL) \
	X(ENTRY_TAG, "log_entry", "tag", JOURNAL) \
	X(REQUEST_ID, "request", "id", EXACT) \
	X(REQUEST_KID, "request", "kid", EXACT) \
	X(REQUEST_JTI, "request", "jti", EXACT) \
	X(REQUEST_TYPE, "request", "type", EXACT) \
	X(REQUEST_CENTER, "request", "center", EXACT) \
	X(REQUEST_SENDER, "request", "sender", EXACT) \
	X(REQUEST_SESSION, "request", "session", EXACT) \
	X(REQUEST_JWS, "request", "jws", EXACT) \
	X(REQUEST_EXP, "request", "exp", EXACT) \
	X(REQUEST_RECEIVED, "request", "received_at", BOUND) \
	X(EVENT_REQUEST, "request_event", "request", STRUCTURE) \
	X(EVENT_SEQ, "request_event", "seq", STRUCTURE) \
	X(EVENT_STATE, "request_event", "state", STRUCTURE) \
	X(EVENT_CODE, "request_event", "code", EXACT) \
	X(EVENT_AT, "request_event", "at", BOUND) \
	X(EVENT_SEAT, "request_event", "seat", EXACT) \
	X(EVENT_OUTCOME, "request_event", "outcome", EXACT) \
	X(APPROVAL_REQUEST, "approval", "request", EXACT) \
	X(APPROVAL_KID, "approval", "kid", EXACT) \
	X(APPROVAL_JTI, "approval", "jti", EXACT) \
	X(APPROVAL_PERSON, "approval", "person", EXACT) \
	X(APPROVAL_JWS, "approval", "jws", EXACT) \
	X(APPROVAL_APPROVE, "approval", "approve", EXACT) \
	X(APPROVAL_EXP, "approval", "exp", EXACT) \
	X(APPROVAL_RECEIVED, "approval", "received_at", BOUND) \
	X(CERT_IDX, "certificate", "idx", EXACT) \
	X(CERT_SERIAL, "certificate", "serial", EXACT) \
	X(CERT_REQUEST, "certificate", "request", EXACT) \
	X(CERT_SEAT, "certificate", "seat", EXACT) \
	X(CERT_HOLDER, "certificate", "holder_key", PEPPER) \
	X(CERT_ITEM, "certificate", "item", EXACT) \
	X(CERT_CENTER, "certificate", "center", EXACT) \
	X(CERT_LIST, "certificate", "list", EXACT) \
	X(CERT_PLACE, "certificate", "list_idx", EXACT) \
	X(CERT_STATUS, "certificate", "status", EXACT) \
	X(CERT_EXP, "certificate", "exp", EXACT) \
	X(CERT_RECORD, "certificate", "record", EXACT) \
	X(CHANGE_IDX, "certificate_event", "idx", EXACT) \
	X(CHANGE_SERIAL, "certificate_event", "serial", EXACT) \
	X(CHANGE_STATUS, "certificate_event", "status", EXACT) \
	X(CHANGE_REASON, "certificate_event", "reason", EXACT) \
	X(CHANGE_EFFECTIVE, "certificate_event", "effective", EXACT) \
	X(CHANGE_UNTIL, "certificate_event", "until", EXACT) \
	X(CHANGE_AT, "certificate_event", "at", EXACT) \
	X(CHANGE_REQUEST, "certificate_event", "request", EXACT) \
	X(CHANGE_BAN, "certificate_event", "ban_until", EXACT) \
	X(LIST_REQUEST, "request_list", "request", STRUCTURE) \
	X(LIST_SERIALS, "request_list", "serials", EXACT) \
	X(LIST_SHA256, "request_list", "sha256", EXACT) \
	X(PENDING_ID, "log_pending", "id", STRUCTURE) \
	X(PENDING_ENTRY, "log_pending", "entry", EXACT) \
	X(PENDING_NOTE, "log_pending", "note", EXACT) \
	X(PENDING_TAG, "log_pending", "tag", EXACT) \
	X(PENDING_CREATED, "log_pending", "created_at", BOUND) \
	X(DONE_PENDING, "log_pending_done", "pending", STRUCTURE) \
	X(DONE_IDX, "log_pending_done", "idx", STRUCTURE) \
	X(VOID_PENDING, "log_pending_void", "pending", STRUCTURE) \
	X(VOID_WHY, "log_pending_void", "why", STRUCTURE) \
	X(PUBLICATION_LIST, "publication", "list", EXACT) \
	X(PUBLICATION_SEQUENCE, "publication", "sequence", EXACT) \
	X(PUBLICATION_CWT, "publication", "cwt", EXACT) \
	X(PUBLICATION_JWT, "publication", "jwt", EXACT) \
	X(PUBLICATION_PENDING, "publication", "pending", STRUCTURE) \
	X(PUBLICATION_CREATED, "publication", "created_at", BOUND) \
	X(MANIFEST_VERSION, "manifest", "version", EXACT) \
	X(MANIFEST_MESSAGE, "manifest", "message", EXACT) \
	X(MANIFEST_SHA256, "manifest", "sha256", EXACT) \
	X(MANIFEST_CREATED, "manifest", "created_at", BOUND) \
	X(ROSTER_VERSION, "roster", "version", EXACT) \
	X(ROSTER_JWS, "roster", "jws", EXACT) \
	X(ROSTER_SHA256, "roster", "sha256", EXACT) \
	X(ROSTER_CREATED, "roster", "created_at", BOUND) \
	X(MIGRATION_VERSION, "schema_migration", "version", EXACT) \
	X(MIGRATION_NAME, "schema_migration", "name", EXACT) \
	X(MIGRATION_SHA256, "schema_migration", "sha256", EXACT) \
	X(MIGRATION_APPLIED, "schema_migration", "applied_at", BOUND)
/* clang-format on */

enum audit_column {
#define X(id, table, column, kind) AUDIT_##id,
	AUDIT_COLUMNS(X)
#undef X
	        AUDIT_COLUMN_COUNT
};
const char *audit_table(enum audit_column c);
const char *audit_column(enum audit_column c);
const char *audit_kind(enum audit_column c);
#endif
