/* zz_follow.c - waits while the service executes what officials have signed: it only asks, so it
 * may be broken off and run again at any moment. */
#include "zz_follow.h"
#include "zz_text.h"

static bool
is_approved(const json_t *answer)
{
	return bytes_equal_text(zz_text_of(answer, "state"), "approved");
}

static void
progress_show(const struct zz *z, const json_t *answer, int64_t *shown)
{
	int64_t done = zz_number_of(answer, "done"), count = zz_number_of(answer, "count");

	if (done < 0 || count < 0 || done == *shown)
		return;
	*shown = done;
	if (z->terminal)
		text_progress(z->err, true, "Executing 执行", (size_t)done, (size_t)count);
	else
		fprintf(z->err, "Executed %lld of %lld. 已执行 %lld/%lld。\n", (long long)done,
		        (long long)count, (long long)done, (long long)count);
}

enum zz_exit
zz_follow(const struct zz_service *s, const char *request, json_t **answer)
{
	struct zz z = *s->z; /* its own time: each query token is of the moment it is sent */
	struct zz_service own = {&z, s->client, s->key};
	enum zz_exit exit = ZZ_DONE;
	json_t *newer = NULL;
	int64_t shown = -1;
	char path[100];

	if (!is_approved(*answer))
		return ZZ_DONE;
	fflush(z.out); /* what was shown is seen, also where this is broken off */
	fputs("All signatures are there; the service executes it. This may be broken off, and run "
	      "again to look.\n签署已齐，正在执行；可中断，重新运行可继续查看。\n",
	        z.err);
	snprintf(path, sizeof path, "/v1/requests/%s", request);
	while (is_approved(*answer)) {
		progress_show(&z, *answer, &shown);
		z.wait(&z.now);
		if ((exit = zz_get(&own, path, &newer)) != ZZ_DONE)
			break;
		json_decref(*answer);
		*answer = newer;
		newer = NULL;
	}
	text_progress(z.err, z.terminal, NULL, 0, 0);
	return exit;
}
