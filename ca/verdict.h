#ifndef CA_VERDICT_H
#define CA_VERDICT_H
/* verdict.h - one answer about one certificate, from what is at hand: no file, no network, no
 * clock. Source: DESIGN.md section 6. */
#include "crl.h"
#include "head.h"
#include "manifest.h"
#include "note.h"
#include "receipt.h"
#include "record.h"

/* The first row that applies is the verdict. Columns: constant, word, exit code, Chinese, English.
 */
/* clang-format off */
#define VERDICT_LIST(X) \
	X(VERDICT_MALFORMED, "MALFORMED", 70, "无法识别：不是本格式的证书数据", "The data is not a certificate in this format.") \
	X(VERDICT_NOT_ISSUED, "NOT_ISSUED", 40, "非本机关签发：没有本机关的有效签名", "It carries no valid signature of this authority.") \
	X(VERDICT_ATTACK, "ATTACK", 60, "数据遭到攻击或篡改：请勿采信", "The data at hand was tampered with: do not rely on it.") \
	X(VERDICT_NOT_LOGGED, "NOT_LOGGED", 50, "未在公开日志中：签名存在，但无法证明已入日志", "It is signed, but not proved to be in the public log.") \
	X(VERDICT_REVOKED, "REVOKED", 20, "已撤销", "The certificate was revoked.") \
	X(VERDICT_SUPERSEDED, "SUPERSEDED", 22, "已被新证取代", "The certificate was replaced by a newer one.") \
	X(VERDICT_SUSPENDED, "SUSPENDED", 21, "暂停使用", "The certificate is suspended.") \
	X(VERDICT_EXPIRED, "EXPIRED", 30, "已过有效期", "The certificate is past its last day.") \
	X(VERDICT_NOT_YET_VALID, "NOT_YET_VALID", 31, "尚未生效", "The certificate is not in force yet.") \
	X(VERDICT_REVIEW_OVERDUE, "REVIEW_OVERDUE", 32, "逾期未复审", "The review of the certificate is overdue.") \
	X(VERDICT_ITEM_MISMATCH, "ITEM_MISMATCH", 80, "项目不符：证书有效，但不是所查项目", "The certificate is for another item than the one asked for.") \
	X(VERDICT_PERSON_MISMATCH, "PERSON_MISMATCH", 81, "人员不符：证书有效，但证件号码不一致", "The certificate is for another person's document.") \
	X(VERDICT_STATUS_UNKNOWN, "STATUS_UNKNOWN", 11, "状态未知：没有可用的状态清单，请同步后重试", "Signed and in date, but no usable status list is at hand: run sync.") \
	X(VERDICT_VALID_AS_OF, "VALID_AS_OF", 10, "截至清单时间有效：状态数据已陈旧，请同步后重试", "Valid at the time of the status data, which is older than asked for: run sync.") \
	X(VERDICT_VALID, "VALID", 0, "有效", "The certificate is valid.")

/* What in particular; the words are stable. */
#define REASON_LIST(X) \
	X(REASON_NONE, "none", "", "") \
	/* MALFORMED */ \
	X(REASON_FORM, "not_a_record", "数据不完整或写法不合规定", "The bytes are not a record, a bundle or a QR text ZZ1:.") \
	X(REASON_ADDRESS, "web_address", "这是网址，不是证书数据：网页不能证明任何事", "This is a web address, not a certificate: a web page proves nothing.") \
	/* NOT_ISSUED */ \
	X(REASON_ISSUER, "other_issuer", "签发机关不是密钥清单所列机关", "It names another authority than the manifest.") \
	X(REASON_KEY, "unknown_key", "签名密钥不在密钥清单中（清单如已陈旧，请先同步）", "The signing key is not in the manifest held here (if that is old, sync first).") \
	X(REASON_KEY_TIME, "key_not_in_force", "签发时间不在签名密钥的有效期内", "The signing key was not in force when the record says it was issued.") \
	X(REASON_SIGNATURE, "bad_signature", "签名验证不通过", "The signature does not verify.") \
	/* NOT_LOGGED */ \
	X(REASON_PROOF, "proof_fails", "所附日志证明不成立", "The proof of the log that comes with it fails.") \
	X(REASON_CUT_OFF, "key_cut_off", "签名密钥已停用，须有停用前入日志的证明：请取回执后重试", "The signing key was cut off, and no proof of an entry before the cut is at hand: fetch its receipt.") \
	X(REASON_NO_PROOF, "no_proof", "要求日志证明，但数据未附回执", "A proof of the log was asked for, and none comes with it.") \
	/* ATTACK */ \
	X(REASON_MANIFEST, "manifest_not_signed", "密钥清单没有根密钥的有效签名", "The manifest is not signed by the pinned root key.") \
	X(REASON_HEAD, "head_not_signed", "状态总头没有有效签名或格式不符", "The status head is not signed by the authority, or is malformed.") \
	X(REASON_NO_HEAD, "no_head", "服务器不提供签名的状态总头：无法得知数据是否最新", "The server offers no signed status head: nothing tells whether its data is the newest.") \
	X(REASON_LIST, "list_not_signed", "状态清单没有有效签名或格式不符", "The status list is not signed by the authority, or is malformed.") \
	X(REASON_CRL, "crl_not_signed", "CRL 没有有效签名或格式不符", "The CRL is not signed by the authority, or is malformed.") \
	X(REASON_CHECKPOINT, "checkpoint_not_signed", "日志检查点没有有效签名或格式不符", "The checkpoint is not signed by the log, or is malformed.") \
	X(REASON_ROLLBACK, "rollback", "回退：数据比此前见过的更旧", "Rollback: older data than was seen before.") \
	X(REASON_FREEZE, "freeze", "冻结：只提供已过期的数据（或本机时钟超前，请校准）", "Freeze: only data past its expiry is offered (or the clock here is ahead: set it).") \
	X(REASON_FORK, "fork", "分叉：日志或清单自相矛盾", "Fork: two versions contradict each other.") \
	X(REASON_MIXED, "mixed", "混用：数据属于另一清单或另一机关", "Mix: the data belongs to another list or another authority.") \
	X(REASON_AHEAD, "from_the_future", "数据时间超前（或本机时钟落后，请校准）", "The data is from the future (or the clock here is behind: set it).") \
	X(REASON_REINSTATED, "revocation_undone", "已撤销的状态被改回", "A revocation was undone, which never happens in an honest list.") \
	X(REASON_ENDLESS, "endless_data", "数据超过上限：拒绝接收", "More data than the format allows was sent.")
/* clang-format on */

enum verdict_code {
#define X(id, word, code, zh, en) id,
	VERDICT_LIST(X)
#undef X
	        VERDICT_COUNT
};
enum verdict_reason {
#define X(id, word, zh, en) id,
	REASON_LIST(X)
#undef X
	        REASON_COUNT
};

const char *verdict_word(enum verdict_code v);
int verdict_exit(enum verdict_code v);
const char *verdict_zh(enum verdict_code v);
const char *verdict_en(enum verdict_code v);
const char *reason_word(enum verdict_reason r);
const char *reason_zh(enum verdict_reason r);
const char *reason_en(enum verdict_reason r);

/* Head and table as sync holds them, opened once for any number of certificates. */
struct verdict_head {
	struct head head;
	struct table table;
};
/* Verifies the head under the manifest's status key, and the table by the head's hash. Views point
 * into `head` and `rows` (room for HEAD_LISTS_MAX). REASON_NONE and *known false where its key is
 * not in the manifest any more: it says nothing then. Else the attack. */
MUST_USE enum verdict_reason verdict_head_open(const struct manifest *manifest,
        const struct bytes parts[2], struct table_row *rows, struct verdict_head *out, bool *known);

struct verdict_input {
	struct bytes data;               /* record, bundle, or QR text without its line end */
	const struct manifest *manifest; /* opened under the pinned root */
	const struct verdict_head *head; /* what sync holds, or NULL: then list_token speaks */
	enum verdict_reason head_fault;  /* of verdict_head_open */
	struct bytes raw;                /* the record's list as held under that head, or empty */
	const uint8_t *raw_sha256;       /* of `raw`, where it was hashed already, or NULL */
	struct bytes list_token;         /* CWT held for the record's list; empty: none */
	const struct crl
	        *crl; /* held for the record's list, opened under the manifest's; or NULL */
	const struct checkpoint *checkpoint; /* held and decoded, or NULL */
	struct receipt_seen *seen; /* of this thread, or NULL: saves time, changes no verdict */
	int64_t now;               /* of this device */
	int64_t newest;    /* newest signed time seen: the earliest now there can be; 0: none */
	int64_t at;        /* judge the dates as of then; -1: now. Never hides a revocation. */
	int64_t age_s_max; /* of the status data */
	bool require_log;
	struct bytes item;     /* asked for, 6 digits; empty: any */
	struct bytes document; /* number asked for, as typed; empty: any */
};

struct verdict {
	enum verdict_code code;
	enum verdict_reason reason;
	bool has_record; /* what follows is signed by the authority: false for MALFORMED and
	                    NOT_ISSUED */
	struct record record;
	bool log_checked;
	uint64_t log_index, log_size; /* with log_checked */
	int64_t now, at;              /* as used */
	int64_t status_time;          /* iat of the head, or of the list; -1: none */
	bool status_expired;          /* it is past its exp */
	bool has_row;                 /* date and reason of a revocation, from the CRL */
	struct crl_row row;
	bool document_matched;          /* the number asked for is the holder's */
	uint8_t room[BUNDLE_BYTES_MAX]; /* a QR text's record: views of `record` may point here */
};

/* Which list must be at hand? Form only. ERR_* of record_open. */
MUST_USE enum err verdict_list(struct bytes data, uint32_t *list);
/* Views in *out point into `data` or into *out itself: neither may move. */
void verdict_find(const struct verdict_input *in, struct verdict *out);
#endif
