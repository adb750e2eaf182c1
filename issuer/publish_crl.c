/* publish_crl.c - CRLs follow their lists, and the head waits for none that takes long: a list may
 * have a million rows, a revocation has a minute. */
#include "log.h"
#include "publish.h"

#include "file.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum { PATH_BYTES = 700, MODE = 0644, BEFORE_HEAD_MS = 500, CRL_SHARE = 10, AGAIN_S = 30 };

static uint64_t
monotonic_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

bool
publish_crl_now(const struct publish_list *l, int64_t now, uint64_t spent_ms, bool head_out)
{
	if (!l->crl_due || now < l->crl_next)
		return false;
	/* after the head one is always made, or a list that takes longer would never have any */
	return spent_ms + l->crl_ms <= BEFORE_HEAD_MS || (head_out && spent_ms == 0);
}

void
publish_crl_made(struct publish_list *l, int64_t now, uint64_t took_ms, enum err e)
{
	l->crl_due = e != ERR_OK;
	l->crl_ms = took_ms;
	/* a CRL's number is its second: no two share one; and at most a tenth of the time goes into
	 * the CRL of one list */
	l->crl_next = now + 1 + (int64_t)(took_ms * CRL_SHARE / 1000);
	if (e != ERR_OK && l->crl_next < now + AGAIN_S)
		l->crl_next = now + AGAIN_S;
}

static enum err
crl_write(struct publish *p, uint32_t list)
{
	char path[PATH_BYTES];
	struct bytes der;
	uint64_t number;
	enum err e = signer_crl(p->signer, list, &number, &der);

	if (e != ERR_OK)
		return e;
	snprintf(path, sizeof path, "%s/crl/%" PRIu32 ".crl", p->dir, list);
	return file_write(path, der, MODE);
}

void
publish_crls(struct publish *p, int64_t now, bool head_out)
{
	uint64_t spent = 0;

	for (uint32_t i = 0; i < p->list_room; i++) {
		struct publish_list *l = &p->lists[i];
		uint64_t start = monotonic_ms(), took;
		enum err e;

		if (!publish_crl_now(l, now, spent, head_out))
			continue;
		e = crl_write(p, i);
		took = monotonic_ms() - start;
		if (e != ERR_OK)
			log_fault("crl_failed", "list=%" PRIu32 " error=%s detail=%s", i,
			        err_word(e), signer_detail(p->signer));
		/* the signer read its clock after `now` was read */
		publish_crl_made(l, now + (int64_t)(took / 1000), took, e);
		spent += took + 1;
	}
}
