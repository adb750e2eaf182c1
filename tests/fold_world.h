#ifndef TESTS_FOLD_WORLD_H
#define TESTS_FOLD_WORLD_H
/* fold_world.h - entries that follow each other in a small log, and the fold they make. */
#include "fold.h"
#include "people.h"

enum { ENTRY_ROOM = 512, WORLD_ENTRIES = 2500 };

struct world_entry { /* an entry with its bytes; views of e and n point into it or static memory */
	struct entry e;
	struct entry_note n;
	uint8_t cti[16], sender[KEY_THUMB_BYTES], bytes[ENTRY_ROOM];
};

struct world {
	struct people people;
	struct roster *roster; /* NULL where caps do not matter */
	struct fold fold;
	struct world_entry *entries; /* what was made; kept until the end */
	size_t count;
	uint64_t slot, answer;
};

static inline struct world_entry *
entry_new(struct world *w, enum entry_type type, int64_t time)
{
	struct world_entry *we = &w->entries[w->count++];

	assert_true(w->count < WORLD_ENTRIES);
	we->e = (struct entry){.type = type,
	        .time = time,
	        .origin = BYTES_LIT("zz.example.gov.cn/log"),
	        .iss = BYTES_LIT("zz.example.gov.cn"),
	        .crl_reason = -1,
	        .until = -1};
	we->n = (struct entry_note){.slot = -1, .seat = -1};
	return we;
}

static inline struct world_entry *
issue_new(struct world *w, int64_t time, unsigned request)
{
	struct world_entry *we = entry_new(w, ENTRY_ISSUE, time);

	be_put(we->cti, w->slot + 1, 8);
	we->e.cti = bytes_of(we->cti, 16);
	we->e.center = BYTES_LIT("330106-01");
	we->e.item = BYTES_LIT("030102");
	we->e.policy = BYTES_LIT("SP-19");
	be_put(we->e.request, request, 8);
	we->n.slot = (int64_t)w->slot++;
	we->n.seat = 1;
	we->n.answer = request;
	we->n.exp = time + DAY_S;
	return we;
}

/* An order by one official, on a place of list 0; `officials` more have signed. */
static inline struct world_entry *
status_new(struct world *w, int64_t time, uint32_t idx, enum status status, size_t officials)
{
	struct world_entry *we = entry_new(w, ENTRY_STATUS, time);
	static const uint8_t thumbs[ENTRY_OFFICIALS_MAX][KEY_THUMB_BYTES] = {{1}, {2}, {3}};

	be_put(we->cti, idx + 1, 8);
	we->e.cti = bytes_of(we->cti, 16);
	we->e.idx = idx;
	we->e.status = status;
	we->e.crl_reason = status == STATUS_INVALID ? 9 : status == STATUS_SUSPENDED ? 6 : -1;
	we->e.effective = date_shanghai(time);
	we->e.until = status == STATUS_SUSPENDED ? time + 3600 : -1;
	be_put(we->e.request, 1000000 + w->count, 8);
	we->sender[0] = 77;
	we->n.sender = bytes_of(we->sender, KEY_THUMB_BYTES);
	for (size_t i = 0; i < officials; i++)
		we->n.officials[we->n.official_count++] = bytes_of(thumbs[i], KEY_THUMB_BYTES);
	we->n.exp = time + DAY_S;
	return we;
}

/* Version of list 0 that follows the newest one. */
static inline struct world_entry *
list_new(struct world *w, int64_t time)
{
	struct world_entry *we = entry_new(w, ENTRY_LIST, time);

	we->e.sequence = (uint64_t)time;
	we->e.this_update = time;
	we->e.next_update = time + DAY_S;
	we->e.tree_size = w->fold.frontier.size;
	be_put(we->e.cwt_sha256, (uint64_t)time, 8);
	if (w->fold.list_count > 0)
		memcpy(we->e.previous_sha256, w->fold.lists[0].previous, SHA256_BYTES);
	return we;
}

static inline struct world_entry *
version_new(struct world *w, enum entry_type type, int64_t time, uint64_t version)
{
	struct world_entry *we = entry_new(w, type, time);

	we->e.sequence = version;
	be_put(we->e.sha256, version, 8);
	return we;
}

static inline struct world_entry *
stop_new(struct world *w, int64_t time, const char *center, bool resumed)
{
	struct world_entry *we = entry_new(w, ENTRY_STOP, time);

	we->e.center = bytes_of_text(center);
	we->e.resumed = resumed;
	be_put(we->e.request, 2000000 + w->count, 8);
	we->n.exp = time + DAY_S;
	return we;
}

static inline enum err
batch_put(struct fold_batch *b, struct world_entry *we)
{
	struct buf bytes = BUF_OF(we->bytes);

	entry_put(&we->e, &bytes);
	assert_int_equal(buf_end(&bytes), ERR_OK);
	return fold_batch_add(b, &we->e, &we->n, buf_bytes(&bytes));
}

/* Checks one entry alone, and applies it where it passes. */
static inline enum err
put(struct world *w, struct world_entry *we)
{
	struct fold_batch *b = NULL;
	enum err e;

	assert_int_equal(fold_batch_open(&w->fold, w->roster, false, &b), ERR_OK);
	if ((e = batch_put(b, we)) == ERR_OK)
		fold_batch_apply(b, &w->fold);
	fold_batch_free(b);
	return e;
}

/* The same check as of PREPARE, and nothing changes. */
static inline enum err
prepare(struct world *w, struct world_entry *we)
{
	struct fold_batch *b = NULL;
	enum err e;

	assert_int_equal(fold_batch_open(&w->fold, w->roster, true, &b), ERR_OK);
	e = batch_put(b, we);
	fold_batch_free(b);
	return e;
}

static inline void
world_clear(struct world *w)
{
	fold_free(&w->fold);
	fold_init(&w->fold);
	w->count = 0;
	w->slot = w->answer = 0;
	memset(w->entries, 0, WORLD_ENTRIES * sizeof *w->entries);
}

static inline struct world *
world_make(void)
{
	struct world *w = calloc(1, sizeof *w);

	assert_non_null(w);
	people_make(&w->people);
	w->entries = calloc(WORLD_ENTRIES, sizeof *w->entries);
	assert_non_null(w->entries);
	fold_init(&w->fold);
	return w;
}

static inline void
world_free(struct world *w)
{
	fold_free(&w->fold);
	roster_free(w->roster);
	people_free(&w->people);
	free(w->entries);
	free(w);
}

static inline void
world_cap(struct world *w, uint64_t cap)
{
	uint8_t *room = malloc(65536);
	struct buf b = buf_init(room, 65536);

	roster_free(w->roster);
	w->roster = NULL;
	people_roster(&w->people, 1, cap, &b);
	assert_int_equal(roster_read(buf_bytes(&b), w->people.root, &w->roster), ERR_OK);
	free(room);
}

/* A genesis and one certificate in place 0: so there is a list. */
static inline void
world_start(struct world *w)
{
	assert_int_equal(put(w, entry_new(w, ENTRY_GENESIS, NOW)), ERR_OK);
	assert_int_equal(put(w, issue_new(w, NOW, 1)), ERR_OK);
	assert_int_equal(w->fold.list_count, 1);
}
#endif
