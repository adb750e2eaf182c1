/* audit_journal.c - frame by frame in order; a torn end is where it stops, any other damage is
 * told.
 */
#include "audit_journal.h"
#include "cbor.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAME_HEAD = 4 + SHA256_BYTES, BODY_MAX = FRAME_BYTES_MAX + 4096, FILES_MAX = 100000 };

struct audit_journal {
	char folder[400];
	uint64_t *starts;
	size_t file_count, file_next;
	FILE *file;
	uint8_t *body;
	struct cbor entries; /* of the frame under way */
	uint64_t left;       /* in it */
	uint64_t batch;      /* size before it */
	uint64_t next;       /* index of the next entry */
	long last_bytes;     /* of the last file when it was opened: what came later may be newer
	                        than the snapshot */
	bool end;
};

static int
start_order(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static enum err
files_list(struct audit_journal *j)
{
	DIR *d = opendir(j->folder);
	const struct dirent *entry;

	if (d == NULL)
		return ERR_NOT_FOUND;
	while ((entry = readdir(d)) != NULL && j->file_count < FILES_MAX) {
		char *end;
		uint64_t start;

		if (strncmp(entry->d_name, "journal-", 8) != 0)
			continue;
		start = strtoull(entry->d_name + 8, &end, 10);
		if (*end != '\0')
			continue;
		j->starts = audit_grow(j->starts, j->file_count + 1, sizeof *j->starts);
		j->starts[j->file_count++] = start;
	}
	closedir(d);
	if (j->file_count == 0)
		return ERR_NOT_FOUND;
	qsort(j->starts, j->file_count, sizeof *j->starts, start_order);
	return ERR_OK;
}

static enum err
last_measure(struct audit_journal *j)
{
	char path[440];
	FILE *f;

	snprintf(path, sizeof path, "%s/journal-%012" PRIu64, j->folder,
	        j->starts[j->file_count - 1]);
	if ((f = fopen(path, "rb")) == NULL)
		return ERR_IO;
	if (fseek(f, 0, SEEK_END) != 0)
		j->last_bytes = 0;
	else
		j->last_bytes = ftell(f);
	fclose(f);
	return ERR_OK;
}

enum err
audit_journal_open(struct audit *a, const char *folder)
{
	struct audit_journal *j = calloc(1, sizeof *j);

	if (j == NULL)
		return ERR_MEMORY;
	a->journal = j;
	snprintf(j->folder, sizeof j->folder, "%s", folder);
	return files_list(j) == ERR_OK ? last_measure(j) : ERR_NOT_FOUND;
}

void
audit_journal_free(struct audit_journal *j)
{
	if (j == NULL)
		return;
	if (j->file != NULL)
		fclose(j->file);
	free(j->starts);
	free(j->body);
	free(j);
}

static void
journal_differ(struct audit *a, const char *why)
{
	char key[40];

	snprintf(key, sizeof key, "idx=%" PRIu64, a->journal->next);
	audit_differ(a, "journal", "frame", key, why);
	a->journal->end = true;
}

static bool
file_next(struct audit_journal *j)
{
	char path[440];

	if (j->file != NULL)
		fclose(j->file);
	j->file = NULL;
	if (j->file_next == j->file_count)
		return false;
	snprintf(path, sizeof path, "%s/journal-%012" PRIu64, j->folder, j->starts[j->file_next++]);
	j->file = fopen(path, "rb");
	return j->file != NULL;
}

/* [size before, root after, [[entry, note, tag, record|null] …]] */
static bool
frame_open(struct audit_journal *j, struct bytes body)
{
	j->entries = cbor_init(body);
	cbor_array_exact(&j->entries, 3);
	j->batch = cbor_uint(&j->entries);
	cbor_bytes_exact(&j->entries, SHA256_BYTES);
	j->left = cbor_array(&j->entries);
	return j->entries.e == ERR_OK && j->batch == j->next && j->left > 0;
}

static bool
is_over(const struct audit_journal *j)
{
	return j->file_next == j->file_count && ftell(j->file) >= j->last_bytes;
}

/* false: the end, or a fault that was told. */
static bool
frame_read(struct audit *a)
{
	struct audit_journal *j = a->journal;
	uint8_t head[FRAME_HEAD], hash[SHA256_BYTES];
	size_t n, got;

	while (j->file == NULL || is_over(j) || (got = fread(head, 1, sizeof head, j->file)) == 0)
		if (!file_next(j)) {
			j->end = true;
			return false;
		}
	n = got < sizeof head ? 0 : (size_t)be_get(head, 4);
	if (n == 0 || n > BODY_MAX) {
		/* a frame that is being written; the tail of an older file is damage */
		if (j->file_next < j->file_count)
			journal_differ(a, "the journal is damaged");
		j->end = true;
		return false;
	}
	free(j->body);
	j->body = audit_grow(NULL, n, 1);
	if (fread(j->body, 1, n, j->file) != n) {
		j->end = true;
		return false;
	}
	sha256_one(bytes_of(j->body, n), hash);
	if (memcmp(hash, head + 4, sizeof hash) != 0 || !frame_open(j, bytes_of(j->body, n))) {
		journal_differ(a, "the journal is damaged");
		return false;
	}
	return true;
}

static void
keep(struct buf *room, struct bytes v, struct bytes *out)
{
	*out = bytes_of(room->p + room->n, v.n);
	buf_put(room, v);
}

static bool
row_take(struct audit *a, struct log_row *row, struct buf *room)
{
	struct audit_journal *j = a->journal;
	struct bytes record = {NULL, 0}, entry, note, tag;

	if (j->end || row->index != j->next || (j->left == 0 && !frame_read(a)))
		return false;
	cbor_array_exact(&j->entries, 4);
	entry = cbor_bytes(&j->entries);
	note = cbor_bytes(&j->entries);
	tag = cbor_bytes(&j->entries);
	if (!cbor_null_next(&j->entries))
		record = cbor_bytes(&j->entries);
	if (j->entries.e != ERR_OK) {
		journal_differ(a, "the journal is damaged");
		return false;
	}
	keep(room, entry, &row->j_entry);
	keep(room, note, &row->j_note);
	keep(room, tag, &row->j_tag);
	keep(room, record, &row->j_record);
	row->j_batch = j->batch;
	row->journaled = !room->failed;
	j->left--;
	j->next++;
	return row->journaled;
}

enum err
audit_journal_rows(struct audit *a, struct log_row *rows, size_t count, uint8_t **room)
{
	size_t n = count * (ENTRY_BYTES_MAX + NOTE_BYTES_MAX + ENTRY_TAG_BYTES + RECORD_BYTES_MAX);
	struct buf b;

	*room = NULL;
	if (a->journal == NULL || a->journal->end)
		return ERR_OK;
	/* only what is written to becomes memory */
	*room = malloc(n);
	if (*room == NULL)
		return ERR_MEMORY;
	b = buf_init(*room, n);
	for (size_t i = 0; i < count; i++)
		if (!row_take(a, &rows[i], &b))
			break;
	return ERR_OK;
}

void
audit_journal_end(struct audit *a)
{
	struct audit_journal *j = a->journal;

	if (j == NULL)
		return;
	if (!j->end && (j->left > 0 || frame_read(a)))
		journal_differ(a, "the journal goes on where the database does not");
	printf("journal: compared up to %" PRIu64 " of %" PRIu64 "\n", j->next, a->size);
}

bool
audit_journal_lacks(const struct audit *a, uint64_t index)
{
	return a->journal != NULL && a->journal->end && a->journal->next <= index;
}
