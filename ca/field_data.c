/* field_data.c - puts the files of ca/data/ into the program, byte for byte: nothing is read from
 * disk at run time. */
#include "field_data.h"

/* FIELD_DATA_DIR comes from the build, which also compiles this file anew when one of them changes.
 */
#define EMBED(id, name)                                                                            \
	__asm__(".pushsection .rodata\n"                                                           \
	        ".hidden zz_" #id "\n"                                                             \
	        ".hidden zz_" #id "_end\n"                                                         \
	        ".globl zz_" #id "\n"                                                              \
	        ".globl zz_" #id "_end\n"                                                          \
	        "zz_" #id ":\n"                                                                    \
	        ".incbin \"" FIELD_DATA_DIR "/" name "\"\n"                                        \
	        "zz_" #id "_end:\n"                                                                \
	        ".byte 0\n"                                                                        \
	        ".popsection\n");                                                                  \
	extern const uint8_t zz_##id[] __attribute__((visibility("hidden")));                      \
	extern const uint8_t zz_##id##_end[] __attribute__((visibility("hidden")));
FIELD_FILES(EMBED)

struct file_row {
	const char *name;
	const uint8_t *first, *end;
};

static const struct file_row files[] = {
#define X(id, name) [id] = {name, zz_##id, zz_##id##_end},
        FIELD_FILES(X)
#undef X
};

const char *
field_file_name(enum field_file f)
{
	return files[f].name;
}

struct bytes
field_file_bytes(enum field_file f)
{
	return bytes_of(files[f].first, (size_t)(files[f].end - files[f].first));
}
