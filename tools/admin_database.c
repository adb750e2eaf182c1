/* admin_database.c - zz-admin migrate: the schema, as the files of the release give it. */
#include "admin.h"
#include "file.h"

#include <string.h>
#include <unistd.h>

/* migrations/ of the checkout or of the installation that this program is part of. */
static enum err
folder_near(char out[FILE_PATH_MAX])
{
	static const char *const near[] = {"/../../migrations", "/../share/zhenzheng/migrations"};
	char self[FILE_PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash = NULL;

	if (n <= 0)
		return ERR_NOT_FOUND;
	self[n] = '\0';
	if ((slash = strrchr(self, '/')) == NULL)
		return ERR_NOT_FOUND;
	*slash = '\0';
	for (size_t i = 0; i < sizeof near / sizeof near[0]; i++)
		if (admin_path(out, self, near[i]) == ERR_OK && file_exists(out))
			return ERR_OK;
	return ERR_NOT_FOUND;
}

enum admin_exit
admin_migrate(const struct admin_options *o)
{
	char near[FILE_PATH_MAX];
	const char *folder = o->migrations;
	struct config c;
	unsigned applied = 0;
	enum admin_exit x = admin_config(o, &c);
	enum err e = ERR_OK;

	if (x != ADMIN_DONE)
		return x;
	if (folder == NULL && (e = folder_near(near)) != ERR_OK)
		return admin_fault("migrations (name them by --migrations)", e);
	if (folder == NULL)
		folder = near;
	if ((e = store_migrate(c.owner_database, folder, &applied)) != ERR_OK)
		return admin_fault("migrate", e);
	if (applied == 0)
		puts("the database is up to date");
	else
		printf("%u migrations applied\n", applied);
	return ADMIN_DONE;
}
