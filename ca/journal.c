/* journal.c - frames on disk: whole and synced, or cut off at the next start. */
#include "journal.h"

#include "cbor.h"
#include "file.h"
#include "hash.h"
#include "log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD_BYTES = 4 + SHA256_BYTES, FILES_MAX = 100000, PATH_BYTES = 600, MARKS = 2048 };

struct mark {
	uint64_t size;
	off_t at;
};

struct journal {
	char folder[400];
	uint64_t *starts; /* size of the log at the start of each file, rising */
	size_t file_count;
	int fd; /* the last file, open for appending; -1 before the first frame */
	uint64_t bytes;
	uint8_t *room; /* one frame */
	size_t room_n;
	struct signed_entry *entries;
	size_t entry_room;
	/* where the newest frames of the last file begin: what is repeated to the signer is seldom
	 * older */
	struct mark marks[MARKS];
	uint64_t mark_count;
};

static void
path_of(const struct journal *j, uint64_t start, char out[PATH_BYTES])
{
	snprintf(out, PATH_BYTES, "%s/journal-%012" PRIu64, j->folder, start);
}

static int
start_compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static enum err
files_list(struct journal *j)
{
	DIR *d = opendir(j->folder);
	struct dirent *entry;
	enum err e = ERR_OK;

	if (d == NULL)
		return ERR_IO;
	while (e == ERR_OK && (entry = readdir(d)) != NULL) {
		char *end;
		uint64_t start;
		uint64_t *grown;

		if (strncmp(entry->d_name, "journal-", 8) != 0)
			continue;
		start = strtoull(entry->d_name + 8, &end, 10);
		grown = *end != '\0' ? NULL
		                     : reallocarray(j->starts, j->file_count + 1, sizeof *grown);
		if (grown == NULL) {
			e = ERR_IO;
			break;
		}
		j->starts = grown;
		j->starts[j->file_count++] = start;
	}
	closedir(d);
	if (j->file_count > 1)
		qsort(j->starts, j->file_count, sizeof *j->starts, start_compare);
	return e;
}

static enum err
room_for(struct journal *j, size_t n)
{
	uint8_t *grown;

	if (n <= j->room_n)
		return ERR_OK;
	if (n > FRAME_BYTES_MAX + 4096U || (grown = realloc(j->room, n)) == NULL)
		return n > FRAME_BYTES_MAX + 4096U ? ERR_LIMIT : ERR_MEMORY;
	j->room = grown;
	j->room_n = n;
	return ERR_OK;
}

static enum err
entries_room(struct journal *j, size_t n)
{
	struct signed_entry *grown;

	if (n <= j->entry_room)
		return ERR_OK;
	if ((grown = reallocarray(j->entries, n, sizeof *grown)) == NULL)
		return ERR_MEMORY;
	j->entries = grown;
	j->entry_room = n;
	return ERR_OK;
}

static enum err
frame_decode(struct journal *j, struct bytes body, struct journal_frame *out)
{
	struct cbor c = cbor_init(body);
	enum err e;

	cbor_array_exact(&c, 3);
	out->size = cbor_uint(&c);
	memcpy(out->root.b, cbor_bytes_exact(&c, SHA256_BYTES).p, SHA256_BYTES);
	out->count = (size_t)cbor_array(&c);
	if ((e = entries_room(j, out->count)) != ERR_OK)
		return e;
	for (size_t i = 0; i < out->count; i++) {
		struct signed_entry *s = &j->entries[i];

		cbor_array_exact(&c, 4);
		s->entry = cbor_bytes(&c);
		s->note = cbor_bytes(&c);
		s->tag = cbor_bytes_exact(&c, ENTRY_TAG_BYTES);
		s->record = cbor_null_next(&c) ? bytes_of(NULL, 0) : cbor_bytes(&c);
	}
	out->entries = j->entries;
	return cbor_end(&c);
}

/* Reads n bytes; ERR_TRUNCATED at the end of the file. */
static enum err
get_all(int fd, uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t got = read(fd, p, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got == 0 ? ERR_TRUNCATED : ERR_IO;
		p += got;
		n -= (size_t)got;
	}
	return ERR_OK;
}

/* ERR_NOT_FOUND at a clean end, ERR_TRUNCATED or ERR_ENCODING for a torn or damaged frame; a frame
 * whose hash holds and that cannot be read was written so, and is ERR_VALUE. */
static enum err
frame_next(struct journal *j, int fd, struct journal_frame *out)
{
	uint8_t head[HEAD_BYTES], hash[SHA256_BYTES];
	ssize_t got = read(fd, head, 1);
	size_t n;
	enum err e;

	if (got <= 0)
		return got == 0 ? ERR_NOT_FOUND : ERR_IO;
	if ((e = get_all(fd, head + 1, HEAD_BYTES - 1)) != ERR_OK)
		return e;
	n = (size_t)be_get(head, 4);
	if ((e = room_for(j, n)) != ERR_OK)
		return e == ERR_LIMIT ? ERR_ENCODING : e;
	if ((e = get_all(fd, j->room, n)) != ERR_OK)
		return e;
	sha256_one(bytes_of(j->room, n), hash);
	if (memcmp(hash, head + 4, SHA256_BYTES) != 0)
		return ERR_ENCODING;
	return frame_decode(j, bytes_of(j->room, n), out) == ERR_OK ? ERR_OK : ERR_VALUE;
}

struct walk { /* frames that end above `from`, one file after the other */
	uint64_t from;
	journal_see see;
	void *ctx;
	uint64_t size; /* of the log after the last whole frame */
	off_t end;     /* where that frame ends in its file */
	bool torn;     /* nothing whole can stand behind it */
};

/* Was the write cut short? Then the bad frame reaches the end of the file, or only the zeros of a
 * file that had grown already follow. A bad frame with more behind it is damage, and cutting it off
 * would take whole frames along. */
static bool
is_torn(int fd, off_t end)
{
	off_t here = lseek(fd, 0, SEEK_CUR), last = lseek(fd, 0, SEEK_END);
	uint8_t room[4096];
	ssize_t got = 0;

	if (here < 0 || last < 0)
		return false;
	if (here == last)
		return true;
	if (lseek(fd, end, SEEK_SET) != end)
		return false;
	while ((got = read(fd, room, sizeof room)) > 0)
		for (ssize_t i = 0; i < got; i++)
			if (room[i] != 0)
				return false;
	return got == 0;
}

/* Skips what lies before `from`, as far as the marks tell. */
static void
marks_seek(const struct journal *j, int fd, struct walk *w)
{
	uint64_t oldest = j->mark_count > MARKS ? j->mark_count - MARKS : 0;

	for (uint64_t i = j->mark_count; i > oldest; i--) {
		const struct mark *m = &j->marks[(i - 1) % MARKS];

		if (m->size > w->from)
			continue;
		if (lseek(fd, m->at, SEEK_SET) == m->at) {
			w->size = m->size;
			w->end = m->at;
		}
		return;
	}
}

static enum err
file_frames(struct journal *j, size_t index, struct walk *w)
{
	char path[PATH_BYTES];
	struct journal_frame frame = {0};
	enum err e;
	int fd;

	w->size = j->starts[index];
	w->end = 0;
	w->torn = false;
	path_of(j, w->size, path);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return ERR_IO;
	if (index + 1 == j->file_count)
		marks_seek(j, fd, w);
	while ((e = frame_next(j, fd, &frame)) == ERR_OK) {
		if (frame.size != w->size || frame.count == 0) {
			e = ERR_FORK;
			break;
		}
		w->size += frame.count;
		w->end = lseek(fd, 0, SEEK_CUR);
		if (w->size > w->from && (e = w->see(w->ctx, &frame)) != ERR_OK) {
			close(fd);
			return e;
		}
	}
	w->torn = (e == ERR_TRUNCATED || e == ERR_ENCODING) && is_torn(fd, w->end);
	close(fd);
	if (e == ERR_TRUNCATED)
		e = ERR_ENCODING;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* First file that may hold a frame ending above `from`. */
static size_t
file_of(const struct journal *j, uint64_t from)
{
	size_t i = 0;

	while (i + 1 < j->file_count && j->starts[i + 1] <= from)
		i++;
	return i;
}

static enum err
last_open(struct journal *j, off_t end, bool torn)
{
	char path[PATH_BYTES];

	path_of(j, j->starts[j->file_count - 1], path);
	if ((j->fd = open(path, O_WRONLY | O_CLOEXEC)) < 0)
		return ERR_IO;
	if (torn) {
		log_note("journal_torn_frame", "file=%s kept_bytes=%jd", path, (intmax_t)end);
		if (ftruncate(j->fd, end) != 0)
			return ERR_IO;
		file_sync(j->fd, path);
	}
	j->bytes = (uint64_t)end;
	return lseek(j->fd, end, SEEK_SET) == end ? ERR_OK : ERR_IO;
}

enum err
journal_open(const char *folder, uint64_t from, journal_see see, void *ctx, struct journal **out)
{
	struct journal *j = calloc(1, sizeof *j);
	struct walk w = {.from = from, .see = see, .ctx = ctx};
	enum err e;

	if (j == NULL)
		return ERR_MEMORY;
	j->fd = -1;
	snprintf(j->folder, sizeof j->folder, "%s", folder);
	e = files_list(j);
	for (size_t i = file_of(j, from), first = i; e == ERR_OK && i < j->file_count; i++) {
		if (i > first && j->starts[i] != w.size) {
			e = ERR_FORK;
			break;
		}
		e = file_frames(j, i, &w);
		/* only the very last frame can be torn by a crash: all before it were synced */
		if (w.torn && i + 1 == j->file_count)
			e = ERR_OK;
	}
	/* what a snapshot holds was synced here before */
	if (e == ERR_OK && w.size < from)
		e = ERR_FORK;
	if (e == ERR_OK && j->file_count > 0)
		e = last_open(j, w.end, w.torn);
	if (e != ERR_OK) {
		journal_free(j);
		return e;
	}
	*out = j;
	return ERR_OK;
}

void
journal_free(struct journal *j)
{
	if (j == NULL)
		return;
	if (j->fd >= 0)
		close(j->fd);
	free(j->starts);
	free(j->room);
	free(j->entries);
	free(j);
}

static void
must(bool ok, const char *what)
{
	if (ok)
		return;
	log_fault("journal_failed", "what=%s errno=%d", what, errno);
	_exit(70);
}

static void
file_start(struct journal *j, uint64_t size)
{
	char path[PATH_BYTES];
	uint64_t *grown = reallocarray(j->starts, j->file_count + 1, sizeof *grown);

	must(grown != NULL, "memory");
	j->starts = grown;
	j->starts[j->file_count++] = size;
	if (j->fd >= 0)
		close(j->fd);
	path_of(j, size, path);
	/* an empty file of that name may be left of a crash before its first frame */
	j->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	must(j->fd >= 0, "create");
	file_sync_folder(j->folder);
	j->bytes = 0;
	j->mark_count = 0;
}

static void
body_put(struct buf *b, uint64_t size, const struct merkle_hash *root,
        const struct signed_entry *entries, size_t count)
{
	cbor_put_array(b, 3);
	cbor_put_uint(b, size);
	cbor_put_bytes(b, bytes_of(root->b, SHA256_BYTES));
	cbor_put_array(b, count);
	for (size_t i = 0; i < count; i++) {
		cbor_put_array(b, 4);
		cbor_put_bytes(b, entries[i].entry);
		cbor_put_bytes(b, entries[i].note);
		cbor_put_bytes(b, entries[i].tag);
		if (entries[i].record.n == 0)
			cbor_put_null(b);
		else
			cbor_put_bytes(b, entries[i].record);
	}
}

void
journal_append(struct journal *j, uint64_t size, const struct merkle_hash *root,
        const struct signed_entry *entries, size_t count)
{
	size_t n = HEAD_BYTES + 128;
	uint8_t *frame;
	struct buf body;

	for (size_t i = 0; i < count; i++)
		n += entries[i].entry.n + entries[i].note.n + entries[i].tag.n +
		     entries[i].record.n + 24;
	if (j->fd < 0 || (j->bytes > 0 && j->bytes + n > JOURNAL_FILE_BYTES_MAX))
		file_start(j, size);
	frame = malloc(n);
	must(frame != NULL, "memory");
	body = buf_init(frame + HEAD_BYTES, n - HEAD_BYTES);
	body_put(&body, size, root, entries, count);
	must(!body.failed, "size");
	be_put(frame, body.n, 4);
	sha256_one(buf_bytes(&body), frame + 4);
	must(file_put_all(j->fd, bytes_of(frame, HEAD_BYTES + body.n)) == ERR_OK, "write");
	must(fdatasync(j->fd) == 0, "fdatasync");
	j->marks[j->mark_count++ % MARKS] = (struct mark){size, (off_t)j->bytes};
	j->bytes += HEAD_BYTES + body.n;
	free(frame);
}

enum err
journal_read(struct journal *j, uint64_t from, journal_see see, void *ctx)
{
	struct walk w = {.from = from, .see = see, .ctx = ctx};
	enum err e = ERR_OK;

	for (size_t i = file_of(j, from); e == ERR_OK && i < j->file_count; i++)
		e = file_frames(j, i, &w);
	return e == ERR_LIMIT ? ERR_OK : e;
}
