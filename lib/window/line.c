/* line.c - the members of a record that windows are made of, and the members of a window. */
#include "lib/window/line.h"

#include "lib/base/clock.h"
#include "lib/json/items.h"
#include "lib/json/write.h"
#include "lib/text/unicode.h"

/* ---- the key ---- */

static void put_value(struct line_reader *l, const struct json_member *m, struct arena *mem)
{
	if (!m)
		buf_str(&l->key, STR("null"));
	else if (m->escaped) /* however it is spelled, it is the same key */
		json_put_string(&l->key, json_decode(m, mem));
	else
		buf_str(&l->key, m->value);
}

static struct str read_key(struct line_reader *l, const struct line_conf *c, struct arena *mem)
{
	if (!c->nby)
		return STR("{}");
	buf_clear(&l->key);
	buf_char(&l->key, '{');
	for (size_t i = 0; i < c->nby; i++) {
		json_put_name(&l->key, c->by[i]);
		put_value(l, json_find(&l->scan, c->by[i]), mem);
	}
	buf_char(&l->key, '}');
	return buf_view(&l->key);
}

/* ---- records ---- */

/* The member as a time: 0, or -1 and the record is rejected. */
static int read_time(struct line_reader *l, struct batch *b, struct rec *r, struct str name, int64_t *out)
{
	const struct json_member *m = json_find(&l->scan, name);
	if (!m || m->type == JSON_NULL)
		return rec_reject(b, r, CODE_NO_TIME, "no member '%.*s'", STR_FMT(name));
	if (m->type == JSON_STRING && time_parse(json_decode(m, &b->mem), out) == 0)
		return 0;
	r->column = (size_t)(m->value.p - r->line.p) + 1;
	return rec_reject(b, r, CODE_BAD_TIME, "member '%.*s' is not a time as in RFC 3339", STR_FMT(name));
}

static int label_of(struct str label)
{
	for (int i = 0; i < SHARES; i++)
		if (str_eq(label, str_of(share_name[i])))
			return i;
	return -1;
}

static struct str lower(struct str s, struct arena *mem)
{
	size_t i = 0;
	while (i < s.n && (unsigned char)s.p[i] < 0x80 && !(s.p[i] >= 'A' && s.p[i] <= 'Z'))
		i++;
	if (i == s.n)
		return s;
	char *out = arena_alloc(mem, 3 * s.n + 1);
	return (struct str){out, text_lower(s, out)};
}

static void add_word(struct line_reader *l, struct observation *o, struct contribution word)
{
	if (o->words == l->words) {
		l->words = l->words ? 2 * l->words : 16;
		l->word = xreallocarray(l->word, l->words, sizeof *l->word);
	}
	l->word[o->words++] = word;
}

/* Reasons of another form than ours are passed over: they explain a score, and the score is there. */
static void read_why(struct line_reader *l, struct str why, struct arena *mem, struct observation *o)
{
	struct json_items it = json_items(why);
	struct str item, before = STR_NONE;
	while (json_items_next(&it, &item) > 0) {
		if (!item.n || item.p[0] != '{' || json_scan(&l->item, item) < 0)
			continue;
		const struct json_member *word = json_find(&l->item, STR("word"));
		const struct json_member *value = json_find(&l->item, STR("value"));
		const struct json_member *at = json_find(&l->item, STR("at"));
		struct contribution c = {.again = at && before.p && str_eq(at->value, before)};
		if (!word || word->type != JSON_STRING || !value || value->type != JSON_NUMBER ||
		    number_scale(value->value, TERM_UNIT, SKETCH_MOST, &c.value) < 0)
			continue;
		c.word = lower(json_decode(word, mem), mem);
		before = at ? at->value : STR_NONE;
		if (c.word.n)
			add_word(l, o, c);
	}
	o->word = l->word;
}

static int read_result(
    struct line_reader *l, const struct line_conf *c, struct batch *b, struct rec *r, struct observation *o)
{
	struct str name = c->form.result_name;
	if (!r->result.p)
		return rec_reject(b, r, CODE_NO_SENTIMENT, "no member '%.*s' (senti-score adds it)", STR_FMT(name));
	bool object = r->result.p[0] == '{' && json_scan(&l->nested, r->result) == 0;
	const struct json_member *label = object ? json_find(&l->nested, STR("label")) : NULL;
	const struct json_member *score = object ? json_find(&l->nested, STR("score")) : NULL;
	if (!label || label->type != JSON_STRING || !score || score->type != JSON_NUMBER)
		return rec_reject(b, r, CODE_NO_SENTIMENT, "member '%.*s' has no label and score", STR_FMT(name));
	o->label = label_of(json_decode(label, &b->mem));
	if (o->label < 0)
		return rec_reject(b, r, CODE_NO_SENTIMENT,
		    "the label of '%.*s' is neither positive, neutral nor negative", STR_FMT(name));
	if (number_scale(score->value, SCORE_UNIT, SKETCH_MOST, &o->score) < 0)
		return rec_reject(
		    b, r, CODE_NO_SENTIMENT, "the score of '%.*s' is not within a million of zero", STR_FMT(name));
	const struct json_member *why = c->aggregate->terms ? json_find(&l->nested, STR("why")) : NULL;
	if (why && why->type == JSON_ARRAY)
		read_why(l, why->value, &b->mem, o);
	return 0;
}

int line_read(
    struct line_reader *l, const struct line_conf *c, struct batch *b, struct rec *r, struct record_reading *out)
{
	*out = (struct record_reading){0};
	if (rec_scan(b, r, &l->scan, &c->form) < 0 || read_time(l, b, r, STR("time"), &out->time) < 0 ||
	    read_result(l, c, b, r, &out->observation) < 0)
		return -1;
	out->key = read_key(l, c, &b->mem);
	return 0;
}

/* ---- windows ---- */

int line_read_window(
    struct line_reader *l, const struct line_conf *c, struct batch *b, struct rec *r, struct window_reading *out)
{
	const char *why;
	*out = (struct window_reading){0};
	if (rec_scan(b, r, &l->scan, &c->form) < 0 || read_time(l, b, r, STR("start"), &out->start) < 0 ||
	    read_time(l, b, r, STR("end"), &out->end) < 0)
		return -1;
	const struct json_member *key = json_find(&l->scan, STR("key")), *sketch = json_find(&l->scan, STR("sketch"));
	if (!key || key->type != JSON_OBJECT || out->start >= out->end)
		return rec_reject(
		    b, r, CODE_BAD_WINDOW, "not a line of senti-window: no key, or no time between its ends");
	if (!sketch || sketch->type != JSON_OBJECT)
		return rec_reject(b, r, CODE_BAD_WINDOW, "no member 'sketch' (was it left out by --no-sketch?)");
	out->key = key->value;
	if (aggregate_read(&out->aggregate, c->aggregate, sketch->value, &l->nested, &b->mem, &why) == 0)
		return 0;
	aggregate_free(&out->aggregate, c->aggregate);
	return rec_reject(b, r, CODE_BAD_WINDOW, "%s", why);
}

void line_put_time(const struct line_conf *c, int64_t ms, struct buf *out)
{
	char text[ZONE_TIME_LEN];
	size_t n = TIME_LEN;
	if (c->local)
		n = zone_format(ms, text);
	else
		time_format(ms, text);
	buf_add(out, text, n);
}

void line_put(const struct closed_window *w, const struct line_conf *c, const char *alert, struct buf *out)
{
	buf_str(out, STR("{\"start\":\""));
	line_put_time(c, w->start, out);
	buf_str(out, STR("\",\"end\":\""));
	line_put_time(c, w->end, out);
	buf_str(out, STR("\",\"key\":"));
	buf_str(out, w->key);
	aggregate_put(w->aggregate, c->aggregate, w->ewm, out);
	if (alert) {
		buf_str(out, STR(",\"alert\":"));
		json_put_string(out, str_of(alert));
	}
	buf_char(out, '}');
}

void line_reader_free(struct line_reader *l)
{
	json_scan_free(&l->scan);
	json_scan_free(&l->nested);
	json_scan_free(&l->item);
	buf_free(&l->key);
	free(l->word);
}
