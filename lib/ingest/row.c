/* row.c - feeds libcsv line by line.
 *
 *     text   [ ... | line\n | line\n | line\n ... ]
 *              given ^start    ^fed: the open row has been parsed up to here
 *
 * Three parsers of libcsv share the work: lenient for a row in one line, strict for a row that spans lines, and plain,
 * which treats quotes as characters.
 */
#include "lib/ingest/row.h"

#include <csv.h>

struct rows {
	struct csv_parser lenient, strict, plain;
	bool tsv, open, cut; /* open: a row that spans lines begins at `start` */
	struct buf text;
	size_t start, fed;
	uint64_t line; /* of text.p[start] */
	unsigned sub;
	struct buf cells;    /* the fields' bytes */
	size_t *end, n, cap; /* end of each in `cells` */
	struct str *cell;    /* as lent to the caller */
	bool done;	     /* libcsv has reported the end of the row */
};

static int no_space(unsigned char c)
{
	(void)c;
	return 0;
}

static void *grow(void *p, size_t n)
{
	return xreallocarray(p, n, 1);
}

static void parser_init(struct csv_parser *p, unsigned char options, char delimiter, char quote)
{
	csv_init(p, options);
	csv_set_delim(p, (unsigned char)delimiter);
	csv_set_quote(p, (unsigned char)quote);
	csv_set_space_func(p, no_space); /* blanks around a field are part of it */
	csv_set_realloc_func(p, grow);
}

struct rows *rows_new(char delimiter, bool tsv)
{
	struct rows *r = xcalloc(1, sizeof *r);
	r->tsv = tsv;
	parser_init(&r->lenient, 0, delimiter, '"');
	parser_init(&r->strict, CSV_STRICT, delimiter, '"');
	parser_init(&r->plain, 0, delimiter, 0); /* a row with NUL is rejected anyway */
	return r;
}

char row_separator(struct str line)
{
	bool quoted = line.n == 7 && line.p[0] == '"' && line.p[6] == '"';
	if (quoted)
		line = (struct str){line.p + 1, 5};
	return line.n == 5 && memcmp(line.p, "sep=", 4) == 0 && !strchr("\"\r\n", line.p[4]) ? line.p[4] : 0;
}

void rows_delimit(struct rows *r, char delimiter)
{
	csv_set_delim(&r->lenient, (unsigned char)delimiter);
	csv_set_delim(&r->strict, (unsigned char)delimiter);
	csv_set_delim(&r->plain, (unsigned char)delimiter);
}

void rows_free(struct rows *r)
{
	csv_free(&r->lenient);
	csv_free(&r->strict);
	csv_free(&r->plain);
	buf_free(&r->text);
	buf_free(&r->cells);
	free(r->end);
	free(r->cell);
	free(r);
}

void rows_feed(struct rows *r, struct str line, uint64_t number)
{
	if (r->start == r->text.n) {
		buf_clear(&r->text);
		r->start = r->fed = 0;
		r->line = number;
		r->sub = 0;
	}
	buf_str(&r->text, line);
	r->cut = false;
}

void rows_cut(struct rows *r)
{
	r->cut = true;
}

uint64_t rows_held(const struct rows *r)
{
	return r->start < r->text.n ? r->line : 0;
}

static void on_field(void *p, size_t n, void *arg)
{
	struct rows *r = arg;
	if (r->n == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 16;
		r->end = xreallocarray(r->end, r->cap, sizeof *r->end);
		r->cell = xreallocarray(r->cell, r->cap, sizeof *r->cell);
	}
	buf_add(&r->cells, p, n);
	r->end[r->n++] = r->cells.n;
}

static void on_row(int c, void *arg)
{
	struct rows *r = arg;
	(void)c;
	r->done = true;
}

/* Begins a row at `start` with this parser. */
static void restart(struct rows *r, struct csv_parser *p)
{
	csv_fini(p, NULL, NULL, NULL);
	buf_clear(&r->cells);
	r->n = 0;
	r->done = false;
}

/* Parses one line, adding a line end if missing; false on an error of strict quoting. */
static bool parse_line(struct rows *r, struct csv_parser *p, struct str line)
{
	char last = line.p[line.n - 1];
	bool good = csv_parse(p, line.p, line.n, on_field, on_row, r) == line.n;
	if (good && last != '\n' && last != '\r')
		good = csv_parse(p, "\n", 1, on_field, on_row, r) == 1;
	return good;
}

/* The physical line at `at`: up to "\n", "\r\n" or "\r". */
static struct str line_at(const struct rows *r, size_t at)
{
	const char *p = r->text.p + at, *end = r->text.p + r->text.n;
	const char *nl = memchr(p, '\n', (size_t)(end - p));
	const char *stop = nl ? nl : end;
	const char *cr = memchr(p, '\r', (size_t)(stop - p));
	if (cr && cr + 1 < stop)
		stop = cr + 1;
	else if (nl)
		stop = nl + 1;
	return (struct str){p, (size_t)(stop - p)};
}

static bool is_end(struct str line)
{
	return line.p[0] == '\n' || line.p[0] == '\r';
}

/* Moves past n processed bytes, counting their lines. */
static void give(struct rows *r, size_t n)
{
	const char *p = r->text.p + r->start, *end = p + n;
	unsigned sub = end[-1] == '\n' ? 0 : r->sub + 1;
	while ((p = memchr(p, '\n', (size_t)(end - p)))) {
		r->line++;
		p++;
	}
	r->sub = sub;
	r->start += n;
	r->fed = r->start;
	r->open = false;
}

static enum row_got ready(struct rows *r, struct row *row, size_t raw)
{
	size_t from = 0;
	for (size_t i = 0; i < r->n; i++) {
		r->cell[i] = (struct str){r->cells.p ? r->cells.p + from : "", r->end[i] - from};
		from = r->end[i];
	}
	*row = (struct row){
	    .cell = r->cell, .n = r->n, .raw = {r->text.p + r->start, raw}, .line = r->line, .sub = r->sub};
	give(r, raw);
	return ROW_READY;
}

static enum row_got broken(struct rows *r, struct row *row, const char *why)
{
	struct str raw = line_at(r, r->start);
	*row = (struct row){.raw = raw, .line = r->line, .sub = r->sub, .why = why};
	give(r, raw.n);
	return ROW_BROKEN;
}

/* Tries to parse the line as a whole row. */
static bool whole(struct rows *r, struct csv_parser *p, struct str line)
{
	restart(r, p);
	return parse_line(r, p, line) && r->done;
}

static bool whole_line(struct rows *r, struct str line, size_t expect)
{
	if (!r->tsv)
		return whole(r, &r->lenient, line);
	if (whole(r, &r->strict, line) && (!expect || r->n == expect))
		return true;
	return whole(r, &r->plain, line) && (!expect || r->n == expect);
}

/* If no single line forms a row, it spans lines; its quotes must then be right from the start. */
static bool open_row(struct rows *r, struct str line)
{
	restart(r, &r->strict);
	if (!parse_line(r, &r->strict, line))
		return false;
	r->open = true;
	r->fed = r->start + line.n;
	return true;
}

static const char not_closed[] = "the quote opened here is not closed";
static const char not_doubled[] =
    "a quote inside a quoted field is not doubled, or the quote opened here is not closed";

enum row_got rows_next(struct rows *r, size_t expect, size_t max, struct row *row)
{
	while (r->fed < r->text.n) {
		struct str line = line_at(r, r->fed);
		if (!r->open) {
			if (is_end(line)) {
				give(r, line.n);
				continue;
			}
			if (whole_line(r, line, expect))
				return ready(r, row, line.n);
			if (!open_row(r, line))
				return r->tsv && whole(r, &r->plain, line) ? ready(r, row, line.n)
									   : broken(r, row, not_doubled);
		} else {
			if (!parse_line(r, &r->strict, line))
				return broken(r, row, not_doubled);
			r->fed += line.n;
		}
		if (r->done)
			return ready(r, row, r->fed - r->start);
		if (r->fed - r->start > max)
			return broken(r, row, not_closed);
	}
	if (r->open && r->cut)
		return broken(r, row, not_closed);
	if (r->start) {
		buf_shift(&r->text, r->start);
		r->fed -= r->start;
		r->start = 0;
	}
	return ROW_NONE;
}
