/* tabulate.c - records to rows. */
#include "lib/stage/tabulate.h"

#include "lib/base/log.h"
#include "lib/json/write.h"

struct column {
	struct str title; /* new: as it was named */
	struct str name;  /* of the member; part of the title */
	bool result;	  /* of the result, not of the record */
	bool found;	  /* some record had it */
	size_t hint;	  /* where it was in the last record */
};

struct table_context {
	const struct table_conf *conf;
	struct column column[TABLE_COLUMNS];
	size_t n;
	bool headed;   /* the header is out */
	size_t shown;  /* members of the present record that a column shows */
	uint64_t more; /* records with members that no column shows */
	struct json_scan own, result;
	struct arena mem;
	bool has_result;
	struct buf whole; /* the present record, if its result is beside its line */
	struct buf line;  /* its row */
};

static const struct str result_members[] = {{"label", 5}, {"score", 5}, {"neg", 3}, {"neu", 3}, {"pos", 3},
    {"subjectivity", 12}, {"model", 5}, {"corrected", 9}, {"why", 3}};

static bool of_result(const struct table_context *c, struct str name)
{
	for (size_t i = 0; c->conf->result_name.p && i < COUNT_OF(result_members); i++)
		if (str_eq(result_members[i], name))
			return true;
	return false;
}

/* ---- columns ---- */

static void add_column(struct table_context *c, struct str title)
{
	struct str prefix = c->conf->result_name;
	struct column *k = &c->column[c->n++];
	*k = (struct column){.title = {str_dup(title), title.n}};
	k->name = k->title;
	if (title.n > 1 && title.p[0] == '.') {
		k->name = (struct str){k->title.p + 1, title.n - 1};
	} else if (prefix.p && title.n > prefix.n + 1 && memcmp(title.p, prefix.p, prefix.n) == 0 &&
		   title.p[prefix.n] == '.') {
		k->name = (struct str){k->title.p + prefix.n + 1, title.n - prefix.n - 1};
		k->result = true;
	} else {
		k->result = of_result(c, title);
	}
}

/* The next name of a list; false at its end. */
static bool next_name(struct str *list, struct str *name)
{
	if (!list->p)
		return false;
	const char *comma = memchr(list->p, ',', list->n);
	size_t n = comma ? (size_t)(comma - list->p) : list->n;
	*name = str_trim((struct str){list->p, n});
	*list = comma ? (struct str){comma + 1, list->n - n - 1} : STR_NONE;
	return true;
}

int table_check(const struct table_conf *conf, struct err *e)
{
	struct str list = conf->columns, name;
	size_t n = 0;
	while (next_name(&list, &name)) {
		if (!name.n)
			return err_set(e, ERR_USAGE, "--columns takes names with commas between, none of them empty");
		if (++n > TABLE_COLUMNS)
			return err_set(e, ERR_USAGE, "--columns takes at most %d names", TABLE_COLUMNS);
	}
	return 0;
}

static bool has_title(const struct table_context *c, struct str title)
{
	for (size_t i = 0; i < c->n; i++)
		if (str_eq(c->column[i].title, title))
			return true;
	return false;
}

static void add_once(struct table_context *c, struct str title)
{
	if (c->n < TABLE_COLUMNS && !has_title(c, title))
		add_column(c, title);
}

/* The record's members, and those of its result: 0, or -1 if it is not a record. */
static int scan(struct table_context *c, const struct rec *r)
{
	struct str line = r->line;
	if (r->add.n) {
		buf_clear(&c->whole);
		rec_put(&c->whole, r);
		json_pad(&c->whole);
		line = buf_view(&c->whole);
	}
	if (json_scan(&c->own, line) < 0)
		return -1;
	const struct json_member *result = c->conf->result_name.p ? json_find(&c->own, c->conf->result_name) : NULL;
	c->has_result = result != NULL;
	if (!result || result->type != JSON_OBJECT || json_scan(&c->result, result->value) < 0)
		c->result.n = 0;
	return 0;
}

/* A member of the record gets a dot if a member of the result has its name. */
static void add_own(struct table_context *c, const struct json_member *m)
{
	struct buf title = {0};
	buf_char(&title, '.');
	json_unescape(m->name, &title);
	struct str name = {title.p + 1, title.n - 1};
	if (!str_eq(name, c->conf->result_name) && name.n)
		add_once(c, of_result(c, name) || name.p[0] == '.' ? buf_view(&title) : name);
	buf_free(&title);
}

/* Members of the result that have no bare name are titled with a prefix. */
static void add_result(struct table_context *c, const struct json_member *m)
{
	struct buf title = {0};
	buf_str(&title, c->conf->result_name);
	buf_char(&title, '.');
	size_t at = title.n;
	json_unescape(m->name, &title);
	struct str name = {title.p + at, title.n - at};
	if (name.n)
		add_once(c, of_result(c, name) ? name : buf_view(&title));
	buf_free(&title);
}

static bool is_last(const struct table_context *c, const struct json_member *m)
{
	for (const char *const *last = c->conf->last; last && *last; last++)
		if (json_name_is(m, str_of(*last)))
			return true;
	return false;
}

static void add_all(struct table_context *c, const char *const *title)
{
	for (; title && *title; title++)
		add_once(c, str_of(*title));
}

static void find_columns(struct table_context *c, const struct batch *b)
{
	add_all(c, c->conf->first);
	for (size_t i = 0; i < b->n; i++) {
		const struct rec *r = &b->rec[i];
		if (r->fate == FATE_OUT && scan(c, r) == 0)
			for (size_t k = 0; k < c->own.n; k++)
				if (!is_last(c, &c->own.member[k]))
					add_own(c, &c->own.member[k]);
	}
	for (size_t i = 0; i < b->n; i++) {
		const struct rec *r = &b->rec[i];
		if (r->fate == FATE_OUT && scan(c, r) == 0)
			for (size_t k = 0; k < c->result.n; k++)
				add_result(c, &c->result.member[k]);
	}
	add_all(c, c->conf->last);
}

/* ---- cells ---- */

/* The last member of that name; in most records it is where it was in the last one. */
static const struct json_member *find(struct column *k, const struct json_scan *s)
{
	if (k->hint < s->n && !s->member[k->hint].name_escaped && str_eq(s->member[k->hint].name, k->name)) {
		bool last = true;
		for (size_t i = k->hint + 1; i < s->n && last; i++)
			last = !s->member[i].name_escaped && !str_eq(s->member[i].name, k->name);
		if (last)
			return &s->member[k->hint];
	}
	const struct json_member *m = json_find(s, k->name);
	if (m)
		k->hint = (size_t)(m - s->member);
	return m;
}

static const struct json_member *member_of(struct table_context *c, struct column *k)
{
	const struct json_member *m = find(k, k->result ? &c->result : &c->own);
	k->found |= m != NULL;
	c->shown += m && !k->result;
	return m && m->type != JSON_NULL ? m : NULL;
}

static void put_separator(struct table_context *c, size_t i)
{
	if (c->conf->format == TABLE_MARKDOWN)
		buf_str(&c->line, i ? STR(" | ") : STR("| "));
	else if (i)
		buf_char(&c->line, c->conf->format == TABLE_TSV ? '\t' : ',');
}

static void put_cell(struct table_context *c, struct str text, bool raw)
{
	static const enum cell_format as[] = {
	    [TABLE_CSV] = CELL_CSV, [TABLE_TSV] = CELL_TSV, [TABLE_MARKDOWN] = CELL_MARKDOWN};
	cell_put(&c->line, as[c->conf->format], text, raw);
}

static void end_row(struct table_context *c)
{
	if (c->conf->format == TABLE_MARKDOWN)
		buf_str(&c->line, STR(" |"));
}

static void put_row(struct table_context *c)
{
	c->shown = 0;
	for (size_t i = 0; i < c->n; i++) {
		const struct json_member *m = member_of(c, &c->column[i]);
		put_separator(c, i);
		if (m && m->type == JSON_STRING)
			put_cell(c, json_decode(m, &c->mem), c->conf->raw);
		else if (m)
			put_cell(c, m->value, true);
	}
	end_row(c);
}

static void put_object(struct table_context *c)
{
	buf_char(&c->line, '{');
	for (size_t i = 0; i < c->n; i++) {
		const struct json_member *m = member_of(c, &c->column[i]);
		json_put_name(&c->line, c->column[i].title);
		buf_str(&c->line, m ? m->value : STR("null"));
	}
	buf_char(&c->line, '}');
}

static void put_header(struct table_context *c)
{
	for (size_t i = 0; i < c->n; i++) {
		put_separator(c, i);
		put_cell(c, c->column[i].title, c->conf->raw);
	}
	end_row(c);
	if (c->conf->format != TABLE_MARKDOWN)
		return;
	buf_str(&c->line, STR("\n|"));
	for (size_t i = 0; i < c->n; i++)
		buf_str(&c->line, STR(" --- |"));
}

/* ---- the stage ---- */

static void *table_open(const void *conf, struct err *e)
{
	struct table_context *c = xcalloc(1, sizeof *c);
	struct str list, name;
	(void)e;
	c->conf = conf;
	list = c->conf->columns;
	while (next_name(&list, &name))
		add_column(c, name);
	return c;
}

static void tabulate(struct table_context *c, struct batch *b, struct rec *r)
{
	buf_clear(&c->line);
	if (scan(c, r) < 0)
		return;
	if (c->conf->format == TABLE_JSON) {
		put_object(c);
	} else {
		if (!c->headed) {
			put_header(c);
			buf_char(&c->line, '\n');
		}
		c->headed = true;
		put_row(c);
		c->more += !c->conf->columns.p && c->own.n > c->shown + c->has_result;
	}
	r->line = arena_str(&b->mem, buf_view(&c->line));
	r->add = STR_NONE;
	arena_reset(&c->mem);
}

static int table_run(void *ctx, struct batch *b, struct err *e)
{
	struct table_context *c = ctx;
	(void)e;
	if (!c->headed && !c->conf->columns.p)
		find_columns(c, b);
	for (size_t i = 0; i < b->n; i++) {
		struct rec *r = &b->rec[i];
		if (r->fate == FATE_OUT)
			tabulate(c, b, r);
	}
	return 0;
}

static void warn(const struct table_context *c)
{
	char count[24];
	for (size_t i = 0; i < c->n; i++)
		if (c->conf->columns.p && !c->column[i].found) {
			char *title = str_dup(c->column[i].title);
			log_warn("no record has this column", "column", title, NULL);
			free(title);
		}
	snprintf(count, sizeof count, "%llu", (unsigned long long)c->more);
	if (c->more)
		log_warn("records have members that no column shows (--columns names them)", "records", count, NULL);
}

static int table_end(void *ctx, struct batch *b, struct err *e)
{
	struct table_context *c = ctx;
	(void)e;
	if (c->headed)
		warn(c);
	if (c->headed || c->conf->format == TABLE_JSON)
		return 0;
	c->headed = true;
	if (c->n == 0) /* no records, and no names */
		find_columns(c, b);
	buf_clear(&c->line);
	put_header(c);
	if (c->n)
		batch_add(b)->line = arena_str(&b->mem, buf_view(&c->line));
	return 0;
}

static void table_close(void *ctx)
{
	struct table_context *c = ctx;
	for (size_t i = 0; i < c->n; i++)
		free((char *)c->column[i].title.p);
	json_scan_free(&c->own);
	json_scan_free(&c->result);
	arena_free(&c->mem);
	buf_free(&c->whole);
	buf_free(&c->line);
	free(c);
}

const struct stage table_stage = {
    .name = "table",
    .open = table_open,
    .run = table_run,
    .end = table_end,
    .close = table_close,
};
