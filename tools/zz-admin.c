/* zz-admin.c - the operator's tool: finds the command, reads its options, gives it the time. */
#include "admin.h"
#include "field.h"
#include "log.h"

#include <getopt.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

struct option_row {
	const char *name, *value, *help;
	size_t offset; /* into struct admin_options */
};
#define OPTION(name, member, value, help)                                                          \
	{                                                                                          \
		name, value, help, offsetof(struct admin_options, member)                          \
	}

/* clang-format off */
static const struct option_row options[] = {
	OPTION("config", config, "FILE", "zz.conf of the authority"),
	OPTION("dir", dir, "DIR", "folder of the new authority: keys, trust, signer, run, public, log, out, zz.conf"),
	OPTION("host", host, "HOST", "names the authority for ever: in every record, and the log is HOST/log"),
	OPTION("name-zh", name_zh, "NAME", "name of the authority in Chinese"),
	OPTION("name-en", name_en, "NAME", "name of the authority in English"),
	OPTION("listen", listen, "ADDRESS", "where issuerd listens: 127.0.0.1:PORT, [::1]:PORT or unix:PATH"),
	OPTION("database", database, "CONNINFO", "libpq keywords without a user, as \"host=/run/pg dbname=zz\""),
	OPTION("front-user", front_user, "USER", "system user of issuerd"),
	OPTION("publish-user", publish_user, "USER", "system user of issuer-publish"),
	OPTION("admin-user", admin_user, "USER", "system user who runs zz-admin"),
	OPTION("witnesses", witnesses, "FILE", "witnesses of the log for manifest and zz.conf, a line each: NAME VKEY URL"),
	OPTION("quorum", quorum, "K", "so many of them must have cosigned before anything is published"),
	OPTION("suite", suite, "NAME", "its signatures, for ever: es256 (default), ed25519 or sm2 (SM2 with SM3)"),
	OPTION("migrations", migrations, "DIR", "folder of the numbered SQL files"),
	OPTION("wait", wait, "SECONDS", "wait until the documents are in force, at most so long (1 to 3600)"),
	OPTION("root", root, "KEY.pem", "private root key"),
	OPTION("shares", shares, "FILE,FILE,...", "custodians' shares that open an encrypted root key"),
	OPTION("sha256", sha256, "HEX", "SHA-256 of the file that was reviewed"),
	OPTION("payload", payload, "FILE.json", "what is to be signed: a roster's payload, or what manifest wrote"),
	OPTION("out", out, "FILE", "where the result goes"),
	OPTION("from", from, "TIME", "when new keys begin to sign, as 2026-12-01T00:00:00Z: leave verifiers the days to learn of them"),
	OPTION("proposal", proposal, "FILE.jws", "signature of the official who proposes (zz enrol)"),
	OPTION("approval", approval, "FILE.jws", "signature of the official who approves (zz enrol)"),
	OPTION("roster", roster, "FILE.jws", "roster in force, as DIR/trust/roster.jws: whose officials these are"),
	OPTION("reason", reason, "WORD", "compromise, superseded or ceased"),
	OPTION("size", size, "N", "last valid tree size: what the key signed counts below it (default: all that the log has now)"),
};
/* clang-format on */
enum { OPTIONS = sizeof options / sizeof options[0], NAMES_MAX = 12, WAIT_S_MAX = 3600 };

static const struct command {
	const char *name, *argument, *help;
	const char *required[NAMES_MAX], *optional[NAMES_MAX];
	enum admin_exit (*run)(const struct admin_options *o);
} commands[] = {
        {"init", NULL,
                "makes all keys, manifest 1, roster 1 with demonstration operators, pepper, signer "
                "state and zz.conf;\n"
                "      refuses where any of them exists",
                {"dir"},
                {"host", "name-zh", "name-en", "listen", "database", "front-user", "publish-user",
                        "admin-user", "witnesses", "quorum", "suite"},
                admin_init},
        {"ceremony", "FILE",
                "as init, by a reviewed file of lines NAME = VALUE: host, name_zh, name_en, place, "
                "threshold M,\n      custodian (N lines), roster (its payload); and where not the "
                "default: record_key, status_key, log_key\n      (pkcs11: URIs), suite, witnesses, "
                "quorum, "
                "listen, database, front_user, publish_user, admin_user.\n      The root key is "
                "encrypted; any M of the N shares open it. Writes trust/transcript.txt",
                {"dir", "sha256"}, {NULL}, admin_ceremony},
        {"migrate", NULL,
                "brings the schema of the database up to date (owner_database); twice changes "
                "nothing",
                {"config"}, {"migrations"}, admin_migrate},
        {"roster", NULL,
                "brings genesis, manifest and roster of trust/ before the signer and into the log; "
                "twice changes nothing",
                {"config"}, {"wait"}, admin_roster},
        {"status", NULL,
                "sizes, versions, lists and problems of database and signer; exit code 3 when not "
                "healthy",
                {"config"}, {NULL}, admin_status},
        {"recover", NULL, "rebuilds what the database lost from the signer's journal", {"config"},
                {NULL}, admin_recover},
        {"new-key", "record | status | log | crl | status-sm2 | log-sm2",
                "the signer makes one more key for that purpose; it signs when a manifest names it",
                {"config"}, {NULL}, admin_new_key},
        {"manifest", NULL,
                "writes the next manifest for review: the one in force with the cut-offs of the "
                "log\n      and the keys that the signer has made since",
                {"config", "out"}, {"from"}, admin_manifest},
        {"sign-manifest", NULL, "signs a reviewed manifest by the root key",
                {"root", "payload", "out"}, {"shares"}, admin_sign_manifest},
        {"cut-off", "KID",
                "ends a key at once and in public: what it signed counts below the tree size "
                "named;\n      with --root also signs the manifest that says so and brings it "
                "into force",
                {"config", "reason"}, {"size", "root", "shares", "wait"}, admin_cut_off},
        {"sign-roster", NULL,
                "signs a roster by the root key, having checked it as the signer will: after the "
                "first one\n      two officials must have signed for it",
                {"root", "payload", "out"}, {"proposal", "approval", "roster", "shares"},
                admin_sign},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static bool
names(const char *const list[NAMES_MAX], const char *name)
{
	for (size_t i = 0; i < NAMES_MAX && list[i] != NULL; i++)
		if (strcmp(list[i], name) == 0)
			return true;
	return false;
}

static void
help(FILE *to)
{
	fputs("zz-admin - makes and keeps an authority\n\nusage: zz-admin COMMAND [OPTIONS]\n\n",
	        to);
	for (size_t i = 0; i < COMMANDS; i++) {
		fprintf(to, "  %s%s%s\n      %s\n", commands[i].name,
		        commands[i].argument == NULL ? "" : " ",
		        commands[i].argument == NULL ? "" : commands[i].argument, commands[i].help);
		for (size_t k = 0; k < OPTIONS; k++) {
			bool required = names(commands[i].required, options[k].name);

			if (required || names(commands[i].optional, options[k].name))
				fprintf(to, "      --%s %s%s: %s\n", options[k].name,
				        options[k].value, required ? "" : " (optional)",
				        options[k].help);
		}
	}
	fputs("\n  --help, --version\n\n"
	      "Exit codes: 0 done, 2 usage or zz.conf, 3 not healthy, 4 refused, 6 not available "
	      "(safe to run again)\n\n"
	      "Settings of zz.conf, lines `name = value`, # comments:\n",
	        to);
	config_help(to);
}

static enum admin_exit
version(void)
{
	uint8_t digest[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];
	struct field *field = NULL;
	enum err e = field_open(&field);

	if (e != ERR_OK)
		return admin_fault("field data", e);
	field_sha256(field, digest);
	field_free(field);
	hex_encode(bytes_of(digest, sizeof digest), hex);
	printf("zz-admin %s\nfield data %s\n", ZZ_VERSION, hex);
	return ADMIN_DONE;
}

static const char **
value_of(struct admin_options *o, size_t option)
{
	return (const char **)((char *)o + options[option].offset);
}

/* Each option at most once, and only where its command knows it. */
static bool
options_read(int argc, char **argv, const struct command *command, struct admin_options *o)
{
	struct option table[OPTIONS + 1];
	int which = 0, found = 0;

	memset(table, 0, sizeof table);
	for (size_t i = 0; i < OPTIONS; i++)
		table[i] = (struct option){options[i].name, required_argument, NULL, 1};
	while ((found = getopt_long(argc, argv, "", table, &which)) == 1) {
		const char *name = options[which].name;

		if (!names(command->required, name) && !names(command->optional, name)) {
			fprintf(stderr, "zz-admin: %s does not take --%s\n", command->name, name);
			return false;
		}
		if (*value_of(o, (size_t)which) != NULL) {
			fprintf(stderr, "zz-admin: --%s stands there twice\n", name);
			return false;
		}
		*value_of(o, (size_t)which) = optarg;
	}
	if (found != -1) /* getopt_long has said what it did not know */
		return false;
	if (optind < argc && command->argument != NULL)
		o->argument = argv[optind++];
	if (optind < argc) {
		fprintf(stderr, "zz-admin: unexpected: %s\n", argv[optind]);
		return false;
	}
	return true;
}

static bool
options_complete(const struct command *command, struct admin_options *o)
{
	if (command->argument != NULL && o->argument == NULL) {
		fprintf(stderr, "zz-admin: %s needs %s\n", command->name, command->argument);
		return false;
	}
	for (size_t i = 0; i < OPTIONS; i++)
		if (names(command->required, options[i].name) && *value_of(o, i) == NULL) {
			fprintf(stderr, "zz-admin: %s needs --%s %s\n", command->name,
			        options[i].name, options[i].value);
			return false;
		}
	if (o->wait != NULL &&
	        (decimal_decode(bytes_of_text(o->wait), WAIT_S_MAX, &o->wait_s) != ERR_OK ||
	                o->wait_s == 0)) {
		fprintf(stderr, "zz-admin: --wait takes 1 to %d\n", WAIT_S_MAX);
		return false;
	}
	return true;
}

static bool
asked(int argc, char **argv, const char *option)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], option) == 0)
			return true;
	return false;
}

static enum admin_exit
run(int argc, char **argv, const struct command *command)
{
	struct admin_options o;

	memset(&o, 0, sizeof o);
	o.now = (int64_t)time(NULL);
	if (!options_read(argc - 1, argv + 1, command, &o) || !options_complete(command, &o)) {
		fputs("    zz-admin --help says more\n", stderr);
		return ADMIN_USAGE;
	}
	return command->run(&o);
}

int
main(int argc, char **argv)
{
	enum admin_exit x = ADMIN_USAGE;
	size_t i = 0;

	log_open("zz-admin");
	signal(SIGPIPE, SIG_IGN);
	if (asked(argc, argv, "--version"))
		return (int)version();
	if (asked(argc, argv, "--help") || asked(argc, argv, "-h")) {
		help(stdout);
		return ADMIN_DONE;
	}
	while (i < COMMANDS && (argc < 2 || strcmp(argv[1], commands[i].name) != 0))
		i++;
	if (i < COMMANDS)
		x = run(argc, argv, &commands[i]);
	else
		fprintf(stderr, "zz-admin: name a command; zz-admin --help lists them\n");
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fputs("zz-admin: standard output could not be written\n", stderr);
		return ADMIN_UNAVAILABLE;
	}
	return (int)x;
}
