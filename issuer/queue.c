/* queue.c - jobs between loop threads, workers and writer: first in, first out; what is closed
 * gives out its rest and then nothing. Large jobs stand in a line of their own, which one taker
 * serves in turn with the other: a centre with 5,000 seats does not keep another with one. */
#include "service.h"

#include <time.h>

void
queue_init(struct queue *q)
{
	pthread_condattr_t attributes;

	*q = (struct queue){.wanted = 1};
	pthread_mutex_init(&q->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&q->ready, &attributes);
	pthread_condattr_destroy(&attributes);
}

static void
line_put(struct queue_line *l, struct job *first, struct job *last, size_t count)
{
	if (l->last != NULL)
		l->last->next = first;
	else
		l->first = first;
	l->last = last;
	l->count += count;
}

static struct job *
line_get(struct queue_line *l)
{
	struct job *j = l->first;

	l->first = j->next;
	if (l->first == NULL)
		l->last = NULL;
	l->count--;
	return j;
}

void
queue_put(struct queue *q, struct job *j)
{
	pthread_mutex_lock(&q->lock);
	j->next = NULL;
	line_put(j->large ? &q->large : &q->small, j, j, 1);
	/* a large one is for one taker alone: whoever is woken may not be that one */
	if (j->large)
		pthread_cond_broadcast(&q->ready);
	else if (q->small.count >= q->wanted)
		pthread_cond_signal(&q->ready);
	pthread_mutex_unlock(&q->lock);
}

void
queue_put_list(struct queue *q, struct job *list)
{
	pthread_mutex_lock(&q->lock);
	while (list != NULL) {
		struct job *next = list->next;

		list->next = NULL;
		line_put(list->large ? &q->large : &q->small, list, list, 1);
		list = next;
	}
	pthread_cond_broadcast(&q->ready);
	pthread_mutex_unlock(&q->lock);
}

size_t
queue_get(struct queue *q, struct queue_taker *by, struct job **out, size_t max)
{
	size_t n = 0, share;

	pthread_mutex_lock(&q->lock);
	while (q->small.count == 0 && (q->large.count == 0 || !by->takes_large) && !q->closed)
		pthread_cond_wait(&q->ready, &q->lock);
	share = (q->small.count + by->takers - 1) / by->takers;
	by->large_turn = !by->large_turn;
	if (by->takes_large && q->large.count > 0 && (by->large_turn || share == 0))
		out[n++] = line_get(&q->large);
	else
		while (n < max && n < share)
			out[n++] = line_get(&q->small);
	pthread_mutex_unlock(&q->lock);
	return n;
}

static struct timespec
time_in(unsigned ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

/* Until `wanted` wait, the queue is closed, or the time has come. */
static void
count_wait(struct queue *q, size_t wanted, unsigned ms)
{
	const struct timespec until = time_in(ms);

	q->wanted = wanted;
	while (q->small.count + q->large.count < wanted && !q->closed)
		if (pthread_cond_timedwait(&q->ready, &q->lock, &until) != 0)
			break;
	q->wanted = 1;
}

struct job *
queue_take_all(struct queue *q, unsigned wait_ms, const _Atomic size_t *coming, unsigned gather_ms)
{
	struct job *list;

	pthread_mutex_lock(&q->lock);
	count_wait(q, 1, wait_ms);
	if (q->small.count + q->large.count > 0)
		count_wait(q, (atomic_load(coming) + 1) / 2, gather_ms);
	if (q->large.count > 0)
		line_put(&q->small, q->large.first, q->large.last, q->large.count);
	list = q->small.first;
	q->small = q->large = (struct queue_line){0};
	pthread_mutex_unlock(&q->lock);
	return list;
}

void
queue_close(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->closed = true;
	pthread_cond_broadcast(&q->ready);
	pthread_mutex_unlock(&q->lock);
}

bool
queue_ended(struct queue *q)
{
	bool ended;

	pthread_mutex_lock(&q->lock);
	ended = q->closed && q->small.count + q->large.count == 0;
	pthread_mutex_unlock(&q->lock);
	return ended;
}
