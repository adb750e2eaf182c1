#ifndef CA_CONFIG_H
#define CA_CONFIG_H
/* config.h - one zz.conf for all processes, lines `name = value`; one table gives parser, --help
 * and the README's section. Unknown names, values out of range and a second line for a name stop
 * the start; only settings that say so may stand several times. */
#include "bytes.h"
#include "limits.h"

#include <stdio.h>

enum { CONFIG_TEXT_MAX = 400, CONFIG_LINES_MAX = 8 * 1024 };

struct config {
	char folder[CONFIG_TEXT_MAX]; /* the folder of zz.conf: relative paths start there */
	char host[HOST_BYTES_MAX + 1];
	char name_zh[CONFIG_TEXT_MAX], name_en[CONFIG_TEXT_MAX];
	char listen[CONFIG_TEXT_MAX];    /* 127.0.0.1:PORT or unix:PATH */
	char trust_dir[CONFIG_TEXT_MAX]; /* root.pub, manifest.cose, roster.jws */
	char signer_dir[CONFIG_TEXT_MAX], run_dir[CONFIG_TEXT_MAX], public_dir[CONFIG_TEXT_MAX];
	char pepper_file[CONFIG_TEXT_MAX];
	char issuer_database[CONFIG_TEXT_MAX], publish_database[CONFIG_TEXT_MAX],
	        admin_database[CONFIG_TEXT_MAX], audit_database[CONFIG_TEXT_MAX],
	        owner_database[CONFIG_TEXT_MAX];
	char front_user[CONFIG_TEXT_MAX], publish_user[CONFIG_TEXT_MAX],
	        admin_user[CONFIG_TEXT_MAX];
	uint64_t loops, workers, queue_max, request_deadline_s, connections_max;
	uint64_t list_refresh_s; /* a list is signed again after this long without a change */
	bool listen_any;         /* allow an address that is not loopback */
	/* witnesses of the log (C2SP tlog-policy): each line's words after the keyword, one line a
	 * setting */
	char witness[CONFIG_LINES_MAX], witness_group[CONFIG_LINES_MAX];
	char witness_quorum[CONFIG_TEXT_MAX];
	bool sandbox_required; /* no start where the kernel cannot confine the process */
	bool witness_required; /* nothing is published without the quorum */
};

/* Defaults, then the file. ERR_CONFIG with the reason and the line in `why` (at least 200 bytes).
 */
MUST_USE enum err config_read(const char *path, struct config *out, char *why, size_t why_n);
void config_help(FILE *to); /* the table, one line a setting */
/* Path of a setting: absolute, or under the folder of zz.conf; empty stays empty. A path setting
 * always fits in CONFIG_TEXT_MAX bytes (config_read checks it). */
void config_path(const struct config *c, const char *setting, char *out, size_t out_n);
#endif
