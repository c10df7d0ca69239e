/* body.c - records out of request bodies. */
#include "lib/serve/body.h"

#include "lib/json/items.h"

enum body_form body_form(const struct request *x)
{
	enum media_kind kind = media_kind(x->media);
	return kind == MEDIA_KIND_JSON ? BODY_JSON : kind == MEDIA_KIND_LINES ? BODY_LINES : BODY_OTHER;
}

static struct rec *add(struct batch *b, struct str line, uint64_t number)
{
	struct rec *r = batch_add(b);
	r->line = line;
	r->lineno = number;
	return r;
}

static int bad_json(struct request *x, const struct json_scan *s, size_t offset)
{
	request_problem(x, 400, s->error == JSON_UTF8 ? CODE_BAD_UTF8 : CODE_BAD_JSON,
	    "the body is not JSON: %s at byte %zu", s->message, offset + s->column);
	return -1;
}

/* What makes the whole body unreadable; a lone surrogate, say, is the fault of its item alone, and the stages see to it. */
static bool is_fatal(const struct json_scan *s)
{
	return s->error == JSON_BAD || s->error == JSON_UTF8;
}

static int broken_array(struct request *x, const char *why, size_t at)
{
	request_problem(x, 400, CODE_BAD_JSON, "the body is not JSON: %s at byte %zu", why, at + 1);
	return -1;
}

static int add_items(
    struct request *x, struct batch *b, struct str text, struct str array, size_t max, struct json_scan *s)
{
	const char *end = text.p + text.n;
	struct json_items it = json_items(array);
	struct str item;
	int rc;
	for (size_t n = 1; (rc = json_items_next(&it, &item)) > 0; n++) {
		if (json_check(s, item) < 0 && is_fatal(s))
			return bad_json(x, s, (size_t)(item.p - text.p));
		if (n > max) {
			request_problem(x, 413, "too_many_items", "the array has more than %zu items; send %s for more",
			    max, MEDIA_NDJSON);
			return -1;
		}
		add(b, item, n);
	}
	if (rc < 0)
		return broken_array(x, it.message, (size_t)(it.p - text.p));
	const char *p = json_skip_blanks(it.p, end);
	return p < end ? broken_array(x, "something follows the array", (size_t)(p - text.p)) : 0;
}

int body_json(struct request *x, struct batch *b, size_t max_items, bool *array)
{
	struct json_scan s = {0};
	size_t n = x->body.n;
	json_pad(&x->body);
	buf_free(&b->in);
	b->in = x->body;
	x->body = (struct buf){0};
	struct str text = {b->in.p, n};
	const char *end = text.p + n, *p = json_skip_blanks(text.p, end);
	*array = p < end && *p == '[';
	int rc = 0;
	if (*array) {
		rc = add_items(x, b, text, (struct str){p, (size_t)(end - p)}, max_items, &s);
	} else if (p < end && *p == '{') {
		while (json_is_blank(end[-1]))
			end--;
		add(b, (struct str){p, (size_t)(end - p)}, 0);
	} else if (json_check(&s, text) < 0 && is_fatal(&s)) {
		rc = bad_json(x, &s, 0);
	} else {
		request_problem(x, 422, CODE_NOT_OBJECT, "the body is neither an object nor an array of objects");
		rc = -1;
	}
	json_scan_free(&s);
	return rc;
}

/* The line's bytes into the batch's memory, or a rejection. */
static void add_line(struct body_lines *l, struct batch *b, struct str head, struct str tail)
{
	size_t n = head.n + tail.n;
	char *p = arena_alloc(&b->mem, n + JSON_PAD);
	if (head.n)
		memcpy(p, head.p, head.n);
	if (tail.n)
		memcpy(p + head.n, tail.p, tail.n);
	memset(p + n, 0, JSON_PAD);
	l->line++;
	if (l->line == 1 && n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
		p += 3;
		n -= 3;
	}
	while (n && json_is_blank(p[n - 1]))
		n--;
	if (n)
		add(b, (struct str){p, n}, l->line);
}

/* One byte more than a record may have is kept of it, so that whoever measures it again comes to the same verdict. */
static void add_too_long(struct body_lines *l, struct batch *b, struct str tail)
{
	size_t n = l->max_record + 1;
	char *p = arena_alloc(&b->mem, n);
	if (l->rest.n)
		memcpy(p, l->rest.p, l->rest.n);
	memcpy(p + l->rest.n, tail.p, n - l->rest.n);
	struct rec *r = add(b, (struct str){p, n}, l->line + 1);
	r->truncated = true;
	rec_reject(b, r, CODE_TOO_LONG, "the line has more than %zu bytes", l->max_record);
	l->skipping = true;
}

void body_lines_add(struct body_lines *l, struct batch *b, struct str piece, bool end)
{
	while (piece.n || end) {
		const char *nl = piece.n ? memchr(piece.p, '\n', piece.n) : NULL;
		size_t n = nl ? (size_t)(nl - piece.p) : piece.n;
		bool whole = nl || end;
		if (!l->skipping && l->rest.n + n > l->max_record)
			add_too_long(l, b, (struct str){piece.p, n});
		else if (!l->skipping && whole)
			add_line(l, b, buf_view(&l->rest), (struct str){piece.p, n});
		else if (!l->skipping)
			buf_add(&l->rest, piece.p, n);
		if (l->skipping && whole) {
			l->skipping = false;
			l->line++;
		}
		if (whole || l->skipping)
			buf_clear(&l->rest);
		if (!nl)
			return;
		piece = (struct str){nl + 1, piece.n - n - 1};
	}
}

void body_lines_free(struct body_lines *l)
{
	buf_free(&l->rest);
}
