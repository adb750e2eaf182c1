/* zz_text.c - text of others on a terminal, one code point at a time and never unchecked. */
#include "zz_text.h"
#include "date.h"

#include <string.h>

enum { BAR_CELLS = 30 };

/* The next code point, or -1 for a byte that begins none; *n is its length, at least 1. */
static int64_t
point_next(struct bytes text, size_t *n)
{
	static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint8_t first = text.p[0];
	uint32_t point;
	size_t width, i;

	*n = 1;
	if (first < 0x80)
		return first;
	width = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
	if (first < 0xc2 || first > 0xf4 || width > text.n)
		return -1;
	point = (uint32_t)(first - lead[width]);
	for (i = 1; i < width; i++) {
		if ((text.p[i] & 0xc0) != 0x80)
			return -1;
		point = point << 6 | (text.p[i] & 0x3fU);
	}
	if (point < least[width] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return -1;
	*n = width;
	return point;
}

static bool
point_is_safe(int64_t p)
{
	bool control = p < 0x20 || (p >= 0x7f && p < 0xa0) || p == 0x2028 || p == 0x2029;
	bool bidi = p == 0x61c || p == 0x200e || p == 0x200f || (p >= 0x202a && p <= 0x202e) ||
	            (p >= 0x2066 && p <= 0x2069);

	return !control && !bidi && p != 0xfeff;
}

/* Cells of a terminal, by the wide blocks of Unicode's East Asian Width. */
static unsigned
point_cells(int64_t p)
{
	bool wide = (p >= 0x1100 && p <= 0x115f) || (p >= 0x2e80 && p <= 0xa4cf) ||
	            (p >= 0xac00 && p <= 0xd7a3) || (p >= 0xf900 && p <= 0xfaff) ||
	            (p >= 0xfe30 && p <= 0xfe6f) || (p >= 0xff00 && p <= 0xff60) ||
	            (p >= 0xffe0 && p <= 0xffe6) || (p >= 0x1f300 && p <= 0x1faff) ||
	            (p >= 0x20000 && p <= 0x3fffd);

	return wide ? 2 : 1;
}

/* Writes at most `cells` and gives the cells written. */
static unsigned
write_cells(FILE *to, struct bytes text, unsigned cells)
{
	unsigned used = 0, wide;
	int64_t point;
	size_t n;

	for (; text.n; text = bytes_skip(text, n)) {
		point = point_next(text, &n);
		wide = point < 0 ? 1 : point_cells(point);
		if (wide > cells - used)
			break;
		used += wide;
		if (!to)
			continue;
		if (point < 0 || !point_is_safe(point))
			fputc('?', to);
		else
			fwrite(text.p, 1, n, to);
	}
	return used;
}

void
text_put(FILE *to, struct bytes text)
{
	write_cells(to, text, UINT32_MAX);
}

void
text_line(FILE *to, const char *label, struct bytes text)
{
	fputs(label, to);
	text_put(to, text);
	fputs("\n", to);
}

unsigned
text_cells(struct bytes text)
{
	return write_cells(NULL, text, UINT32_MAX);
}

void
text_column(FILE *to, struct bytes text, unsigned cells)
{
	unsigned used = write_cells(to, text, cells);

	for (; used < cells; used++)
		fputc(' ', to);
}

void
text_put_day(FILE *to, int64_t day)
{
	char room[32];
	struct buf b = buf_init(room, sizeof room);

	date_put(&b, day);
	text_put(to, buf_bytes(&b));
}

void
text_put_time(FILE *to, int64_t utc_s)
{
	int64_t second = utc_s - date_shanghai_start(date_shanghai(utc_s));

	text_put_day(to, date_shanghai(utc_s));
	fprintf(to, " %02d:%02d", (int)(second / 3600), (int)(second / 60 % 60));
}

void
text_progress(FILE *to, bool terminal, const char *text, size_t done, size_t all)
{
	static const char full[] = "##############################",
	                  empty[] = "..............................";
	int bar = all && done < all ? (int)(done * BAR_CELLS / all) : BAR_CELLS;

	if (!terminal)
		return;
	fputs("\r\033[K", to);
	if (text && all)
		fprintf(to, "%s [%.*s%.*s] %zu/%zu", text, bar, full, BAR_CELLS - bar, empty, done,
		        all);
	else if (text)
		fprintf(to, "%s …", text);
	fflush(to);
}
