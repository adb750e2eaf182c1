/* audit_pool.c - threads that work through one set of items at a time. An item is touched by one
 * thread; what it found is read after audit_pool_wait only. */
#include "audit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum { THREADS_MAX = 64, CHUNK = 16 };

struct audit_pool {
	pthread_t threads[THREADS_MAX];
	unsigned count;
	pthread_mutex_t lock;
	pthread_cond_t begin, end;
	audit_work work;
	void *ctx;
	size_t items;
	atomic_size_t next;
	unsigned busy; /* threads that may still touch this set */
	uint64_t set;  /* number of the set under way */
	bool stop;
};

static void
items_take(struct audit_pool *p)
{
	for (;;) {
		size_t at = atomic_fetch_add(&p->next, CHUNK);

		for (size_t i = at; i < at + CHUNK && i < p->items; i++)
			p->work(p->ctx, i);
		if (at + CHUNK >= p->items)
			return;
	}
}

static void *
thread_run(void *pool)
{
	struct audit_pool *p = pool;
	uint64_t seen = 0;

	pthread_mutex_lock(&p->lock);
	while (!p->stop) {
		if (p->set == seen) {
			pthread_cond_wait(&p->begin, &p->lock);
			continue;
		}
		seen = p->set;
		pthread_mutex_unlock(&p->lock);
		items_take(p);
		pthread_mutex_lock(&p->lock);
		if (--p->busy == 0)
			pthread_cond_signal(&p->end);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

enum err
audit_pool_open(struct audit_pool **out)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	struct audit_pool *p = calloc(1, sizeof *p);

	if (p == NULL)
		return ERR_MEMORY;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->begin, NULL);
	pthread_cond_init(&p->end, NULL);
	if (processors > THREADS_MAX)
		processors = THREADS_MAX;
	while ((long)p->count < processors &&
	        pthread_create(&p->threads[p->count], NULL, thread_run, p) == 0)
		p->count++;
	*out = p;
	return ERR_OK;
}

void
audit_pool_free(struct audit_pool *p)
{
	if (p == NULL)
		return;
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_broadcast(&p->begin);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->count; i++)
		pthread_join(p->threads[i], NULL);
	pthread_cond_destroy(&p->begin);
	pthread_cond_destroy(&p->end);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

void
audit_pool_start(struct audit_pool *p, audit_work work, void *ctx, size_t count)
{
	pthread_mutex_lock(&p->lock);
	p->work = work;
	p->ctx = ctx;
	p->items = count;
	atomic_store(&p->next, 0);
	p->busy = p->count;
	p->set++;
	pthread_cond_broadcast(&p->begin);
	pthread_mutex_unlock(&p->lock);
}

void
audit_pool_wait(struct audit_pool *p)
{
	if (p->work != NULL)
		items_take(p);
	pthread_mutex_lock(&p->lock);
	while (p->busy > 0)
		pthread_cond_wait(&p->end, &p->lock);
	p->work = NULL;
	pthread_mutex_unlock(&p->lock);
}
