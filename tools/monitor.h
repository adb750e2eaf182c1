#ifndef TOOLS_MONITOR_H
#define TOOLS_MONITOR_H
/* monitor.h - watches an authority from outside: reads every new log entry, folds the entries of
 * status into lists of its own, and compares with what is published. Needs the root key and a URL,
 * no rights. Sources: FORMATS.md sections 5 to 7. For zz-monitor.c and its tests. */
#include "entry.h"
#include "merkle.h"
#include "verify_sync.h"

#include <jansson.h>
#include <stdio.h>

/* clang-format off */
#define ALARM_LIST(X) \
	X(ALARM_MANIFEST, "manifest", "the manifest is not signed by the root key, or is not the logged one", "密钥清单未经根密钥签署，或与日志所载不符") \
	X(ALARM_CHECKPOINT, "checkpoint", "the checkpoint is not signed by the log", "检查点未经日志密钥签署") \
	X(ALARM_QUORUM, "quorum", "too few witnesses stand under the checkpoint", "检查点的见证签名数量不足") \
	X(ALARM_ROLLBACK, "rollback", "something older than what was seen is published", "发布的内容比已见过的旧") \
	X(ALARM_FORK, "fork", "the log contradicts what was seen of it: two histories", "日志与此前所见相矛盾：存在两套历史") \
	X(ALARM_ENTRIES, "entries", "the entries are not those of the checkpoint", "日志条目与检查点不符") \
	X(ALARM_UNDONE, "undone", "a revocation was taken back", "已作出的撤销被收回") \
	X(ALARM_LIST_FOLD, "list_fold", "a logged list is not what the logged decisions make", "登记的状态列表与已登记的决定不符") \
	X(ALARM_LIST_HIDDEN, "list_hidden", "a published list is not the logged one: decisions may be hidden", "发布的状态列表与登记的不符：可能隐瞒了决定") \
	X(ALARM_HEAD, "head", "the published head is not signed, or contradicts the log", "发布的状态头未经签署或与日志矛盾") \
	X(ALARM_STALE, "stale", "what is published is past its end: nothing new comes", "发布的内容已过期，没有更新") \
	X(ALARM_TIME_BACK, "time_back", "an entry is dated before those in front of it", "条目时间早于其前的条目（倒签）") \
	X(ALARM_FUTURE, "future", "an entry is dated in the future", "条目时间晚于当前时间") \
	X(ALARM_BURST, "burst", "a centre issues unusually many in an hour", "某考试点一小时内发证异常多") \
	X(ALARM_NIGHT, "night", "issued between 22:00 and 06:00, Shanghai", "夜间（22时至6时）发证") \
	X(ALARM_SPREAD, "spread", "certificates of one session are spread over time or centres", "同一场次的证书分散在不同时间或考试点") \
	X(ALARM_NO_SESSION, "no_session", "issued without a session", "没有对应场次的发证") \
	X(ALARM_UNKNOWN_REQUEST, "unknown_request", "issued in the centre's name by a request that it does not know", "以本考试点名义、但非本考试点所知请求的发证")
/* clang-format on */

enum alarm {
#define X(id, word, en, zh) id,
	ALARM_LIST(X)
#undef X
	        ALARM_COUNT
};
const char *alarm_word(enum alarm a);
const char *alarm_en(enum alarm a);
const char *alarm_zh(enum alarm a);

enum {
	MONITOR_CODE_MAX = 64, /* bytes of a centre's or item's code, with NUL */
	MONITOR_FINDINGS_MAX = 200,
	MONITOR_VERSIONS = 16, /* of each list, newest */
	MONITOR_MANIFESTS = 64,
	MONITOR_BURST = 1000, /* default */
	MONITOR_UNDO_S = 600, /* log time for which changes can be taken back */
	MONITOR_SPREAD_S = 300,
	MONITOR_REQUESTS_S = 86400, /* log time for which requests are remembered */
	MONITOR_KNOWN_MAX = 100000,
};

struct finding {
	enum alarm alarm;
	uint64_t index; /* of the entry; UINT64_MAX none */
	int64_t list;   /* -1 none */
	char center[MONITOR_CODE_MAX];
	char detail[160];
};

struct monitor_version { /* an entry 3 */
	uint64_t index, sequence;
	uint8_t raw[SHA256_BYTES], cwt[SHA256_BYTES];
};
struct monitor_list {
	uint8_t *raw;               /* LIST_BYTES: folded up to the size */
	bool changed;               /* since it was written */
	uint8_t kept[SHA256_BYTES]; /* hash of what is in the folder; zero: none */
	struct monitor_version versions[MONITOR_VERSIONS];
	size_t count; /* oldest first */
};
struct monitor_change { /* to see a list as it was */
	uint64_t index;
	int64_t time;
	uint32_t list, idx;
	enum status before;
};
struct monitor_count {
	char center[MONITOR_CODE_MAX], item[MONITOR_CODE_MAX];
	uint64_t certificates, requests, night;
};
struct monitor_request {
	uint8_t request[SHA256_BYTES];
	char center[MONITOR_CODE_MAX], item[MONITOR_CODE_MAX];
	int64_t time;
	uint64_t index, certificates;
	bool said, fresh; /* fresh: of this pass, and of the centre that is watched */
};
struct monitor_hour {
	char center[MONITOR_CODE_MAX];
	int64_t hour; /* UTC seconds / 3600 */
	uint64_t certificates, night;
	bool said;
};

/* What was learned of the log up to `frontier.size`; kept in the state folder. */
struct monitor_state {
	struct merkle_frontier frontier;
	int64_t newest; /* time of the newest entry */
	uint64_t head_sequence, manifest_version;
	struct monitor_list *lists;
	size_t list_count;
	struct monitor_change *changes;
	size_t change_count, change_room;
	struct monitor_count *counts;
	size_t count_count, count_room;
	struct monitor_request *requests;
	size_t request_count, request_room;
	struct monitor_hour *hours;
	size_t hour_count, hour_room;
	uint8_t manifests[MONITOR_MANIFESTS][SHA256_BYTES]; /* logged, oldest first */
	size_t manifest_count;
	uint64_t statuses[4]; /* entries 2 by the status that they set */
};

struct monitor_options {
	const char *dir;
	const struct key *root;
	int64_t now;
	uint64_t burst;
	const char *center;                   /* watched; NULL: all */
	const uint8_t (*known)[SHA256_BYTES]; /* requests that the centre knows */
	size_t known_count;
};

enum monitor_end { MONITOR_DONE, MONITOR_AWAY, MONITOR_FAULT };
struct monitor_report {
	enum monitor_end end;
	enum err e;
	char file[200];        /* at which it ended */
	uint64_t before, size; /* of the log: seen before, now */
	uint64_t fresh;        /* new entries */
	struct finding findings[MONITOR_FINDINGS_MAX];
	size_t finding_count;
	uint64_t finding_more; /* that did not fit */
};

/* The folder exists and is locked by the caller. The state is what was learned; free it. What
 * contradicts the log is reported and not learned. */
void monitor_run(const struct sync_source *from, const struct monitor_options *o,
        struct monitor_state *s, struct monitor_report *r);
void monitor_state_free(struct monitor_state *s);

/* Parts (monitor_fold.c, monitor_state.c). */
void monitor_find(
        struct monitor_report *r, enum alarm a, uint64_t index, int64_t list, const char *detail);
/* The next entry of the log. ERR_MEMORY only. */
MUST_USE enum err monitor_fold(struct monitor_state *s, const struct monitor_options *o,
        struct bytes entry, struct monitor_report *r);
MUST_USE enum err monitor_load(const char *dir, struct monitor_state *out);
MUST_USE enum err monitor_save(const char *dir, struct monitor_state *s);

/* Output; where a centre is watched, of that centre. The JSON object is new; NULL without memory.
 */
bool monitor_shows(const struct monitor_options *o, const struct finding *f);
json_t *monitor_json(const struct monitor_options *o, const struct monitor_state *s,
        const struct monitor_report *r);
void monitor_print(FILE *to, const struct monitor_options *o, const struct monitor_state *s,
        const struct monitor_report *r);
#endif
