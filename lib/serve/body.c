/* body.c - records out of request bodies. */
#include "lib/serve/body.h"

enum { ITEM_COST = sizeof(struct rec) }; /* what a record takes beside its bytes */

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

/* What makes the whole body unreadable; a lone surrogate, say, is the fault of its item alone, and the stages see to
 * it. */
static bool is_fatal(const struct json_scan *s)
{
	return s->error == JSON_BAD || s->error == JSON_UTF8;
}

static int broken_array(struct request *x, const char *why, size_t at)
{
	request_problem(x, 400, CODE_BAD_JSON, "the body is not JSON: %s at byte %zu", why, at + 1);
	return -1;
}

int body_records_begin(struct body_records *r, struct request *x, size_t max_items)
{
	size_t n = x->body.n;
	json_pad(&x->body);
	r->max_items = max_items;
	r->text = (struct str){x->body.p, n};
	const char *end = r->text.p + n, *p = json_skip_blanks(r->text.p, end);
	r->array = p < end && *p == '[';
	if (r->array) {
		r->items = json_items((struct str){p, (size_t)(end - p)});
		return 0;
	}
	if (p < end && *p == '{') {
		while (json_is_blank(end[-1]))
			end--;
		r->text = (struct str){p, (size_t)(end - p)};
		return 0;
	}
	if (json_check(&r->scan, r->text) < 0 && is_fatal(&r->scan))
		return bad_json(x, &r->scan, 0);
	request_problem(x, 422, CODE_NOT_OBJECT, "the body is neither an object nor an array of objects");
	return -1;
}

/* After the last item. */
static int end_array(const struct body_records *r, struct request *x)
{
	const char *end = r->text.p + r->text.n, *p = json_skip_blanks(r->items.p, end);
	return p < end ? broken_array(x, "something follows the array", (size_t)(p - r->text.p)) : 0;
}

int body_records_next(struct body_records *r, struct request *x, struct batch *b, size_t bytes)
{
	struct str item;
	int rc = 0;
	if (!r->array) {
		add(b, r->text, 0);
		return 0;
	}
	for (size_t taken = 0; taken < bytes && (rc = json_items_next(&r->items, &item)) > 0;
	     taken += item.n + ITEM_COST) {
		if (json_check(&r->scan, item) < 0 && is_fatal(&r->scan))
			return bad_json(x, &r->scan, (size_t)(item.p - r->text.p));
		if (++r->n > r->max_items) {
			request_problem(x, 413, "too_many_items", "the array has more than %zu items; send %s for more",
			    r->max_items, MEDIA_NDJSON);
			return -1;
		}
		add(b, item, r->n);
	}
	if (rc < 0)
		return broken_array(x, r->items.message, (size_t)(r->items.p - r->text.p));
	return rc > 0 ? 1 : end_array(r, x);
}

void body_records_free(struct body_records *r)
{
	json_scan_free(&r->scan);
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
