/* zz_view_order.c - an order in words: what it does, to which certificates, and for a replacement
 * what changes; each computed from the bytes of the request, the list and the records. */
#include "zz_text.h"
#include "zz_view.h"

enum { HOLD_DAYS_MAX = 30, HOLD_HOURS = 72 };

static void
ground_print(const struct zz_view *v)
{
	const struct request *r = &v->request.request;
	const struct field_ground *ground = field_ground(v->field, r->ground);
	FILE *to = v->z->out;

	text_line(to, "ground    依据   ", r->ground);
	if (ground) {
		text_line(to, "                 ", ground->name_zh);
		text_line(to, "                 ", ground->name_en);
	}
}

static void
effect_print(const struct zz_view *v)
{
	static const char *const words[] = {
	        [REQUEST_ISSUE] = "certificates are issued 签发证书",
	        [REQUEST_REVOKE] = "the certificates become invalid, for good 证书失效，不可恢复",
	        [REQUEST_SUSPEND] = "the certificates are held for a time 证书暂停",
	        [REQUEST_REINSTATE] = "the suspended certificates are in force again 证书恢复有效",
	        [REQUEST_REPLACE] = "a new certificate takes the place of the old 换发证书",
	        [REQUEST_STOP] = "nothing more is issued for it 停止签发",
	        [REQUEST_RESUME] = "it may issue again 恢复签发",
	        [REQUEST_WITHDRAW] = "another request of its sender waits no more 撤回另一请求",
	};

	fprintf(v->z->out, "effect    效果   %s\n", words[v->request.request.type]);
}

/* How long, and what a signature changes: the second one comes after the hold has begun. */
static void
hold_print(const struct zz_view *v)
{
	FILE *to = v->z->out;

	fputs("until     暂停至 ", to);
	text_put_day(to, v->request.request.until);
	fprintf(to,
	        " (the end of that day, at most %d days after its start 当日终止，最长 %d 日)\n",
	        HOLD_DAYS_MAX, HOLD_DAYS_MAX);
	if (zz_view_is_executed(v))
		fprintf(to,
		        "          The hold has begun (as the service says 服务所述). Signed by "
		        "one "
		        "official alone it lapses %d hours\n"
		        "          after its start; your approval confirms it until that day. "
		        "暂停已开始；您的批准使其延续至该日。\n",
		        HOLD_HOURS);
}

static void
order_print(const struct zz_view *v)
{
	const struct request *r = &v->request.request;
	FILE *to = v->z->out;
	char hex[2 * SHA256_BYTES + 1];

	effect_print(v);
	if (r->type == REQUEST_WITHDRAW) {
		hex_encode(bytes_of(r->withdraws, SHA256_BYTES), hex);
		fprintf(to, "withdraws 撤回   %s\n", hex);
		return;
	}
	if (r->ground.n)
		ground_print(v);
	text_line(to, "decision  决定   ", r->decision_no);
	fputs("decided   决定日 ", to);
	text_put_day(to, r->decided_at);
	if (json_object_get(r->json, "effective_at")) {
		fputs("\neffective 生效日 ", to);
		text_put_day(to, r->effective_at);
	}
	fputs("\n", to);
	if (r->type == REQUEST_SUSPEND)
		hold_print(v);
	if (r->type == REQUEST_STOP || r->type == REQUEST_RESUME)
		text_line(to, r->target_is_key ? "key       密钥   " : "centre    考试点 ",
		        r->center);
}

/* Which certificates: the list that the service froze for a selector, or the serials of the signed
 * bytes. Whatever is signed later is over this list. */
static enum zz_exit
list_take(struct zz_view *v)
{
	const struct request *r = &v->request.request;
	enum err e;

	v->frozen = r->selects;
	if (r->selects)
		return zz_list_read(v->z, v->state, &v->list);
	e = zz_list_copy(r->serials, r->serial_count, &v->list);
	return e == ERR_OK ? ZZ_DONE : zz_fault(v->z, "memory", e);
}

static void
list_print(const struct zz_view *v)
{
	FILE *to = v->z->out;
	char hex[2 * SHA256_BYTES + 1];

	fprintf(to, "certificates 证书 %zu\n", v->list.count);
	if (v->frozen) {
		hex_encode(bytes_of(v->list.sha256, SHA256_BYTES), hex);
		fprintf(to, "list      清单   SHA-256 %s (computed here 本机计算)\n", hex);
	}
	if (v->list.count > ZZ_BULK)
		fprintf(to,
		        "\nWARNING: MORE THAN %d CERTIFICATES. One official more must sign than "
		        "for "
		        "one certificate.\n警告：超过 %d 件证书，须增加一名监管人员签署。\n\n",
		        ZZ_BULK, ZZ_BULK);
}

static void
signatures_say(const struct zz_view *v)
{
	fputs(zz_view_manifest(v) ? "Each record is signed by the authority of this root key. "
	                            "记录签名已核验。\n"
	                          : "The signatures of these records were not checked (--root "
	                            "ROOT.pub does). "
	                            "记录签名未核验。\n",
	        v->z->out);
}

static enum zz_exit
certificates_print(struct zz_view *v)
{
	const struct request_select *select = &v->request.request.select;
	struct zz_sample sample = {.service = &v->service,
	        .manifest = zz_view_manifest(v),
	        .field = v->field,
	        .max = ZZ_SAMPLE_MAX};
	enum zz_exit exit = list_take(v);

	if (exit != ZZ_DONE)
		return exit;
	if (v->frozen) {
		zz_select_print(v->z->out, select, v->field);
		sample.select = select;
	}
	list_print(v);
	sample.groups = v->list.count > 1;
	if ((exit = zz_sample_print(&sample, &v->list)) == ZZ_DONE)
		signatures_say(v);
	return exit;
}

static void
change_print(FILE *to, const char *label, struct bytes old, struct bytes new)
{
	if (!new.p)
		return;
	fprintf(to, "%s", label);
	text_put(to, old);
	fputs(" -> ", to);
	text_put(to, new);
	fputs("\n", to);
}

static void
changes_print(const struct zz_view *v, const struct record *old)
{
	static const char *const sexes[] = {"-", "M", "F"};
	const struct request_seat *c = &v->request.request.changes;
	char photo[2 * SHA256_BYTES + 1] = "-";
	FILE *to = v->z->out;

	if (!json_object_size(json_object_get(v->request.request.json, "changes"))) {
		fputs("changes   变更   none: the same person and data 无，人员及信息不变\n", to);
		return;
	}
	if (old->photo.n)
		hex_encode(old->photo, photo);
	fputs("changes   变更   (old -> new 原 -> 新)\n", to);
	change_print(to, "  name      姓名   ", old->name, c->name);
	change_print(to, "  sex       性别   ",
	        bytes_of_text(sexes[old->sex == 1 || old->sex == 2 ? old->sex : 0]), c->sex);
	change_print(to, "  doc type  证件   ", field_document_name(v->field, old->doc_type),
	        c->doc_type.p ? field_document_name(v->field, c->doc_type) : c->doc_type);
	change_print(to, "  number    号码   ", old->doc_number, c->doc_number);
	change_print(to, "  photo     照片   ", bytes_of_text(photo), c->photo_sha256);
}

static enum zz_exit
replaced_print(const struct zz_view *v)
{
	struct zz_certificate old = {.json = NULL};
	enum zz_exit exit;
	char serial[33];

	hex_encode(bytes_of(v->request.request.serials[0], 16), serial);
	exit = zz_certificate_get(&v->service, serial, zz_view_manifest(v), &old);
	if (exit != ZZ_DONE)
		return exit;
	fputs("\nThe certificate that is replaced 被换发的证书:\n", v->z->out);
	zz_certificate_print(v->z->out, &old, v->field);
	fputs("\n", v->z->out);
	changes_print(v, &old.record);
	signatures_say(v);
	zz_certificate_free(&old);
	return ZZ_DONE;
}

enum zz_exit
zz_view_order_print(struct zz_view *v)
{
	enum request_type t = v->request.request.type;

	order_print(v);
	if (t == REQUEST_REPLACE)
		return replaced_print(v);
	if (t == REQUEST_STOP || t == REQUEST_RESUME || t == REQUEST_WITHDRAW)
		return ZZ_DONE;
	return certificates_print(v);
}
