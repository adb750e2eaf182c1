/* fuzz_entry.c - log entries and private notes that decode are written again as the same bytes. */
#include "entry.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t room[CHECKPOINT_BYTES_MAX + ENTRY_BYTES_MAX];
	struct bytes in = bytes_of(data, size);
	struct buf out = BUF_OF(room);
	struct entry_note note;
	struct entry entry;

	if (entry_decode(in, &entry) == ERR_OK) {
		entry_put(&entry, &out);
		if (!bytes_equal(in, buf_bytes(&out)))
			abort();
	}
	out = BUF_OF(room);
	if (entry_note_decode(in, &note) == ERR_OK) {
		entry_note_put(&note, &out);
		if (!bytes_equal(in, buf_bytes(&out)))
			abort();
	}
	return 0;
}
