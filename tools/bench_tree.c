/* bench_tree.c - the tree computed again from the entries in the database, on both cores, by parts
 * that are complete subtrees; the root must be the published one. */
#include "bench_part.h"

#include "merkle.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	PART_LEAVES = 1 << 17,
	THREADS = 2,
	LEAVES = 10000000,
	COPY_HEAD = 19, /* of COPY's binary format: signature, flags, extension */
	ENTRY_MAX = 65535
};

struct tree {
	const struct bench_run *r;
	uint64_t size, parts;
	struct merkle_hash *roots; /* of each part */
	atomic_uint_fast64_t next, hashed;
	atomic_int fault; /* enum err */
	double end;
};

static enum err
part_hash(FILE *in, uint8_t *room, uint64_t count, struct merkle_hash *root)
{
	struct merkle_frontier f = {0};
	struct merkle_hash leaf;
	uint8_t head[6];

	if (fread(room, 1, COPY_HEAD, in) != COPY_HEAD)
		return ERR_DATABASE;
	while (fread(head, 1, 2, in) == 2 && be_get(head, 2) == 1) {
		size_t n;

		if (fread(head + 2, 1, 4, in) != 4 || (n = be_get(head + 2, 4)) > ENTRY_MAX ||
		        fread(room, 1, n, in) != n)
			return ERR_DATABASE;
		merkle_leaf(bytes_of(room, n), &leaf);
		merkle_append(&f, &leaf);
	}
	merkle_root(&f, root);
	return f.size == count ? ERR_OK : ERR_DATABASE;
}

static enum err
part_read(struct tree *t, uint64_t part, uint8_t *room)
{
	uint64_t first = part * PART_LEAVES, end = first + PART_LEAVES;
	char sql[200];
	const char *const arguments[] = {"psql", "-X", "-q", "-d", "zz", "-c", sql, NULL};
	pid_t psql = 0;
	int fd = -1, status = 0;
	FILE *in;
	enum err e;

	if (end > t->size)
		end = t->size;
	snprintf(sql, sizeof sql,
	        "COPY (SELECT entry FROM zz.log_entry WHERE idx >= %" PRIu64 " AND idx < %" PRIu64
	        " ORDER BY idx) TO STDOUT (FORMAT binary)",
	        first, end);
	if ((e = bench_database_open(&t->r->in, arguments, &psql, &fd)) != ERR_OK)
		return e;
	if ((in = fdopen(fd, "r")) == NULL) {
		close(fd);
		e = ERR_MEMORY;
	} else {
		e = part_hash(in, room, end - first, &t->roots[part]);
		fclose(in);
	}
	if (waitpid(psql, &status, 0) != psql)
		e = ERR_IO;
	atomic_fetch_add(&t->hashed, end - first);
	return e;
}

/* Every part once, then again until LEAVES were hashed or the time is up. */
static bool
more(struct tree *t)
{
	return atomic_load(&t->next) < t->parts ||
	       (atomic_load(&t->hashed) < LEAVES && bench_clock_s() < t->end);
}

static void *
work(void *arg)
{
	struct tree *t = arg;
	uint8_t *room = malloc(ENTRY_MAX);
	enum err e = room == NULL ? ERR_MEMORY : ERR_OK;

	while (e == ERR_OK && atomic_load(&t->fault) == ERR_OK && more(t))
		e = part_read(t, atomic_fetch_add(&t->next, 1) % t->parts, room);
	if (e != ERR_OK)
		atomic_store(&t->fault, e);
	free(room);
	return NULL;
}

static enum err
tree_hash(struct tree *t)
{
	pthread_t threads[THREADS];
	unsigned n = 0;

	while (n < THREADS && pthread_create(&threads[n], NULL, work, t) == 0)
		n++;
	for (unsigned i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	return n == THREADS ? (enum err)atomic_load(&t->fault) : ERR_MEMORY;
}

static enum err
root_compare(const struct tree *t, const uint8_t want[SHA256_BYTES])
{
	struct merkle_frontier f = {0};
	struct merkle_hash root;

	for (uint64_t i = 0; i < t->parts; i++)
		merkle_append(&f, &t->roots[i]);
	merkle_root(&f, &root);
	if (memcmp(root.b, want, sizeof root.b) == 0)
		return ERR_OK;
	fputs("zz-bench: the root is not the published one\n", stderr);
	return ERR_FORK;
}

enum err
bench_part_tree(struct bench_run *r)
{
	struct tree t = {.r = r};
	uint8_t want[SHA256_BYTES];
	double start, seconds, rss;
	enum err e = bench_checkpoint(r, &t.size, want);

	if (e != ERR_OK)
		return e;
	atomic_init(&t.next, 0);
	atomic_init(&t.hashed, 0);
	atomic_init(&t.fault, ERR_OK);
	t.parts = (t.size + PART_LEAVES - 1) / PART_LEAVES;
	if (t.parts == 0 || (t.roots = calloc(t.parts, sizeof *t.roots)) == NULL)
		return ERR_MEMORY;
	start = bench_clock_s();
	t.end = start + BENCH_ROUNDS * r->in.seconds;
	e = tree_hash(&t);
	seconds = bench_clock_s() - start;
	rss = (double)bench_process_rss(getpid()) / (1 << 20);
	if (e == ERR_OK)
		e = root_compare(&t, want);
	if (e == ERR_OK) {
		double leaves = (double)atomic_load(&t.hashed);

		bench_goal_add(r->goals,
		        (struct bench_row){"tree_s", "tree: 10 million leaves from the database",
		                "s", 8, seconds * LEAVES / leaves});
		bench_goal_add(r->goals,
		        (struct bench_row){"tree_mib", "  memory for it", "MiB", 64, rss});
		bench_row(r, "tree_log", "  leaves of this log; read again and again", "",
		        (double)t.size);
	}
	free(t.roots);
	return e;
}
