#ifndef TOOLS_AUDIT_JOURNAL_H
#define TOOLS_AUDIT_JOURNAL_H
/* audit_journal.h - the signer's journal (FORMATS.md section 8), read only and by a reader of its
 * own: what is below the size that it had at open is compared with the rows. */
#include "audit_log.h"

MUST_USE enum err audit_journal_open(struct audit *a, const char *folder);
void audit_journal_free(struct audit_journal *j);
/* Sets the journal's views of rows; they live in *room, which the caller frees. */
MUST_USE enum err audit_journal_rows(
        struct audit *a, struct log_row *rows, size_t count, uint8_t **room);
bool audit_journal_lacks(const struct audit *a, uint64_t index); /* it was read to its end */
/* Entries that the journal has and the database lacks. */
void audit_journal_end(struct audit *a);
#endif
