/* messages.c - GET /v1/messages: pages of stored messages. */
#include "lib/serve/db_context.h"
#include "lib/serve/routes/rest.h"
#include "lib/serve/routes/routes.h"

enum { PAGE = 20, PAGE_MOST = 1000, PAGE_BYTES = 4 << 20 };

struct page {
	struct rest_filter asked;
	uint64_t limit, sample; /* sample 0: a page */
};

static bool read_place(struct request *r, struct filter *f)
{
	struct str v = request_query(r, "after");
	if (!v.p || place_read(v, f->order, &f->after))
		return true;
	request_problem(r, 400, "bad_query", "after is what a page's rel=\"next\" link says, not '%.*s'", STR_FMT(v));
	return false;
}

static bool read_order(struct request *r, enum order *order)
{
	static const char *const name[] = {[ORDER_OLDEST] = "oldest",
	    [ORDER_NEWEST] = "newest",
	    [ORDER_ID] = "id",
	    [ORDER_SCORE_UP] = "score",
	    [ORDER_SCORE_DOWN] = "-score"};
	struct str v = request_query(r, "order");
	for (size_t i = 0; i < COUNT_OF(name); i++)
		if (!v.p || str_eq(v, str_of(name[i]))) {
			*order = (enum order)i;
			return true;
		}
	request_problem(r, 400, "bad_query", "order is oldest, newest, id, score or -score, not '%.*s'", STR_FMT(v));
	return false;
}

static bool read_page(struct request *r, struct page *p)
{
	struct filter *f = &p->asked.filter;
	p->limit = PAGE;
	return rest_query_filter(r, &p->asked) && read_order(r, &f->order) &&
	       rest_query_number(r, "limit", 1, PAGE_MOST, &p->limit) &&
	       rest_query_number(r, "sample", 1, PAGE_MOST, &p->sample) && read_place(r, f);
}

static void set_next(struct request *r, const struct page *p, const struct message *last)
{
	struct buf link = {0}, place = {0};
	buf_printf(&link, "</v1/messages?limit=%llu", (unsigned long long)p->limit);
	rest_put_filter(&link, r);
	rest_put_query(&link, r, "order");
	place_put(&place, last, p->asked.filter.order);
	buf_str(&link, STR("&after="));
	percent_encode(&link, buf_view(&place));
	request_set(r, "Link", "%.*s>; rel=\"next\"", (int)link.n, link.p);
	buf_free(&link);
	buf_free(&place);
}

/* Measures a page as the store does. */
static size_t bytes_of(const struct message *m, size_t n)
{
	size_t bytes = 0;
	for (size_t i = 0; i < n; i++)
		bytes += m[i].id.n + m[i].text.n + m[i].source.n + m[i].sentiment.n + m[i].extra.n + sizeof *m;
	return bytes;
}

static void put_items(struct db_context *c, struct request *r, const struct message *row, size_t n)
{
	buf_str(&r->out, STR("{\"items\":["));
	bool first = true;
	for (size_t i = 0; i < n; i++) {
		size_t at = r->out.n;
		if (!first)
			buf_char(&r->out, ',');
		if (message_write(&row[i], &r->out, &c->scan) < 0)
			r->out.n = at; /* a row that only SQL can have made; GET names it */
		else
			first = false;
	}
	buf_str(&r->out, STR("]}\n"));
}

static void list(struct db_context *c, struct request *r)
{
	struct page *p = r->state;
	struct err e;
	/* one more than asked for shows whether there is a next page */
	struct message *row = arena_alloc(&c->mem, (p->limit + 1) * sizeof *row);
	int n = c->store->query(c->store, &p->asked.filter, row, p->limit + 1, PAGE_BYTES, &c->mem, &e);
	if (n < 0) {
		db_scan_failed(c, r, &e);
		return;
	}
	size_t shown = (size_t)n > p->limit ? p->limit : (size_t)n;
	bool more = (size_t)n > p->limit || bytes_of(row, (size_t)n) >= PAGE_BYTES;
	put_items(c, r, row, shown);
	if (more)
		set_next(r, p, &row[shown - 1]);
	request_answer(r, 200, MEDIA_JSON);
}

/* As many of the drawn messages as a page has room for; one that has gone meanwhile is left out. */
static void draw(struct db_context *c, struct request *r)
{
	const struct page *p = r->state;
	struct err e;
	struct str *id = arena_alloc(&c->mem, p->sample * sizeof *id);
	struct message *row = arena_alloc(&c->mem, p->sample * sizeof *row), *one;
	int n = c->store->sample(c->store, &p->asked.filter, id, p->sample, &c->mem, &e);
	size_t found = 0;
	for (int i = 0; i < n && bytes_of(row, found) < PAGE_BYTES; i++) {
		one = &row[found];
		*one = (struct message){.id = id[i]};
		if (interrupt_check(&c->interrupt, &e) < 0 || c->store->get(c->store, &one, 1, &c->mem, &e) < 0)
			n = -1;
		else
			found += one->fate == MESSAGE_FOUND;
	}
	if (n < 0) {
		db_scan_failed(c, r, &e);
		return;
	}
	put_items(c, r, row, found);
	request_answer(r, 200, MEDIA_JSON);
}

static void list_all(struct db_context *c, struct request *const *r, size_t n, void *app)
{
	(void)app;
	for (size_t i = 0; i < n; i++)
		(((const struct page *)r[i]->state)->sample ? draw : list)(c, r[i]);
}

void messages_list(struct request *r, void *app)
{
	struct page *p = xcalloc(1, sizeof *p);
	r->state = p;
	r->drop = free;
	if (read_page(r, p))
		db_pool_do(((const struct messages_conf *)app)->scans, r, list_all);
}
