#ifndef ISSUER_HTTP_LISTEN_H
#define ISSUER_HTTP_LISTEN_H
/* http_listen.h - the listening socket of issuerd, made before any library sees it. */
#include "config.h"

struct http_listener {
	int fd;                              /* not blocking, close-on-exec */
	unsigned port;                       /* 0 for a Unix socket */
	char unix_path[CONFIG_TEXT_MAX * 2]; /* "" for TCP; removed at the end */
};

/* Reads config.listen. ERR_CONFIG: not `ADDRESS:PORT`, `[ADDRESS]:PORT` or `unix:PATH` with a
 * number for address, or an address beyond loopback without listen_any; ERR_EXISTS: somebody
 * listens there; ERR_IO. A Unix socket that nobody answers is replaced; it gets mode 0660. */
MUST_USE enum err http_listen(const struct config *c, struct http_listener *out);
#endif
