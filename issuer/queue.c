/* queue.c - jobs between loop threads, workers and writer: first in, first out; what is closed
 * gives out its rest and then nothing. */
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

void
queue_put(struct queue *q, struct job *j)
{
	pthread_mutex_lock(&q->lock);
	j->next = NULL;
	if (q->last != NULL)
		q->last->next = j;
	else
		q->first = j;
	q->last = j;
	q->count++;
	if (q->count >= q->wanted)
		pthread_cond_signal(&q->ready);
	pthread_mutex_unlock(&q->lock);
}

struct job *
queue_get(struct queue *q)
{
	struct job *j;

	pthread_mutex_lock(&q->lock);
	while (q->first == NULL && !q->closed)
		pthread_cond_wait(&q->ready, &q->lock);
	j = q->first;
	if (j != NULL) {
		q->first = j->next;
		if (q->first == NULL)
			q->last = NULL;
		q->count--;
	}
	pthread_mutex_unlock(&q->lock);
	return j;
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
	while (q->count < wanted && !q->closed)
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
	if (q->first != NULL)
		count_wait(q, (atomic_load(coming) + 1) / 2, gather_ms);
	list = q->first;
	q->first = q->last = NULL;
	q->count = 0;
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
	ended = q->closed && q->first == NULL;
	pthread_mutex_unlock(&q->lock);
	return ended;
}
