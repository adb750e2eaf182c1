/* config.c - zz.conf: one table gives the defaults, the parser and the help, so that no setting is
 * in one and not in the others. */
#include "config.h"

#include "cbor.h"
#include "file.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum setting_type {
	SETTING_TEXT,
	SETTING_PATH,
	SETTING_HOST,
	SETTING_LINES, /* may stand several times: the values, each with a line end */
	SETTING_NUMBER,
	SETTING_SWITCH
};

struct setting {
	const char *name;
	enum setting_type type;
	size_t offset, room; /* room: bytes of a text, with its NUL */
	const char *text;    /* default of a text */
	uint64_t number, min, max;
	const char *help;
};

#define TEXT(member, type, value, help)                                                            \
	{                                                                                          \
#member, type, offsetof(struct config, member),                                    \
		        sizeof(((struct config *)NULL)->member), value, 0, 0, 0, help              \
	}
#define NUMBER(member, value, min, max, help)                                                      \
	{                                                                                          \
#member, SETTING_NUMBER, offsetof(struct config, member), 0, NULL, value, min,     \
		        max, help                                                                  \
	}
#define SWITCH(member, value, help)                                                                \
	{                                                                                          \
#member, SETTING_SWITCH, offsetof(struct config, member), 0, NULL, value, 0, 1,    \
		        help                                                                       \
	}

/* clang-format off */
static const struct setting settings[] = {
	TEXT(host, SETTING_HOST, "zz.example.gov.cn", "names the authority: iss of every token, origin of the log is HOST/log"),
	TEXT(name_zh, SETTING_TEXT, "应急管理演示机关", "name of the authority in Chinese"),
	TEXT(name_en, SETTING_TEXT, "Demonstration work safety authority", "name of the authority in English"),
	TEXT(listen, SETTING_TEXT, "127.0.0.1:8080", "where issuerd listens: 127.0.0.1:PORT, [::1]:PORT or unix:PATH"),
	SWITCH(listen_any, 0, "yes: allow an address that is not loopback (no nginx in front)"),
	TEXT(trust_dir, SETTING_PATH, "trust", "root.pub, manifest.cose, roster.jws, log.vkey, crl-ca.pem"),
	TEXT(signer_dir, SETTING_PATH, "signer", "state of ca-signer, mode 0700: keys, journal, snapshots"),
	TEXT(run_dir, SETTING_PATH, "run", "sockets of ca-signer: front.sock, publish.sock, admin.sock"),
	TEXT(public_dir, SETTING_PATH, "public", "what issuer-publish writes and any web server gives out"),
	TEXT(pepper_file, SETTING_PATH, "keys/pepper", "32 random bytes: key of the holder index, read by issuerd and zz-admin"),
	TEXT(issuer_database, SETTING_TEXT, "", "libpq connection string of role zz_issuer"),
	TEXT(publish_database, SETTING_TEXT, "", "libpq connection string of role zz_publish"),
	TEXT(admin_database, SETTING_TEXT, "", "libpq connection string of role zz_admin"),
	TEXT(audit_database, SETTING_TEXT, "", "libpq connection string of role zz_audit"),
	TEXT(owner_database, SETTING_TEXT, "", "libpq connection string of role zz_owner: zz-admin migrate only"),
	TEXT(front_user, SETTING_TEXT, "", "system user that may open front.sock; empty: the signer's own"),
	TEXT(publish_user, SETTING_TEXT, "", "system user that may open publish.sock; empty: the signer's own"),
	TEXT(admin_user, SETTING_TEXT, "", "system user that may open admin.sock; empty: the signer's own"),
	NUMBER(loops, 2, 1, 64, "HTTP loop threads of issuerd, one a core"),
	NUMBER(workers, 2, 1, 64, "threads of issuerd that ask signer and database before the writer"),
	NUMBER(queue_max, 256, 1, 65536, "requests that may wait for the writer; more are answered 429"),
	NUMBER(request_deadline_s, 30, 1, 600, "seconds from the first byte of a request to its answer"),
	NUMBER(connections_max, 512, 1, 65536, "open HTTP connections of issuerd"),
	NUMBER(list_refresh_s, 1800, 10, 86400, "seconds after which a status list is signed again without a change"),
	TEXT(witness, SETTING_LINES, "", "NAME VKEY URL of a witness that cosigns checkpoints; one line for each"),
	TEXT(witness_group, SETTING_LINES, "", "NAME all|any|K MEMBER ...: a group of witnesses; one line for each"),
	TEXT(witness_quorum, SETTING_TEXT, "none", "the witness or group that must have cosigned, or none; published as log/policy.txt"),
	SWITCH(sandbox_required, 1, "no: a kernel without Landlock or seccomp, or a start as root, is said and no longer refused"),
	SWITCH(witness_required, 0, "yes: nothing is published without the quorum; no: cosignatures are added when they come"),
};
/* clang-format on */

enum {
	SETTING_COUNT = sizeof settings / sizeof settings[0],
	LINE_BYTES_MAX = CONFIG_TEXT_MAX + 60,
	FILE_BYTES_MAX = 64 * 1024
};

static void *
place(struct config *c, const struct setting *s)
{
	return (uint8_t *)c + s->offset;
}

static void
set_defaults(struct config *c)
{
	memset(c, 0, sizeof *c);
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		const struct setting *s = &settings[i];

		if (s->type == SETTING_NUMBER)
			memcpy(place(c, s), &s->number, sizeof s->number);
		else if (s->type == SETTING_SWITCH)
			memcpy(place(c, s), &(bool){s->number != 0}, sizeof(bool));
		else
			snprintf(place(c, s), s->room, "%s", s->text);
	}
}

/* A name that stands in URLs and in the log's origin: letters a-z, digits, dots and hyphens. */
static bool
host_valid(struct bytes v)
{
	for (size_t i = 0; i < v.n; i++) {
		uint8_t c = v.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '.' && c != '-')
			return false;
	}
	return v.n > 0 && v.p[0] != '.' && v.p[0] != '-' && v.p[v.n - 1] != '.';
}

static const char *
set_text(struct config *c, const struct setting *s, struct bytes v)
{
	char *at = place(c, s);

	if (v.n >= s->room)
		return "the value is too long";
	if (s->type == SETTING_HOST && !host_valid(v))
		return "a host has only a-z, 0-9, dots and hyphens";
	if (v.n > 0)
		memcpy(at, v.p, v.n);
	at[v.n] = '\0';
	return NULL;
}

static const char *
add_line(struct config *c, const struct setting *s, struct bytes v)
{
	char *at = place(c, s);
	size_t n = strlen(at);

	if (v.n == 0)
		return "the value is empty";
	if (v.n >= CONFIG_TEXT_MAX || n + v.n + 1 >= s->room)
		return "the value is too long";
	memcpy(at + n, v.p, v.n);
	at[n + v.n] = '\n';
	at[n + v.n + 1] = '\0';
	return NULL;
}

static const char *
set_value(struct config *c, const struct setting *s, struct bytes v)
{
	uint64_t number = 0;
	bool on = bytes_equal_text(v, "yes");

	switch (s->type) {
	case SETTING_NUMBER:
		if (decimal_decode(v, s->max, &number) != ERR_OK || number < s->min)
			return "the value is not a number in range";
		memcpy(place(c, s), &number, sizeof number);
		return NULL;
	case SETTING_SWITCH:
		if (!on && !bytes_equal_text(v, "no"))
			return "the value must be yes or no";
		memcpy(place(c, s), &on, sizeof on);
		return NULL;
	case SETTING_LINES:
		return add_line(c, s, v);
	case SETTING_TEXT:
	case SETTING_PATH:
	case SETTING_HOST:
		break;
	}
	return set_text(c, s, v);
}

static struct bytes
trim(struct bytes v)
{
	while (v.n > 0 && (v.p[0] == ' ' || v.p[0] == '\t'))
		v = bytes_skip(v, 1);
	while (v.n > 0 && (v.p[v.n - 1] == ' ' || v.p[v.n - 1] == '\t' || v.p[v.n - 1] == '\r'))
		v.n--;
	return v;
}

static bool
has_control(struct bytes v)
{
	for (size_t i = 0; i < v.n; i++)
		if ((v.p[i] < 0x20 && v.p[i] != '\t') || v.p[i] == 0x7f)
			return true;
	return false;
}

/* NULL, or the reason why the line is refused. */
static const char *
set_line(struct config *c, struct bytes line, bool seen[SETTING_COUNT])
{
	const uint8_t *equals = NULL;
	struct bytes name;

	if (line.n > LINE_BYTES_MAX)
		return "the line is too long";
	line = trim(line);
	if (line.n == 0 || line.p[0] == '#')
		return NULL;
	if (has_control(line) || !utf8_valid(line, NULL))
		return "the line is not plain UTF-8 text";
	if ((equals = memchr(line.p, '=', line.n)) == NULL)
		return "a line is: name = value";
	name = trim(bytes_of(line.p, (size_t)(equals - line.p)));
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		if (!bytes_equal_text(name, settings[i].name))
			continue;
		if (seen[i] && settings[i].type != SETTING_LINES)
			return "the setting stands here a second time";
		seen[i] = true;
		return set_value(
		        c, &settings[i], trim(bytes_skip(line, (size_t)(equals + 1 - line.p))));
	}
	return "the setting is unknown (zz-admin --help names them all)";
}

static enum err
set_lines(struct config *c, struct bytes text, char *why, size_t why_n)
{
	bool seen[SETTING_COUNT] = {false};

	for (unsigned line = 1; text.n > 0; line++) {
		const uint8_t *end = memchr(text.p, '\n', text.n);
		size_t n = end == NULL ? text.n : (size_t)(end - text.p);
		const char *reason = set_line(c, bytes_of(text.p, n), seen);

		if (reason != NULL) {
			snprintf(why, why_n, "line %u: %s", line, reason);
			return ERR_CONFIG;
		}
		text = bytes_skip(text, end == NULL ? n : n + 1);
	}
	return ERR_OK;
}

/* Relative paths start at the folder of the file, wherever the process stands. */
static enum err
set_folder(struct config *c, const char *path, char *why, size_t why_n)
{
	char *real = realpath(path, NULL), *slash = real == NULL ? NULL : strrchr(real, '/');
	size_t n = slash == NULL ? 0 : (size_t)(slash - real);
	enum err e = slash == NULL || n >= sizeof c->folder ? ERR_CONFIG : ERR_OK;

	if (e == ERR_OK) {
		memcpy(c->folder, real, n);
		c->folder[n] = '\0';
	} else
		snprintf(why, why_n, "the path of the file is too long");
	free(real);
	return e;
}

/* So that config_path always fits in CONFIG_TEXT_MAX bytes. */
static enum err
check_paths(struct config *c, char *why, size_t why_n)
{
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		const char *value = place(c, &settings[i]);

		if (settings[i].type != SETTING_PATH || value[0] == '/')
			continue;
		if (strlen(c->folder) + 1 + strlen(value) < CONFIG_TEXT_MAX)
			continue;
		snprintf(why, why_n, "%s: the path is too long", settings[i].name);
		return ERR_CONFIG;
	}
	return ERR_OK;
}

enum err
config_read(const char *path, struct config *out, char *why, size_t why_n)
{
	struct config c;
	uint8_t *text = NULL;
	size_t n = 0;
	enum err e = file_read(path, FILE_BYTES_MAX, &text, &n);

	if (e != ERR_OK) {
		snprintf(why, why_n, "the file cannot be read (%s)", err_word(e));
		return ERR_CONFIG;
	}
	set_defaults(&c);
	e = set_lines(&c, bytes_of(text, n), why, why_n);
	free(text);
	if (e != ERR_OK || (e = set_folder(&c, path, why, why_n)) != ERR_OK ||
	        (e = check_paths(&c, why, why_n)) != ERR_OK)
		return e;
	*out = c;
	return ERR_OK;
}

void
config_help(FILE *to)
{
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		const struct setting *s = &settings[i];

		if (s->type == SETTING_NUMBER)
			fprintf(to, "  %-19s %s (%llu to %llu, default %llu)\n", s->name, s->help,
			        (unsigned long long)s->min, (unsigned long long)s->max,
			        (unsigned long long)s->number);
		else if (s->type == SETTING_SWITCH)
			fprintf(to, "  %-19s %s (yes or no, default %s)\n", s->name, s->help,
			        s->number != 0 ? "yes" : "no");
		else if (s->text[0] != '\0')
			fprintf(to, "  %-19s %s (default %s)\n", s->name, s->help, s->text);
		else
			fprintf(to, "  %-19s %s\n", s->name, s->help);
	}
}

void
config_path(const struct config *c, const char *setting, char *out, size_t out_n)
{
	int n = 0;

	if (setting[0] == '/' || setting[0] == '\0')
		n = snprintf(out, out_n, "%s", setting);
	else
		n = snprintf(out, out_n, "%s/%s", c->folder, setting);
	assert(n >= 0 && (size_t)n < out_n);
}
