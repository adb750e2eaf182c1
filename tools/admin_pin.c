/* admin_pin.c - the files of trust/ that others pin follow the manifest in force. */
#include "admin.h"
#include "crl.h"
#include "file.h"
#include "manifest.h"

#include <stdlib.h>

enum { ROOM = MANIFEST_BYTES_MAX };

static enum err
file_follow(const struct config *c, const char *name, struct bytes text)
{
	char folder[CONFIG_TEXT_MAX], path[FILE_PATH_MAX];
	uint8_t *held = NULL;
	size_t n = 0;
	enum err e = admin_trust_read(c, name, &held, &n);
	bool same = e == ERR_OK && bytes_equal(bytes_of(held, n), text);

	free(held);
	if (same)
		return ERR_OK;
	config_path(c, c->trust_dir, folder, sizeof folder);
	if ((e = admin_path(path, folder, name)) != ERR_OK ||
	        (e = file_write(path, text, 0644)) != ERR_OK)
		return e;
	printf("%s is new: give it to those who pin it\n", path);
	return ERR_OK;
}

enum err
admin_pin(const struct config *c, const struct manifest *m)
{
	struct buf b = buf_init(malloc(ROOM * 2), ROOM * 2);
	enum err e = b.p == NULL ? ERR_MEMORY : crl_ca_pem(m->crl_ca, &b);

	if (e == ERR_OK)
		e = file_follow(c, "crl-ca.pem", buf_bytes(&b));
	b.n = 0;
	buf_put(&b, m->log_vkey);
	buf_put_u8(&b, '\n');
	if (e == ERR_OK && (e = buf_end(&b)) == ERR_OK)
		e = file_follow(c, "log.vkey", buf_bytes(&b));
	free(b.p);
	return e;
}
