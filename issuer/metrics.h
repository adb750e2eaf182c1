#ifndef ISSUER_METRICS_H
#define ISSUER_METRICS_H
/* metrics.h - every counter and gauge in one table, and their Prometheus text (exposition format
 * 0.0.4). Columns: constant, type, series name, label pair or "", unit factor as text ("1", or
 * "1e-6": counted in microseconds, shown in seconds), help. Rows of one series follow each other.
 */
#include "bytes.h"

#include <stdatomic.h>

/* clang-format off */
#define METRICS_LIST(X) \
	X(METRIC_HTTP_2XX, counter, "zz_http_requests_total", "class=\"2xx\"", "1", "HTTP answers by class of status") \
	X(METRIC_HTTP_3XX, counter, "zz_http_requests_total", "class=\"3xx\"", "1", "") \
	X(METRIC_HTTP_4XX, counter, "zz_http_requests_total", "class=\"4xx\"", "1", "") \
	X(METRIC_HTTP_5XX, counter, "zz_http_requests_total", "class=\"5xx\"", "1", "") \
	X(METRIC_HTTP_REFUSED, counter, "zz_http_refused_total", "", "1", "HTTP messages refused for their form") \
	X(METRIC_HTTP_CUT, counter, "zz_http_cut_total", "", "1", "connections cut at their deadline") \
	X(METRIC_HTTP_CONNECTIONS, gauge, "zz_http_connections", "", "1", "open HTTP connections") \
	X(METRIC_HTTP_BUSY, gauge, "zz_http_exchanges", "", "1", "requests that a worker holds") \
	X(METRIC_HTTP_TIME, counter, "zz_http_seconds_total", "", "1e-6", "time from request line to answer, summed") \
	X(METRIC_ISSUED, counter, "zz_certificates_issued_total", "", "1", "certificates issued") \
	X(METRIC_SEATS_REFUSED, counter, "zz_seats_refused_total", "", "1", "seats refused") \
	X(METRIC_STATUS_CHANGED, counter, "zz_status_changes_total", "", "1", "changes of status appended") \
	X(METRIC_REQUESTS_DONE, counter, "zz_requests_total", "state=\"done\"", "1", "signed requests by what became of them") \
	X(METRIC_REQUESTS_WAIT, counter, "zz_requests_total", "state=\"waits\"", "1", "") \
	X(METRIC_REQUESTS_REFUSED, counter, "zz_requests_total", "state=\"refused\"", "1", "") \
	X(METRIC_REQUESTS_REPEATED, counter, "zz_requests_total", "state=\"repeated\"", "1", "") \
	X(METRIC_QUEUE, gauge, "zz_queue_requests", "", "1", "requests that wait for the writer") \
	X(METRIC_QUEUE_FULL, counter, "zz_queue_full_total", "", "1", "requests answered 429") \
	X(METRIC_BATCHES, counter, "zz_batches_total", "", "1", "transactions of the writer") \
	X(METRIC_BATCH_ENTRIES, counter, "zz_batch_entries_total", "", "1", "log entries in them") \
	X(METRIC_BATCH_TIME, counter, "zz_batch_seconds_total", "", "1e-6", "time of those transactions, summed") \
	X(METRIC_COMMIT_FAILED, counter, "zz_commit_failures_total", "", "1", "transactions that did not commit or whose outcome was read back") \
	X(METRIC_SIGNER_FAILED, counter, "zz_signer_failures_total", "", "1", "calls of the signer that failed") \
	X(METRIC_SIGNER_TIME, counter, "zz_signer_seconds_total", "", "1e-6", "time in calls of the signer, summed") \
	X(METRIC_DATABASE_FAILED, counter, "zz_database_failures_total", "", "1", "statements that failed or connections lost") \
	X(METRIC_LOG_SIZE, gauge, "zz_log_size", "", "1", "entries in the log, as last seen") \
	X(METRIC_PUBLISHED_SIZE, gauge, "zz_published_size", "", "1", "tree size of the newest published head, as last seen") \
	X(METRIC_PUBLISHED_AT, gauge, "zz_published_timestamp_seconds", "", "1", "time of the newest published head") \
	X(METRIC_KEY_RECORD, gauge, "zz_key_ends_timestamp_seconds", "purpose=\"record\"", "1", "until when keys of the manifest in force sign without a gap") \
	X(METRIC_KEY_STATUS, gauge, "zz_key_ends_timestamp_seconds", "purpose=\"status\"", "1", "") \
	X(METRIC_KEY_LOG, gauge, "zz_key_ends_timestamp_seconds", "purpose=\"log\"", "1", "") \
	X(METRIC_KEY_CRL, gauge, "zz_key_ends_timestamp_seconds", "purpose=\"crl\"", "1", "") \
	X(METRIC_START_AT, gauge, "zz_start_timestamp_seconds", "", "1", "time of the start of the process")
/* clang-format on */

enum metric {
#define X(id, type, name, label, unit, help) id,
	METRICS_LIST(X)
#undef X
	        METRICS_COUNT
};

/* Zeroed by metrics_init; then any thread at any time. */
struct metrics {
	_Atomic uint64_t at[METRICS_COUNT];
};

enum { METRICS_TEXT_MAX = 16 * 1024 };

void metrics_init(struct metrics *m);
/* m may be NULL: then nothing is counted. */
void metrics_add(struct metrics *m, enum metric which, uint64_t n);
void metrics_sub(struct metrics *m, enum metric which, uint64_t n); /* gauges */
void metrics_set(struct metrics *m, enum metric which, uint64_t n); /* gauges */
uint64_t metrics_get(const struct metrics *m, enum metric which);
/* text/plain; version=0.0.4. ERR_LIMIT when `out` has less than METRICS_TEXT_MAX. */
MUST_USE enum err metrics_text(const struct metrics *m, struct buf *out);
#endif
