/* pages.c - pages of stored messages: whatever the query, going from page to page by the links shows what one large
 * page shows, in the same order. The input is the query; of a first byte "s" that of /v1/stats. */
#include "lib/http/query.h"
#include "lib/json/scan.h"
#include "tests/fuzz/lib/serve.h"

/* Appends the ids of a page, a line each: how many. */
static size_t put_ids(const struct fuzz_answer *a, struct buf *out)
{
	size_t n = 0;
	for (const char *p = a->body.p, *end = p + a->body.n; p && (p = memmem(p, (size_t)(end - p), "{\"id\":", 6));
	     n++) {
		p += 6;
		buf_add(out, p, strcspn(p, ","));
		buf_char(out, '\n');
	}
	return n;
}

static void ask(const char *target, struct fuzz_answer *a)
{
	struct fuzz_request q = {
	    .method = "GET", .target = target, .version = "HTTP/1.1", .header = {{"Host", "localhost"}}, .headers = 1};
	fuzz_ask(FUZZ_OPEN, &q, a);
	buf_char(&a->body, 0);
}

/* New: the target of the page's link; NULL: it is the last. */
static char *next_of(const struct fuzz_answer *a)
{
	if (!a->link.n)
		return NULL;
	const char *end = strstr(a->link.p, ">; rel=\"next\"");
	CHECK(a->link.p[0] == '<' && end);
	return str_dup((struct str){a->link.p + 1, (size_t)(end - a->link.p) - 1});
}

/* From the page that was given, at most so many: how many rows there were. */
static size_t walk(struct fuzz_answer *first, struct buf *ids)
{
	enum { PAGES = FUZZ_ROWS + 1 };
	size_t rows = put_ids(first, ids), pages = 1;
	for (char *next = next_of(first), *target; next; pages++) {
		struct fuzz_answer a;
		CHECK(pages < PAGES);
		ask(next, &a);
		CHECK(a.status == 200);
		rows += put_ids(&a, ids);
		target = next;
		next = next_of(&a);
		free(target);
		fuzz_answer_free(&a);
	}
	return rows;
}

static void check_pages(const char *target, struct fuzz_answer *first)
{
	struct buf large = {0}, by_page = {0}, all = {0};
	struct fuzz_answer whole;
	buf_printf(&large, "%s&limit=1000%c", target, 0);
	ask(large.p, &whole);
	CHECK(whole.status == 200);
	put_ids(&whole, &all);
	CHECK(walk(first, &by_page) <= FUZZ_ROWS);
	CHECK(str_eq(buf_view(&all), buf_view(&by_page)));
	fuzz_answer_free(&whole);
	buf_free(&large);
	buf_free(&by_page);
	buf_free(&all);
}

/* Another one would be another page. */
static bool is_sample(const char *query)
{
	struct arena mem = {0};
	struct param *list;
	bool good = query_parse(query, &mem, &list), sample = query_get(list, "sample").p;
	arena_free(&mem);
	return good && sample;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = fuzz_input(data, size);
	struct fuzz_answer a;
	struct buf target = {0};
	bool stats = fuzz_byte(&in) == 's';
	char *query = fuzz_cstr(in);
	if (!query || strpbrk(query, "\r\n #")) { /* no request line has such a target */
		free(query);
		return 0;
	}
	buf_printf(&target, "%s?%s%c", stats ? "/v1/stats" : "/v1/messages", query, 0);
	ask(target.p, &a);
	CHECK(a.status == 200 || a.status == 400);
	if (!stats && a.status == 200 && !is_sample(query))
		check_pages(target.p, &a);
	fuzz_answer_free(&a);
	buf_free(&target);
	free(query);
	return 0;
}
