/* csv.c - the formats csv and tsv: a header or numbered columns, rows by row.h, one record per row. */
#include "lib/base/log.h"
#include "lib/ingest/format.h"
#include "lib/ingest/record_builder.h"
#include "lib/ingest/row.h"
#include "lib/base/utf8.h"

struct csv {
	const struct ingest *conf;
	struct record_builder *builder;
	struct rows *rows;
	struct layout layout;
	char delimiter;
	bool headed;
	struct buf header; /* as spelled, and the line sep= before it; empty: none */
};

static void *open_rows(const struct ingest *conf, struct record_builder *builder, bool tsv)
{
	struct csv *c = xcalloc(1, sizeof *c);
	c->conf = conf;
	c->builder = builder;
	c->delimiter = conf->delimiter ? conf->delimiter : tsv ? '\t' : ',';
	c->rows = rows_new(c->delimiter, tsv);
	return c;
}

static void *csv_open(const struct ingest *conf, struct record_builder *builder, struct err *e)
{
	(void)e;
	return open_rows(conf, builder, false);
}

static void *tsv_open(const struct ingest *conf, struct record_builder *builder, struct err *e)
{
	(void)e;
	return open_rows(conf, builder, true);
}

static int csv_line(void *ctx, struct batch_room *room, struct str line, uint64_t number, struct err *e)
{
	struct csv *c = ctx;
	(void)room;
	(void)e;
	rows_feed(c->rows, line, number);
	return 0;
}

static const struct defaults defaults = {.text = (const char *const[]){"text", NULL}};

static int name_columns(struct csv *c, const struct str *name, size_t n, struct err *e)
{
	if (layout_init(&c->layout, name, n, c->conf, &defaults, "column", c->builder->origin.name, e) < 0)
		return -1;
	c->headed = true;
	return 0;
}

/* A header with a single column often means a wrong delimiter. Returns the character that was probably meant, or 0. */
static char likely_delimiter(const struct csv *c, const struct row *row)
{
	static const char common[] = ";\t|,";
	for (const char *d = common; *d && row->n == 1; d++)
		if (*d != c->delimiter && memchr(row->raw.p, *d, row->raw.n))
			return *d;
	return 0;
}

static void hint(const struct csv *c, const struct row *row, int rc, struct err *e)
{
	char d = likely_delimiter(c, row), shown[3] = {d};
	if (d == '\t')
		memcpy(shown, "\\t", 3);
	if (d && rc < 0) {
		size_t used = strlen(e->msg);
		snprintf(e->msg + used, sizeof e->msg - used, " (is the delimiter '%s'? See --delimiter)", shown);
	} else if (d) {
		log_warn("the file has one column only; see --delimiter", "file", c->builder->origin.name, "likely",
		    shown, NULL);
	}
}

static int read_header(struct csv *c, const struct row *row, struct err *e)
{
	if (utf8_valid_prefix(row->raw) < row->raw.n || memchr(row->raw.p, 0, row->raw.n))
		return err_set(e, ERR_USAGE,
		    "%s:%llu: the header is not UTF-8; convert the file first (iconv -f FROM -t UTF-8)",
		    c->builder->origin.name, (unsigned long long)row->line);
	struct str *name = xreallocarray(NULL, row->n, sizeof *name);
	for (size_t i = 0; i < row->n; i++)
		name[i] = str_trim(row->cell[i]);
	buf_str(&c->header, line_content(row->raw));
	int rc = name_columns(c, name, row->n, e);
	hint(c, row, rc, e);
	free(name);
	return rc;
}

/* --no-header: c1, c2, ... */
static int number_columns(struct csv *c, const struct row *row, struct err *e)
{
	char(*spelled)[24] = xcalloc(row->n, sizeof *spelled);
	struct str *name = xreallocarray(NULL, row->n, sizeof *name);
	for (size_t i = 0; i < row->n; i++)
		name[i] = (struct str){spelled[i], (size_t)snprintf(spelled[i], sizeof spelled[i], "c%zu", i + 1)};
	int rc = name_columns(c, name, row->n, e);
	hint(c, row, rc, e);
	free(name);
	free(spelled);
	return rc;
}

static void put_row(struct csv *c, struct batch *b, const struct row *row)
{
	struct line_place at = {row->line, row->sub};
	struct str raw = line_content(row->raw);
	if (!builder_check(b, raw, at))
		return;
	if (row->n != c->layout.n)
		builder_reject(b, raw, at, CODE_BAD_ROW, "the row has %zu field%s, the header %zu", row->n,
		    row->n == 1 ? "" : "s", c->layout.n);
	else
		builder_put(c->builder, b, &c->layout, row->cell, raw, at);
}

/* Excel's line before the header. --delimiter knows better. */
static bool take_separator(struct csv *c, const struct row *row)
{
	struct str line = line_content(row->raw);
	char separator = row->line == 1 && !row->sub ? row_separator(line) : 0;
	if (separator && !c->conf->no_header) {
		buf_str(&c->header, line);
		buf_char(&c->header, '\n');
	}
	if (separator && !c->conf->delimiter) {
		c->delimiter = separator;
		rows_delimit(c->rows, separator);
	}
	return separator != 0;
}

static int csv_work(void *ctx, struct batch_room *room, struct err *e)
{
	struct csv *c = ctx;
	struct row row;
	while (!batch_room_full(room)) {
		switch (rows_next(c->rows, c->layout.n, room->limits->max_record, &row)) {
		case ROW_NONE:
			return 0;
		case ROW_BROKEN:
			if (!c->headed && !c->conf->no_header)
				return err_set(e, ERR_USAGE, "%s:%llu: the header cannot be read: %s",
				    c->builder->origin.name, (unsigned long long)row.line, row.why);
			builder_reject(room->b, line_content(row.raw), (struct line_place){row.line, row.sub},
			    CODE_BAD_ROW, "%s", row.why);
			break;
		case ROW_READY:
			if (!c->headed && take_separator(c, &row))
				break;
			if (c->headed) {
				put_row(c, room->b, &row);
			} else if (!c->conf->no_header) {
				if (read_header(c, &row, e) < 0)
					return -1;
			} else {
				if (number_columns(c, &row, e) < 0)
					return -1;
				put_row(c, room->b, &row);
			}
		}
	}
	return 1;
}

static void csv_cut(void *ctx, const struct rec *too_long)
{
	struct csv *c = ctx;
	(void)too_long;
	rows_cut(c->rows);
}

static uint64_t csv_held(const void *ctx)
{
	const struct csv *c = ctx;
	return rows_held(c->rows);
}

static struct str csv_header(const void *ctx)
{
	const struct csv *c = ctx;
	return buf_view(&c->header);
}

static void csv_close(void *ctx)
{
	struct csv *c = ctx;
	rows_free(c->rows);
	layout_free(&c->layout);
	buf_free(&c->header);
	free(c);
}

const struct format format_csv = {.name = "csv",
    .headed = true,
    .blanks = true,
    .open = csv_open,
    .line = csv_line,
    .work = csv_work,
    .cut = csv_cut,
    .held = csv_held,
    .header = csv_header,
    .close = csv_close};

const struct format format_tsv = {.name = "tsv",
    .headed = true,
    .blanks = true,
    .open = tsv_open,
    .line = csv_line,
    .work = csv_work,
    .cut = csv_cut,
    .held = csv_held,
    .header = csv_header,
    .close = csv_close};
