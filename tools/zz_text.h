#ifndef TOOLS_ZZ_TEXT_H
#define TOOLS_ZZ_TEXT_H
/* zz_text.h - text of others on a terminal: nothing that it holds may move the cursor, change
 * colours or turn the direction of writing, and tables stay straight beside Chinese (two cells a
 * character). */
#include "bytes.h"

#include <stdio.h>

/* Control characters, bidirectional controls and bytes that are no UTF-8 become '?'. */
void text_put(FILE *to, struct bytes text);
/* A label, the text and the end of the line. */
void text_line(FILE *to, const char *label, struct bytes text);
/* The text, cut or padded to `cells`. */
void text_column(FILE *to, struct bytes text, unsigned cells);
unsigned text_cells(struct bytes text);
/* Time as 2026-10-17 14:00 in Shanghai, for people. */
void text_put_time(FILE *to, int64_t utc_s);
void text_put_day(FILE *to, int64_t day);
/* One line of progress on a terminal, over the one before; NULL text clears it. */
void text_progress(FILE *to, bool terminal, const char *text, size_t done, size_t all);
#endif
