#ifndef TOOLS_AUDIT_FOLD_H
#define TOOLS_AUDIT_FOLD_H
/* audit_fold.h - what the two halves of the audit's own fold share: audit_fold.c goes through the
 * log, audit_fold_status.c judges changes of status. */
#include "audit_log.h"

void audit_entry_wrong(struct audit *a, const struct log_row *row, const char *why);
void audit_bits_set(uint8_t *raw, uint32_t place, unsigned value);
unsigned audit_bits(const uint8_t *raw, uint32_t place);
void audit_group_add(struct audit_log *l, const struct log_row *row);
/* Why the entry may not stand after an entry 1 that waits for its end, or NULL. */
const char *audit_pair_refused(const struct audit_pair *p, const struct log_row *row);
/* Entry 2: may it follow what was before, and what follows from it. */
void audit_status_apply(struct audit *a, const struct log_row *row);
#endif
