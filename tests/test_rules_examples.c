/* test_rules_examples.c - the example sessions get, seat by seat, what their expected.csv says. */
#include "csv.h"
#include "rules_world.h"

#include <dirent.h>
#include <stdio.h>

static char results_text[256 * 1024], expected_text[64 * 1024];

static struct bytes
text_of(const char *folder, const char *name, char *room, size_t size)
{
	char path[700];
	FILE *f;
	size_t n;

	(void)snprintf(path, sizeof path, SOURCE_DIR "/tools/examples/%s/%s", folder, name);
	assert_non_null(f = fopen(path, "rb"));
	n = fread(room, 1, size, f);
	assert_true(n > 0 && n < size);
	(void)fclose(f);
	return bytes_of(room, n);
}

static struct bytes
member(const json_t *json, const char *name)
{
	const json_t *v = json_object_get(json, name);

	assert_true(json_is_string(v));
	return bytes_of(json_string_value(v), json_string_length(v));
}

static double
score_of(struct bytes v)
{
	char text[40];

	assert_true(v.n < sizeof text);
	memcpy(text, v.p, v.n);
	text[v.n] = '\0';
	return strtod(text, NULL);
}

static json_t *
session_read(const char *folder, struct world *w)
{
	char path[700];
	json_t *json;
	const json_t *examiners;

	(void)snprintf(path, sizeof path, SOURCE_DIR "/tools/examples/%s/session.json", folder);
	assert_non_null(json = json_load_file(path, JSON_REJECT_DUPLICATES, NULL));
	world_make(w);
	w->request.session.center = member(json, "center");
	w->request.session.region = member(json, "region");
	w->request.session.item = member(json, "item");
	assert_int_equal(
	        time_decode(member(json, "theory_at"), &w->request.session.theory_at), ERR_OK);
	assert_int_equal(
	        time_decode(member(json, "practical_at"), &w->request.session.practical_at),
	        ERR_OK);
	examiners = json_object_get(json, "examiners");
	for (size_t i = 0; i < 2; i++)
		w->request.session.examiners[i] =
		        bytes_of_text(json_string_value(json_array_get(examiners, i)));
	w->center.code = w->request.session.center;
	w->center.regions[0] = w->request.session.region;
	w->center.items[1] = BYTES_LIT("02");
	w->center.item_count = 2;
	w->now = w->request.session.practical_at + 7 * DAY_S;
	return json;
}

/* Fields with doubled quotes lie in the reader's room: each row's text is kept. */
static struct bytes
kept(const struct csv *c, const char *column, struct buf *room)
{
	int i = csv_column(c, column);
	size_t from = room->n;

	assert_true(i >= 0);
	buf_put(room, c->field[i]);
	assert_int_equal(buf_end(room), ERR_OK);
	return bytes_of(room->p + from, room->n - from);
}

static size_t
results_read(const char *folder, struct request_seat *seats, size_t max, struct buf *room)
{
	struct csv c;
	enum err e;
	size_t n = 0;

	assert_int_equal(
	        csv_init(&c, text_of(folder, "results.csv", results_text, sizeof results_text)),
	        ERR_OK);
	while (csv_next(&c, &e)) {
		uint64_t number = 0;

		assert_true(n < max);
		assert_int_equal(decimal_decode(kept(&c, "seat", room), 99999, &number), ERR_OK);
		seats[n++] = (struct request_seat){.seat = (unsigned)number,
		        .name = kept(&c, "name", room),
		        .sex = kept(&c, "sex", room),
		        .doc_type = kept(&c, "doc_type", room),
		        .doc_number = kept(&c, "doc_number", room),
		        .theory = score_of(kept(&c, "theory", room)),
		        .practical = score_of(kept(&c, "practical", room)),
		        .photo_sha256 = kept(&c, "photo_sha256", room),
		        .evidence_sha256 = kept(&c, "evidence_sha256", room)};
	}
	assert_int_equal(e, ERR_OK);
	return n;
}

static void
example_check(const char *folder)
{
	static struct request_seat seats[200];
	static uint8_t room[256 * 1024];
	uint64_t hashes[200] = {0};
	struct buf b = BUF_OF(room);
	struct rules_session s;
	struct world w;
	struct csv c;
	enum err e;
	size_t i = 0;
	json_t *json = session_read(folder, &w);

	w.request.seats = seats;
	w.request.seat_count = results_read(folder, seats, 200, &b);
	assert_int_equal(check(&w, &s), ERR_OK);
	assert_int_equal(
	        csv_init(&c, text_of(folder, "expected.csv", expected_text, sizeof expected_text)),
	        ERR_OK);
	for (; csv_next(&c, &e); i++) {
		struct rules_seat seat;
		enum outcome o;
		uint64_t number = 0;

		assert_true(i < w.request.seat_count);
		o = rules_seat_check(&w.request, i, &s, field, hashes, &seat);
		assert_int_equal(
		        decimal_decode(c.field[csv_column(&c, "seat")], 99999, &number), ERR_OK);
		assert_int_equal(number, seats[i].seat);
		if (!bytes_equal_text(c.field[csv_column(&c, "outcome")], outcome_word(o)))
			fail_msg("%s seat %u: %s", folder, seats[i].seat, outcome_word(o));
	}
	assert_int_equal(e, ERR_OK);
	assert_int_equal(i, w.request.seat_count);
	json_decref(json);
}

static void
every_example_session_gets_what_it_expects(void **state)
{
	DIR *d = opendir(SOURCE_DIR "/tools/examples");
	const struct dirent *entry;
	unsigned count = 0;

	(void)state;
	assert_non_null(d);
	while ((entry = readdir(d)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		example_check(entry->d_name);
		count++;
	}
	(void)closedir(d);
	assert_true(count >= 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_example_session_gets_what_it_expects),
	};

	return cmocka_run_group_tests(tests, open_field, close_field);
}
