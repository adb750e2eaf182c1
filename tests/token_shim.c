/* token_shim.c - a PKCS #11 module in front of SoftHSM that fails when it is told: the file that
 * ZZ_SHIM_CONTROL names holds "gone", "locked" or "slow MILLISECONDS"; empty or absent: nothing. */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MODULE "/usr/lib/softhsm/libsofthsm2.so"

static CK_FUNCTION_LIST real, shim;

static unsigned
told(const char *word)
{
	const char *path = getenv("ZZ_SHIM_CONTROL");
	char line[64] = "";
	FILE *f = path == NULL ? NULL : fopen(path, "r");
	size_t n = strlen(word);

	if (f == NULL)
		return 0;
	if (fgets(line, sizeof line, f) == NULL)
		line[0] = '\0';
	fclose(f);
	return strncmp(line, word, n) == 0 ? 1 + (unsigned)strtoul(line + n, NULL, 10) : 0;
}

static CK_RV
sign(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG n, CK_BYTE_PTR out, CK_ULONG_PTR out_n)
{
	unsigned ms = told("slow");

	if (told("gone") != 0)
		return CKR_DEVICE_REMOVED;
	if (ms > 0) {
		const struct timespec pause = {ms / 1000, (long)(ms % 1000) * 1000000};

		nanosleep(&pause, NULL);
	}
	return real.C_Sign(session, data, n, out, out_n);
}

static CK_RV
slots(CK_BBOOL present, CK_SLOT_ID_PTR list, CK_ULONG_PTR count)
{
	if (told("gone") == 0)
		return real.C_GetSlotList(present, list, count);
	*count = 0;
	return CKR_OK;
}

static CK_RV
login(CK_SESSION_HANDLE session, CK_USER_TYPE type, CK_UTF8CHAR_PTR pin, CK_ULONG n)
{
	const char *count = getenv("ZZ_SHIM_LOGINS");
	FILE *f = count == NULL ? NULL : fopen(count, "a");

	if (f != NULL) {
		fputs("login\n", f);
		fclose(f);
	}
	return told("locked") != 0 ? CKR_PIN_LOCKED : real.C_Login(session, type, pin, n);
}

CK_RV
C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR out)
{
	void *module = dlopen(MODULE, RTLD_NOW | RTLD_LOCAL);
	CK_FUNCTION_LIST_PTR list = NULL;
	CK_C_GetFunctionList get = NULL;
	void *symbol = module == NULL ? NULL : dlsym(module, "C_GetFunctionList");

	memcpy(&get, &symbol, sizeof get);
	if (get == NULL || get(&list) != CKR_OK)
		return CKR_GENERAL_ERROR;
	shim = real = *list;
	shim.C_GetFunctionList = C_GetFunctionList;
	shim.C_Sign = sign;
	shim.C_GetSlotList = slots;
	shim.C_Login = login;
	*out = &shim;
	return CKR_OK;
}
