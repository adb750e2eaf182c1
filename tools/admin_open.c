/* admin_open.c - configuration, files of trust/, signer and database of zz-admin: what cannot be
 * had is named once. */
#include "admin.h"
#include "file.h"
#include "key.h"

#include <stdlib.h>
#include <string.h>

enum admin_exit
admin_fault(const char *what, enum err e)
{
	fprintf(stderr, "zz-admin: %s: %s (%s)\n    %s\n", what, err_en(e), err_word(e), err_zh(e));
	if (e == ERR_DATABASE || e == ERR_SIGNER || e == ERR_BUSY || e == ERR_UNKNOWN_COMMIT ||
	        e == ERR_DEADLINE)
		return ADMIN_UNAVAILABLE;
	return ADMIN_REFUSED;
}

enum admin_exit
admin_config(const struct admin_options *o, struct config *out)
{
	char why[200];

	if (config_read(o->config, out, why, sizeof why) == ERR_OK)
		return ADMIN_DONE;
	fprintf(stderr, "zz-admin: %s: %s\n", o->config, why);
	return ADMIN_USAGE;
}

enum err
admin_path(char *out, const char *folder, const char *name)
{
	int n = snprintf(out, FILE_PATH_MAX, name[0] == '\0' ? "%s%s" : "%s/%s", folder, name);

	return n < 0 || n >= FILE_PATH_MAX ? ERR_LIMIT : ERR_OK;
}

enum err
admin_trust_read(const struct config *c, const char *name, uint8_t **p, size_t *n)
{
	char folder[CONFIG_TEXT_MAX], path[FILE_PATH_MAX];
	enum err e = ERR_OK;

	config_path(c, c->trust_dir, folder, sizeof folder);
	if ((e = admin_path(path, folder, name)) != ERR_OK)
		return e;
	return file_read(path, ROSTER_BYTES_MAX, p, n);
}

enum err
admin_root(const struct config *c, struct key **out)
{
	uint8_t *p = NULL;
	size_t n = 0;
	enum err e = admin_trust_read(c, "root.pub", &p, &n);

	if (e != ERR_OK)
		return e;
	e = key_read_pem(bytes_of(p, n), out);
	free(p);
	return e;
}

enum admin_exit
admin_peers_open(const struct config *c, struct admin_peers *p)
{
	char folder[CONFIG_TEXT_MAX], path[FILE_PATH_MAX];
	enum err e = ERR_OK;

	config_path(c, c->run_dir, folder, sizeof folder);
	if ((e = admin_path(path, folder, "admin.sock")) != ERR_OK ||
	        (e = signer_open(path, &p->signer)) != ERR_OK)
		return admin_fault("admin.sock", e);
	if ((e = store_open(c->admin_database, STORE_ADMIN, &p->store)) != ERR_OK)
		return admin_fault("admin_database", e);
	return ADMIN_DONE;
}

void
admin_peers_close(struct admin_peers *p)
{
	signer_free(p->signer);
	store_free(p->store);
	memset(p, 0, sizeof *p);
}
