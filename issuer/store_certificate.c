/* store_certificate.c - certificates and their changes of status. */
#include "store_internal.h"

enum { SERIAL_BYTES = 16 };

static enum err
certificate_read(struct pg_row *row, struct store_result *owner, void *out)
{
	(void)owner;
	struct store_certificate *c = out;
	c->index = pg_next_uint(row);
	c->serial = pg_next_fixed(row, SERIAL_BYTES);
	c->request = pg_next_fixed(row, SHA256_BYTES);
	c->seat = (uint32_t)pg_next_uint(row);
	c->holder_key = pg_next_fixed(row, SHA256_BYTES);
	c->item = pg_next_bytes(row);
	c->center = pg_next_bytes(row);
	c->list = (uint32_t)pg_next_uint(row);
	c->idx = (uint32_t)pg_next_uint(row);
	uint64_t status = pg_next_uint(row);
	c->exp = pg_next_int(row);
	c->record = pg_next_bytes(row);
	if (status > STATUS_SUPERSEDED)
		return ERR_INTERNAL;
	c->status = (enum status)status;
	return ERR_OK;
}

static const struct store_reader certificate_reader = {
        sizeof(struct store_certificate), certificate_read};

static struct store_certificates
certificates_of(const struct store_rows *r)
{
	return (struct store_certificates){.rows = r->rows, .count = r->count, .owner = r->owner};
}

static enum err
certificates_by(
        struct store *s, enum store_sql id, struct bytes key, struct store_certificates *out)
{
	struct pg_params p;
	struct store_rows rows;
	pg_params_init(&p);
	pg_put_bytes(&p, key);
	enum err e = store_read(s, id, &p, &certificate_reader, &rows);
	if (e == ERR_OK)
		*out = certificates_of(&rows);
	return e;
}

enum err
store_request_certificates(struct store *s, struct bytes request, struct store_certificates *out)
{
	return certificates_by(s, SQL_REQUEST_CERTIFICATES, request, out);
}

enum err
store_holder(struct store *s, struct bytes holder_key, struct store_certificates *out)
{
	return certificates_by(s, SQL_HOLDER, holder_key, out);
}

enum err
store_records(
        struct store *s, const struct bytes *serials, size_t count, struct store_certificates *out)
{
	struct pg_params p;
	struct store_rows rows;
	pg_params_init(&p);
	pg_column(&p, PG_BYTEA, serials, sizeof *serials, count);
	enum err e = store_read(s, SQL_RECORDS, &p, &certificate_reader, &rows);
	if (e == ERR_OK)
		*out = certificates_of(&rows);
	return e;
}

enum err
store_certificate_get(struct store *s, struct bytes serial, struct store_certificates *out)
{
	struct pg_params p;
	struct store_rows rows;
	pg_params_init(&p);
	pg_column(&p, PG_BYTEA, &serial, sizeof serial, 1);
	enum err e = store_read_one(s, SQL_RECORDS, &p, &certificate_reader, &rows);
	if (e == ERR_OK)
		*out = certificates_of(&rows);
	return e;
}

static enum err
change_read(struct pg_row *row, struct store_result *owner, void *out)
{
	(void)owner;
	struct store_change *c = out;
	c->index = pg_next_uint(row);
	c->serial = pg_next_fixed(row, SERIAL_BYTES);
	uint64_t status = pg_next_uint(row);
	c->reason = (int32_t)pg_next_int(row);
	c->effective = (int32_t)pg_next_int(row);
	c->until = pg_next_int(row);
	c->at = pg_next_int(row);
	c->request = pg_next_fixed(row, SHA256_BYTES);
	if (status > STATUS_SUPERSEDED)
		return ERR_INTERNAL;
	c->status = (enum status)status;
	return ERR_OK;
}

static enum err
changes_by(struct store *s, enum store_sql id, struct bytes key, struct store_changes *out)
{
	static const struct store_reader reader = {sizeof(struct store_change), change_read};
	struct pg_params p;
	struct store_rows rows;
	pg_params_init(&p);
	pg_put_bytes(&p, key);
	enum err e = store_read(s, id, &p, &reader, &rows);
	if (e == ERR_OK)
		*out = (struct store_changes){rows.rows, rows.count, rows.owner};
	return e;
}

enum err
store_certificate_changes(struct store *s, struct bytes serial, struct store_changes *out)
{
	return changes_by(s, SQL_CERTIFICATE_CHANGES, serial, out);
}

enum err
store_request_changes(struct store *s, struct bytes request, struct store_changes *out)
{
	return changes_by(s, SQL_REQUEST_CHANGES, request, out);
}

enum err
store_put_certificates(struct store *s, const struct store_certificate *rows, size_t count)
{
	struct pg_params p;
	if (count == 0)
		return ERR_OK;
	pg_params_init(&p);
	PG_COLUMN(&p, PG_INT8, rows, index, count);
	PG_COLUMN(&p, PG_BYTEA, rows, serial, count);
	PG_COLUMN(&p, PG_BYTEA, rows, request, count);
	PG_COLUMN(&p, PG_INT4, rows, seat, count);
	PG_COLUMN(&p, PG_BYTEA, rows, holder_key, count);
	PG_COLUMN(&p, PG_TEXT, rows, item, count);
	PG_COLUMN(&p, PG_TEXT, rows, center, count);
	PG_COLUMN(&p, PG_INT4, rows, list, count);
	PG_COLUMN(&p, PG_INT4, rows, idx, count);
	PG_COLUMN(&p, PG_INT8, rows, exp, count);
	PG_COLUMN(&p, PG_BYTEA, rows, record, count);
	return store_write(s, SQL_CERTIFICATES_PUT, &p, count);
}

/* The present status of each certificate follows from its changes in the same transaction. */
static enum err
statuses_update(struct store *s, const struct store_change *rows, size_t count)
{
	struct pg_params p;
	pg_params_init(&p);
	PG_COLUMN(&p, PG_INT8, rows, index, count);
	PG_COLUMN(&p, PG_BYTEA, rows, serial, count);
	PG_COLUMN(&p, PG_INT2, rows, status, count);
	return store_exec(s, SQL_STATUS_UPDATE, &p, NULL);
}

enum err
store_put_changes(struct store *s, const struct store_change *rows, size_t count)
{
	struct pg_params p;
	if (count == 0)
		return ERR_OK;
	pg_params_init(&p);
	PG_COLUMN(&p, PG_INT8, rows, index, count);
	PG_COLUMN(&p, PG_BYTEA, rows, serial, count);
	PG_COLUMN(&p, PG_INT2, rows, status, count);
	PG_COLUMN(&p, PG_INT2, rows, reason, count);
	PG_COLUMN(&p, PG_INT4, rows, effective, count);
	PG_COLUMN(&p, PG_INT8, rows, until, count);
	PG_COLUMN(&p, PG_INT8, rows, at, count);
	PG_COLUMN(&p, PG_BYTEA, rows, request, count);
	PG_COLUMN(&p, PG_INT4, rows, ban_until, count);
	enum err e = store_write(s, SQL_CHANGES_PUT, &p, count);
	return e != ERR_OK ? e : statuses_update(s, rows, count);
}
