#ifndef CA_RULES_H
#define CA_RULES_H
/* rules.h - the rules of the field: may this session be issued, may this seat, may this order be
 * executed. Pure functions of request, roster, data and time: no clock, no memory, no I/O. Both the
 * signer and issuerd ask them; only the signer's answer counts. Sources: DESIGN.md section 4,
 * FORMATS.md section 3. */
#include "document.h"
#include "field.h"
#include "request.h"
#include "roster.h"

/* Outcome of a seat: in the order of the table the first fault is the answer. */
/* clang-format off */
#define OUTCOME_LIST(X) \
	X(OUTCOME_ISSUED, "issued", "Issued.", "已签发") \
	X(OUTCOME_NAME, "name_invalid", "The name is empty, too long, or has characters that are not allowed.", "姓名为空、过长或含有不允许的字符") \
	X(OUTCOME_SEX, "sex_invalid", "Sex must be M, F or empty.", "性别须为 M、F 或留空") \
	X(OUTCOME_DOC_TYPE, "document_type_unknown", "The type of identity document is unknown.", "证件类型未知") \
	X(OUTCOME_DOC_NUMBER, "document_number_invalid", "The number of the identity document is not valid.", "证件号码无效") \
	X(OUTCOME_AGE, "holder_too_young", "The candidate is below the minimum age.", "考生未达到最低年龄") \
	X(OUTCOME_DUPLICATE, "duplicate_in_session", "The document number stands at an earlier seat of this session.", "该证件号码在本场次中重复") \
	X(OUTCOME_DIGEST, "digest_invalid", "A digest is not 64 hex digits.", "摘要不是 64 位十六进制数") \
	X(OUTCOME_SCORE_RANGE, "score_out_of_range", "A score is not 0 to 100 in tenths.", "成绩不在 0 至 100 之间或精度超过十分之一") \
	X(OUTCOME_SCORE_PASS, "score_below_pass", "A score is below the pass mark.", "成绩未达到合格标准") \
	X(OUTCOME_NOT_SAME_HOLDER, "not_same_holder", "The certificate followed is unknown, or belongs to another holder or item.", "所承接的证书不存在，或其持证人、项目不一致") \
	X(OUTCOME_BANNED, "holder_banned", "The holder may not apply during a ban.", "持证人处于禁止申请期") \
	X(OUTCOME_ALREADY_HOLDS, "already_holds", "The holder has a certificate in force for this item.", "持证人已持有该项目的有效证书") \
	X(OUTCOME_REVOKED, "revoked", "Revoked.", "已撤销") \
	X(OUTCOME_ALREADY, "already", "It was so already.", "此前已处于该状态") \
	X(OUTCOME_SUSPENDED, "suspended", "Suspended.", "已暂停") \
	X(OUTCOME_CONFIRMED, "hold_confirmed", "The hold was confirmed by a second official.", "暂停已经第二人确认") \
	X(OUTCOME_REINSTATED, "reinstated", "In force again.", "已恢复") \
	X(OUTCOME_STOPPED, "stopped", "Stopped.", "已停用") \
	X(OUTCOME_RESUMED, "resumed", "Resumed.", "已恢复使用") \
	X(OUTCOME_NO_MOVE, "move_not_allowed", "Its status does not allow this.", "其当前状态不允许此项变更") \
	X(OUTCOME_HOLD_LIMIT, "hold_limit_exceeded", "One official may start 100 holds a day without a second signature.", "一名监管人员每日未经他人签署的暂停不得超过 100 件") \
	X(OUTCOME_HOLD_AGAIN, "hold_repeated", "It was held within the last 90 days: a second official must sign.", "90 日内已被暂停过，须经第二名监管人员签署") \
	X(OUTCOME_DEREGISTERED, "deregistered", "Deregistered after its revocation.", "撤销后已注销") \
	X(OUTCOME_SUPERSEDED, "superseded", "Replaced by a newer certificate.", "已换发新证")
/* clang-format on */
enum outcome {
#define X(id, word, en, zh) id,
	OUTCOME_LIST(X)
#undef X
	        OUTCOME_COUNT
};
const char *outcome_word(enum outcome o);
const char *outcome_en(enum outcome o);
const char *outcome_zh(enum outcome o);

enum basis { BASIS_INITIAL, BASIS_RENEWAL, BASIS_REVIEW };

struct rules_session { /* what every certificate of the session shares */
	enum basis basis;
	const struct field_item *item;
	const struct field_policy *policy;
	int64_t exam_day; /* Shanghai date of practical_at */
	bool late;        /* more than EXAM_LATE_DAYS before now: one official must have signed */
};

struct rules_seat {
	struct document document;
	int sex; /* 0 not given, 1 M, 2 F */
	uint8_t photo_sha256[SHA256_BYTES];
	bool warn_sex, warn_region;
};

/* the formatter takes "operator" for the word of C++ */
/* clang-format off */

/* Rules for the whole session: role, centre, scope, item, seats, basis, examiners, times, policy, in
 * this order. The daily cap and stops are the signer's, since they need the log. */
MUST_USE enum err rules_session_check(const struct request *r, const struct operator *sender,
        const struct field *f, int64_t now, struct rules_session *out);
/* Seat `index` of the session. `hashes` has room for seat_count values and remembers the document
 * numbers seen at earlier seats (the caller zeroes it once and calls for index 0, 1, 2, … in order).
 * `out` is written for OUTCOME_ISSUED only. */
enum outcome rules_seat_check(const struct request *r, size_t index, const struct rules_session *s,
        const struct field *f, uint64_t *hashes, struct rules_seat *out);
/* Form of an order against its ground: kind, dates, changes, that it names certificates. */
MUST_USE enum err rules_order_check(const struct request *r, const struct operator *sender,
        const struct field *f, const struct field_ground **ground);
/* The data of a replacement, each member changed or as it was: name, sex, document, age on `day`,
 * photo (empty: as it was). */
enum outcome rules_holder_check(const struct request_seat *seat, int64_t day,
        const struct field_policy *policy, struct rules_seat *out);
/* Officials needed in all, sender included where the sender is one; more than any request can carry
 * where the ground or type has no number. */
int rules_officials_needed(const struct request *r, const struct roster *roster, const struct field *f, bool late);
/* One approval: by an official in force, for this request and the list it was frozen to (NULL: it has
 * none), approving, not expired, of another person and key than sender and `others`. */
struct rules_approved { /* what is approved, and by whom so far */
	const uint8_t *request, *list_sha256;
	const struct operator *sender;
	const struct operator *const *others;
	size_t other_count;
};
MUST_USE enum err rules_approval_check(const struct approval *a, const struct operator *by,
        const struct rules_approved *what, int64_t now);
/* clang-format on */
#endif
