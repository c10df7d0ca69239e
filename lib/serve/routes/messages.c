/* messages.c - stored messages by id, and pages of them. */
#include "lib/base/clock.h"
#include "lib/http/query.h"
#include "lib/serve/db_context.h"
#include "lib/serve/feed.h"
#include "lib/serve/metrics.h"
#include "lib/serve/routes/rest.h"
#include "lib/serve/routes/routes.h"
#include "lib/serve/thread_context.h"

enum { PAGE = 20, PAGE_MOST = 1000, PAGE_BYTES = 4 << 20 };

/* ---- one ---- */

static void answer_record(struct request *x, struct str record, uint64_t version, const char *how)
{
	request_set(x, "Cache-Status", "senti; %s", how);
	rest_set_tag(x, version);
	if (rest_tag_matches(x, "If-None-Match", version) == 1) {
		request_answer(x, 304, NULL);
		return;
	}
	buf_str(&x->out, record);
	buf_char(&x->out, '\n');
	request_answer(x, 200, MEDIA_JSON);
}

static void not_found(struct request *x)
{
	request_problem(x, 404, "not_found", "no message has the id '%.*s'", STR_FMT(x->segment));
}

static void changed(struct request *x, uint64_t version)
{
	rest_set_tag(x, version);
	request_problem(x, 412, "changed", "the message's version is %llu now", (unsigned long long)version);
}

enum cache_answer message_cache_answer(const struct look *l)
{
	if (l->hit)
		return l->state == LOOK_FOUND ? CACHE_HIT : CACHE_ABSENT;
	return l->asked ? CACHE_MISS : CACHE_SKIPPED;
}

/* Answers what several clients ask for at the same time from one look. */
static void look_up(struct db_context *c, struct request *const *x, size_t n, void *app)
{
	const struct messages_conf *conf = app;
	struct look look[DB_BATCH] = {0};
	struct err e;
	for (size_t i = 0; i < n; i++)
		look[i].id = x[i]->segment;
	int rc = look_aside(feed_current(conf->feed) ? c->aside : c->bare, look, n, &c->mem, &e);
	for (size_t i = 0; i < n; i++) {
		const struct look *l = &look[i];
		if (c->cache)
			series_add(conf->answers[message_cache_answer(l)], 1);
		if (rc < 0)
			db_unavailable(x[i], &e);
		else if (l->state == LOOK_FOUND)
			answer_record(x[i], l->record, l->version,
			    l->hit	? "hit"
			    : l->stored ? "fwd=uri-miss; stored"
					: "fwd=uri-miss");
		else if (l->state == LOOK_BROKEN)
			request_problem(
			    x[i], 500, "broken_row", "the message's columns sentiment and extra are not JSON objects");
		else
			not_found(x[i]);
	}
}

/* What the process's own cache has of a stored message needs no other thread. */
static bool from_local(struct request *x, const struct messages_conf *conf)
{
	if (!conf->local || !feed_current(conf->feed))
		return false;
	struct thread_context *t = thread_context_get(conf->threads);
	struct err e;
	batch_reset(&t->batch);
	buf_clear(&t->key);
	cache_key_message(&t->key, x->segment);
	struct entry entry = {.kind = ENTRY_MESSAGE, .key = buf_view(&t->key)}, *const one = &entry;
	if (conf->local->get(conf->local, &one, 1, &t->batch.mem, &e) < 0 || entry.state != ENTRY_HIT || !entry.version)
		return false;
	series_add(conf->answers[CACHE_HIT], 1);
	answer_record(x, entry.value, entry.version, "hit");
	return true;
}

void message_get(struct request *x, void *app)
{
	const struct messages_conf *conf = app;
	if (!from_local(x, conf))
		db_pool_do(conf->pool, x, look_up);
}

/* The requests that ask for a change, and what the store makes of it. */
struct edits {
	struct message m[DB_BATCH], *row[DB_BATCH];
	struct request *x[DB_BATCH];
	size_t n;
};

static void all_unavailable(const struct edits *d, const struct err *e)
{
	for (size_t i = 0; i < d->n; i++)
		db_unavailable(d->x[i], e);
}

/* Which version If-Match lets each request change, in only_version. A list of several needs a look at the row, and a
 * star one that it is there. Requests that may change nothing are answered. */
static int check_versions(struct db_context *c, const struct edits *d)
{
	struct message row[DB_BATCH], *list[DB_BATCH];
	size_t n = 0;
	struct err e;
	for (size_t i = 0; i < d->n; i++)
		if (request_header(d->x[i], "If-Match")) {
			row[n] = (struct message){.id = d->x[i]->segment};
			list[n] = &row[n];
			n++;
		}
	if (n && c->store->get(c->store, list, n, &c->mem, &e) < 0) {
		all_unavailable(d, &e);
		return -1;
	}
	n = 0;
	for (size_t i = 0; i < d->n; i++) {
		const char *wanted = request_header(d->x[i], "If-Match");
		if (!wanted)
			continue;
		const struct message *there = &row[n++];
		if (there->fate != MESSAGE_FOUND)
			not_found(d->x[i]);
		else if (rest_tag_matches(d->x[i], "If-Match", there->version) == 0)
			changed(d->x[i], there->version);
		d->row[i]->only_version = strcmp(wanted, "*") == 0 ? 0 : there->version;
	}
	return 0;
}

/* Drops what is answered already. */
static void keep_open(struct edits *d)
{
	size_t n = 0;
	for (size_t i = 0; i < d->n; i++)
		if (!request_answered(d->x[i])) {
			d->m[n] = d->m[i];
			d->x[n++] = d->x[i];
		}
	d->n = n;
}

/* A client whose change was answered must not find the old row. */
static void invalidate(struct db_context *c, const struct edits *d)
{
	struct change change[DB_BATCH];
	size_t n = 0;
	struct err ignored; /* the outbox has it as well, and its follower retries until it is done */
	for (size_t i = 0; i < d->n; i++)
		if (d->m[i].fate == MESSAGE_FOUND)
			change[n++] = (struct change){.id = d->x[i]->segment,
			    .version = d->m[i].remove ? 0 : d->m[i].version,
			    .op = d->m[i].remove ? CHANGE_DELETE : CHANGE_UPDATE};
	if (c->cache && n && c->cache->invalidate(c->cache, change, n, &ignored) < 0)
		return;
}

static void answer_edit(struct db_context *c, struct request *x, const struct message *m)
{
	if (m->fate == MESSAGE_CHANGED) {
		changed(x, m->version);
	} else if (m->fate != MESSAGE_FOUND) {
		not_found(x);
	} else if (m->remove) {
		request_answer(x, 204, NULL);
	} else if (message_write(m, &x->out, &c->scan) < 0) {
		request_problem(x, 500, "broken_row", "the message's columns sentiment and extra are not JSON objects");
	} else {
		rest_set_tag(x, m->version);
		buf_char(&x->out, '\n');
		request_answer(x, 200, MEDIA_JSON);
	}
}

/* PATCH has a label in the request's state, DELETE none. All of them are one transaction. */
static void edit_all(struct db_context *c, struct request *const *x, size_t n, void *app)
{
	struct edits d = {.n = n};
	struct err e;
	(void)app;
	for (size_t i = 0; i < n; i++) {
		const struct str *label = x[i]->state;
		d.m[i] = (struct message){.id = x[i]->segment, .label = label ? *label : STR_NONE, .remove = !label};
		d.row[i] = &d.m[i];
		d.x[i] = x[i];
	}
	if (check_versions(c, &d) < 0)
		return;
	keep_open(&d);
	if (c->store->edit(c->store, d.row, d.n, &c->mem, &e) < 0) {
		all_unavailable(&d, &e);
		return;
	}
	invalidate(c, &d);
	for (size_t i = 0; i < d.n; i++)
		answer_edit(c, d.x[i], &d.m[i]);
}

/* The label that the body {"label":...} names, or STR_NONE with the request answered. */
static struct str read_label(struct request *x, struct arena *mem)
{
	struct json_scan s = {0};
	struct str label = STR_NONE;
	enum label known;
	size_t n = x->body.n;
	json_pad(&x->body);
	if (json_scan(&s, (struct str){x->body.p, n}) < 0) {
		const char *code = code_of_json(s.error);
		request_problem(x, rest_status_of(code), code, "the body is not a JSON object: %s at byte %zu",
		    s.message, s.column);
	} else {
		const struct json_member *m = json_find(&s, STR("label"));
		if (m && m->type == JSON_STRING)
			label = json_decode(m, mem);
		if (s.n != 1 || !label.p || label_parse(label, &known) < 0) {
			label = STR_NONE;
			request_problem(x, 422, CODE_BAD_LABEL,
			    "the body is {\"label\":\"positive\"}, or neutral, or negative; nothing else can be "
			    "changed");
		} else {
			label = str_of(label_name(known));
		}
	}
	json_scan_free(&s);
	return label;
}

void message_patch_begin(struct request *x, void *app)
{
	(void)app;
	enum media_kind kind = media_kind(x->media);
	if (kind == MEDIA_KIND_JSON || kind == MEDIA_KIND_PATCH)
		return;
	request_set(x, "Accept-Patch", "%s, %s", MEDIA_PATCH, MEDIA_JSON);
	request_problem(x, 415, "unsupported_media_type", "send the change as %s or %s, not as '%s'", MEDIA_JSON,
	    MEDIA_PATCH, x->media);
}

void message_patch(struct request *x, void *app)
{
	const struct messages_conf *conf = app;
	struct thread_context *t = thread_context_get(conf->threads);
	batch_reset(&t->batch);
	struct str label = read_label(x, &t->batch.mem);
	if (!label.p)
		return;
	struct str *kept = xmalloc(sizeof *kept);
	*kept = label;
	x->state = kept;
	x->drop = free;
	db_pool_do(conf->pool, x, edit_all);
}

void message_delete(struct request *x, void *app)
{
	db_pool_do(((const struct messages_conf *)app)->pool, x, edit_all);
}

/* ---- a page ---- */

struct page {
	struct filter filter;
	uint64_t limit;
};

/* A place in the order as the client gives it back: MS:ID, or -:ID for a message without a time. */
static bool read_place(struct request *x, struct place *p)
{
	struct str v = request_query(x, "after");
	if (!v.p)
		return true;
	const char *colon = memchr(v.p, ':', v.n);
	size_t n = colon ? (size_t)(colon - v.p) : 0;
	char *end = NULL;
	*p = (struct place){.set = true, .has_time = n && !(n == 1 && v.p[0] == '-')};
	if (p->has_time && strspn(v.p + (v.p[0] == '-'), "0123456789") > 0 && n < 20)
		p->time = strtoll(v.p, &end, 10);
	if (n && (!p->has_time || (end == colon && time_in_range(p->time)))) {
		p->id = (struct str){colon + 1, v.n - n - 1};
		return true;
	}
	request_problem(x, 400, "bad_query", "after is what a page's rel=\"next\" link says, not '%.*s'", STR_FMT(v));
	return false;
}

static bool read_filter(struct request *x, struct page *p)
{
	struct filter *f = &p->filter;
	f->text = request_query(x, "q");
	if (f->text.p && !f->text.n)
		f->text = STR_NONE;
	struct str order = request_query(x, "order");
	f->order = order.p && str_eq(order, STR("newest")) ? ORDER_NEWEST : ORDER_OLDEST;
	if (order.p && f->order == ORDER_OLDEST && !str_eq(order, STR("oldest"))) {
		request_problem(x, 400, "bad_query", "order is oldest or newest, not '%.*s'", STR_FMT(order));
		return false;
	}
	p->limit = PAGE;
	return rest_query_filter(x, f) && rest_query_number(x, "limit", 1, PAGE_MOST, &p->limit) &&
	       read_place(x, &f->after);
}

static void set_next(struct request *x, const struct message *last, uint64_t limit)
{
	static const char *const carried[] = {"label", "source", "q", "since", "until", "order"};
	struct buf link = {0};
	buf_printf(&link, "</v1/messages?limit=%llu", (unsigned long long)limit);
	for (size_t i = 0; i < COUNT_OF(carried); i++) {
		struct str v = request_query(x, carried[i]);
		if (!v.p)
			continue;
		buf_printf(&link, "&%s=", carried[i]);
		percent_encode(&link, v);
	}
	if (last->has_time)
		buf_printf(&link, "&after=%lld:", (long long)last->time);
	else
		buf_str(&link, STR("&after=-:"));
	percent_encode(&link, last->id);
	request_set(x, "Link", "%.*s>; rel=\"next\"", (int)link.n, link.p);
	buf_free(&link);
}

/* Measures a page as the store does. */
static size_t bytes_of(const struct message *m, size_t n)
{
	size_t bytes = 0;
	for (size_t i = 0; i < n; i++)
		bytes += m[i].id.n + m[i].text.n + m[i].source.n + m[i].sentiment.n + m[i].extra.n + sizeof *m;
	return bytes;
}

static void list(struct db_context *c, struct request *x)
{
	struct page *p = x->state;
	struct err e;
	/* one more than asked for shows whether there is a next page */
	struct message *row = arena_alloc(&c->mem, (p->limit + 1) * sizeof *row);
	int n = c->store->query(c->store, &p->filter, row, p->limit + 1, PAGE_BYTES, &c->mem, &e);
	if (n < 0) {
		db_scan_failed(c, x, &e);
		return;
	}
	size_t shown = (size_t)n > p->limit ? p->limit : (size_t)n;
	bool more = (size_t)n > p->limit || bytes_of(row, (size_t)n) >= PAGE_BYTES;
	buf_str(&x->out, STR("{\"items\":["));
	bool first = true;
	for (size_t i = 0; i < shown; i++) {
		size_t at = x->out.n;
		if (!first)
			buf_char(&x->out, ',');
		if (message_write(&row[i], &x->out, &c->scan) < 0)
			x->out.n = at; /* a row that only SQL can have made; GET names it */
		else
			first = false;
	}
	buf_str(&x->out, STR("]}\n"));
	if (more)
		set_next(x, &row[shown - 1], p->limit);
	request_answer(x, 200, MEDIA_JSON);
}

static void list_all(struct db_context *c, struct request *const *x, size_t n, void *app)
{
	(void)app;
	for (size_t i = 0; i < n; i++)
		list(c, x[i]);
}

void messages_list(struct request *x, void *app)
{
	struct page *p = xcalloc(1, sizeof *p);
	x->state = p;
	x->drop = free;
	if (read_filter(x, p))
		db_pool_do(((const struct messages_conf *)app)->scans, x, list_all);
}
