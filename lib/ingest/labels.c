/* labels.c - rows of ids and labels. */
#include "lib/ingest/labels.h"

#include <strings.h>

#include "lib/ingest/format.h"
#include "lib/ingest/record_builder.h"
#include "lib/ingest/row.h"
#include "lib/json/write.h"
#include "lib/text/cell.h"

struct labels {
	struct source port;
	struct source *from;
	const char *name;
	struct batch lines; /* of `from`; at: the next one to take */
	size_t at;
	bool ended;
	struct rows *rows; /* NULL before the first line */
	size_t columns;	   /* 0 before the header */
	size_t id, label;  /* their columns */
	struct buf out;
};

/* Excel writes what is common where it runs. */
static char delimiter_of(struct str line)
{
	char best = ',';
	size_t most = 0;
	for (const char *d = ",;\t"; *d; d++) {
		size_t n = 0;
		for (size_t i = 0; i < line.n; i++)
			n += line.p[i] == *d;
		if (n > most) {
			most = n;
			best = *d;
		}
	}
	return best;
}

static size_t column_of(const struct row *row, const char *name)
{
	size_t i = 0;
	for (; i < row->n; i++) {
		struct str cell = str_trim(row->cell[i]);
		if (cell.n == strlen(name) && strncasecmp(cell.p, name, cell.n) == 0)
			break;
	}
	return i;
}

static int read_header(struct labels *s, const struct row *row, struct err *e)
{
	s->columns = row->n;
	s->id = column_of(row, "id");
	s->label = column_of(row, "label");
	if (s->id < row->n && s->label < row->n)
		return 0;
	return err_set(e, ERR_USAGE, "%s: the first line names no column '%s'; it must name id and label", s->name,
	    s->id < row->n ? "label" : "id");
}

static struct str own_id(struct str cell)
{
	struct str rest = {cell.p + 1, cell.n ? cell.n - 1 : 0};
	return cell.n && cell.p[0] == '\'' && cell_is_formula(rest) ? rest : cell;
}

static void put_record(struct labels *s, struct batch *b, const struct row *row)
{
	struct line_place at = {row->line, row->sub};
	struct str raw = line_content(row->raw);
	if (!builder_check(b, raw, at))
		return;
	if (row->n != s->columns) {
		builder_reject(b, raw, at, CODE_BAD_ROW, "the row has %zu field%s, the header %zu", row->n,
		    row->n == 1 ? "" : "s", s->columns);
		return;
	}
	buf_clear(&s->out);
	buf_str(&s->out, STR("{\"id\":"));
	json_put_string(&s->out, own_id(row->cell[s->id]));
	json_put_name(&s->out, STR("label"));
	json_put_string(&s->out, str_trim(row->cell[s->label]));
	buf_char(&s->out, '}');
	builder_add(b, buf_view(&s->out), at);
}

static int take_row(struct labels *s, struct batch *b, const struct row *row, struct err *e)
{
	if (row->cell && !s->columns)
		return read_header(s, row, e);
	if (!row->cell && !s->columns)
		return err_set(e, ERR_USAGE, "%s: the first line cannot be read: %s", s->name, row->why);
	if (row->cell)
		put_record(s, b, row);
	else
		builder_reject(
		    b, line_content(row->raw), (struct line_place){row->line, row->sub}, CODE_BAD_ROW, "%s", row->why);
	return 0;
}

/* Makes rows of the lines taken, as long as the batch has room: 1 if it is full. */
static int take_rows(struct labels *s, struct batch *b, const struct limits *l, struct err *e)
{
	struct row row;
	enum row_got got = ROW_NONE;
	while (
	    s->rows && b->n < l->records && (got = rows_next(s->rows, s->columns, l->max_record, &row)) != ROW_NONE) {
		if (got == ROW_BROKEN)
			row.cell = NULL;
		if (take_row(s, b, &row, e) < 0)
			return -1;
	}
	return b->n == l->records;
}

static int feed(struct labels *s, const struct rec *r, struct err *e)
{
	if (r->long_line)
		return err_set(
		    e, ERR_ENV, "%s:%llu: the line is over --max-record", s->name, (unsigned long long)r->lineno);
	if (!s->rows && line_blank(r->line))
		return 0;
	if (!s->rows) {
		char d = delimiter_of(r->line);
		s->rows = rows_new(d, d == '\t');
	}
	rows_feed(s->rows, r->line, r->lineno);
	return 0;
}

static enum next labels_next(struct source *source, struct batch *b, const struct limits *l, int wake, struct err *e)
{
	struct labels *s = (struct labels *)source;
	for (;;) {
		int full = take_rows(s, b, l, e);
		if (full < 0)
			return NEXT_ERROR;
		if (full)
			return NEXT_BATCH;
		if (s->at < s->lines.n) {
			if (feed(s, &s->lines.rec[s->at++], e) < 0)
				return NEXT_ERROR;
		} else if (s->ended && s->rows && rows_held(s->rows)) {
			rows_cut(s->rows);
		} else if (b->n || s->ended) {
			b->flush_reason = FLUSH_IDLE;
			return b->n ? NEXT_BATCH : NEXT_END;
		} else {
			batch_reset(&s->lines);
			s->at = 0;
			enum next next = s->from->next(s->from, &s->lines, l, wake, e);
			if (next == NEXT_ERROR || next == NEXT_WOKEN)
				return next;
			s->ended = next == NEXT_END;
			source->interrupted = s->from->interrupted;
		}
	}
}

static void labels_position(const struct source *source, uint64_t *done, uint64_t *total)
{
	const struct labels *s = (const struct labels *)source;
	s->from->position(s->from, done, total);
}

static int labels_close(struct source *source, struct err *e)
{
	struct labels *s = (struct labels *)source;
	int rc = s->from->close(s->from, e);
	if (s->rows)
		rows_free(s->rows);
	batch_free(&s->lines);
	buf_free(&s->out);
	free(s);
	return rc;
}

struct source *source_labels(struct source *from, const char *name)
{
	struct labels *s = xcalloc(1, sizeof *s);
	s->port = (struct source){.next = labels_next, .close = labels_close};
	if (from->position)
		s->port.position = labels_position;
	s->from = from;
	s->name = name;
	return &s->port;
}
