/* zz_sample.c - a sample of a list of certificates: drawn here, so that the service cannot know
 * which records it must show, and each record held against the selector. */
#include "zz_select.h"
#include "zz_text.h"

#include <string.h>

struct row { /* a group of the sample: copies, since a certificate is freed when it was shown */
	char center[64], item[16], status[24];
	unsigned count;
};
struct draw {
	const struct zz_sample *s;
	struct row rows[ZZ_SAMPLE_MAX];
	unsigned row_count;
};

static size_t
random_below(size_t n)
{
	uint64_t r;

	random_bytes(&r, sizeof r);
	return (size_t)(r % n); /* of at most 100,000: no bias that matters */
}

static void
copy(char *out, size_t room, struct bytes text)
{
	snprintf(out, room, "%.*s", (int)text.n, (const char *)text.p);
}

static void
row_count(struct draw *d, const struct zz_certificate *c)
{
	struct row r = {.count = 1};
	unsigned i;

	copy(r.center, sizeof r.center, c->record.center);
	copy(r.item, sizeof r.item, c->record.item);
	copy(r.status, sizeof r.status, zz_text_of(c->json, "status"));
	for (i = 0; i < d->row_count; i++) {
		if (!strcmp(d->rows[i].center, r.center) && !strcmp(d->rows[i].item, r.item) &&
		        !strcmp(d->rows[i].status, r.status)) {
			d->rows[i].count++;
			return;
		}
	}
	d->rows[d->row_count++] = r;
}

static enum zz_exit
certificate_show(struct draw *d, const uint8_t serial[16])
{
	const struct zz_sample *s = d->s;
	const struct zz *z = s->service->z;
	struct zz_certificate c;
	const char *rule = NULL;
	enum zz_exit exit;
	char hex[33];

	hex_encode(bytes_of(serial, 16), hex);
	memset(&c, 0, sizeof c);
	if ((exit = zz_certificate_get(s->service, hex, s->manifest, &c)) != ZZ_DONE)
		return exit;
	if (s->select && (rule = zz_select_breaks(s->select, &c.record))) {
		fprintf(z->err,
		        "zz: certificate %s: %s: nothing was signed. Report this.\n"
		        "    清单中的证书不符合选择条件，未签名，请报告。\n",
		        hex, rule);
		zz_certificate_free(&c);
		return ZZ_REFUSED;
	}
	zz_certificate_line(z->out, &c, s->field);
	fputs("      ", z->out);
	zz_status_put(z->out, zz_text_of(c.json, "status"));
	fputs(" (as the service says 服务所述)\n", z->out);
	row_count(d, &c);
	zz_certificate_free(&c);
	return ZZ_DONE;
}

static void
groups_print(const struct draw *d)
{
	FILE *to = d->s->service->z->out;

	fputs("\nThese by status, centre and item 以上按状态、考试点、项目:\n", to);
	zz_group_head(to);
	for (unsigned i = 0; i < d->row_count; i++) {
		const struct row *r = &d->rows[i];

		zz_group_print(to,
		        &(struct zz_group){bytes_of_text(r->center), bytes_of_text(r->item),
		                bytes_of_text(r->status), r->count},
		        d->s->field);
	}
}

enum zz_exit
zz_sample_print(const struct zz_sample *s, const struct zz_list *l)
{
	size_t n = l->count < s->max ? l->count : s->max, low, high;
	struct draw d = {.s = s};
	enum zz_exit exit;

	if (n < l->count)
		fprintf(s->service->z->out,
		        "Sample of %zu, drawn here at random from the whole list 随机抽样 %zu "
		        "件:\n",
		        n, n);
	for (size_t i = 0; i < n; i++) {
		low = i * l->count / n;
		high = (i + 1) * l->count / n;
		exit = certificate_show(&d, l->serials[low + random_below(high - low)]);
		if (exit != ZZ_DONE)
			return exit;
	}
	if (s->groups && n)
		groups_print(&d);
	return ZZ_DONE;
}
