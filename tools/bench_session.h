#ifndef TOOLS_BENCH_SESSION_H
#define TOOLS_BENCH_SESSION_H
/* bench_session.h - exam sessions for measuring: people that nobody is, with identity numbers that
 * are valid, each used once in a run. */
#include "key.h"

enum { BENCH_SEATS_MAX = 1000, BENCH_SEAT_BYTES = 420, BENCH_HEAD_BYTES = 1024, BENCH_NUMBER = 18 };

struct bench_plan { /* what all sessions of a run share */
	const char *center, *region, *item;
	int64_t now; /* UTC seconds: iat; the examination was the day before, in Shanghai */
	unsigned seats;
	uint64_t start; /* random: first person of the run */
	char run[9];    /* random, in each session's id */
};

uint64_t bench_people(void); /* how many different ones there are */
/* Resident identity number (GB 11643) of person n. *sex: 'M' or 'F', as the number has it. */
void bench_number(uint64_t n, char out[BENCH_NUMBER + 1], char *sex);
/* A signed request of plan->seats people from person `first` on. `payload` and `jws` are the
 * caller's room: BENCH_HEAD_BYTES + seats * BENCH_SEAT_BYTES, and twice that. */
MUST_USE enum err bench_session_sign(const struct bench_plan *plan, const struct key *k,
        uint64_t first, struct buf *payload, struct buf *jws);
#endif
