/* verify_many.c - blocks of certificates go round in a ring: one thread reads and writes, the
 * others judge, and a block is written only after all before it. */
#include "verify_many.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BLOCK_ITEMS = 64, BLOCKS_A_THREAD = 4, BAR_MS = 200 };

struct block {
	struct input_item items[BLOCK_ITEMS];
	size_t count;
	enum verdict_code codes[BLOCK_ITEMS];
	enum err read[BLOCK_ITEMS];
	char *text; /* what is to be written */
	size_t text_n;
	bool done;
};

struct run {
	const struct many_options *o;
	struct held *held;
	struct input *in;
	struct many_report *report;
	struct block *blocks;
	size_t size;
	pthread_mutex_t lock; /* of what follows, and of `done` */
	pthread_cond_t filled_more, done_more;
	uint64_t filled, taken; /* blocks; a block of the ring is `number % size` */
	bool ended;             /* no more will be filled */
	enum err e;             /* the first trouble */
	struct timespec start, drawn;
};

/* Judging */

struct worker {
	struct run *run;
	pthread_t thread;
	struct check *check;
	struct receipt_seen *seen;
	bool busy;
};

static enum err
item_judge(struct worker *w, struct block *b, size_t i, FILE *to)
{
	struct check_options o = w->run->o->check;
	uint8_t *owned = NULL;
	enum err e = ERR_OK;

	b->read[i] = input_item_data(w->run->in, &b->items[i], &owned, &o.data);
	if (b->read[i] != ERR_OK)
		return b->read[i] == ERR_MEMORY ? ERR_MEMORY : ERR_OK;
	if ((e = check_find(&o, w->run->held, w->seen, w->check)) == ERR_OK) {
		b->codes[i] = w->check->v.code;
		e = many_print(to, w->run->o, &b->items[i], w->check);
	}
	free(owned);
	return e;
}

static enum err
block_judge(struct worker *w, struct block *b)
{
	FILE *to = open_memstream(&b->text, &b->text_n);
	enum err e = to == NULL ? ERR_MEMORY : ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < b->count; i++)
		e = item_judge(w, b, i, to);
	if (to != NULL && fclose(to) != 0 && e == ERR_OK)
		e = ERR_MEMORY;
	return e;
}

/* The next block to judge, or NULL when there will be none. */
static struct block *
block_take(struct run *r)
{
	struct block *b = NULL;

	pthread_mutex_lock(&r->lock);
	while (r->taken == r->filled && !r->ended)
		pthread_cond_wait(&r->filled_more, &r->lock);
	if (r->taken < r->filled && r->e == ERR_OK)
		b = &r->blocks[r->taken++ % r->size];
	pthread_mutex_unlock(&r->lock);
	return b;
}

static void
block_done(struct run *r, struct block *b, enum err e)
{
	pthread_mutex_lock(&r->lock);
	b->done = true;
	if (r->e == ERR_OK)
		r->e = e;
	pthread_cond_signal(&r->done_more);
	pthread_mutex_unlock(&r->lock);
}

static void *
worker_main(void *arg)
{
	struct worker *w = arg;
	struct block *b = NULL;

	while ((b = block_take(w->run)) != NULL) {
		w->busy = true;
		block_done(w->run, b, block_judge(w, b));
	}
	return NULL;
}

/* Reading and writing */

static bool
block_fill(struct run *r)
{
	struct block *b = &r->blocks[r->filled % r->size];

	b->done = false;
	for (b->count = 0; b->count < BLOCK_ITEMS; b->count++)
		if (!input_next(r->in, &b->items[b->count]))
			break;
	pthread_mutex_lock(&r->lock);
	if (b->count > 0)
		r->filled++;
	r->ended = b->count < BLOCK_ITEMS;
	pthread_cond_broadcast(&r->filled_more);
	pthread_mutex_unlock(&r->lock);
	return !r->ended;
}

static double
seconds_between(const struct timespec *a, const struct timespec *b)
{
	return (double)(b->tv_sec - a->tv_sec) + (double)(b->tv_nsec - a->tv_nsec) / 1e9;
}

static void
bar_draw(struct run *r)
{
	struct timespec now;

	if (!r->o->terminal)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (seconds_between(&r->drawn, &now) * 1000 < BAR_MS)
		return;
	r->drawn = now;
	many_print_bar(r->o->err, r->in, r->report->count, seconds_between(&r->start, &now));
}

static void
bar_clear(struct run *r)
{
	if (r->o->terminal)
		many_print_bar(r->o->err, NULL, 0, 0);
}

static void
item_count(struct run *r, const struct block *b, size_t i)
{
	struct many_report *report = r->report;
	enum verdict_code code = b->codes[i];

	if (b->read[i] != ERR_OK) {
		report->unread++;
		bar_clear(r);
		many_print_unread(r->o->err, &b->items[i], b->read[i]);
		return;
	}
	if (report->by[code]++ == 0)
		report->first[code] = (struct many_first){b->items[i].name, b->items[i].line};
	report->count++;
}

static enum err
block_write(struct run *r, struct block *b)
{
	bool way = r->o->terminal && r->o->shared, ok = false;

	if (way)
		bar_clear(r);
	ok = b->text_n == 0 || fwrite(b->text, b->text_n, 1, r->o->out) == 1;
	if (way)
		ok = fflush(r->o->out) == 0 && ok;
	free(b->text);
	b->text = NULL;
	for (size_t i = 0; i < b->count; i++)
		item_count(r, b, i);
	bar_draw(r);
	return ok ? ERR_OK : ERR_IO;
}

/* Waits for the block that is to be written next. */
static enum err
block_wait(struct run *r, struct block *b)
{
	enum err e = ERR_OK;

	pthread_mutex_lock(&r->lock);
	while (!b->done && r->e == ERR_OK)
		pthread_cond_wait(&r->done_more, &r->lock);
	e = r->e;
	pthread_mutex_unlock(&r->lock);
	return e;
}

static enum err
run_all(struct run *r)
{
	uint64_t written = 0;
	bool more = true;
	enum err e = ERR_OK;

	for (;;) {
		while (more && r->filled - written < r->size)
			more = block_fill(r);
		if (written == r->filled)
			return input_end(r->in);
		if ((e = block_wait(r, &r->blocks[written % r->size])) != ERR_OK ||
		        (e = block_write(r, &r->blocks[written % r->size])) != ERR_OK)
			return e;
		written++;
	}
}

/* Start and end */

static enum err
run_open(struct run *r)
{
	r->size = (size_t)r->o->threads * BLOCKS_A_THREAD;
	if ((r->blocks = calloc(r->size, sizeof *r->blocks)) == NULL)
		return ERR_MEMORY;
	if (pthread_mutex_init(&r->lock, NULL) != 0 ||
	        pthread_cond_init(&r->filled_more, NULL) != 0 ||
	        pthread_cond_init(&r->done_more, NULL) != 0)
		return ERR_MEMORY;
	clock_gettime(CLOCK_MONOTONIC, &r->start);
	r->drawn = r->start;
	return ERR_OK;
}

/* How many run. */
static unsigned
workers_start(struct run *r, struct worker *workers)
{
	unsigned n = 0;

	for (; n < r->o->threads; n++) {
		struct worker *w = &workers[n];

		w->run = r;
		w->check = calloc(1, sizeof *w->check);
		w->seen = calloc(1, sizeof *w->seen);
		if (w->check == NULL || w->seen == NULL ||
		        pthread_create(&w->thread, NULL, worker_main, w) != 0)
			break;
	}
	return n;
}

static void
workers_end(struct run *r, struct worker *workers, unsigned running, enum err e)
{
	pthread_mutex_lock(&r->lock);
	r->ended = true;
	if (r->e == ERR_OK)
		r->e = e;
	pthread_cond_broadcast(&r->filled_more);
	pthread_mutex_unlock(&r->lock);
	for (unsigned i = 0; i < running; i++) {
		pthread_join(workers[i].thread, NULL);
		r->report->busy += workers[i].busy;
	}
	for (unsigned i = 0; i < r->o->threads; i++) {
		free(workers[i].check);
		free(workers[i].seen);
	}
}

enum err
many_run(const struct many_options *o, struct held *h, struct input *in, struct many_report *out)
{
	struct run r = {.o = o, .held = h, .in = in, .report = out};
	struct worker workers[MANY_THREADS_MAX] = {0};
	unsigned running = 0;
	enum err e = ERR_OK;

	*out = (struct many_report){0};
	if ((e = run_open(&r)) != ERR_OK) {
		free(r.blocks);
		return e;
	}
	running = workers_start(&r, workers);
	e = running == 0 ? ERR_MEMORY : run_all(&r);
	workers_end(&r, workers, running, e);
	bar_clear(&r);
	for (size_t i = 0; i < r.size; i++)
		free(r.blocks[i].text);
	free(r.blocks);
	pthread_mutex_destroy(&r.lock);
	pthread_cond_destroy(&r.filled_more);
	pthread_cond_destroy(&r.done_more);
	if (fflush(o->out) != 0 && e == ERR_OK)
		e = ERR_IO;
	return e;
}

int
many_exit(const struct many_report *r)
{
	if (r->count == 0 && r->unread == 0)
		return verdict_exit(VERDICT_MALFORMED);
	for (unsigned i = 0; i < VERDICT_COUNT; i++)
		if (r->by[i] > 0 && i != VERDICT_VALID)
			return verdict_exit((enum verdict_code)i);
	return r->unread > 0 ? 1 : 0;
}
