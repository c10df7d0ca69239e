/* pg_value.c - PostgreSQL's binary format: parameters of statements, columns of results. */
#include "lib/net/pg_db.h"

#include <endian.h>

#define EPOCH_MS INT64_C(946684800000) /* 2000-01-01, from which PostgreSQL counts microseconds */

enum { PG_TEXTS = 1009, PG_JSONS = 199, PG_TIMES = 1185, PG_FLOATS = 1022, PG_INTS = 1016 };

/* ---- parameters ---- */

static void put_i32(struct buf *b, int32_t v)
{
	uint32_t be = htobe32((uint32_t)v);
	buf_add(b, &be, sizeof be);
}

static void put_i64(struct buf *b, int64_t v)
{
	uint64_t be = htobe64((uint64_t)v);
	buf_add(b, &be, sizeof be);
}

static int64_t time_of(int64_t ms)
{
	return (ms - EPOCH_MS) * 1000;
}

void pg_args_clear(struct pg_args *a)
{
	buf_clear(&a->bytes);
	a->n = 0;
}

static void begin_arg(struct pg_args *a, Oid type)
{
	a->type[a->n] = type;
	a->at[a->n] = a->bytes.n;
	a->length[a->n] = -1;
}

static int end_arg(struct pg_args *a)
{
	a->length[a->n] = (int)(a->bytes.n - a->at[a->n]);
	return ++a->n;
}

int pg_arg_str(struct pg_args *a, struct str s)
{
	begin_arg(a, PG_TEXT);
	if (!s.p)
		return ++a->n;
	buf_str(&a->bytes, s);
	return end_arg(a);
}

int pg_arg_i64(struct pg_args *a, int64_t v)
{
	begin_arg(a, PG_INT8);
	put_i64(&a->bytes, v);
	return end_arg(a);
}

int pg_arg_time(struct pg_args *a, int64_t ms)
{
	begin_arg(a, PG_TIMESTAMPTZ);
	put_i64(&a->bytes, time_of(ms));
	return end_arg(a);
}

int pg_arg_f64(struct pg_args *a, double v)
{
	int64_t bits;
	memcpy(&bits, &v, sizeof bits);
	begin_arg(a, PG_FLOAT8);
	put_i64(&a->bytes, bits);
	return end_arg(a);
}

/* The head of a one-dimensional array from index 1 that may contain NULLs. */
static void begin_array(struct pg_args *a, Oid type, Oid element, size_t n)
{
	begin_arg(a, type);
	put_i32(&a->bytes, n > 0);
	put_i32(&a->bytes, 1);
	put_i32(&a->bytes, (int32_t)element);
	if (n == 0)
		return;
	put_i32(&a->bytes, (int32_t)n);
	put_i32(&a->bytes, 1);
}

int pg_arg_strs(struct pg_args *a, Oid element, struct message *const *m, size_t n, size_t member)
{
	begin_array(a, element == PG_JSON ? PG_JSONS : PG_TEXTS, element, n);
	for (size_t i = 0; i < n; i++) {
		const struct str *s = (const struct str *)((const char *)m[i] + member);
		put_i32(&a->bytes, s->p ? (int32_t)s->n : -1);
		if (s->p)
			buf_str(&a->bytes, *s);
	}
	return end_arg(a);
}

int pg_arg_times(struct pg_args *a, struct message *const *m, size_t n)
{
	begin_array(a, PG_TIMES, PG_TIMESTAMPTZ, n);
	for (size_t i = 0; i < n; i++) {
		put_i32(&a->bytes, m[i]->has_time ? 8 : -1);
		if (m[i]->has_time)
			put_i64(&a->bytes, time_of(m[i]->time));
	}
	return end_arg(a);
}

int pg_arg_only_versions(struct pg_args *a, struct message *const *m, size_t n)
{
	begin_array(a, PG_INTS, PG_INT8, n);
	for (size_t i = 0; i < n; i++) {
		put_i32(&a->bytes, 8);
		put_i64(&a->bytes, (int64_t)m[i]->only_version);
	}
	return end_arg(a);
}

int pg_arg_i64s(struct pg_args *a, const int64_t *v, size_t n, size_t stride)
{
	begin_array(a, PG_INTS, PG_INT8, n);
	for (size_t i = 0; i < n; i++) {
		put_i32(&a->bytes, 8);
		put_i64(&a->bytes, *(const int64_t *)((const char *)v + i * stride));
	}
	return end_arg(a);
}

int pg_arg_scores(struct pg_args *a, struct message *const *m, size_t n)
{
	begin_array(a, PG_FLOATS, PG_FLOAT8, n);
	for (size_t i = 0; i < n; i++) {
		int64_t bits;
		memcpy(&bits, &m[i]->score, sizeof bits);
		put_i32(&a->bytes, m[i]->has_score ? 8 : -1);
		if (m[i]->has_score)
			put_i64(&a->bytes, bits);
	}
	return end_arg(a);
}

/* ---- results ---- */

struct str pg_str(const PGresult *r, int row, int column)
{
	if (PQgetisnull(r, row, column))
		return STR_NONE;
	return (struct str){PQgetvalue(r, row, column), (size_t)PQgetlength(r, row, column)};
}

int64_t pg_i64(const PGresult *r, int row, int column)
{
	uint64_t be = 0;
	if (PQgetlength(r, row, column) == sizeof be)
		memcpy(&be, PQgetvalue(r, row, column), sizeof be);
	return (int64_t)be64toh(be);
}

double pg_f64(const PGresult *r, int row, int column)
{
	uint64_t bits = (uint64_t)pg_i64(r, row, column);
	double v;
	memcpy(&v, &bits, sizeof v);
	return v;
}

bool pg_bool(const PGresult *r, int row, int column)
{
	return PQgetlength(r, row, column) == 1 && *PQgetvalue(r, row, column);
}

static struct str copy(struct str s, struct arena *mem)
{
	if (!s.p)
		return s;
	return json_padded(mem, s);
}

/* Rounds down, before 2000 as well. */
static int64_t ms_of(int64_t us)
{
	return EPOCH_MS + us / 1000 - (us % 1000 < 0);
}

size_t pg_message(const PGresult *r, int row, int column, struct message *m, struct arena *mem)
{
	*m = (struct message){.fate = MESSAGE_FOUND};
	m->id = copy(pg_str(r, row, column), mem);
	m->text = copy(pg_str(r, row, column + 1), mem);
	m->source = copy(pg_str(r, row, column + 2), mem);
	m->has_time = !PQgetisnull(r, row, column + 3);
	m->time = m->has_time ? ms_of(pg_i64(r, row, column + 3)) : 0;
	m->label = copy(pg_str(r, row, column + 4), mem);
	m->has_score = !PQgetisnull(r, row, column + 5);
	int64_t bits = pg_i64(r, row, column + 5);
	memcpy(&m->score, &bits, sizeof bits);
	m->model = copy(pg_str(r, row, column + 6), mem);
	m->sentiment = copy(pg_str(r, row, column + 7), mem);
	m->extra = copy(pg_str(r, row, column + 8), mem);
	m->version = (uint64_t)pg_i64(r, row, column + 9);
	return m->id.n + m->text.n + m->source.n + m->sentiment.n + m->extra.n + sizeof *m;
}
