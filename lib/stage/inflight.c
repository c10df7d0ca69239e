/* inflight.c - matches answers and rejects with the records given to a command. */
#include "lib/stage/inflight.h"

#include <pthread.h>
#include <stdarg.h>

#include "lib/base/map.h"

/* Over-long lines may come back cut, but not to less than this. */
#define CUT ((size_t)1 << 20)

static const struct json_member *string_member(const struct json_scan *s, struct str name)
{
	const struct json_member *m = json_find(s, name);
	return m && m->type == JSON_STRING ? m : NULL;
}

/* 0 is for records without an id. */
static uint64_t id_hash(struct str id)
{
	uint64_t h = hash_bytes(id);
	return h ? h : 1;
}

static uint64_t scanned_id(struct inflight *f, const struct json_scan *s)
{
	const struct json_member *id = string_member(s, STR("id"));
	if (!id)
		return 0;
	if (!id->escaped)
		return id_hash((struct str){id->value.p + 1, id->value.n - 2});
	return id_hash(json_decode(id, &f->b->mem));
}

void inflight_init(struct inflight *f)
{
	*f = (struct inflight){0};
	f->b = &f->none;
}

void inflight_begin(struct inflight *f, struct batch *b)
{
	batch_reset(&f->none);
	f->b = b;
	f->head = f->open = 0;
	if (f->cap < b->n) {
		f->cap = b->n;
		f->pending = xreallocarray(f->pending, f->cap, sizeof *f->pending);
	}
	for (size_t i = 0; i < b->n; i++) {
		const struct rec *r = &b->rec[i];
		struct pending *pending = &f->pending[i];
		*pending = (struct pending){.state = r->fate == FATE_OUT ? PENDING_WAITING : PENDING_NONE};
		if (pending->state == PENDING_NONE)
			continue;
		pending->object = json_scan(&f->scan, r->line) == 0;
		if (r->id.p)
			pending->id = id_hash(r->id);
		else if (pending->object)
			pending->id = scanned_id(f, &f->scan);
	}
}

void inflight_feed(struct inflight *f, size_t i, struct buf *out)
{
	rec_put(out, &f->b->rec[i]);
	buf_char(out, '\n');
	f->pending[i].state = PENDING_FED;
	f->open++;
	if (i < f->head || f->open == 1)
		f->head = i;
}

void inflight_recall(struct inflight *f)
{
	for (size_t i = 0; i < f->b->n; i++)
		if (f->pending[i].state == PENDING_FED)
			f->pending[i].state = PENDING_WAITING;
	f->open = 0;
}

static void remember(struct inflight *f, uint64_t id)
{
	if (id)
		f->recent[f->nrecent++ % INFLIGHT_RECENT] = id;
}

static bool is_recent(const struct inflight *f, uint64_t id)
{
	bool found = false;
	for (size_t i = 0; i < INFLIGHT_RECENT; i++) /* no early exit, so that the compiler vectorizes */
		found |= f->recent[i] == id;
	return found;
}

static void settle(struct inflight *f, size_t i)
{
	struct pending *pending = &f->pending[i];
	f->open -= pending->state == PENDING_FED;
	pending->state = PENDING_SETTLED;
	remember(f, pending->id);
	while (f->head < f->b->n && f->pending[f->head].state != PENDING_FED)
		f->head++;
}

static enum answer take(struct inflight *f, size_t i, struct str line)
{
	struct rec *r = &f->b->rec[i];
	r->line = json_padded(&f->b->mem, line);
	r->add = (struct str){0};
	settle(f, i);
	return ANSWER_TAKEN;
}

/* The first record with that id and state, from `from` on; b->n: none. */
static size_t find(const struct inflight *f, size_t from, enum pending_state state, uint64_t id)
{
	size_t i = from;
	while (i < f->b->n && (f->pending[i].state != state || f->pending[i].id != id))
		i++;
	return i;
}

static void pass_to(struct inflight *f, size_t end)
{
	for (size_t i = f->head; i < end; i++)
		if (f->pending[i].state == PENDING_FED) {
			f->pending[i].state = PENDING_PASSED;
			f->open--;
		}
}

/* The answer is not the head's. */
static enum answer by_id(struct inflight *f, struct str line, uint64_t id, bool sure)
{
	size_t n = f->b->n, i = find(f, f->open ? f->head : n, PENDING_FED, id);
	if (i < n && !sure)
		return ANSWER_UNSURE;
	if (i < n) {
		pass_to(f, i);
		return take(f, i, line);
	}
	i = find(f, 0, PENDING_PASSED, id);
	if (i < n)
		return take(f, i, line);
	if (is_recent(f, id))
		return ANSWER_DUPLICATE;
	if (!f->open || f->pending[f->head].id)
		return ANSWER_STRAY;
	return sure ? take(f, f->head, line) : ANSWER_UNSURE;
}

enum answer inflight_answer(struct inflight *f, struct str line, bool sure)
{
	bool object = json_scan(&f->scan, line) == 0;
	uint64_t id = object ? scanned_id(f, &f->scan) : 0;
	if (f->open && id && f->pending[f->head].id == id)
		return take(f, f->head, line);
	if (id)
		return by_id(f, line, id, sure);
	if (!sure)
		return ANSWER_UNSURE;
	if (!f->open || (f->pending[f->head].object && !object))
		return ANSWER_STRAY;
	return take(f, f->head, line);
}

/* ---- rejects ---- */

/* rec.code is a constant, so tools' own codes, of which there are few, are kept for ever. */
static const char *keep_code(struct str code)
{
	enum { MOST = 64 };
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static char *kept[MOST];
	static size_t n;
	const char *found = NULL;
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < n && !found; i++)
		if (str_eq(code, str_of(kept[i])))
			found = kept[i];
	if (!found && n < MOST && code.n <= 64)
		found = kept[n++] = str_dup(code);
	pthread_mutex_unlock(&lock);
	return found ? found : "rejected";
}

static int base64_digit(unsigned char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *p = c ? strchr(digits, c) : NULL;
	return p ? (int)(p - digits) : -1;
}

/* Decodes up to the first byte that is not a base64 digit. */
static struct str base64(struct str s, struct arena *a)
{
	char *out = arena_alloc(a, s.n / 4 * 3 + 3 + JSON_PAD);
	size_t n = 0;
	uint32_t bits = 0;
	unsigned have = 0;
	for (size_t i = 0; i < s.n; i++) {
		int d = base64_digit((unsigned char)s.p[i]);
		if (d < 0)
			break;
		bits = bits << 6 | (uint32_t)d;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[n++] = (char)(bits >> have);
		}
	}
	memset(out + n, 0, JSON_PAD);
	return (struct str){out, n};
}

struct verdict {
	struct str code, message, tool, input;
};

static struct str member_text(const struct json_scan *s, struct str name, struct arena *a)
{
	const struct json_member *m = string_member(s, name);
	return m ? json_decode(m, a) : STR_NONE;
}

static int read_verdict(struct inflight *f, struct str line, struct verdict *v)
{
	struct arena *mem = &f->b->mem;
	if (json_scan(&f->scan, line) < 0)
		return -1;
	const struct json_member *error = json_find(&f->scan, STR("error"));
	if (!error || error->type != JSON_OBJECT || json_scan(&f->inner, error->value) < 0)
		return -1;
	v->code = member_text(&f->inner, STR("code"), mem);
	v->message = member_text(&f->inner, STR("message"), mem);
	v->tool = member_text(&f->inner, STR("tool"), mem);
	v->input = member_text(&f->scan, STR("input"), mem);
	if (!v->input.p) {
		struct str coded = member_text(&f->scan, STR("input_base64"), mem);
		v->input = coded.p ? base64(coded, mem) : STR_NONE;
	}
	return v->code.p && v->input.p ? 0 : -1;
}

static bool is_open(const struct pending *s)
{
	return s->state == PENDING_FED || s->state == PENDING_PASSED;
}

/* A tool inside a pipeline sees the line with members added before its last brace. */
static bool begins_like(struct inflight *f, size_t i, struct str input)
{
	struct str fed = f->b->rec[i].line;
	if (f->b->rec[i].add.n) {
		buf_clear(&f->line);
		rec_put(&f->line, &f->b->rec[i]);
		fed = buf_view(&f->line);
	}
	if (str_eq(fed, input) || (input.n >= CUT && input.n < fed.n && memcmp(input.p, fed.p, input.n) == 0))
		return true;
	while (fed.n && fed.p[fed.n - 1] == ' ')
		fed.n--;
	return fed.n && f->pending[i].object && input.n >= fed.n && memcmp(input.p, fed.p, fed.n - 1) == 0;
}

/* Which record's reject it is; b->n: none. */
static size_t rejected_record(struct inflight *f, struct str input)
{
	size_t n = f->b->n, only = n, open = 0;
	uint64_t id = json_scan(&f->inner, input) == 0 ? scanned_id(f, &f->inner) : 0;
	for (size_t i = 0; id && i < n; i++)
		if (is_open(&f->pending[i]) && f->pending[i].id == id)
			return i;
	for (size_t i = 0; i < n; i++) {
		if (!is_open(&f->pending[i]))
			continue;
		if (begins_like(f, i, input))
			return i;
		only = i;
		open++;
	}
	return open == 1 && !(id && f->pending[only].id) ? only : n;
}

static bool is_json_code(struct str code)
{
	return str_eq(code, STR(CODE_BAD_JSON)) || str_eq(code, STR(CODE_BAD_UTF8)) ||
	       str_eq(code, STR(CODE_LONE_SURROGATE));
}

/* A tool killed in mid-write leaves the next one a truncated line. The record is not at fault, and is fed again once
 * the command has ended. (A cut escape or character is reported up to TORN bytes before the end.) */
static bool is_torn(struct inflight *f, struct str input)
{
	enum { TORN = 12 };
	return json_scan(&f->inner, input) < 0 && f->inner.error != JSON_NOT_OBJECT && f->inner.column + TORN > input.n;
}

bool inflight_reject(struct inflight *f, struct str line)
{
	struct verdict v;
	if (read_verdict(f, line, &v) < 0)
		return false;
	size_t i = rejected_record(f, v.input);
	if (i == f->b->n || (f->pending[i].object && is_json_code(v.code) && is_torn(f, v.input)))
		return false;
	struct rec *r = &f->b->rec[i];
	struct rec_cause *cause = arena_alloc(&f->b->mem, sizeof *cause);
	*cause = (struct rec_cause){.tool = v.tool.p ? arena_str(&f->b->mem, v.tool) : STR_NONE};
	rec_reject(f->b, r, keep_code(v.code), "%.*s", STR_FMT(v.message));
	r->cause = cause;
	settle(f, i);
	return true;
}

void inflight_dead_letter(
    struct inflight *f, size_t i, const char *code, const struct rec_cause *cause, const char *fmt, ...)
{
	char msg[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	struct rec *r = &f->b->rec[i];
	rec_reject(f->b, r, code, "%s", msg);
	r->cause = cause;
	settle(f, i);
}

void inflight_finish(struct inflight *f)
{
	for (size_t i = 0; i < f->b->n; i++)
		if (f->pending[i].state == PENDING_PASSED)
			inflight_dead_letter(f, i, CODE_LOST_BY_PIPELINE, NULL,
			    "the command answered later records, but neither answered nor rejected this one");
	f->b = &f->none;
}

void inflight_free(struct inflight *f)
{
	free(f->pending);
	batch_free(&f->none);
	json_scan_free(&f->scan);
	json_scan_free(&f->inner);
	buf_free(&f->line);
}
