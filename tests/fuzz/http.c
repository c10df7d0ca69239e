/* http.c - requests as a client may send them, without a network: what the headers mean, routes, queries, bodies of all forms, the answer.
 *
 * The input is a request line, headers a line each, an empty line, and the body. The library below is played by a few functions here. What is checked:
 * every request has one answer; what says that it is JSON is JSON; no header of it holds a line end; the body in pieces comes to the same as whole.
 */
#include <unistd.h>

#include "lib/json/scan.h"
#include "lib/serve/body.h"
#include "lib/http/http_internal.h"
#include "lib/serve/metrics.h"
#include "lib/serve/models.h"
#include "lib/serve/routes/rest.h"
#include "lib/serve/routes/routes.h"
#include "lib/serve/thread_context.h"
#include "lib/serve/tokens.h"
#include "lib/base/utf8.h"
#include "tests/fuzz/fuzz.h"

static void find(const char *what)
{
	fprintf(stderr, "find: %s\n", what);
	abort();
}

#define CHECK(good) ((good) ? (void)0 : find(#good))

/* ---- the library's part ---- */

enum { HEADERS = 32 };

static struct {
	const char *name[HEADERS], *value[HEADERS];
	size_t n;
} asked;

struct MHD_Response {
	struct buf body;
	unsigned status;
	size_t headers;
	char media[64];
};

static struct MHD_Response answer;

const char *MHD_lookup_connection_value(struct MHD_Connection *c, enum MHD_ValueKind kind, const char *key)
{
	(void)c;
	(void)kind;
	for (size_t i = 0; i < asked.n; i++)
		if (strcasecmp(asked.name[i], key) == 0)
			return asked.value[i];
	return NULL;
}

int MHD_get_connection_values(struct MHD_Connection *c, enum MHD_ValueKind kind, MHD_KeyValueIterator each, void *arg)
{
	(void)c;
	for (size_t i = 0; i < asked.n; i++)
		each(arg, kind, asked.name[i], asked.value[i]);
	return (int)asked.n;
}

void MHD_suspend_connection(struct MHD_Connection *c)
{
	(void)c;
	find("no route of these waits");
}

void MHD_resume_connection(struct MHD_Connection *c)
{
	(void)c;
}

struct MHD_Response *MHD_create_response_from_buffer(size_t n, void *p, enum MHD_ResponseMemoryMode mode)
{
	CHECK(mode == MHD_RESPMEM_MUST_FREE);
	buf_add(&answer.body, p, n);
	free(p);
	return &answer;
}

struct MHD_Response *MHD_create_response_from_fd64(uint64_t n, int fd)
{
	char *to = buf_reserve(&answer.body, n);
	CHECK(pread(fd, to, n, 0) == (ssize_t)n);
	answer.body.n += n;
	close(fd);
	return &answer;
}

struct MHD_Response *MHD_create_response_from_callback(
    uint64_t size, size_t block, MHD_ContentReaderCallback read, void *arg, MHD_ContentReaderFreeCallback end)
{
	(void)size, (void)block, (void)read, (void)arg, (void)end;
	find("no route of these streams");
	return NULL;
}

enum MHD_Result MHD_add_response_header(struct MHD_Response *r, const char *name, const char *value)
{
	CHECK(*name && !strpbrk(name, ": \t\r\n") && !strpbrk(value, "\r\n"));
	if (strcmp(name, "Content-Type") == 0)
		snprintf(r->media, sizeof r->media, "%s", value);
	if (strcmp(name, "Content-Encoding") == 0)
		find("nothing of these is compressed");
	r->headers++;
	return MHD_YES;
}

enum MHD_Result MHD_queue_response(struct MHD_Connection *c, unsigned status, struct MHD_Response *r)
{
	(void)c;
	CHECK(r->status == 0 && status >= 200 && status < 600);
	r->status = status;
	return MHD_YES;
}

void MHD_destroy_response(struct MHD_Response *r)
{
	(void)r;
}

/* ---- the routes: those that need no store, and one that only reads what is asked of it ---- */

static void check_text(struct str s)
{
	CHECK(utf8_valid_prefix(s) == s.n);
}

/* What is encoded decodes to itself. */
static void check_encoded(struct str s)
{
	struct buf coded = {0};
	struct arena mem = {0};
	struct str back;
	percent_encode(&coded, s);
	CHECK(percent_decode(buf_view(&coded), true, &mem, &back) && str_eq(back, s));
	arena_free(&mem);
	buf_free(&coded);
}

static void look_at_all(struct request *x, void *app)
{
	struct filter f = {0};
	uint64_t limit = 10;
	bool yes = false;
	(void)app;
	CHECK(x->segment.n && !memchr(x->segment.p, 0, x->segment.n));
	check_text(x->segment);
	check_encoded(x->segment);
	struct str q = request_query(x, "q");
	if (q.p) {
		check_text(q);
		check_encoded(q);
	}
	if (!rest_query_filter(x, &f) || !rest_query_number(x, "limit", 1, 100, &limit) ||
	    !rest_query_bool(x, "yes", &yes))
		return;
	CHECK(limit >= 1 && limit <= 100);
	int match = rest_tag_matches(x, "If-Match", 1);
	CHECK(match >= -1 && match <= 1 && (match < 0) == !request_header(x, "If-Match"));
	rest_set_tag(x, limit);
	buf_str(&x->out, STR("{\"path\":\""));
	rest_put_path(&x->out, x->segment);
	buf_str(&x->out, STR("\"}\n"));
	request_answer(x, 200, MEDIA_JSON);
}

static struct routes conf = {.sentiment = {.max_record = 2000, .max_items = 50}};
static struct server_metrics metrics;
static struct http_server server;
static struct route routes[4];

static void start(void)
{
	static const char *const origins[] = {"https://one.example", NULL};
	struct err e;
	conf.models = conf.sentiment.models = models_new(&(struct model_conf){.spec = "afinn"}, &e);
	if (!conf.models)
		find(e.msg);
	struct route all[ROUTES + 1];
	routes_fill(all, &conf);
	for (const struct route *r = all; r->path; r++)
		if (strcmp(r->path, "/v1/sentiment") == 0)
			routes[0] = *r;
		else if (strcmp(r->path, "/v1/models") == 0)
			routes[1] = *r;
	routes[2] = (struct route){"GET", "/v1/messages/{id}", SCOPE_READ, NULL, NULL, look_at_all, NULL};
	CHECK(routes[0].path && routes[1].path);
	server_metrics_init(&metrics, routes, 3);
	for (size_t i = 0; i < 3; i++)
		request_metrics_name(metrics.requests, i, routes[i].path, routes[i].method);
	conf.sentiment.threads = thread_contexts_new(metrics.texts);
	server.conf = (struct http_conf){.route = routes,
	    .vendor = "senti",
	    .cors = origins,
	    .max_body = 20000,
	    .max_held = 1 << 20,
	    .ended = server_metrics_ended,
	    .ended_arg = &metrics};
	memset(server.id, 'a', sizeof server.id);
}

/* ---- one request ---- */

static void check_json(struct str text)
{
	struct json_scan s = {0};
	char *copy = xcalloc(text.n + JSON_PAD, 1);
	memcpy(copy, text.p, text.n);
	CHECK(json_check(&s, (struct str){copy, text.n}) == 0);
	json_scan_free(&s);
	free(copy);
}

static void check_answer(void)
{
	struct str body = buf_view(&answer.body);
	CHECK(answer.status && answer.headers);
	if (strcmp(answer.media, MEDIA_PROBLEM) == 0)
		CHECK(answer.status >= 400);
	if (strcmp(answer.media, MEDIA_PROBLEM) == 0 || strcmp(answer.media, MEDIA_JSON) == 0) {
		check_json(body);
		return;
	}
	while (body.n) {
		const char *nl = memchr(body.p, '\n', body.n);
		CHECK(nl);
		size_t n = (size_t)(nl - body.p);
		check_json((struct str){body.p, n});
		body = (struct str){nl + 1, body.n - n - 1};
	}
}

/* Answers it, the body in pieces of `most` bytes. */
static void serve(const char *method, const char *target, const char *version, struct str body, size_t most)
{
	struct request *x = request_new(&server, target);
	answer = (struct MHD_Response){.body = answer.body};
	buf_clear(&answer.body);
	bool refused = request_begin(x, NULL, method, version) < 0;
	bool cut = false;
	while (body.n && !refused && !cut) {
		size_t n = body.n < most ? body.n : most;
		char *piece = xmalloc(n); /* of its own, so that a byte beyond is seen */
		memcpy(piece, body.p, n);
		cut = request_take(x, piece, n) < 0;
		free(piece);
		body = (struct str){body.p + n, body.n - n};
	}
	if (!cut) {
		if (!refused && !x->own->answered && !x->own->cut)
			x->route->end(x, x->route->app);
		CHECK(request_queue(x) == MHD_YES);
		check_answer();
	}
	request_free(x);
	CHECK(atomic_load(&server.busy) == 0 && atomic_load(&server.held) == 0);
}

/* Cuts the first line off, which then ends with NUL. */
static char *next_line(char **text, const char *end)
{
	char *line = *text, *nl = memchr(line, '\n', (size_t)(end - line));
	*text = nl ? nl + 1 : (char *)end;
	*(nl ? nl : (char *)end) = 0;
	return line;
}

static char *next_word(char **line)
{
	char *word = *line;
	*line += strcspn(word, " ");
	if (**line)
		*(*line)++ = 0;
	return word;
}

static void read_headers(char **text, const char *end)
{
	asked.n = 0;
	while (*text < end) {
		char *line = next_line(text, end), *colon = strchr(line, ':');
		if (!*line)
			return;
		if (!colon || asked.n == HEADERS)
			continue;
		*colon++ = 0;
		asked.name[asked.n] = line;
		asked.value[asked.n++] = colon + strspn(colon, " \t");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!conf.models)
		start();
	char *copy = xcalloc(size + 1, 1), *text = copy, *end = copy + size;
	if (size)
		memcpy(copy, data, size);
	char *line = next_line(&text, end);
	const char *method = next_word(&line), *target = next_word(&line), *version = *line ? line : "HTTP/1.1";
	read_headers(&text, end);
	struct str body = {text, (size_t)(end - text)};
	serve(method, target, version, body, SIZE_MAX);
	unsigned status = answer.status;
	struct buf whole = answer.body;
	answer.body = (struct buf){0};
	serve(method, target, version, body, 1 + size % 7);
	CHECK(status == answer.status);
	/* A problem names its request, which is another one now. */
	if (status == 200)
		CHECK(str_eq(buf_view(&whole), buf_view(&answer.body)));
	buf_free(&whole);
	free(copy);
	return 0;
}
