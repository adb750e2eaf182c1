/* queue.c - jobs between loop threads, workers and writer: first in, first out; what is closed
 * gives out its rest and then nothing. */
#include "service.h"

#include <time.h>

void
queue_init(struct queue *q)
{
	pthread_condattr_t attributes;

	*q = (struct queue){0};
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

struct job *
queue_take_all(struct queue *q, unsigned wait_ms)
{
	struct timespec until;
	struct job *list;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += wait_ms / 1000;
	until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&q->lock);
	while (q->first == NULL && !q->closed)
		if (pthread_cond_timedwait(&q->ready, &q->lock, &until) != 0)
			break;
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
