/* store_sql.c - every statement that a process may run, with the roles that prepare it. Parameters
 * are binary, absent numbers are -1 (nullif, coalesce), many rows are one statement (unnest). No
 * literal of a caller ever enters SQL. */
#include "store_sql.h"
#include "pg.h"

enum { I = 1 << STORE_ISSUER, P = 1 << STORE_PUBLISH, A = 1 << STORE_ADMIN };

#define REQUEST_HEAD "SELECT r.id, r.kid, r.jti, r.type, r.center, r.sender, r.session, "
#define REQUEST_TAIL ", r.exp, r.received_at, e.request, e.state, e.code, e.at, e.seat, e.outcome "
#define REQUEST_NEWEST                                                                             \
	"FROM zz.request r CROSS JOIN LATERAL (SELECT v.request, v.state, v.code, v.at, v.seat, "  \
	"v.outcome"                                                                                \
	" FROM zz.request_event v WHERE v.request = r.id ORDER BY v.seq DESC LIMIT 1) e "
/* a request waits at most 7 days, so the partial index on the time of waiting bounds the search */
#define REQUEST_WAITS                                                                              \
	"FROM zz.request_event e JOIN zz.request r ON r.id = e.request WHERE e.state = 'waiting' " \
	"AND NOT EXISTS (SELECT FROM zz.request_event n WHERE n.request = e.request AND n.seq > "  \
	"e.seq) "
#define APPROVAL                                                                                   \
	"SELECT a.request, a.kid, a.jti, a.person, a.jws, a.approve, a.exp, a.received_at"         \
	" FROM zz.approval a"
#define CERTIFICATE                                                                                \
	"SELECT c.idx, c.serial, c.request, c.seat, c.holder_key, c.item, c.center, c.list, "      \
	"c.list_idx, c.status, c.exp, c.record "
#define CHANGE                                                                                     \
	"SELECT v.idx, v.serial, v.status, coalesce(v.reason, -1), v.effective, "                  \
	"coalesce(v.until, -1), v.at, v.request"                                                   \
	" FROM zz.certificate_event v "

#define SELECTED "SELECT c.serial, c.center, c.item, c.status "
#define SELECTED_FITS                                                                              \
	"($1::text = '' OR c.center = $1) AND ($2::text = '' OR c.item = $2) ORDER BY c.serial "   \
	"LIMIT $5::int8"

static const struct {
	int roles;
	const char *sql;
} table[SQL_COUNT] = {
        [SQL_HEAD] = {I | P | A, "SELECT size, time FROM zz.log_head WHERE id = 1"},
        [SQL_HEAD_LOCK] = {I | A, "SELECT size, time FROM zz.log_head WHERE id = 1 FOR UPDATE"},
        [SQL_HEAD_UPDATE] = {I | A, "UPDATE zz.log_head SET size = $2::int8, time = $3::int8 WHERE "
                                    "id = 1 AND size = $1::int8"},
        /* a session of this role that has held the head for 10 s and waits for nothing itself: one
         * whose COMMIT waits for the standby is left alone, ending it would show what is only here
         */
        [SQL_HEAD_HOLDER_END] = {I,
                "SELECT pg_catalog.pg_terminate_backend(l.pid) FROM pg_catalog.pg_locks l"
                " JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid"
                " WHERE l.relation = 'zz.log_head'::regclass AND l.mode = 'RowShareLock' AND "
                "l.granted"
                " AND a.datname = current_database() AND a.usename = current_user AND a.pid <> "
                "pg_backend_pid()"
                " AND a.wait_event IS DISTINCT FROM 'SyncRep'"
                " AND a.xact_start < clock_timestamp() - interval '10 seconds'"
                " AND NOT EXISTS (SELECT FROM pg_catalog.pg_locks w WHERE w.pid = l.pid AND NOT "
                "w.granted)"},
        [SQL_SYNCHRONOUS] = {I | A,
                "SELECT (current_setting('synchronous_standby_names') <> '')::int::int8"},

        [SQL_REQUEST_FIND] = {I, REQUEST_HEAD "r.jws" REQUEST_TAIL REQUEST_NEWEST
                                              "WHERE r.kid = $1::text AND r.jti = $2::text"},
        [SQL_REQUEST_GET] = {I | A,
                REQUEST_HEAD "r.jws" REQUEST_TAIL REQUEST_NEWEST "WHERE r.id = $1::bytea"},
        [SQL_WAITING] = {I, REQUEST_HEAD "''::bytea" REQUEST_TAIL REQUEST_WAITS
                                         "AND e.at > $1::int8 - 8 * 86400 AND r.exp > $1 AND "
                                         "($2::text = '' OR r.center = $2)"
                                         " ORDER BY r.received_at, r.id LIMIT $3::int8"},
        [SQL_LAPSING] = {I, REQUEST_HEAD "''::bytea" REQUEST_TAIL REQUEST_WAITS
                                         "AND e.at > $1::int8 - 60 * 86400 AND r.exp <= $1 AND "
                                         "($2::text = '' OR r.center = $2)"
                                         " ORDER BY r.received_at, r.id LIMIT $3::int8"},
        /* begun by one signature, on hold still, and nothing came after it */
        [SQL_HOLDS_WAITING] = {I, REQUEST_HEAD
                "''::bytea" REQUEST_TAIL REQUEST_NEWEST
                "WHERE r.type = 'suspend' AND e.state = 'executed' AND r.exp > $1::int8"
                " AND r.received_at > $1 - 8 * 86400"
                " AND NOT EXISTS (SELECT FROM zz.approval a WHERE a.request = r.id AND a.approve)"
                " AND EXISTS (SELECT FROM zz.certificate_event v JOIN zz.certificate c"
                " ON c.serial = v.serial WHERE v.request = r.id AND v.status = 2 AND c.status = 2"
                " AND v.until > $1 AND NOT EXISTS (SELECT FROM zz.certificate_event n"
                " WHERE n.serial = v.serial AND n.idx > v.idx))"
                " ORDER BY r.received_at, r.id LIMIT $2::int8"},
        [SQL_APPROVED] = {I, REQUEST_HEAD
                "r.jws" REQUEST_TAIL "FROM zz.request_event e JOIN zz.request r ON r.id = e.request"
                " WHERE e.state = 'approved' AND e.at > $1::int8 - 30 * 86400 AND NOT EXISTS"
                " (SELECT FROM zz.request_event n WHERE n.request = e.request AND n.seq > e.seq)"
                " ORDER BY e.at, r.id LIMIT $2::int8"},
        [SQL_REQUESTS_PUT] = {I, "INSERT INTO zz.request (id, kid, jti, type, center, sender, "
                                 "session, jws, exp, received_at)"
                                 " SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[], "
                                 "$4::text[], $5::text[], $6::text[], $7::text[],"
                                 " $8::bytea[], $9::int8[], $10::int8[])"},
        /* seats and outcomes of all events follow each other in $8 and $9: each takes its slice */
        [SQL_EVENTS_PUT] = {I,
                "INSERT INTO zz.request_event (request, seq, state, code, at, seat, outcome)"
                " SELECT e.request, CASE WHEN e.first THEN 1 ELSE 1 + coalesce((SELECT max(p.seq)"
                " FROM zz.request_event p WHERE p.request = e.request), 0) END,"
                " e.state, e.code, e.at, ($8::int4[])[e.low:e.high], ($9::int2[])[e.low:e.high]"
                " FROM unnest($1::bytea[], $2::bool[], $3::text[], $4::text[], $5::int8[], "
                "$6::int4[], $7::int4[])"
                " AS e (request, first, state, code, at, low, high)"},
        [SQL_APPROVALS] = {I,
                APPROVAL " WHERE a.request = $1::bytea ORDER BY a.received_at, a.kid"},
        [SQL_APPROVAL_FIND] = {I, APPROVAL " WHERE a.kid = $1::text AND a.jti = $2::text"},
        [SQL_APPROVAL_PUT] = {I, "INSERT INTO zz.approval (request, kid, jti, person, jws, "
                                 "approve, exp, received_at)"
                                 " VALUES ($1::bytea, $2::text, $3::text, $4::text, $5::bytea, "
                                 "$6::bool, $7::int8, $8::int8)"},

        [SQL_REQUEST_CERTIFICATES] = {I, CERTIFICATE
                "FROM zz.certificate c WHERE c.request = $1::bytea ORDER BY c.seat, c.idx"},
        [SQL_RECORDS] = {I | P | A,
                CERTIFICATE "FROM unnest($1::bytea[]) WITH ORDINALITY AS k (serial, n)"
                            " JOIN zz.certificate c ON c.serial = k.serial ORDER BY k.n"},
        [SQL_CERTIFICATE_AT] = {I, CERTIFICATE "FROM zz.certificate c WHERE c.idx = $1::int8"},
        [SQL_HOLDER] = {I,
                CERTIFICATE "FROM zz.certificate c WHERE c.holder_key = $1::bytea ORDER BY c.idx"},
        [SQL_CERTIFICATE_CHANGES] = {I | P, CHANGE "WHERE v.serial = $1::bytea ORDER BY v.idx"},
        [SQL_REQUEST_CHANGES] = {I, CHANGE "WHERE v.request = $1::bytea ORDER BY v.idx"},

        [SQL_SELECT] = {I, SELECTED "FROM zz.certificate c WHERE c.serial >= $3::bytea AND "
                                    "c.serial < $4::bytea AND " SELECTED_FITS},
        [SQL_SELECT_REQUEST] = {I,
                SELECTED "FROM zz.certificate c WHERE c.request = $6::bytea AND c.serial >= "
                         "$3::bytea AND c.serial < $4::bytea AND " SELECTED_FITS},
        [SQL_SELECT_SERIALS] = {I,
                SELECTED "FROM unnest($1::bytea[]) AS k (serial) JOIN zz.certificate c ON "
                         "c.serial = k.serial ORDER BY c.serial"},
        [SQL_LIST_PUT] = {I, "INSERT INTO zz.request_list (request, serials, sha256) VALUES "
                             "($1::bytea, $2::bytea, sha256($2))"},
        [SQL_LIST_GET] = {I, "SELECT l.serials, l.sha256 FROM zz.request_list l WHERE "
                             "l.request = $1::bytea"},
        [SQL_CHANGED_COUNT] = {I, "SELECT count(DISTINCT v.serial) FROM zz.certificate_event v "
                                  "WHERE v.request = $1::bytea"},
        [SQL_BULK_LOCK] = {I, "SELECT pg_try_advisory_lock(hashtext('zz.bulk'))::int::int8"},

        [SQL_KNOWN] = {I, "SELECT f.n, f.id, e.state FROM"
                          " (SELECT k.n, r.id FROM unnest($1::text[], $2::text[]) WITH "
                          "ORDINALITY AS k (kid, jti, n)"
                          " JOIN zz.request r ON r.kid = k.kid AND r.jti = k.jti) f"
                          " CROSS JOIN LATERAL (SELECT v.state FROM zz.request_event v WHERE "
                          "v.request = f.id ORDER BY v.seq DESC LIMIT 1) e"
                          " ORDER BY f.n, f.id"},
        /* a ban is of the person, whatever the item */
        [SQL_HOLDERS] = {I,
                "SELECT k.n, coalesce(h.held, false), coalesce(h.banned, false)"
                " FROM unnest($1::bytea[], $2::text[], $3::bytea[]) WITH ORDINALITY AS k"
                " (holder_key, item, follows, n)"
                " CROSS JOIN LATERAL (SELECT bool_or(c.item = k.item AND c.status IN (0, 2)"
                " AND c.exp > $4::int8 AND c.serial <> k.follows) AS held,"
                " bool_or(CASE WHEN c.status = 1 THEN EXISTS (SELECT FROM zz.certificate_event v"
                " WHERE v.serial = c.serial AND v.ban_until > $5::int8) END) AS banned"
                " FROM zz.certificate c WHERE c.holder_key = k.holder_key) h"
                " WHERE h.held OR h.banned ORDER BY k.n"},
        /* w: a window larger than any batch; s: its batches with their sizes; a batch counts when
           it is whole */
        [SQL_ENTRIES_FROM] = {I | A,
                "WITH w AS MATERIALIZED (SELECT e.idx, e.batch, e.entry, e.note, e.tag, "
                "coalesce(c.record, '') AS record"
                " FROM zz.log_entry e LEFT JOIN zz.certificate c ON c.idx = e.idx"
                " WHERE e.idx >= $1::int8 AND e.idx < $1 + 32768),"
                " s AS (SELECT b.batch, b.until, sum(b.n) OVER (ORDER BY b.batch) AS total FROM"
                " (SELECT w.batch, max(w.idx) + 1 AS until,"
                " sum(octet_length(w.entry) + octet_length(w.note) + octet_length(w.record) + 32) "
                "AS n FROM w GROUP BY w.batch) b),"
                " l AS (SELECT max(s.until) AS until FROM s WHERE (s.total <= $2::int8 OR s.batch "
                "= (SELECT min(f.batch) FROM s f))"
                " AND (EXISTS (SELECT FROM zz.log_entry x WHERE x.idx = s.until AND x.batch = "
                "s.until)"
                " OR s.until = (SELECT h.size FROM zz.log_head h WHERE h.id = 1)))"
                " SELECT w.idx, w.batch, w.entry, w.note, w.tag, w.record FROM w, l WHERE w.idx < "
                "l.until ORDER BY w.idx"},
        [SQL_LOG_FROM] = {I | P | A,
                "SELECT e.idx, e.batch, e.entry, e.note, e.tag, ''::bytea FROM zz.log_entry e"
                " WHERE e.idx >= $1::int8 ORDER BY e.idx LIMIT $2::int8"},
        /* ids may commit out of order, but none stays open while ten thousand later ones are
           appended */
        [SQL_PENDING] = {I | A,
                "SELECT p.id, p.entry, p.note, p.tag FROM zz.log_pending p"
                " WHERE p.id > coalesce((SELECT max(m.pending) FROM zz.log_pending_done m), 0) - "
                "10000"
                " AND NOT EXISTS (SELECT FROM zz.log_pending_done d WHERE d.pending = p.id)"
                " AND NOT EXISTS (SELECT FROM zz.log_pending_void v WHERE v.pending = p.id) ORDER "
                "BY p.id LIMIT $1::int8"},
        [SQL_PENDING_VOID] = {I | P,
                "INSERT INTO zz.log_pending_void (pending, why) VALUES ($1::int8, $2::text)"},
        [SQL_PENDING_DONE] = {I, "INSERT INTO zz.log_pending_done (pending, idx) SELECT * FROM "
                                 "unnest($1::int8[], $2::int8[])"},
        [SQL_ENTRIES_PUT] = {I | A, "INSERT INTO zz.log_entry (idx, batch, entry, note, tag) "
                                    "SELECT $1::int8 + e.n - 1, $1, e.entry, e.note, e.tag"
                                    " FROM unnest($2::bytea[], $3::bytea[], $4::bytea[]) WITH "
                                    "ORDINALITY AS e (entry, note, tag, n)"},
        [SQL_CERTIFICATES_PUT] = {I | A,
                "INSERT INTO zz.certificate (idx, serial, request, seat, holder_key, item, center, "
                "list, list_idx, exp, record)"
                " SELECT * FROM unnest($1::int8[], $2::bytea[], $3::bytea[], $4::int4[], "
                "$5::bytea[], $6::text[], $7::text[],"
                " $8::int4[], $9::int4[], $10::int8[], $11::bytea[])"},
        [SQL_CHANGES_PUT] = {I | A,
                "INSERT INTO zz.certificate_event (idx, serial, status, reason, effective, until, "
                "at, request, ban_until)"
                " SELECT e.idx, e.serial, e.status, nullif(e.reason, -1), e.effective, "
                "nullif(e.until, -1), e.at, e.request, CASE WHEN e.ban_until > 0 THEN e.ban_until "
                "END"
                " FROM unnest($1::int8[], $2::bytea[], $3::int2[], $4::int2[], $5::int4[], "
                "$6::int8[], $7::int8[], $8::bytea[], $9::int4[])"
                " AS e (idx, serial, status, reason, effective, until, at, request, ban_until)"},
        /* several changes of one certificate: the last one counts */
        [SQL_STATUS_UPDATE] = {I | A, "UPDATE zz.certificate c SET status = u.status FROM (SELECT "
                                      "DISTINCT ON (e.serial) e.serial, e.status"
                                      " FROM unnest($1::int8[], $2::bytea[], $3::int2[]) AS e "
                                      "(idx, serial, status) ORDER BY e.serial, e.idx DESC) u"
                                      " WHERE c.serial = u.serial AND c.status <> u.status"},

        /* list + 0: no index may tempt the planner to visit the whole table in random order */
        [SQL_LIST_COUNTS] = {P | A,
                "SELECT c.list + 0, count(*), count(*) FILTER (WHERE c.status = 0), count(*) "
                "FILTER (WHERE c.status = 1),"
                " count(*) FILTER (WHERE c.status = 2), count(*) FILTER (WHERE c.status = 3)"
                " FROM zz.certificate c GROUP BY c.list + 0 ORDER BY 1"},
        [SQL_PENDING_PUT] = {P | A, "INSERT INTO zz.log_pending (entry, note, tag, created_at) "
                                    "VALUES ($1::bytea, $2::bytea, $3::bytea, $4::int8)"
                                    " ON CONFLICT DO NOTHING RETURNING id"},
        [SQL_PENDING_BY_TAG] = {P | A, "SELECT p.id FROM zz.log_pending p WHERE p.tag = $1::bytea"},
        [SQL_PENDING_STATE] = {I | P | A,
                "SELECT CASE WHEN d.idx IS NOT NULL THEN 2 WHEN v.pending IS NOT NULL THEN 3 ELSE "
                "1 END, coalesce(d.idx, 0)"
                " FROM zz.log_pending p LEFT JOIN zz.log_pending_done d ON d.pending = p.id"
                " LEFT JOIN zz.log_pending_void v ON v.pending = p.id WHERE p.id = $1::int8"},
        [SQL_PUBLICATION_PUT] = {P,
                "INSERT INTO zz.publication (list, sequence, cwt, jwt, pending, created_at)"
                " VALUES ($1::int4, $2::int8, $3::bytea, $4::bytea, $5::int8, $6::int8)"},
        [SQL_PUBLICATION_LATEST] = {I | P,
                "SELECT b.list, b.sequence, b.cwt, b.jwt, b.pending,"
                " CASE WHEN d.idx IS NOT NULL THEN 2 WHEN v.pending IS NOT NULL THEN 3 ELSE 1 END, "
                "coalesce(d.idx, 0)"
                " FROM zz.publication b LEFT JOIN zz.log_pending_done d ON d.pending = b.pending"
                " LEFT JOIN zz.log_pending_void v ON v.pending = b.pending"
                " WHERE b.list = $1::int4 AND (NOT $2::bool OR d.idx IS NOT NULL) ORDER BY "
                "b.sequence DESC LIMIT 1"},
        [SQL_ROSTER_GET] = {I | P | A, "SELECT t.version, t.jws, t.sha256 FROM zz.roster t WHERE "
                                       "t.version = $1::int8 OR $1 = 0"
                                       " ORDER BY t.version DESC LIMIT 1"},
        [SQL_MANIFEST_GET] = {I | P | A, "SELECT t.version, t.message, t.sha256 FROM zz.manifest t "
                                         "WHERE t.version = $1::int8 OR $1 = 0"
                                         " ORDER BY t.version DESC LIMIT 1"},
        [SQL_ROSTER_PUT] = {A, "INSERT INTO zz.roster (version, jws, sha256, created_at) VALUES "
                               "($1::int8, $2::bytea, $3::bytea, $4::int8)"},
        [SQL_MANIFEST_PUT] = {A, "INSERT INTO zz.manifest (version, message, sha256, created_at)"
                                 " VALUES ($1::int8, $2::bytea, $3::bytea, $4::int8)"},
        [SQL_COUNTS] = {A,
                "SELECT 'approval', count(*) FROM zz.approval UNION ALL SELECT 'certificate', "
                "count(*) FROM zz.certificate"
                " UNION ALL SELECT 'certificate_event', count(*) FROM zz.certificate_event"
                " UNION ALL SELECT 'log_entry', count(*) FROM zz.log_entry"
                " UNION ALL SELECT 'log_pending', count(*) FROM zz.log_pending"
                " UNION ALL SELECT 'log_pending_done', count(*) FROM zz.log_pending_done"
                " UNION ALL SELECT 'log_pending_void', count(*) FROM zz.log_pending_void"
                " UNION ALL SELECT 'manifest', count(*) FROM zz.manifest"
                " UNION ALL SELECT 'publication', count(*) FROM zz.publication"
                " UNION ALL SELECT 'request', count(*) FROM zz.request"
                " UNION ALL SELECT 'request_event', count(*) FROM zz.request_event"
                " UNION ALL SELECT 'request_list', count(*) FROM zz.request_list"
                " UNION ALL SELECT 'roster', count(*) FROM zz.roster"},
        [SQL_RECOVER_DONE] = {A,
                "INSERT INTO zz.log_pending_done (pending, idx) SELECT p.id, $1::int8 + e.n - 1"
                " FROM unnest($2::bytea[]) WITH ORDINALITY AS e (tag, n) JOIN zz.log_pending p ON "
                "p.tag = e.tag"
                " WHERE NOT EXISTS (SELECT FROM zz.log_pending_done d WHERE d.pending = p.id)"
                " AND NOT EXISTS (SELECT FROM zz.log_pending_void v WHERE v.pending = p.id)"},
};

size_t
store_sql_of(enum store_role role, struct pg_statement *out)
{
	size_t n = 0;
	for (unsigned i = 0; i < SQL_COUNT; i++)
		if (table[i].roles & (1 << role))
			out[n++] = (struct pg_statement){.id = i, .sql = table[i].sql};
	return n;
}
