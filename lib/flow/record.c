/* record.c - records and batches: scans members, splices in additions, writes rejects. */
#include "lib/flow/record.h"

#include <stdarg.h>

#include "lib/json/write.h"
#include "lib/base/utf8.h"

struct rec *batch_add(struct batch *b)
{
	b->rec = xgrow(b->rec, b->n, &b->cap, 64, sizeof *b->rec);
	struct rec *r = &b->rec[b->n++];
	*r = (struct rec){0};
	return r;
}

struct rec *batch_derive(struct batch *b)
{
	b->derived++;
	return batch_add(b);
}

void batch_reset(struct batch *b)
{
	b->n = b->derived = 0;
	buf_clear(&b->in);
	arena_reset(&b->mem);
	b->flush_reason = FLUSH_FULL;
	b->more = false;
	memset(b->counter, 0, sizeof b->counter);
	memset(b->results, 0, sizeof b->results);
}

void batch_free(struct batch *b)
{
	free(b->rec);
	buf_free(&b->in);
	arena_free(&b->mem);
	*b = (struct batch){0};
}

int rec_reject(struct batch *b, struct rec *r, const char *code, const char *fmt, ...)
{
	char msg[512];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	r->fate = FATE_REJECTED;
	r->code = code;
	r->why = arena_str(&b->mem, (struct str){msg, n < 0 ? 0 : (size_t)n < sizeof msg ? (size_t)n : sizeof msg - 1});
	return -1;
}

const char *code_of_json(enum json_error error)
{
	switch (error) {
	case JSON_UTF8:
		return CODE_BAD_UTF8;
	case JSON_LONE_SURROGATE:
		return CODE_LONE_SURROGATE;
	case JSON_NUL:
		return CODE_NUL;
	case JSON_NOT_OBJECT:
		return CODE_NOT_OBJECT;
	case JSON_OK:
	case JSON_BAD:
		break;
	}
	return CODE_BAD_JSON;
}

static bool name_is(const struct json_member *m, struct str name)
{
	if (likely(!m->name_escaped))
		return str_eq(m->name, name);
	return json_name_is(m, name);
}

int rec_scan(struct batch *b, struct rec *r, struct json_scan *s, const struct rec_form *form)
{
	if (json_scan(s, r->line) < 0) {
		r->column = s->column;
		return rec_reject(b, r, code_of_json(s->error), "%s at column %zu", s->message, s->column);
	}
	const struct json_member *text = NULL, *id = NULL, *result = NULL;
	bool crowded = false;
	for (size_t i = 0; i < s->n; i++) {
		const struct json_member *m = &s->member[i];
		if (name_is(m, STR("id")))
			id = m;
		else if (name_is(m, form->result_name)) {
			crowded |= result != NULL;
			result = m;
		}
		if (name_is(m, form->text_name))
			text = m;
	}
	r->crowded = crowded;
	r->has_old = result != NULL;
	if (result)
		r->result = result->value;
	if (id && id->type == JSON_STRING)
		r->id = json_decode(id, &b->mem);
	if (text && text->type == JSON_STRING)
		r->text = json_decode(text, &b->mem);
	if (form->needs_text && !text)
		return rec_reject(b, r, CODE_NO_TEXT, "no member '%.*s'%s", STR_FMT(form->text_name),
		    form->text_fixed ? "" : " (-f names another)");
	if (form->needs_text && !r->text.p) {
		r->column = (size_t)(text->value.p - r->line.p) + 1;
		return rec_reject(b, r, CODE_BAD_TEXT, "member '%.*s' is not a string", STR_FMT(form->text_name));
	}
	if (form->needs_id && !r->id.p)
		return rec_reject(b, r, CODE_NO_ID, id ? "member 'id' is not a string" : "no member 'id'");
	return 0;
}

static const char *member_start(const struct json_member *m)
{
	return m->name.p - 1;
}

static const char *member_end(const struct json_member *m)
{
	return m->value.p + m->value.n;
}

/* Removes all members of that name: returns a new slice in the arena, or the object itself if it has none. The text
 * between a removed member and the kept one before it (the comma) goes too. */
static struct str cut_members(struct arena *mem, struct json_scan *s, struct str object, struct str name)
{
	if (json_scan(s, object) < 0 || !json_find(s, name))
		return object;
	char *out = arena_alloc(mem, object.n + JSON_PAD), *o = out;
	const char *end = object.p + object.n;
	bool kept = false;
	memcpy(o, object.p, (size_t)(member_start(&s->member[0]) - object.p)); /* "{" and blanks */
	o += member_start(&s->member[0]) - object.p;
	const char *from = member_start(&s->member[0]);
	for (size_t i = 0; i < s->n; i++) {
		const struct json_member *m = &s->member[i];
		if (!json_name_is(m, name)) {
			const char *start = kept ? from : member_start(m);
			size_t n = (size_t)(member_end(m) - start);
			memcpy(o, start, n);
			o += n;
			kept = true;
		}
		from = member_end(m);
	}
	memcpy(o, from, (size_t)(end - from));
	o += end - from;
	return (struct str){out, (size_t)(o - out)};
}

void rec_set(struct batch *b, struct rec *r, struct json_scan *s, struct str name, struct str value)
{
	r->line = cut_members(&b->mem, s, r->line, name);
	struct buf add = {0};
	if (r->add.n) {
		/* `add` is the inside of an object, after a comma. */
		buf_char(&add, '{');
		buf_add(&add, r->add.p + 1, r->add.n - 1);
		buf_char(&add, '}');
		size_t n = add.n;
		json_pad(&add);
		struct str left = cut_members(&b->mem, s, (struct str){add.p, n}, name);
		struct str kept = arena_str(&b->mem, (struct str){left.p + 1, left.n - 2});
		buf_clear(&add);
		if (kept.n) {
			buf_char(&add, ',');
			buf_str(&add, kept);
		}
	}
	buf_str(&add, STR(",\""));
	struct buf spelled = {0};
	json_put_string(&spelled, name);
	buf_add(&add, spelled.p + 1, spelled.n - 1);
	buf_char(&add, ':');
	buf_str(&add, value);
	r->add = arena_str(&b->mem, buf_view(&add));
	buf_free(&spelled);
	buf_free(&add);
}

void rec_append(struct batch *b, struct rec *r, struct str head, struct str value)
{
	char *add = arena_alloc(&b->mem, r->add.n + head.n + value.n), *p = add;
	if (r->add.n)
		p = mempcpy(p, r->add.p, r->add.n);
	p = mempcpy(mempcpy(p, head.p, head.n), value.p, value.n);
	r->add = (struct str){add, (size_t)(p - add)};
}

void rec_put(struct buf *out, const struct rec *r)
{
	if (!r->add.n) {
		buf_str(out, r->line);
		return;
	}
	size_t n = r->line.n;
	while (n && r->line.p[n - 1] != '}') /* blanks after the object */
		n--;
	n -= n > 0;
	size_t last = n;
	while (last && (r->line.p[last - 1] == ' ' || r->line.p[last - 1] == '\t'))
		last--;
	bool empty = last && r->line.p[last - 1] == '{';
	buf_reserve(out, n + r->add.n + 1);
	buf_add(out, r->line.p, n);
	buf_add(out, r->add.p + empty, r->add.n - empty);
	buf_char(out, '}');
}

void rec_put_reject_head(struct buf *out, const struct rec *r, const char *tool)
{
	buf_str(out, STR("{\"error\":{\"code\":"));
	json_put_string(out, str_of(r->code));
	buf_str(out, STR(",\"message\":"));
	json_put_lossy(out, r->why);
	buf_str(out, STR(",\"tool\":"));
	json_put_lossy(out, r->cause && r->cause->tool.p ? r->cause->tool : str_of(tool));
	if (r->cause && r->cause->status.p) {
		buf_str(out, STR(",\"status\":"));
		json_put_lossy(out, r->cause->status);
		buf_str(out, STR(",\"stderr\":"));
		json_put_lossy(out, r->cause->words);
	}
	if (r->lineno) {
		buf_str(out, STR(",\"line\":"));
		buf_u64(out, r->lineno);
	}
	if (r->column) {
		buf_str(out, STR(",\"column\":"));
		buf_u64(out, r->column);
	}
	if (r->origin && strcmp(r->origin, "stdin") != 0) {
		buf_str(out, STR(",\"file\":"));
		json_put_lossy(out, str_of(r->origin));
	}
	buf_char(out, '}');
	if (r->cause && r->cause->header.p) {
		buf_str(out, STR(",\"header\":"));
		json_put_string(out, r->cause->header);
	}
}

void rec_put_reject(struct buf *out, const struct rec *r, const char *tool)
{
	rec_put_reject_head(out, r, tool);
	bool text = r->line.n == 0 || (utf8_valid_prefix(r->line) == r->line.n && !memchr(r->line.p, 0, r->line.n));
	if (text && strcmp(r->code, CODE_TOO_LONG) != 0) {
		buf_str(out, STR(",\"input\":"));
		json_put_string(out, r->line);
	} else {
		buf_str(out, STR(",\"input_base64\":\""));
		json_put_base64(out, r->line);
		buf_char(out, '"');
	}
	if (r->truncated)
		buf_str(out, STR(",\"truncated\":true"));
	buf_char(out, '}');
}
