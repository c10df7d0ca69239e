/* jsonl.c - the format json: lines that already are records. They stay byte for byte, except that members named by
 * options are renamed in place, and a missing id is spliced in. */
#include "lib/ingest/format.h"
#include "lib/ingest/entities.h"
#include "lib/ingest/record_builder.h"
#include "lib/ingest/timeparse.h"
#include "lib/json/write.h"

/* A replacement in the line. */
struct edit {
	const char *at;
	size_t cut;
	struct str put;
};

enum { MAX_EDITS = 10 };

struct jsonl {
	const struct ingest *conf;
	struct record_builder *builder;
	struct json_scan scan;
	struct edit edit[MAX_EDITS];
	size_t edits;
	struct buf out, value;
};

static void *jsonl_open(const struct ingest *conf, struct record_builder *builder, struct err *e)
{
	(void)e;
	struct jsonl *j = xcalloc(1, sizeof *j);
	j->conf = conf;
	j->builder = builder;
	return j;
}

static void edit(struct jsonl *j, struct str what, struct str put)
{
	j->edit[j->edits++] = (struct edit){what.p, what.n, put};
}

/* Renames `m` to `to`. Another member of that name becomes cN by its position, as a column would. */
static int rename_member(struct jsonl *j, struct batch *b, struct rec *r, const struct json_member *m, struct str to)
{
	const struct json_member *other = json_find(&j->scan, to);
	if (other == m)
		return 0;
	if (other) {
		struct str c = arena_printf(&b->mem, "c%zu", (size_t)(other - j->scan.member) + 1);
		if (json_find(&j->scan, c))
			return rec_reject(b, r, CODE_BAD_ROW, "members '%.*s' and '%.*s' both exist; rename one",
			    STR_FMT(to), STR_FMT(c));
		edit(j, other->name, c);
	}
	edit(j, m->name, to);
	return 0;
}

static const struct json_member *present(const struct jsonl *j, const char *name)
{
	const struct json_member *m = json_find(&j->scan, str_of(name));
	return m && m->type != JSON_NULL ? m : NULL;
}

static struct str spelled(const struct json_member *m, struct arena *mem)
{
	return m->type == JSON_STRING ? json_decode(m, mem) : m->value;
}

static bool is_word(const struct json_member *m)
{
	return m->type == JSON_STRING || m->type == JSON_NUMBER;
}

static struct str quoted(struct jsonl *j, struct arena *mem, struct str s)
{
	buf_clear(&j->value);
	json_put_string(&j->value, s);
	return arena_str(mem, buf_view(&j->value));
}

static int take_time(struct jsonl *j, struct batch *b, struct rec *r, struct str *time)
{
	char out[TIME_LEN];
	const struct json_member *m = present(j, j->conf->time ? j->conf->time : "time");
	if (!m)
		return 0;
	*time = spelled(m, &b->mem);
	if (!j->conf->time && !j->conf->times.n)
		return 0;
	enum timeparse w = is_word(m) ? builder_time(j->builder, *time, true, out) : TIMEPARSE_BAD;
	if (w == TIMEPARSE_BAD)
		return rec_reject(b, r, CODE_BAD_TIME, "cannot read the time %.*s%s",
		    (int)(m->value.n > 80 ? 80 : m->value.n), m->value.p, builder_time_hint(j->builder, *time));
	if (w == TIMEPARSE_WRITTEN)
		edit(j, m->value, quoted(j, &b->mem, (struct str){out, TIME_LEN}));
	return rename_member(j, b, r, m, STR("time"));
}

/* Makes the id a string; numbers are converted. *has: whether there is one. */
static int take_id(struct jsonl *j, struct batch *b, struct rec *r, bool *has)
{
	const struct json_member *m = j->conf->id ? present(j, j->conf->id) : NULL;
	m = m ? m : present(j, "id");
	*has = m && !(m->type == JSON_STRING && m->value.n == 2);
	if (!*has)
		return 0;
	if (!is_word(m))
		return rec_reject(b, r, CODE_NO_ID, "member '%.*s' is neither a string nor a number", STR_FMT(m->name));
	if (m->type == JSON_NUMBER || j->conf->ids.prefix) {
		struct str id =
		    builder_id(j->builder, spelled(m, &b->mem), (struct line_place){0}, STR_NONE, STR_NONE, &b->mem);
		edit(j, m->value, quoted(j, &b->mem, id));
	}
	return j->conf->id ? rename_member(j, b, r, m, STR("id")) : 0;
}

static int take_text(struct jsonl *j, struct batch *b, struct rec *r, struct str name)
{
	const struct json_member *m = json_find(&j->scan, name);
	if (!m)
		return rec_reject(b, r, CODE_NO_TEXT, "no member '%.*s' (--text names another)", STR_FMT(name));
	if (m->type != JSON_STRING) {
		r->column = (size_t)(m->value.p - r->line.p) + 1;
		return rec_reject(b, r, CODE_BAD_TEXT, "member '%.*s' is not a string", STR_FMT(name));
	}
	if (j->conf->unescape && memchr(r->text.p, '&', r->text.n))
		edit(j, m->value, quoted(j, &b->mem, entities_unescape(r->text, &j->builder->text)));
	return j->conf->text ? rename_member(j, b, r, m, STR("text")) : 0;
}

static int by_place(const void *a, const void *b)
{
	const struct edit *x = a, *y = b;
	return (x->at > y->at) - (x->at < y->at);
}

static void apply(struct jsonl *j, struct batch *b, struct rec *r)
{
	if (!j->edits)
		return;
	const char *from = r->line.p, *end = from + r->line.n;
	sort(j->edit, j->edits, sizeof *j->edit, by_place);
	buf_clear(&j->out);
	for (size_t i = 0; i < j->edits; i++) {
		buf_add(&j->out, from, (size_t)(j->edit[i].at - from));
		buf_str(&j->out, j->edit[i].put);
		from = j->edit[i].at + j->edit[i].cut;
	}
	buf_add(&j->out, from, (size_t)(end - from));
	r->line = json_padded(&b->mem, buf_view(&j->out));
}

/* Splices in missing members. */
static void complete(struct jsonl *j, struct batch *b, struct rec *r, bool has_id, struct str time)
{
	struct str source = j->builder->origin.source;
	bool add_source = j->conf->source.p && !json_find(&j->scan, STR("source"));
	if (!has_id) {
		struct str id =
		    builder_id(j->builder, STR_NONE, (struct line_place){.line = r->lineno}, time, r->text, &b->mem);
		rec_set(b, r, &j->scan, STR("id"), quoted(j, &b->mem, id));
	}
	if (add_source)
		rec_set(b, r, &j->scan, STR("source"), quoted(j, &b->mem, source));
}

static int jsonl_line(void *ctx, struct batch_room *room, struct str line, uint64_t number, struct err *e)
{
	struct jsonl *j = ctx;
	struct batch *b = room->b;
	struct rec *r = builder_add(b, line_content(line), (struct line_place){.line = number});
	struct str name = str_of(j->conf->text ? j->conf->text : "text");
	const struct rec_form form = {.text_name = name, .result_name = STR("sentiment")};
	struct str time = STR("");
	bool has_id;
	(void)e;
	j->edits = 0;
	if (rec_scan(b, r, &j->scan, &form) < 0 || take_text(j, b, r, name) < 0 || take_id(j, b, r, &has_id) < 0 ||
	    take_time(j, b, r, &time) < 0)
		return 0;
	apply(j, b, r);
	complete(j, b, r, has_id, time);
	return 0;
}

static void jsonl_close(void *ctx)
{
	struct jsonl *j = ctx;
	json_scan_free(&j->scan);
	buf_free(&j->out);
	buf_free(&j->value);
	free(j);
}

const struct format format_json = {.name = "json", .open = jsonl_open, .line = jsonl_line, .close = jsonl_close};
