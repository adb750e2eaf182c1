/* prune_status.c - tables, list versions and deltas that no living head names: a name tells all
 * that the rule needs. */
#include "prune_part.h"

#include "head.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum folder { TABLES, DELTAS, VERSIONS, FOLDERS };
static const char *const folders[FOLDERS] = {"status/table", "status/delta", "status/version"};

enum err
prune_status_begin(struct prune_status *s)
{
	s->old = calloc(HEAD_LISTS_MAX, sizeof *s->old);
	s->old_next = calloc(HEAD_LISTS_MAX, sizeof *s->old_next);
	return s->old != NULL && s->old_next != NULL ? ERR_OK : ERR_MEMORY;
}

void
prune_status_end(struct prune_status *s)
{
	if (s->listing != NULL)
		closedir(s->listing);
	free(s->old);
	free(s->old_next);
}

/* "[<first>-]<sequence>.cwt"; the proof of a version ends in .tlog-proof. */
static bool
name_read(const char *name, bool pair, uint64_t *first, uint64_t *sequence)
{
	const char *dot = strchr(name, '.');
	struct bytes stem = bytes_of(name, dot == NULL ? 0 : (size_t)(dot - name)), before = stem;
	const uint8_t *dash = stem.n == 0 ? NULL : memchr(stem.p, '-', stem.n);

	if (dot == NULL || (strcmp(dot, ".cwt") != 0 && strcmp(dot, ".tlog-proof") != 0) ||
	        (dash != NULL) != pair)
		return false;
	if (pair) {
		before.n = (size_t)(dash - stem.p);
		stem = bytes_skip(stem, before.n + 1);
		if (decimal_decode(before, INT64_MAX / 2, first) != ERR_OK)
			return false;
	}
	return decimal_decode(stem, INT64_MAX / 2, sequence) == ERR_OK;
}

static bool
passed(uint64_t sequence, int64_t after_s, int64_t now)
{
	return (int64_t)sequence + after_s <= now;
}

/* A version goes when a later one of its list is old enough too: that one took its place then. The
 * reading before told which. */
static bool
version_goes(struct prune_status *s, uint64_t list, uint64_t sequence, int64_t now)
{
	if (list >= HEAD_LISTS_MAX)
		return false;
	if (passed(sequence, PRUNE_STATUS_S, now) && sequence > s->old_next[list])
		s->old_next[list] = sequence;
	return sequence < s->old[list];
}

static bool
file_goes(struct prune_status *s, const char *name, const struct prune_public *at)
{
	uint64_t first = 0, sequence = 0;

	if (!name_read(name, s->folder != TABLES, &first, &sequence))
		return false;
	if (s->folder == VERSIONS)
		return version_goes(s, first, sequence, at->now);
	if (sequence >= at->sequence)
		return false;
	return passed(sequence, s->folder == TABLES ? PRUNE_STATUS_S : PRUNE_DELTA_S, at->now);
}

/* The next folder, and after the last one a rest. */
static void
folder_end(struct prune_status *s, int64_t now)
{
	uint64_t *old = s->old;

	closedir(s->listing);
	s->listing = NULL;
	s->folder = (s->folder + 1) % FOLDERS;
	if (s->folder != 0)
		return;
	s->next = now + PRUNE_SWEEP_S;
	s->old = s->old_next;
	s->old_next = old;
	memset(s->old_next, 0, HEAD_LISTS_MAX * sizeof *s->old_next);
}

void
prune_status_turn(struct prune_status *s, const char *dir, const struct prune_public *at)
{
	char folder[PRUNE_PATH_BYTES - 260], path[PRUNE_PATH_BYTES];
	const struct dirent *entry = NULL;

	/* a head that is not renewed any more: whatever it names stays */
	if (at->now < s->next || passed(at->sequence, PRUNE_STATUS_S, at->now))
		return;
	snprintf(folder, sizeof folder, "%.400s/%s", dir, folders[s->folder]);
	if (s->listing == NULL && (s->listing = opendir(folder)) == NULL)
		return;
	for (unsigned steps = PRUNE_STEPS; steps > 0; steps--) {
		if ((entry = readdir(s->listing)) == NULL)
			break;
		if (!file_goes(s, entry->d_name, at))
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		prune_unlink(path);
	}
	if (entry == NULL)
		folder_end(s, at->now);
}
