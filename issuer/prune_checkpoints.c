/* prune_checkpoints.c - thins out kept checkpoints in the order of their sizes: each is judged when
 * it is a day old, by its own signed time and that of the next. */
#include "prune_part.h"

#include "file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void
path_of(const char *dir, uint64_t size, const char *suffix, char out[PRUNE_PATH_BYTES])
{
	snprintf(out, PRUNE_PATH_BYTES, "%.500s/log/checkpoints/%" PRIu64 "%s", dir, size, suffix);
}

enum err
prune_checkpoints_add(struct prune_checkpoints *c, uint64_t size)
{
	if (c->count == c->room) {
		size_t room = c->room == 0 ? 1024 : 2 * c->room;
		uint64_t *grown = reallocarray(c->sizes, room, sizeof *grown);

		if (grown == NULL)
			return ERR_MEMORY;
		c->sizes = grown;
		c->room = room;
	}
	c->sizes[c->count++] = size;
	return ERR_OK;
}

void
prune_checkpoints_end(struct prune_checkpoints *c)
{
	if (c->listing != NULL)
		closedir(c->listing);
	free(c->sizes);
	memset(c, 0, sizeof *c);
}

static int
size_compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void
sizes_sort(struct prune_checkpoints *c)
{
	size_t kept = 0;

	if (c->count > 1)
		qsort(c->sizes, c->count, sizeof *c->sizes, size_compare);
	for (size_t i = 0; i < c->count; i++)
		if (kept == 0 || c->sizes[kept - 1] != c->sizes[i])
			c->sizes[kept++] = c->sizes[i];
	c->count = kept;
}

/* "<size>" or "<size>.cose": a stop between the two deletions leaves one of them. */
static bool
name_size(const char *name, uint64_t *size)
{
	const char *dot = strchr(name, '.');
	size_t n = dot == NULL ? strlen(name) : (size_t)(dot - name);

	return (dot == NULL || strcmp(dot, ".cose") == 0) &&
	       decimal_decode(bytes_of(name, n), INT64_MAX, size) == ERR_OK;
}

/* What lies there at the start, a part of it each turn. */
static void
list_turn(struct prune_checkpoints *c, const char *dir)
{
	char path[PRUNE_PATH_BYTES];
	const struct dirent *entry = NULL;
	uint64_t size;

	snprintf(path, sizeof path, "%.500s/log/checkpoints", dir);
	if (c->listing == NULL && (c->listing = opendir(path)) == NULL)
		return;
	for (unsigned steps = PRUNE_STEPS; steps > 0; steps--) {
		if ((entry = readdir(c->listing)) == NULL)
			break;
		if (name_size(entry->d_name, &size) && prune_checkpoints_add(c, size) != ERR_OK)
			return;
	}
	if (entry != NULL)
		return;
	closedir(c->listing);
	c->listing = NULL;
	c->listed = true;
	sizes_sort(c);
}

/* The log's time at that size, as the receipt says. */
static bool
time_of(const char *dir, uint64_t size, int64_t *time)
{
	char path[PRUNE_PATH_BYTES];
	uint8_t *bytes = NULL;
	struct receipt r;
	size_t n = 0;
	enum err e;

	path_of(dir, size, ".cose", path);
	if ((e = file_read(path, RECEIPT_BYTES_MAX, &bytes, &n)) == ERR_OK)
		e = receipt_head_decode(bytes_of(bytes, n), &r);
	if (e == ERR_OK && r.size == size)
		*time = r.time;
	else
		e = e == ERR_OK ? ERR_VALUE : e;
	free(bytes);
	return e == ERR_OK;
}

/* Also by its file: a folder that was copied waits a day more. */
static bool
young(const char *dir, uint64_t size, int64_t now)
{
	char path[PRUNE_PATH_BYTES];
	struct stat st;

	path_of(dir, size, "", path);
	return stat(path, &st) == 0 && (int64_t)st.st_mtim.tv_sec + PRUNE_GRACE_S > now;
}

/* The first of two neighbours. */
static void
first_judge(const struct prune_checkpoints *c, const char *dir, int64_t next_time)
{
	char path[PRUNE_PATH_BYTES];
	uint64_t size = c->sizes[c->first];

	path_of(dir, size, ".head", path);
	if (c->time / 60 != next_time / 60 || file_exists(path))
		return;
	path_of(dir, size, "", path);
	prune_unlink(path);
	path_of(dir, size, ".cose", path);
	prune_unlink(path);
}

static void
room_win(struct prune_checkpoints *c)
{
	if (c->first < 4096 || c->first < c->count / 2)
		return;
	memmove(c->sizes, c->sizes + c->first, (c->count - c->first) * sizeof *c->sizes);
	c->count -= c->first;
	c->first = 0;
}

void
prune_checkpoints_turn(struct prune_checkpoints *c, const char *dir, const struct prune_public *at)
{
	if (!c->listed) {
		list_turn(c, dir);
		return;
	}
	for (unsigned steps = PRUNE_STEPS; steps > 0 && c->first + 1 < c->count; steps--) {
		int64_t next_time = 0;
		bool next_known;

		if (!c->time_known)
			c->time_known = time_of(dir, c->sizes[c->first], &c->time);
		if (c->time_known && (c->time + PRUNE_GRACE_S > at->now ||
		                             young(dir, c->sizes[c->first], at->now)))
			return;
		next_known = time_of(dir, c->sizes[c->first + 1], &next_time);
		if (c->time_known && next_known)
			first_judge(c, dir, next_time);
		c->first++;
		c->time_known = next_known;
		c->time = next_time;
	}
	room_win(c);
}
