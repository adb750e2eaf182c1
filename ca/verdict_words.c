/* verdict_words.c - the words of the verdict tables in verdict.h. None of them calls a certificate
 * or a person false: what does not verify is "not issued". */
#include "verdict.h"

#include <assert.h>

struct verdict_row {
	const char *word, *zh, *en;
	int code;
};
struct reason_row {
	const char *word, *zh, *en;
};

static const struct verdict_row verdicts[] = {
#define X(id, word, code, zh, en) [id] = {word, zh, en, code},
        VERDICT_LIST(X)
#undef X
};
static const struct reason_row reasons[] = {
#define X(id, word, zh, en) [id] = {word, zh, en},
        REASON_LIST(X)
#undef X
};

static const struct verdict_row *
row_of(enum verdict_code v)
{
	assert((unsigned)v < VERDICT_COUNT);
	return &verdicts[v];
}

static const struct reason_row *
reason_of(enum verdict_reason r)
{
	assert((unsigned)r < REASON_COUNT);
	return &reasons[r];
}

const char *
verdict_word(enum verdict_code v)
{
	return row_of(v)->word;
}

int
verdict_exit(enum verdict_code v)
{
	return row_of(v)->code;
}

const char *
verdict_zh(enum verdict_code v)
{
	return row_of(v)->zh;
}

const char *
verdict_en(enum verdict_code v)
{
	return row_of(v)->en;
}

const char *
reason_word(enum verdict_reason r)
{
	return reason_of(r)->word;
}

const char *
reason_zh(enum verdict_reason r)
{
	return reason_of(r)->zh;
}

const char *
reason_en(enum verdict_reason r)
{
	return reason_of(r)->en;
}
