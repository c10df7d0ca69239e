/* message.c - records to messages and back. */
#include "lib/data/message.h"

#include <math.h>

#include "lib/base/clock.h"
#include "lib/json/write.h"
#include "lib/base/utf8.h"

#define CODE_BAD_ID "bad_id"
#define CODE_BAD_SENTIMENT "bad_sentiment"

static const struct rec_form form = {
    .text_name = {"text", 4},
    .result_name = {"sentiment", 9},
    .needs_text = true,
    .text_fixed = true,
};

static int reject_at(struct batch *b, struct rec *r, const struct json_member *m, const char *code, const char *why)
{
	r->column = (size_t)(m->value.p - r->line.p) + 1;
	return rec_reject(b, r, code, "%s", why);
}

static bool is_label(struct str s)
{
	enum label l;
	return label_parse(s, &l) == 0;
}

static struct str string_of(const struct json_member *m, struct arena *a)
{
	return m && m->type == JSON_STRING ? json_decode(m, a) : STR_NONE;
}

/* Fills the columns of a result, whose bytes stay as they are. */
static int read_result(
    struct message *m, struct batch *b, struct rec *r, const struct json_member *result, struct json_scan *inner)
{
	if (result->type != JSON_OBJECT || json_scan(inner, result->value) < 0)
		return reject_at(b, r, result, CODE_BAD_SENTIMENT, "member 'sentiment' is not an object");
	m->sentiment = result->value;
	const struct json_member *label = json_find(inner, STR("label"));
	m->label = string_of(label, &b->mem);
	if (!m->label.p || !is_label(m->label))
		return reject_at(b, r, label ? label : result, CODE_BAD_LABEL,
		    "sentiment.label is none of positive, neutral, negative");
	const struct json_member *score = json_find(inner, STR("score"));
	if (score && score->type != JSON_NULL) {
		/* A number ends before a comma, blank or brace, so strtod stops there. */
		m->score = score->type == JSON_NUMBER ? strtod(score->value.p, NULL) : NAN;
		m->has_score = true;
		if (!(m->score >= -1 && m->score <= 1))
			return reject_at(
			    b, r, score, CODE_BAD_SENTIMENT, "sentiment.score is not a number from -1 to 1");
	}
	m->model = string_of(json_find(inner, STR("model")), &b->mem);
	const struct json_member *corrected = json_find(inner, STR("corrected"));
	m->shown_corrected = corrected && corrected->type == JSON_TRUE;
	return 0;
}

/* The members with columns of their own. */
struct known {
	const struct json_member *id, *source, *time, *result;
	bool odd_source; /* not a string, and so in `extra` */
};

/* True if the member belongs to a column; of repeated members the last counts. A `source` that is not a string stays an
 * ordinary member, so that nothing is lost. */
static bool take_known(struct known *k, struct message *m, const struct json_member *j)
{
	if (unlikely(j->name_escaped)) {
		static const struct {
			struct str name;
			size_t at;
		} column[] = {
		    {{"id", 2}, offsetof(struct known, id)},
		    {{"source", 6}, offsetof(struct known, source)},
		    {{"time", 4}, offsetof(struct known, time)},
		    {{"sentiment", 9}, offsetof(struct known, result)},
		};
		for (size_t i = 0; i < COUNT_OF(column); i++)
			if (json_name_is(j, column[i].name)) {
				memcpy((char *)k + column[i].at, &j, sizeof j);
				return true;
			}
		m->had_version |= json_name_is(j, STR("version"));
		return json_name_is(j, STR("text")) || json_name_is(j, STR("version"));
	}
	switch (j->name.n) {
	case 2:
		return str_eq(j->name, STR("id")) && (k->id = j, true);
	case 4:
		return str_eq(j->name, STR("text")) || (str_eq(j->name, STR("time")) && (k->time = j, true));
	case 6:
		if (!str_eq(j->name, STR("source")))
			return false;
		k->source = j;
		k->odd_source |= j->type != JSON_STRING && j->type != JSON_NULL;
		return j->type == JSON_STRING || j->type == JSON_NULL;
	case 7:
		return str_eq(j->name, STR("version")) && (m->had_version = true);
	case 9:
		return str_eq(j->name, STR("sentiment")) && (k->result = j, true);
	}
	return false;
}

/* Splits the members into known ones and `extra`, as spelled. */
static struct known split_members(struct message *m, struct batch *b, const struct rec *r, const struct json_scan *s)
{
	struct known k = {0};
	char *extra = NULL, *o = NULL;
	for (size_t i = 0; i < s->n; i++) {
		const struct json_member *j = &s->member[i];
		if (take_known(&k, m, j))
			continue;
		if (!extra)
			o = extra = arena_alloc(&b->mem, r->line.n + JSON_PAD);
		*o = o == extra ? '{' : ',';
		o++;
		*o++ = '"';
		memcpy(o, j->name.p, j->name.n);
		o += j->name.n;
		*o++ = '"';
		*o++ = ':';
		memcpy(o, j->value.p, j->value.n);
		o += j->value.n;
	}
	m->had_id = k.id != NULL;
	if (extra) {
		*o++ = '}';
		m->extra = (struct str){extra, (size_t)(o - extra)};
		arena_trim(&b->mem, extra, m->extra.n);
	}
	return k;
}

int message_read(struct message *m, struct batch *b, struct rec *r, struct json_scan *s, struct json_scan *inner)
{
	*m = (struct message){0};
	if (rec_scan(b, r, s, &form) < 0)
		return -1;
	struct known k = split_members(m, b, r, s);
	m->id = r->id;
	m->text = r->text;
	m->source = string_of(k.source, &b->mem);
	m->from_record = !(k.odd_source && m->source.p);
	if (k.id && !m->id.p && k.id->type != JSON_NULL)
		return reject_at(b, r, k.id, CODE_BAD_ID, "member 'id' is not a string");
	if (m->id.p && m->id.n == 0)
		return reject_at(b, r, k.id, CODE_NO_ID, "member 'id' is empty");
	if (k.time && k.time->type != JSON_NULL) {
		struct str time = string_of(k.time, &b->mem);
		if (!time.p || time_parse(time, &m->time) < 0)
			return reject_at(b, r, k.time, CODE_BAD_TIME,
			    "member 'time' is not an RFC 3339 time such as \"2024-05-01T12:00:00Z\"");
		m->has_time = true;
	}
	if (k.result && k.result->type != JSON_NULL)
		return read_result(m, b, r, k.result, inner);
	return 0;
}

struct str message_member(struct str extra, struct str name, struct json_scan *s, struct arena *mem)
{
	const struct json_member *m = extra.p && json_scan(s, extra) == 0 ? json_find(s, name) : NULL;
	if (!m)
		return STR_NONE;
	switch (m->type) {
	case JSON_STRING:
		return json_decode(m, mem);
	case JSON_NUMBER:
	case JSON_TRUE:
	case JSON_FALSE:
		return m->value;
	default:
		return STR_NONE;
	}
}

void message_put(struct message *m, uint64_t version, struct str label, struct arena *mem)
{
	m->version = version;
	bool other = m->sentiment.p && label.p && !str_eq(label, m->label);
	m->corrected = other ? arena_str(mem, label) : STR_NONE;
}

void message_take_row(struct message *m, const struct message *row)
{
	struct message old = *m;
	*m = *row;
	m->had_version = old.had_version;
	m->fate = old.fate;
}

/* A column may hold NUL and bytes that are not UTF-8, by SQL; a record may not. */
static void put_text(struct buf *out, struct str s)
{
	size_t at = out->n;
	if (likely(utf8_valid_prefix(s) == s.n)) {
		json_put_string(out, s);
		bool nothing_escaped = out->n - at == s.n + 2;
		if (likely(nothing_escaped || !memchr(s.p, 0, s.n)))
			return;
		out->n = at;
	}
	struct buf text = {0};
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i])
			buf_char(&text, s.p[i]);
		else
			buf_str(&text, STR("\xef\xbf\xbd"));
	json_put_lossy(out, buf_view(&text));
	buf_free(&text);
}

/* JSON from a column may span lines, a record may not: a line end between tokens becomes a blank. */
static void put_json(struct buf *out, struct str s)
{
	size_t at = out->n;
	buf_str(out, s);
	for (size_t i = 0; i < 2; i++)
		for (char *p = out->p + at; s.n && (p = memchr(p, "\n\r"[i], (size_t)(out->p + out->n - p))); p++)
			*p = ' ';
}

static void put_member(struct buf *out, struct str name_colon, struct str s)
{
	if (!s.p)
		return;
	buf_str(out, name_colon);
	put_text(out, s);
}

static void put_as_spelled(struct buf *out, const struct json_member *j)
{
	buf_str(out, STR(",\""));
	buf_str(out, j->name);
	buf_str(out, STR("\":"));
	put_json(out, j->value);
}

/* {"label":"negative","corrected":true, then the result's other members. */
static void put_corrected(struct buf *out, struct str label, const struct json_scan *s)
{
	buf_str(out, STR("{\"label\":"));
	put_text(out, label);
	buf_str(out, STR(",\"corrected\":true"));
	for (size_t i = 0; i < s->n; i++) {
		const struct json_member *j = &s->member[i];
		if (!json_name_is(j, STR("label")) && !json_name_is(j, STR("corrected")))
			put_as_spelled(out, j);
	}
	buf_char(out, '}');
}

static bool label_is(const struct json_scan *s, struct str label)
{
	const struct json_member *own = json_find(s, STR("label"));
	if (!own || own->type != JSON_STRING)
		return false;
	if (likely(!own->escaped))
		return own->value.n == label.n + 2 && memcmp(own->value.p + 1, label.p, label.n) == 0;
	struct buf decoded = {0};
	json_unescape((struct str){own->value.p + 1, own->value.n - 2}, &decoded);
	bool same = str_eq(buf_view(&decoded), label);
	buf_free(&decoded);
	return same;
}

int message_write_sentiment(const struct message *m, struct buf *out, struct json_scan *s)
{
	struct str label = m->corrected.p ? m->corrected : m->label;
	if (m->sentiment.p) {
		if (m->from_record && !m->corrected.p) {
			put_json(out, m->sentiment);
			return 0;
		}
		if (json_scan(s, m->sentiment) < 0)
			return -1;
		if (!label.p || label_is(s, label)) {
			put_json(out, m->sentiment);
			return 0;
		}
	} else {
		s->n = 0;
	}
	if (label.p)
		put_corrected(out, label, s);
	return 0;
}

/* True if a column holds the member. A `source` that is not a string is an ordinary member while the column is
 * empty. */
static bool has_column(const struct message *m, const struct json_member *j)
{
	static const struct str column[] = {{"id", 2}, {"text", 4}, {"time", 4}, {"sentiment", 9}, {"version", 7}};
	for (size_t i = 0; i < COUNT_OF(column); i++)
		if (json_name_is(j, column[i]))
			return true;
	return m->source.p && json_name_is(j, STR("source"));
}

/* The members of the extra object that no column holds: put leaves no others there, but SQL may. */
static int put_extra(struct buf *out, const struct message *m, struct json_scan *s)
{
	if (!m->extra.p)
		return 0;
	if (m->from_record) {
		buf_char(out, ',');
		put_json(out, (struct str){m->extra.p + 1, m->extra.n - 2});
		return 0;
	}
	if (json_scan(s, m->extra) < 0)
		return -1;
	for (size_t i = 0; i < s->n; i++)
		if (!has_column(m, &s->member[i]))
			put_as_spelled(out, &s->member[i]);
	return 0;
}

int message_write(const struct message *m, struct buf *out, struct json_scan *s)
{
	size_t start = out->n;
	buf_str(out, STR("{\"id\":"));
	put_text(out, m->id);
	put_member(out, STR(",\"text\":"), m->text);
	put_member(out, STR(",\"source\":"), m->source);
	if (m->has_time) {
		char time[TIME_LEN];
		time_format(m->time, time);
		buf_str(out, STR(",\"time\":\""));
		buf_add(out, time, TIME_LEN);
		buf_char(out, '"');
	}
	if (put_extra(out, m, s) < 0)
		goto bad;
	if (m->sentiment.p || m->label.p) {
		buf_str(out, STR(",\"sentiment\":"));
		if (message_write_sentiment(m, out, s) < 0)
			goto bad;
	}
	buf_str(out, STR(",\"version\":"));
	buf_u64(out, m->version);
	buf_char(out, '}');
	return 0;
bad:
	out->n = start;
	return -1;
}
