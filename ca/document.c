/* document.c - numbers of identity documents: normalised first, then checked by the form of their
 * type. A number that left here is printable text of at most DOCUMENT_BYTES_MAX bytes in one
 * spelling. */
#include "document.h"

#include "cbor.h"
#include "date.h"

#include <string.h>

enum { RESIDENT_BYTES = 18, USCC_BYTES = 18 };

/* What a character of the input becomes: 0 nothing (a blank), negative: it stays as it is. */
struct folded {
	size_t length; /* bytes taken */
	int to;
};

/* Three-byte UTF-8: full-width digits U+FF10, letters U+FF21 and U+FF41, and the ideographic space
 * U+3000. */
static struct folded
wide_fold(const uint8_t *p)
{
	if (p[0] == 0xe3 && p[1] == 0x80 && p[2] == 0x80)
		return (struct folded){3, 0};
	if (p[0] == 0xef && p[1] == 0xbc && p[2] >= 0x90 && p[2] <= 0x99)
		return (struct folded){3, '0' + (p[2] - 0x90)};
	if (p[0] == 0xef && p[1] == 0xbc && p[2] >= 0xa1 && p[2] <= 0xba)
		return (struct folded){3, 'A' + (p[2] - 0xa1)};
	if (p[0] == 0xef && p[1] == 0xbd && p[2] >= 0x81 && p[2] <= 0x9a)
		return (struct folded){3, 'A' + (p[2] - 0x81)};
	return (struct folded){3, -1};
}

static struct folded
fold(struct bytes in)
{
	uint8_t c = in.p[0];

	if (c == ' ' || c == '\t')
		return (struct folded){1, 0};
	if (c >= 'a' && c <= 'z')
		return (struct folded){1, c - 'a' + 'A'};
	if (c < 0x80)
		return (struct folded){1, -1};
	if (c < 0xe0) /* U+00A0, no-break space */
		return (struct folded){2, c == 0xc2 && in.p[1] == 0xa0 ? 0 : -1};
	return c < 0xf0 ? wide_fold(in.p) : (struct folded){4, -1};
}

/* C0, DEL and C1: a number is one line of text. */
static bool
control(struct bytes in)
{
	return in.p[0] < 0x20 || in.p[0] == 0x7f || (in.p[0] == 0xc2 && in.p[1] < 0xa0);
}

enum err
document_normalise(struct bytes text, char out[DOCUMENT_BYTES_MAX + 1])
{
	char room[DOCUMENT_BYTES_MAX];
	struct buf b = BUF_OF(room);

	if (!utf8_valid(text, NULL))
		return ERR_VALUE;
	while (text.n != 0) {
		struct folded to = fold(text);

		if (to.to < 0 && control(text))
			return ERR_VALUE;
		if (to.to < 0)
			buf_put(&b, bytes_of(text.p, to.length));
		else if (to.to != 0)
			buf_put_u8(&b, (uint8_t)to.to);
		text = bytes_skip(text, to.length);
	}
	if (b.failed)
		return ERR_LIMIT;
	memcpy(out, room, b.n);
	out[b.n] = '\0';
	return ERR_OK;
}

char
document_check_char(const char *first17)
{
	static const unsigned weights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
	unsigned sum = 0;

	for (size_t i = 0; i < RESIDENT_BYTES - 1; i++)
		sum += (unsigned)(first17[i] - '0') * weights[i];
	return "10X98765432"[sum % 11];
}

/* Are `n` characters at s digits? Stops at the NUL. */
static bool
digits(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] < '0' || s[i] > '9')
			return false;
	return true;
}

static int
number_at(const char *s, size_t n)
{
	int v = 0;

	for (size_t i = 0; i < n; i++)
		v = v * 10 + (s[i] - '0');
	return v;
}

static bool
mod11_2_valid(const char *number)
{
	return strlen(number) == RESIDENT_BYTES && digits(number, RESIDENT_BYTES - 1) &&
	       number[RESIDENT_BYTES - 1] == document_check_char(number);
}

/* GB 11643: 6 region, 8 birth, 3 order (odd: male), 1 check. The 15-digit numbers of before are
 * void since 2013. */
static bool
resident_check(struct document *d)
{
	const char *s = d->number;

	if (!mod11_2_valid(s) ||
	        !date_exists(number_at(s + 6, 4), number_at(s + 10, 2), number_at(s + 12, 2)))
		return false;
	d->has_birth = true;
	d->birth = date_from_civil(number_at(s + 6, 4), number_at(s + 10, 2), number_at(s + 12, 2));
	d->has_sex = true;
	d->sex = (s[16] - '0') % 2 == 1 ? 1 : 2;
	d->has_region = true;
	memcpy(d->region, s, 6);
	d->region[6] = '\0';
	return true;
}

static bool
hk_macao_resident_check(struct document *d)
{
	return resident_check(d) &&
	       (strcmp(d->region, "810000") == 0 || strcmp(d->region, "820000") == 0);
}

static bool
taiwan_resident_check(struct document *d)
{
	return resident_check(d) && strcmp(d->region, "830000") == 0;
}

/* Card of 2023, or the older one of 3 letters and 12 digits. The table promises no birth date in
 * either. */
static bool
foreigner_check(struct document *d)
{
	const char *s = d->number;

	if (s[0] == '9')
		return mod11_2_valid(s);
	for (size_t i = 0; i < 3; i++)
		if (s[i] < 'A' || s[i] > 'Z')
			return false;
	return digits(s + 3, 12) && s[15] == '\0';
}

static bool
hk_macao_permit_check(struct document *d)
{
	const char *s = d->number;

	if (s[0] != 'H' && s[0] != 'M')
		return false;
	if (!digits(s + 1, 8))
		return false;
	return s[9] == '\0' || (digits(s + 9, 2) && s[11] == '\0');
}

static bool
taiwan_permit_check(struct document *d)
{
	return digits(d->number, 8) && d->number[8] == '\0';
}

static bool
passport_check(struct document *d)
{
	size_t n = strlen(d->number);

	for (size_t i = 0; i < n; i++) {
		char c = d->number[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z'))
			return false;
	}
	return n >= 5 && n <= 17;
}

static bool
military_check(struct document *d)
{
	return d->number[0] != '\0';
}

struct type_row {
	const char *type;
	bool (*check)(struct document *d);
};

static const struct type_row types[] = {
        {"01", resident_check},
        {"02", hk_macao_resident_check},
        {"03", taiwan_resident_check},
        {"04", foreigner_check},
        {"05", hk_macao_permit_check},
        {"06", taiwan_permit_check},
        {"07", passport_check},
        {"08", military_check},
};

enum err
document_check(struct bytes type, struct bytes number, struct document *out)
{
	const struct type_row *row = NULL;
	struct document d;

	memset(&d, 0, sizeof d);
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (bytes_equal_text(type, types[i].type))
			row = &types[i];
	if (row == NULL)
		return ERR_TYPE_UNKNOWN;
	memcpy(d.type, row->type, sizeof d.type);
	if (document_normalise(number, d.number) != ERR_OK || !row->check(&d))
		return ERR_VALUE;
	*out = d;
	return ERR_OK;
}

bool
uscc_valid(struct bytes code)
{
	/* no I O S V Z: they look like digits */
	static const char alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
	unsigned sum = 0, weight = 1;

	if (code.n != USCC_BYTES)
		return false;
	for (size_t i = 0; i < USCC_BYTES; i++) {
		const char *at = memchr(alphabet, code.p[i], sizeof alphabet - 1);

		if (at == NULL)
			return false;
		/* the check character has weight 1: a valid code sums to 0 */
		sum += (unsigned)(at - alphabet) * (i + 1 < USCC_BYTES ? weight : 1);
		weight = weight * 3 % 31;
	}
	return sum % 31 == 0;
}
