#ifndef CA_ERR_H
#define CA_ERR_H
/* err.h - every way in which work can fail: one table, one stable word each.
 * The words are part of the API (problem type urn:zz:error:WORD, FORMATS.md section 4): never
 * rename one. Columns: constant, word, HTTP status, may the same request be sent again unchanged,
 * English, Chinese. */
#include <stdbool.h>

/* clang-format off */
#define ERR_LIST(X) \
	X(ERR_OK, "ok", 200, false, "Done.", "完成。") \
	/* bytes and parsers */ \
	X(ERR_TRUNCATED, "truncated", 400, false, "The data ends too early: send it whole.", "数据不完整，请完整发送。") \
	X(ERR_TRAILING, "trailing_bytes", 400, false, "There are bytes after the end: remove them.", "数据末尾有多余字节，请删除。") \
	X(ERR_ENCODING, "encoding_invalid", 400, false, "The data is not in the one accepted spelling.", "数据编码不符合唯一规定的写法。") \
	X(ERR_LIMIT, "limit_exceeded", 400, false, "A size, count or depth is above its limit.", "大小、数量或层数超过上限。") \
	X(ERR_VALUE, "value_invalid", 400, false, "A value is not allowed here.", "取值不符合规定。") \
	/* requests: form */ \
	X(ERR_BODY_TOO_LARGE, "body_too_large", 413, false, "The body is larger than this address accepts.", "请求正文超过上限。") \
	X(ERR_JWS_INVALID, "jws_invalid", 400, false, "The body is not a JWS in compact form with header alg, kid, typ.", "请求正文不是规定的 JWS 紧凑格式（头部仅含 alg、kid、typ）。") \
	X(ERR_NOT_UTF8, "not_utf8", 400, false, "The text is not valid UTF-8.", "文本不是有效的 UTF-8 编码。") \
	X(ERR_JSON_INVALID, "json_invalid", 400, false, "The payload is not valid JSON.", "载荷不是有效的 JSON。") \
	X(ERR_JSON_TOO_DEEP, "json_too_deep", 400, false, "The JSON is nested too deeply.", "JSON 嵌套层数过深。") \
	X(ERR_JSON_DUPLICATE, "json_duplicate_name", 400, false, "A JSON object names a member twice.", "JSON 对象中有重复的成员名。") \
	X(ERR_FIELD_UNKNOWN, "field_unknown", 400, false, "The payload has a member that the format does not know.", "载荷含有格式未规定的成员。") \
	X(ERR_FIELD_MISSING, "field_missing", 400, false, "The payload lacks a required member.", "载荷缺少必需的成员。") \
	X(ERR_FIELD_INVALID, "field_invalid", 400, false, "A member of the payload has a wrong type or form.", "载荷成员的类型或格式不正确。") \
	X(ERR_TYPE_UNKNOWN, "request_type_unknown", 422, false, "This service does not know or not yet serve this type of request.", "本服务不受理该类型的请求。") \
	X(ERR_JTI_INVALID, "jti_invalid", 400, false, "jti must be 22 to 64 characters of A-Z a-z 0-9 _ and -.", "jti 须为 22 至 64 位字母、数字、下划线或连字符。") \
	X(ERR_JTI_CONFLICT, "jti_conflict", 409, false, "Another request was already sent under this jti: use a new jti.", "该 jti 已用于另一请求，请使用新的 jti。") \
	X(ERR_TIME_AHEAD, "iat_ahead", 422, false, "iat is more than 300 s in the future: set the clock and sign again.", "签发时间超前 300 秒以上，请校准时钟后重新签名。") \
	X(ERR_REQUEST_EXPIRED, "request_expired", 422, false, "The request or approval has passed its exp: sign a new one.", "请求或批准已过有效期，请重新签名。") \
	X(ERR_LIFETIME, "lifetime_too_long", 422, false, "exp is not after iat, or further from it than this type allows.", "有效期不晚于签发时间，或超过该类型的上限。") \
	/* who may do it */ \
	X(ERR_AUTH_MISSING, "authorization_missing", 401, false, "Send Authorization: Bearer with a signed query token.", "请在 Authorization 头中提供已签名的查询令牌。") \
	X(ERR_KID_UNKNOWN, "kid_unknown", 401, false, "The key is not on the roster.", "该密钥不在名册中。") \
	X(ERR_SIGNATURE, "signature_invalid", 401, false, "The signature does not verify under the key named by kid.", "签名无法用 kid 所指密钥验证。") \
	X(ERR_ALG_MISMATCH, "alg_mismatch", 401, false, "alg is not the algorithm of the key.", "alg 与密钥的算法不一致。") \
	X(ERR_KEY_EXPIRED, "key_not_in_force", 401, false, "The key is not in force at this time.", "该密钥当前不在有效期内。") \
	X(ERR_ROLE, "role_not_allowed", 403, false, "The role of this key may not do this.", "该密钥的角色无权办理此事项。") \
	X(ERR_NOT_YOURS, "not_yours", 403, false, "This belongs to another centre.", "该事项属于其他考试点。") \
	X(ERR_STOPPED, "center_stopped", 403, false, "The centre or its key has been stopped.", "该考试点或其密钥已被停用。") \
	X(ERR_CENTER, "center_mismatch", 403, false, "The session names another centre than the one that signed.", "场次所列考试点与签名的考试点不一致。") \
	X(ERR_SCOPE_REGION, "region_not_in_scope", 403, false, "The centre is not entitled to this region.", "该考试点无权在此地区组织考试。") \
	X(ERR_SCOPE_ITEM, "item_not_in_scope", 403, false, "The centre is not entitled to this item.", "该考试点无权考核此项目。") \
	X(ERR_CAP, "daily_cap_exceeded", 403, false, "The centre's daily cap does not allow so many certificates.", "超过该考试点当日发证上限。") \
	/* rules of a session */ \
	X(ERR_ITEM_UNKNOWN, "item_unknown", 422, false, "The item is not in the catalogue.", "目录中没有该操作项目。") \
	X(ERR_POLICY_NONE, "policy_missing", 422, false, "No policy covers this item on the date of the examination.", "考试日期没有适用于该项目的规定。") \
	X(ERR_EXAM_FUTURE, "exam_in_future", 422, false, "The examination lies in the future.", "考试时间晚于当前时间。") \
	X(ERR_EXAM_LATE, "exam_needs_official", 422, false, "The examination is more than 60 days old: one official must approve.", "考试已超过 60 日，须经一名监管人员批准。") \
	X(ERR_EXAM_TOO_OLD, "exam_too_old", 422, false, "The examination is more than a year old.", "考试已超过一年。") \
	X(ERR_EXAM_ORDER, "exam_times_invalid", 422, false, "The practical examination is before the theory, or on a date further from it than a year.", "实操考试早于理论考试，或两者相隔超过一年。") \
	X(ERR_EXAMINERS, "examiners_invalid", 422, false, "Two different examiners are required.", "须有两名不同的考评员。") \
	X(ERR_SEATS, "seats_invalid", 422, false, "Seats must be 1 to 5,000 and each number used once.", "座位数须为 1 至 5000，且座位号不得重复。") \
	X(ERR_BASIS, "basis_invalid", 422, false, "The basis of the session is unknown or not yet served.", "场次的发证依据未知或暂不受理。") \
	/* rules of an order */ \
	X(ERR_GROUND, "ground_invalid", 422, false, "The ground is unknown or does not belong to this type of order.", "依据代码未知或不适用于该类决定。") \
	X(ERR_CHANGES, "changes_invalid", 422, false, "This ground allows no change of data, or a change is not valid.", "该依据不允许变更信息，或所变更的信息无效。") \
	X(ERR_SELECT, "selection_empty", 422, false, "The selection names no certificate.", "所选范围内没有证书。") \
	X(ERR_DATES, "dates_invalid", 422, false, "The dates of the decision contradict each other or the ground.", "决定日期、生效日期与依据相互矛盾。") \
	X(ERR_APPROVALS, "approvals_missing", 422, false, "More officials must approve first.", "尚需更多监管人员批准。") \
	X(ERR_APPROVAL_PERSON, "approval_same_person", 422, false, "An approval must come from another person and another key.", "批准人须为另一人并使用另一密钥。") \
	X(ERR_APPROVAL_OTHER, "approval_other_request", 422, false, "The approval is for another request or another list.", "该批准针对的是其他请求或清单。") \
	X(ERR_APPROVAL_REJECT, "approval_is_rejection", 422, false, "This is a rejection, not an approval.", "该签署为驳回，不是批准。") \
	X(ERR_SERIAL_UNKNOWN, "serial_unknown", 422, false, "A serial names no certificate of this authority.", "所列序列号不是本机关签发的证书。") \
	X(ERR_HOLD_LONG, "hold_too_long", 422, false, "A hold ends within 30 days, and within 72 hours until a second official signs.", "暂停期限最长 30 日；未经第二人签署的为 72 小时。") \
	X(ERR_HOLD_AGAIN, "hold_repeated", 422, false, "The certificate was held within the last 90 days: a second official must sign.", "该证书 90 日内已被暂停过，须经第二名监管人员签署。") \
	X(ERR_HOLD_DAY, "hold_limit_exceeded", 422, false, "One official may start 100 holds a day without a second signature.", "一名监管人员每日未经他人签署的暂停不得超过 100 件。") \
	X(ERR_NOT_WAITING, "not_waiting", 409, false, "The request waits for nothing any more.", "该请求已不在等待状态。") \
	X(ERR_EXECUTED, "already_executed", 409, false, "The request was executed already.", "该请求已执行。") \
	/* the log */ \
	X(ERR_TAG, "tag_invalid", 422, false, "An entry does not carry this signer's tag.", "条目不带本签名器的标记。") \
	X(ERR_MOVE, "move_not_allowed", 422, false, "The status of the certificate does not allow this change.", "证书当前状态不允许此项变更。") \
	X(ERR_STALE, "entry_stale", 503, true, "An entry is too old and must be built anew.", "条目已过时，须重新生成。") \
	X(ERR_SIZE, "log_size_mismatch", 503, true, "Database and signer are of different sizes.", "数据库与签名器的日志长度不一致。") \
	X(ERR_FORK, "log_fork", 500, false, "The log was asked to contradict itself: nothing more is signed.", "日志出现自相矛盾，已停止签名。") \
	X(ERR_RECOUNT, "root_differs", 500, false, "The log's root came out differently when it was computed again: nothing more is signed.", "日志根哈希两次计算结果不一致，已停止签名。") \
	X(ERR_BEHIND, "database_behind", 503, false, "The database is behind the signer (an old backup?): run zz-admin recover.", "数据库落后于签名器（可能恢复了旧备份），请运行 zz-admin recover。") \
	X(ERR_NOT_READY, "not_ready", 503, true, "The signer has no genesis, manifest or roster in force yet.", "签名器尚无生效的创世条目、密钥清单或名册。") \
	X(ERR_TOKEN, "key_token_away", 503, true, "The device that holds the authority's key does not answer: send the same request again later.", "存放本机关密钥的设备没有响应，请稍后重发同一请求。") \
	X(ERR_TOKEN_PIN, "key_token_locked", 503, false, "The device that holds the authority's key refused its PIN or is locked: tell the operator.", "存放本机关密钥的设备拒绝 PIN 或已锁定，请联系系统运维人员。") \
	X(ERR_RECORD_KEY, "record_key_not_in_force", 503, false, "The authority's signing key is not in force: tell its operator.", "本机关签发密钥不在有效期内，请联系系统运维人员。") \
	X(ERR_ROSTER_EXPIRED, "roster_expired", 503, false, "The roster has expired: the root must sign a new one.", "名册已过期，须由根密钥签署新名册。") \
	X(ERR_VERSION, "version_not_rising", 409, false, "The version must be higher than the one in force.", "版本号须高于现行版本。") \
	X(ERR_QUORUM, "witness_quorum_missing", 503, true, "Too few witnesses stand under the checkpoint: try again later.", "检查点的见证签名数量不足，请稍后重试。") \
	X(ERR_AHEAD, "witness_ahead", 503, false, "A witness has seen a longer log than this copy holds: restore a newer one, then run zz-admin recover.", "见证方见过更长的日志，本机数据已落后：请恢复较新的备份并运行 zz-admin recover。") \
	X(ERR_CLOCK, "clock_wrong", 503, true, "The clock is behind the log or has leapt: set it right.", "时钟落后于日志或发生跳变，请校准。") \
	/* the service */ \
	X(ERR_NOT_FOUND, "not_found", 404, false, "There is nothing at this address.", "未找到。") \
	X(ERR_METHOD, "method_not_allowed", 405, false, "This address does not take this method.", "该地址不支持此方法。") \
	X(ERR_HTTP, "http_refused", 400, false, "The HTTP request is not in the form this service accepts.", "HTTP 请求格式不被接受。") \
	X(ERR_BUSY, "queue_full", 429, true, "Too much is waiting: send the same request again later.", "排队已满，请稍后原样重发。") \
	X(ERR_DATABASE, "database_unavailable", 503, true, "The database does not answer: send the same request again.", "数据库暂不可用，请稍后原样重发。") \
	X(ERR_UNKNOWN_COMMIT, "outcome_unknown", 503, true, "The outcome is being read back: send the same request again.", "处理结果待核实，请稍后原样重发。") \
	X(ERR_SIGNER, "signer_unavailable", 503, true, "The signer does not answer: send the same request again.", "签名器暂不可用，请稍后原样重发。") \
	X(ERR_DEADLINE, "deadline_passed", 503, true, "The request took too long: send it again.", "处理超时，请稍后原样重发。") \
	X(ERR_PROTOCOL, "protocol_violation", 500, false, "A message between our own processes is malformed.", "内部进程间报文格式错误。") \
	X(ERR_CONFIG, "configuration_invalid", 500, false, "The configuration is not valid.", "配置无效。") \
	X(ERR_EXISTS, "already_exists", 409, false, "It exists already and is not overwritten.", "已存在，不会覆盖。") \
	X(ERR_IO, "input_output", 500, true, "A file could not be read or written.", "文件读写失败。") \
	X(ERR_MEMORY, "out_of_memory", 503, true, "Not enough memory.", "内存不足。") \
	X(ERR_CRYPTO, "crypto_failure", 500, true, "The cryptographic library failed.", "密码库操作失败。") \
	X(ERR_INTERNAL, "internal", 500, false, "A fault of this software: please report it.", "软件内部错误，请报告。")
/* clang-format on */

enum err {
#define X(id, word, http, retry, en, zh) id,
	ERR_LIST(X)
#undef X
	        ERR_COUNT
};

#define MUST_USE __attribute__((warn_unused_result))

const char *err_word(enum err e);     /* the stable word */
const char *err_en(enum err e);       /* a sentence that says what to do */
const char *err_zh(enum err e);       /* the same in Chinese */
unsigned err_http_status(enum err e); /* 200..503 */
bool err_may_retry(enum err e);       /* the same bytes may be sent again and may then succeed */
enum err err_from_word(
        const char *word, unsigned long n); /* ERR_INTERNAL where the word is unknown */

/* Says that an error is ignored on purpose (a cast to void does not silence the compiler). */
static inline void
err_ignore(enum err e)
{
	if (e != ERR_OK)
		return;
}
#endif
