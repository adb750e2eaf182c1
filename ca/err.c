/* err.c - the words of the error table in err.h. */
#include "err.h"

#include <assert.h>
#include <string.h>

struct row {
	const char *word, *en, *zh;
	unsigned http;
	bool retry;
};

static const struct row rows[] = {
#define X(id, word, http, retry, en, zh) [id] = {word, en, zh, http, retry},
        ERR_LIST(X)
#undef X
};

_Static_assert(sizeof rows / sizeof rows[0] == ERR_COUNT, "one row for each error");

static const struct row *
row_of(enum err e)
{
	assert((unsigned)e < ERR_COUNT);
	return &rows[e];
}

const char *
err_word(enum err e)
{
	return row_of(e)->word;
}

const char *
err_en(enum err e)
{
	return row_of(e)->en;
}

const char *
err_zh(enum err e)
{
	return row_of(e)->zh;
}

unsigned
err_http_status(enum err e)
{
	return row_of(e)->http;
}

bool
err_may_retry(enum err e)
{
	return row_of(e)->retry;
}

enum err
err_from_word(const char *word, unsigned long n)
{
	for (unsigned i = 0; i < ERR_COUNT; i++)
		if (strlen(rows[i].word) == n && memcmp(rows[i].word, word, n) == 0)
			return (enum err)i;
	return ERR_INTERNAL;
}
