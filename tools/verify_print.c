/* verify_print.c - shows a verdict: of what is not signed by the authority, nothing but the verdict
 * is shown, and a document's number never whole unless the asker typed it. */
#include "date.h"
#include "verify_check.h"

#include <stdlib.h>
#include <string.h>

void
check_mask(struct bytes number, char *out)
{
	size_t head = number.n >= 12 ? 3 : 1, tail = number.n >= 12 ? 4 : 1;

	for (size_t i = 0; i < number.n; i++)
		if (number.p[i] < 0x21 || number.p[i] > 0x7e) {
			memcpy(out, "***", 4); /* never half of a character */
			return;
		}
	if (number.n <= 4)
		head = tail = 0;
	for (size_t i = 0; i < number.n; i++)
		out[i] = i < head || i >= number.n - tail ? (char)number.p[i] : '*';
	out[number.n] = '\0';
}

/* Words of one field, each as a text with its NUL. */

static void
text_put(char *out, size_t room, struct buf *b)
{
	if (b->failed || b->n >= room)
		b->n = 0;
	out[b->n] = '\0';
}

static void
day_text(int64_t day, char out[16])
{
	struct buf b = buf_init(out, 15);

	date_put(&b, day);
	text_put(out, 16, &b);
}

static void
time_text(int64_t utc_s, char out[40])
{
	struct buf b = buf_init(out, 39);

	time_put_shanghai(&b, utc_s);
	text_put(out, 40, &b);
}

static void
number_text(const struct verdict *v, char out[DOCUMENT_BYTES_MAX + 1])
{
	if (!v->document_matched) {
		check_mask(v->record.doc_number, out);
		return;
	}
	memcpy(out, v->record.doc_number.p, v->record.doc_number.n);
	out[v->record.doc_number.n] = '\0';
}

static const char *
reason_of_crl(int reason)
{
	switch (reason) {
	case 4:
		return "superseded";
	case 5:
		return "cessation_of_operation";
	case 6:
		return "certificate_hold";
	case 9:
		return "privilege_withdrawn";
	default:
		return "unspecified";
	}
}

static struct bytes
item_zh(const struct verdict *v, const struct field *f)
{
	const struct field_item *item = field_item(f, v->record.item);

	if (v->record.item_name.n != 0 || item == NULL)
		return v->record.item_name;
	return item->name_zh;
}

static struct bytes
item_en(const struct verdict *v, const struct field *f)
{
	const struct field_item *item = field_item(f, v->record.item);

	return item == NULL ? bytes_of(NULL, 0) : item->name_en;
}

/* For people */

#define TEXT(b) (int)(b).n, (const char *)(b).p

static void
print_holder(FILE *to, const struct verdict *v, const struct field *f)
{
	struct bytes type = field_document_name(f, v->record.doc_type), zh = item_zh(v, f),
	             en = item_en(v, f);
	char number[DOCUMENT_BYTES_MAX + 1];

	number_text(v, number);
	fprintf(to, "  姓名 name            %.*s\n", TEXT(v->record.name));
	fprintf(to, "  证件 document        %s (%.*s %.*s)%s\n", number, TEXT(v->record.doc_type),
	        TEXT(type), v->document_matched ? " 一致 matches" : "");
	fprintf(to, "  项目 item            %.*s %.*s %.*s\n", TEXT(v->record.item), TEXT(zh),
	        TEXT(en));
}

/* Otherwise valid, for 低压电工作业; you asked for 高压电工作业. */
static void
print_asked(FILE *to, const struct check *c, const struct field *f)
{
	const struct field_item *item = field_item(f, c->item);

	if (c->v.code != VERDICT_ITEM_MISMATCH)
		return;
	fprintf(to, "  所查项目 asked for   %.*s", TEXT(c->item));
	if (item != NULL)
		fprintf(to, " %.*s %.*s", TEXT(item->name_zh), TEXT(item->name_en));
	fputc('\n', to);
}

static void
print_dates(FILE *to, const struct verdict *v)
{
	char first[16], last[16], review[16];

	day_text(date_shanghai(v->record.nbf), first);
	day_text(date_shanghai(v->record.exp - 1), last);
	fprintf(to, "  有效期 valid         %s – %s\n", first, last);
	if (v->record.review_due >= 0) {
		day_text(v->record.review_due, review);
		fprintf(to, "  复审 review due      %s\n", review);
	}
}

static void
print_issuer(FILE *to, const struct check *c, const struct field *f)
{
	const struct record *r = &c->v.record;
	struct bytes region = field_region_name(f, r->region), authority = r->authority;
	char serial[33];

	if (authority.n == 0)
		authority = c->m->name_zh;
	hex_encode(r->cti, serial);
	fprintf(to, "  发证 authority       %.*s %.*s\n", TEXT(authority), TEXT(c->m->name_en));
	fprintf(to, "  考试点 centre        %.*s (%.*s %.*s)\n", TEXT(r->center), TEXT(r->region),
	        TEXT(region));
	fprintf(to, "  序列号 serial        %s\n", serial);
}

static void
print_status(FILE *to, const struct verdict *v)
{
	char at[40], day[16];
	bool listed = v->code == VERDICT_REVOKED || v->code == VERDICT_SUSPENDED ||
	              v->code == VERDICT_SUPERSEDED;

	if (v->status_time >= 0) {
		time_text(v->status_time, at);
		fprintf(to, "  状态截至 status as of %s%s\n", at,
		        v->status_expired ? " (清单已过期 past its expiry)" : "");
	} else {
		fprintf(to, "  状态截至 status as of – (无清单 no list)\n");
	}
	if (v->has_row) {
		time_text(v->row.revoked_at, at);
		day_text(v->row.invalid_from, day);
		fprintf(to, "  决定 decided         %s, 自 from %s, %s\n", at, day,
		        reason_of_crl(v->row.reason));
	} else if (listed && v->status_time >= 0) {
		time_text(v->status_time, at);
		fprintf(to, "  决定 decided         列于 %s 的清单 on the list of that time\n", at);
	}
	if (v->log_checked)
		fprintf(to, "  日志 log: checked    第 %llu 条，共 %llu 条 entry %llu of %llu\n",
		        (unsigned long long)v->log_index, (unsigned long long)v->log_size,
		        (unsigned long long)v->log_index, (unsigned long long)v->log_size);
	else
		fprintf(to, "  日志 log: not checked\n");
}

void
check_print(FILE *to, const struct check *c, const struct field *f)
{
	const struct verdict *v = &c->v;
	char at[40];

	fprintf(to, "%s  %s\n%s\n", verdict_word(v->code), verdict_zh(v->code),
	        verdict_en(v->code));
	if (v->reason != REASON_NONE)
		fprintf(to, "%s\n%s\n", reason_zh(v->reason), reason_en(v->reason));
	if (!v->has_record)
		return;
	print_holder(to, v, f);
	print_asked(to, c, f);
	print_dates(to, v);
	print_issuer(to, c, f);
	print_status(to, v);
	time_text(v->at, at);
	fprintf(to, "  核验时间 checked for %s\n", at);
}

void
check_print_line(FILE *to, const struct verdict *v)
{
	char at[40] = "-";

	if (v->status_time >= 0)
		time_text(v->status_time, at);
	fprintf(to, "\t%s\t%s", verdict_word(v->code), at);
	if (v->reason != REASON_NONE)
		fprintf(to, "\t%s", reason_word(v->reason));
	fputc('\n', to);
}

/* For programs */

static json_t *
json_text(struct bytes v)
{
	return v.n == 0 ? json_null() : json_stringn((const char *)v.p, v.n);
}

static json_t *
json_day(int64_t day)
{
	char text[16];

	if (day < 0)
		return json_null();
	day_text(day, text);
	return json_string(text);
}

static json_t *
json_time(int64_t utc_s)
{
	char text[40];

	if (utc_s < 0)
		return json_null();
	time_text(utc_s, text);
	return json_string(text);
}

static json_t *
json_revocation(const struct verdict *v)
{
	if (!v->has_row)
		return json_null();
	return json_pack("{s:s,s:o,s:o}", "reason", reason_of_crl(v->row.reason), "date",
	        json_time(v->row.revoked_at), "invalid_from", json_day(v->row.invalid_from));
}

static json_t *
json_certificate(const struct check *c, const struct field *f)
{
	const struct record *r = &c->v.record;
	char number[DOCUMENT_BYTES_MAX + 1], serial[33];

	number_text(&c->v, number);
	hex_encode(r->cti, serial);
	return json_pack("{s:s,s:o,s:o,s:s,s:b,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}",
	        "serial", serial, "name", json_text(r->name), "document_type",
	        json_text(r->doc_type), "document", number, "document_matched",
	        c->v.document_matched, "item", json_text(r->item), "item_name_zh",
	        json_text(item_zh(&c->v, f)), "item_name_en", json_text(item_en(&c->v, f)),
	        "valid_from", json_day(date_shanghai(r->nbf)), "valid_until",
	        json_day(date_shanghai(r->exp - 1)), "first_issued", json_day(r->first_issued),
	        "review_due", json_day(r->review_due), "region", json_text(r->region), "center",
	        json_text(r->center), "authority_zh",
	        json_text(r->authority.n != 0 ? r->authority : c->m->name_zh), "authority_en",
	        json_text(c->m->name_en));
}

json_t *
check_json(const struct check *c, const struct field *f)
{
	const struct verdict *v = &c->v;
	bool signed_here = v->has_record;

	return json_pack("{s:s,s:i,s:s,s:s,s:o,s:o,s:o,s:o,s:b,s:s,s:o,s:o,s:o}", "verdict",
	        verdict_word(v->code), "exit", verdict_exit(v->code), "zh", verdict_zh(v->code),
	        "en", verdict_en(v->code), "reason",
	        v->reason == REASON_NONE ? json_null() : json_string(reason_word(v->reason)),
	        "checked_for", json_time(v->at), "certificate",
	        signed_here ? json_certificate(c, f) : json_null(), "status_as_of",
	        json_time(v->status_time), "status_expired", v->status_expired, "log",
	        v->log_checked ? "checked" : "not checked", "log_index",
	        v->log_checked ? json_integer((json_int_t)v->log_index) : json_null(), "log_size",
	        v->log_checked ? json_integer((json_int_t)v->log_size) : json_null(), "revocation",
	        json_revocation(v));
}
