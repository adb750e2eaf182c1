/* test_sync_attack.c - attacks on the way: what an honest authority signed is changed, exchanged,
 * withheld or drowned. The numbers are those of the ten attacks in The Update Framework's
 * specification, section 1.5.2. */
#include "sync_attack.h"

static void
named(const struct fixture *f, char out[64], const char *format)
{
	snprintf(out, 64, format, (unsigned long long)f->p.head.sequence);
}

static void
head_flip(struct fixture *f)
{
	flip(f, "/status/head.cwt");
}

static void
head_portal(struct fixture *f)
{
	serve(f, "/status/head.cwt", BYTES_LIT("<html>Please log in</html>"));
}

static void
head_endless(struct fixture *f)
{
	endless(f, "/status/head.cwt", HEAD_BYTES_MAX + 1);
}

static void
head_gone(struct fixture *f)
{
	serve_not(f, "/status/head.cwt");
}

static void
table_endless(struct fixture *f)
{
	char path[64];

	named(f, path, "/status/table/%llu.cwt");
	endless(f, path, TABLE_BYTES_MAX + 1);
}

/* The table of the publication before, under the new one's name. */
static void
table_old(struct fixture *f)
{
	char path[64];
	const struct served *old = served_find(f, "/status/table/1792224000.cwt");

	named(f, path, "/status/table/%llu.cwt");
	serve(f, path, bytes_of(old->bytes, old->n));
}

static void
list_endless(struct fixture *f)
{
	char path[64];

	named(f, path, "/status/version/0-%llu.cwt");
	endless(f, path, TOKEN_BYTES_MAX + 1);
}

static void
list_flip(struct fixture *f)
{
	char path[64];

	named(f, path, "/status/version/0-%llu.cwt");
	flip(f, path);
}

/* Signed by the authority, but another file than the one that is named. */
static void
list_of(struct fixture *f, const char *other)
{
	char path[64];
	const struct served *s = served_find(f, other);

	assert_non_null(s);
	named(f, path, "/status/version/0-%llu.cwt");
	serve(f, path, bytes_of(s->bytes, s->n));
}

static void
list_old(struct fixture *f)
{
	list_of(f, "/status/version/0-1792224000.cwt");
}

static void
list_other_number(struct fixture *f)
{
	list_of(f, "/status/version/1-1792225000.cwt");
}

static void
delta_endless(struct fixture *f)
{
	char path[64];

	snprintf(path, sizeof path, "/status/delta/%llu-%llu.cwt",
	        (unsigned long long)f->p.delta.base, (unsigned long long)f->p.head.sequence);
	endless(f, path, DELTA_BYTES_MAX + 1);
}

static void
checkpoint_other_key(struct fixture *f)
{
	struct key *other = NULL;

	assert_int_equal(key_generate(KEY_ED25519, &other), ERR_OK);
	checkpoint_serve(f, other, 10, 10);
	key_free(other);
}

static void
checkpoint_of_another_size(struct fixture *f)
{
	checkpoint_serve(f, f->w->log, 9, 10);
}

static void
checkpoint_junk(struct fixture *f)
{
	serve(f, "/log/checkpoints/10", BYTES_LIT("zz\n"));
}

static void
crl_flip(struct fixture *f)
{
	flip(f, "/crl/0.crl");
}

static void
crl_put(struct fixture *f, uint32_t list, int64_t at)
{
	uint8_t *der = NULL;
	size_t n = 0;

	world_crl(f->w, list, at, NULL, &der, &n);
	serve(f, "/crl/0.crl", bytes_of(der, n));
	free(der);
}

static void
crl_other_list(struct fixture *f)
{
	crl_put(f, 1, f->o.now);
}

static void
crl_old(struct fixture *f)
{
	crl_put(f, 0, WORLD_NOW - 1);
}

static void
crl_ahead(struct fixture *f)
{
	crl_put(f, 0, f->o.now + SEQUENCE_AHEAD_S_MAX + 1);
}

static void
crl_gone(struct fixture *f)
{
	serve_not(f, "/crl/0.crl");
}

static void
manifest_flip(struct fixture *f)
{
	flip(f, "/manifest.cose");
}

static void
manifest_portal(struct fixture *f)
{
	serve(f, "/manifest.cose", BYTES_LIT("<html>Please log in</html>"));
}

static void
manifest_endless(struct fixture *f)
{
	endless(f, "/manifest.cose", MANIFEST_BYTES_MAX + 1);
}

static const struct attack attacks[] = {
        {"control: nothing spoiled", nothing, nothing, REASON_NONE, false},
        {"control: without a delta", no_delta, nothing, REASON_NONE, false},
        {"control: with a new manifest", manifest_honest, nothing, REASON_NONE, false},
        /* 1 arbitrary software */
        {"a head that was changed", nothing, head_flip, REASON_HEAD, false},
        {"a portal's page for a head", nothing, head_portal, REASON_HEAD, false},
        {"a list that was changed", no_delta, list_flip, REASON_LIST, false},
        {"a manifest that was changed", manifest_honest, manifest_flip, REASON_MANIFEST, false},
        {"a portal's page for a manifest", manifest_honest, manifest_portal, REASON_MANIFEST,
                false},
        /* 2 endless data */
        {"an endless head", nothing, head_endless, REASON_ENDLESS, false},
        {"an endless table", nothing, table_endless, REASON_ENDLESS, false},
        {"an endless delta", nothing, delta_endless, REASON_ENDLESS, false},
        {"an endless list", no_delta, list_endless, REASON_ENDLESS, false},
        {"an endless manifest", manifest_honest, manifest_endless, REASON_ENDLESS, false},
        /* 6 a malicious mirror */
        {"a mirror without a head", nothing, head_gone, REASON_NO_HEAD, false},
        {"a CRL that vanished", nothing, crl_gone, REASON_ROLLBACK, false},
        /* 7 mix and match */
        {"the table of the publication before", nothing, table_old, REASON_MIXED, false},
        {"the list of the publication before", no_delta, list_old, REASON_MIXED, false},
        {"a checkpoint of another size", nothing, checkpoint_of_another_size, REASON_MIXED, false},
        {"another list's CRL", nothing, crl_other_list, REASON_MIXED, false},
        /* 8 rollback */
        {"an older CRL", nothing, crl_old, REASON_ROLLBACK, false},
        /* 10 wrong software */
        {"another list's token", no_delta, list_other_number, REASON_MIXED, false},
        /* the log and the CRL */
        {"another log's key", nothing, checkpoint_other_key, REASON_CHECKPOINT, false},
        {"no checkpoint at all", nothing, checkpoint_junk, REASON_CHECKPOINT, false},
        {"CRL changed", nothing, crl_flip, REASON_CRL, false},
        {"a CRL of the future", nothing, crl_ahead, REASON_AHEAD, false},
};

static void
each_attack_is_named_replaces_nothing_and_leaves_a_state_that_goes_on(void **state)
{
	(void)state;
	attacks_run(attacks, sizeof attacks / sizeof attacks[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(
	                each_attack_is_named_replaces_nothing_and_leaves_a_state_that_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
