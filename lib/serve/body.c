/* body.c - records out of request bodies. */
#include "lib/serve/body.h"

enum { ITEM_COST = sizeof(struct rec) }; /* what a record takes beside its bytes */

enum body_form body_form(const struct request *r)
{
	enum media_kind kind = media_kind(r->media);
	return kind == MEDIA_KIND_JSON ? BODY_JSON : kind == MEDIA_KIND_LINES ? BODY_LINES : BODY_OTHER;
}

static struct rec *add(struct batch *b, struct str line, uint64_t number)
{
	struct rec *rec = batch_add(b);
	rec->line = line;
	rec->lineno = number;
	return rec;
}

static int bad_json(struct request *r, const struct json_scan *s, size_t offset)
{
	request_problem(r, 400, s->error == JSON_UTF8 ? CODE_BAD_UTF8 : CODE_BAD_JSON,
	    "the body is not JSON: %s at byte %zu", s->message, offset + s->column);
	return -1;
}

/* True if the error makes the whole body unreadable. A lone surrogate, say, concerns its item alone, which the stages
 * reject. */
static bool is_fatal(const struct json_scan *s)
{
	return s->error == JSON_BAD || s->error == JSON_UTF8;
}

static int broken_array(struct request *r, const char *why, size_t at)
{
	request_problem(r, 400, CODE_BAD_JSON, "the body is not JSON: %s at byte %zu", why, at + 1);
	return -1;
}

int body_records_begin(struct body_records *body, struct request *r, size_t max_items)
{
	size_t n = r->body.n;
	json_pad(&r->body);
	body->max_items = max_items;
	body->text = (struct str){r->body.p, n};
	const char *end = body->text.p + n, *p = json_skip_blanks(body->text.p, end);
	body->array = p < end && *p == '[';
	if (body->array) {
		body->items = json_items((struct str){p, (size_t)(end - p)});
		return 0;
	}
	if (p < end && *p == '{') {
		while (json_is_blank(end[-1]))
			end--;
		body->text = (struct str){p, (size_t)(end - p)};
		return 0;
	}
	if (json_check(&body->scan, body->text) < 0 && is_fatal(&body->scan))
		return bad_json(r, &body->scan, 0);
	request_problem(r, 422, CODE_NOT_OBJECT, "the body is neither an object nor an array of objects");
	return -1;
}

static int end_array(const struct body_records *body, struct request *r)
{
	const char *end = body->text.p + body->text.n, *p = json_skip_blanks(body->items.p, end);
	return p < end ? broken_array(r, "something follows the array", (size_t)(p - body->text.p)) : 0;
}

int body_records_next(struct body_records *body, struct request *r, struct batch *b, size_t bytes)
{
	struct str item;
	int rc = 0;
	if (!body->array) {
		add(b, body->text, 0);
		return 0;
	}
	for (size_t taken = 0; taken < bytes && (rc = json_items_next(&body->items, &item)) > 0;
	     taken += item.n + ITEM_COST) {
		if (json_check(&body->scan, item) < 0 && is_fatal(&body->scan))
			return bad_json(r, &body->scan, (size_t)(item.p - body->text.p));
		if (++body->n > body->max_items) {
			request_problem(r, 413, "too_many_items", "the array has more than %zu items; send %s for more",
			    body->max_items, MEDIA_NDJSON);
			return -1;
		}
		add(b, item, body->n);
	}
	if (rc < 0)
		return broken_array(r, body->items.message, (size_t)(body->items.p - body->text.p));
	return rc > 0 ? 1 : end_array(body, r);
}

void body_records_free(struct body_records *body)
{
	json_scan_free(&body->scan);
}

/* Copies the line into the batch's memory, or rejects it. */
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

/* Keeps one byte more than a record may have, so that a later check comes to the same verdict. */
static void add_too_long(struct body_lines *l, struct batch *b, struct str tail)
{
	size_t n = l->max_record + 1;
	char *p = arena_alloc(&b->mem, n);
	if (l->rest.n)
		memcpy(p, l->rest.p, l->rest.n);
	memcpy(p + l->rest.n, tail.p, n - l->rest.n);
	struct rec *rec = add(b, (struct str){p, n}, l->line + 1);
	rec->truncated = true;
	rec_reject(b, rec, CODE_TOO_LONG, "the line has more than %zu bytes", l->max_record);
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
