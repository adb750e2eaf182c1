#ifndef TOOLS_ZZ_FOLLOW_H
#define TOOLS_ZZ_FOLLOW_H
/* zz_follow.h - a request of many certificates that has its signatures and is being executed. */
#include "zz_cmd.h"

/* While the state of *answer is "approved", asks for the request each second and shows how far it
 * is. *answer is replaced by the newest one. Breaking off changes nothing: the service goes on. */
enum zz_exit zz_follow(const struct zz_service *s, const char *request, json_t **answer);
#endif
