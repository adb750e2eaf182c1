/* store_order.c - what orders name: selectors made into lists, lists kept for whoever approves, and
 * orders that are signed by all and under way. */
#include "store_internal.h"

#include <string.h>

enum { SERIAL_BYTES = 16 };

static enum err
selected_read(struct pg_row *row, struct store_result *owner, void *out)
{
	(void)owner;
	struct store_selected *c = out;
	c->serial = pg_next_fixed(row, SERIAL_BYTES);
	c->center = pg_next_bytes(row);
	c->item = pg_next_bytes(row);
	uint64_t status = pg_next_uint(row);
	if (status > STATUS_SUPERSEDED)
		return ERR_INTERNAL;
	c->status = (enum status)status;
	return ERR_OK;
}

static const struct store_reader selected_reader = {sizeof(struct store_selected), selected_read};

/* The first serial of a second: UUIDv7 begins with milliseconds. */
static struct bytes
serial_of_time(int64_t time, uint8_t room[SERIAL_BYTES])
{
	const int64_t time_max = (((int64_t)1 << 48) - 1) / 1000;

	memset(room, time > time_max ? 0xff : 0, SERIAL_BYTES);
	if (time <= time_max)
		be_put(room, (uint64_t)time * 1000, 6);
	return bytes_of(room, SERIAL_BYTES);
}

static enum err
selected_get(struct store *s, enum store_sql id, struct pg_params *p, struct store_selection *out)
{
	struct store_rows rows;
	enum err e = store_read(s, id, p, &selected_reader, &rows);
	if (e == ERR_OK)
		*out = (struct store_selection){rows.rows, rows.count, rows.owner};
	return e;
}

enum err
store_select(struct store *s, const struct request_select *select, struct store_selection *out)
{
	uint8_t from[SERIAL_BYTES], to[SERIAL_BYTES];
	struct pg_params p;
	pg_params_init(&p);
	pg_put_bytes(&p, select->center);
	pg_put_bytes(&p, select->item);
	pg_put_bytes(&p, serial_of_time(select->from, from));
	pg_put_bytes(&p, serial_of_time(select->to, to));
	pg_put_int(&p, PG_INT8, ORDER_LIST_MAX + 1);
	if (select->by_request)
		pg_put_bytes(&p, bytes_of(select->request, SHA256_BYTES));
	return selected_get(s, select->by_request ? SQL_SELECT_REQUEST : SQL_SELECT, &p, out);
}

enum err
store_select_serials(
        struct store *s, const uint8_t (*serials)[16], size_t count, struct store_selection *out)
{
	struct pg_params p;
	pg_params_init(&p);
	pg_array(&p, PG_BYTEA, count);
	for (size_t i = 0; i < count; i++)
		pg_item_bytes(&p, bytes_of(serials[i], SERIAL_BYTES));
	return selected_get(s, SQL_SELECT_SERIALS, &p, out);
}

enum err
store_put_lists(struct store *s, const struct store_request *rows, size_t count)
{
	enum err e = ERR_OK;
	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		struct pg_params p;
		if (rows[i].list.n == 0)
			continue;
		pg_params_init(&p);
		pg_put_bytes(&p, rows[i].id);
		pg_put_bytes(&p, rows[i].list);
		e = store_write(s, SQL_LIST_PUT, &p, 1);
	}
	return e;
}

static enum err
list_read(struct pg_row *row, struct store_result *owner, void *out)
{
	(void)owner;
	struct store_list *l = out;
	l->serials = pg_next_bytes(row);
	l->sha256 = pg_next_fixed(row, SHA256_BYTES);
	return l->serials.n % SERIAL_BYTES == 0 ? ERR_OK : ERR_INTERNAL;
}

enum err
store_list_get(struct store *s, struct bytes request, struct store_list *out)
{
	static const struct store_reader reader = {sizeof(struct store_list), list_read};
	struct pg_params p;
	struct store_rows rows;
	pg_params_init(&p);
	pg_put_bytes(&p, request);
	enum err e = store_read_one(s, SQL_LIST_GET, &p, &reader, &rows);
	if (e != ERR_OK)
		return e;
	*out = *(const struct store_list *)rows.rows;
	out->owner = rows.owner;
	return ERR_OK;
}

static enum err
count_read(struct pg_row *row, struct store_result *owner, void *out)
{
	(void)owner;
	*(uint64_t *)out = pg_next_uint(row);
	return ERR_OK;
}

static enum err
count_get(struct store *s, enum store_sql id, struct pg_params *p, uint64_t *out)
{
	static const struct store_reader reader = {sizeof(uint64_t), count_read};
	struct store_rows rows;
	enum err e = store_read_one(s, id, p, &reader, &rows);
	if (e != ERR_OK)
		return e;
	*out = *(const uint64_t *)rows.rows;
	store_result_free(rows.owner);
	return ERR_OK;
}

enum err
store_changed_count(struct store *s, struct bytes request, uint64_t *out)
{
	struct pg_params p;
	pg_params_init(&p);
	pg_put_bytes(&p, request);
	return count_get(s, SQL_CHANGED_COUNT, &p, out);
}

enum err
store_bulk_lock(struct store *s, bool *mine)
{
	struct pg_params p;
	uint64_t got = 0;
	pg_params_init(&p);
	enum err e = count_get(s, SQL_BULK_LOCK, &p, &got);
	if (e == ERR_OK)
		*mine = got != 0;
	return e;
}
