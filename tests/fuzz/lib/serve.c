/* serve.c - senti-serve with libmicrohttpd played. */
#include "tests/fuzz/lib/serve.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdarg.h>
#include <strings.h>
#include <unistd.h>
#include <zlib.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/timedwait.h"
#include "lib/base/utf8.h"
#include "lib/data/memory.h"
#include "lib/flow/mem.h"
#include "lib/net/sqlite.h"
#include "lib/serve/server.h"

static const char tokens[] = "reader read sha256:2663fb23eb31b4ea4642f608eb455da743498fb171b310dd22c7b289a920f32d\n"
			     "writer write sha256:a2eed2f8f983a1212df97a19984f9ca605db5cff68c31fefbce3993412a4320f\n";

/* ---- the library's part ---- */

struct MHD_Response {
	struct buf body;
	MHD_ContentReaderCallback read;
	void *arg;
};

struct MHD_Connection {
	const struct fuzz_request *asked;
	struct fuzz_answer *answer;
	struct MHD_Response response;
	void *context; /* of on_connection */
	bool suspended;
};

struct MHD_Daemon {
	MHD_AccessHandlerCallback handle;
	void *handle_arg;
	void *(*begin)(void *arg, const char *uri, struct MHD_Connection *c);
	void *begin_arg;
	MHD_RequestCompletedCallback end;
	void *end_arg;
	MHD_NotifyConnectionCallback connection;
	void *connection_arg;
	int fd;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;	       /* a daemon has started, a connection goes on */
static struct MHD_Daemon *newest;      /* the one that has started last */
static struct MHD_Connection *current; /* whoever resumes another one comes too late */

static void take_option(struct MHD_Daemon *d, const struct MHD_OptionItem *o)
{
	void *function = (void *)o->value;
	if (o->option == MHD_OPTION_URI_LOG_CALLBACK) {
		memcpy(&d->begin, &function, sizeof function);
		d->begin_arg = o->ptr_value;
	} else if (o->option == MHD_OPTION_NOTIFY_COMPLETED) {
		memcpy(&d->end, &function, sizeof function);
		d->end_arg = o->ptr_value;
	} else if (o->option == MHD_OPTION_NOTIFY_CONNECTION) {
		memcpy(&d->connection, &function, sizeof function);
		d->connection_arg = o->ptr_value;
	} else if (o->option == MHD_OPTION_LISTEN_SOCKET) {
		d->fd = (int)o->value;
	}
}

struct MHD_Daemon *MHD_start_daemon(unsigned flags, uint16_t port, MHD_AcceptPolicyCallback accept, void *accept_arg,
    MHD_AccessHandlerCallback handle, void *arg, ...)
{
	(void)flags, (void)port, (void)accept, (void)accept_arg;
	struct MHD_Daemon *d = xcalloc(1, sizeof *d);
	d->handle = handle;
	d->handle_arg = arg;
	va_list ap;
	va_start(ap, arg);
	CHECK(va_arg(ap, int) == MHD_OPTION_ARRAY);
	for (const struct MHD_OptionItem *o = va_arg(ap, const struct MHD_OptionItem *); o->option != MHD_OPTION_END;
	     o++)
		take_option(d, o);
	va_end(ap);
	CHECK(d->begin && d->end && d->connection);
	pthread_mutex_lock(&lock);
	newest = d;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	return d;
}

MHD_socket MHD_quiesce_daemon(struct MHD_Daemon *d)
{
	return d->fd;
}

void MHD_stop_daemon(struct MHD_Daemon *d)
{
	free(d);
}

const char *MHD_lookup_connection_value(struct MHD_Connection *c, enum MHD_ValueKind kind, const char *key)
{
	(void)kind;
	for (size_t i = 0; i < c->asked->headers; i++)
		if (strcasecmp(c->asked->header[i].name, key) == 0)
			return c->asked->header[i].value;
	return NULL;
}

int MHD_get_connection_values(struct MHD_Connection *c, enum MHD_ValueKind kind, MHD_KeyValueIterator each, void *arg)
{
	for (size_t i = 0; i < c->asked->headers; i++)
		each(arg, kind, c->asked->header[i].name, c->asked->header[i].value);
	return (int)c->asked->headers;
}

const union MHD_ConnectionInfo *MHD_get_connection_info(struct MHD_Connection *c, enum MHD_ConnectionInfoType type, ...)
{
	static struct sockaddr_in address = {.sin_family = AF_INET};
	static union MHD_ConnectionInfo info;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	switch ((int)type) {
	case MHD_CONNECTION_INFO_CLIENT_ADDRESS:
		info.client_addr = (struct sockaddr *)&address;
		return &info;
	case MHD_CONNECTION_INFO_CONNECTION_FD:
		info.connect_fd = -1;
		return &info;
	case MHD_CONNECTION_INFO_SOCKET_CONTEXT:
		info.socket_context = c->context;
		return &info;
	}
	return NULL;
}

void MHD_suspend_connection(struct MHD_Connection *c)
{
	pthread_mutex_lock(&lock);
	c->suspended = true;
	pthread_mutex_unlock(&lock);
}

void MHD_resume_connection(struct MHD_Connection *c)
{
	pthread_mutex_lock(&lock);
	if (c == current)
		c->suspended = false;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

/* The response of the request that is under way; there is one at a time. */
static struct MHD_Response *new_response(void)
{
	CHECK(current && !current->response.body.p && !current->response.read);
	return &current->response;
}

struct MHD_Response *MHD_create_response_from_buffer(size_t n, void *p, enum MHD_ResponseMemoryMode mode)
{
	struct MHD_Response *r = new_response();
	CHECK(mode == MHD_RESPMEM_MUST_FREE);
	buf_add(&r->body, p, n);
	free(p);
	return r;
}

struct MHD_Response *MHD_create_response_from_fd64(uint64_t n, int fd)
{
	struct MHD_Response *r = new_response();
	CHECK(pread(fd, buf_reserve(&r->body, n), n, 0) == (ssize_t)n);
	r->body.n = n;
	close(fd);
	return r;
}

struct MHD_Response *MHD_create_response_from_callback(
    uint64_t size, size_t block, MHD_ContentReaderCallback read, void *arg, MHD_ContentReaderFreeCallback end)
{
	struct MHD_Response *r = new_response();
	CHECK(size == MHD_SIZE_UNKNOWN && block && read && !end);
	r->read = read;
	r->arg = arg;
	return r;
}

enum MHD_Result MHD_add_response_header(struct MHD_Response *r, const char *name, const char *value)
{
	struct fuzz_answer *a = current->answer;
	CHECK(r == &current->response && *name && !strpbrk(name, ": \t\r\n"));
	for (const char *p = value; *p; p++)
		CHECK((unsigned char)*p >= 32 && *p != 127);
	if (strcmp(name, "Content-Type") == 0)
		snprintf(a->media, sizeof a->media, "%s", value);
	if (strcmp(name, "Content-Encoding") == 0) {
		CHECK(strcmp(value, "gzip") == 0);
		a->compressed = true;
	}
	if (strcmp(name, "Link") == 0)
		buf_add(&a->link, value, strlen(value) + 1);
	return MHD_YES;
}

enum MHD_Result MHD_queue_response(struct MHD_Connection *c, unsigned status, struct MHD_Response *r)
{
	CHECK(c == current && r == &c->response && c->answer->status == 0 && status >= 200 && status < 600);
	c->answer->status = status;
	return MHD_YES;
}

void MHD_destroy_response(struct MHD_Response *r)
{
	(void)r;
}

/* ---- the servers ---- */

static struct {
	pthread_t thread;
	struct MHD_Daemon *daemon;
	struct server_conf conf;
	struct buf listen;
} servers[FUZZ_SERVERS];

static struct stop stop;
static char *store_path;
static struct store *store; /* the fuzzer's own handle */
static uint64_t version;    /* of the store as it was filled */

static struct store *open_store(void *arg, struct err *e)
{
	(void)arg;
	return sqlite_open(store_path, STORE_CREATE, e);
}

static struct cache *open_cache(void *arg, struct err *e)
{
	(void)arg, (void)e;
	return memory_cache(1 << 20, NULL);
}

static int close_queue(struct sink *s, struct err *e)
{
	(void)e;
	mem_sink_free((struct mem_sink *)s);
	free(s);
	return 0;
}

static struct sink *open_queue(void *arg, struct counts *c, struct err *e)
{
	(void)arg, (void)c, (void)e;
	struct mem_sink *m = xcalloc(1, sizeof *m);
	mem_sink_init(m, LANE_OUT);
	m->port.close = close_queue;
	return &m->port;
}

static void *run_server(void *conf)
{
	struct err e = {0};
	if (server_run(conf, &e) < 0) {
		fprintf(stderr, "%s\n", e.msg);
		CHECK(!"the server starts");
	}
	return NULL;
}

static void start_server(enum fuzz_server which, const char *token_file)
{
	static const char *const cors[] = {"https://one.example", NULL};
	struct server_conf *c = &servers[which].conf;
	buf_printf(&servers[which].listen, "unix:%s/socket%d%c", fuzz_folder(), which, 0);
	*c = (struct server_conf){.http =
				      {
					  .listen = servers[which].listen.p,
					  .threads = 1,
					  .max_body = 20000,
					  .max_header = 16384,
				      },
	    .ends = {.store = open_store, .cache = open_cache},
	    .model = {.spec = "vader"},
	    .limits = {.records = 1000, .bytes = 1 << 20, .max_record = 2000, .stop = &stop},
	    .max_items = 50,
	    .memory = (uint64_t)64 << 20,
	    .spool = (uint64_t)64 << 20,
	    .jobs = 1,
	    .max_waiting = 1000,
	    .scan_timeout_s = 10};
	if (which == FUZZ_GUARDED) {
		c->tokens = token_file;
		c->http.cors = cors;
		c->ends.queue = open_queue;
	}
	CHECK(pthread_create(&servers[which].thread, NULL, run_server, c) == 0);
	pthread_mutex_lock(&lock);
	while (!newest)
		pthread_cond_wait(&changed, &lock);
	servers[which].daemon = newest;
	newest = NULL;
	pthread_mutex_unlock(&lock);
}

static void stop_servers(void)
{
	struct err e;
	stop_raise(&stop);
	for (size_t i = 0; i < FUZZ_SERVERS; i++) {
		pthread_join(servers[i].thread, NULL);
		buf_free(&servers[i].listen);
	}
	CHECK(store->close(store, &e) == 0);
	free(store_path);
}

/* ---- the store's rows ---- */

/* Every fourth has no time, two share each time, and the ids need escapes. */
static void put_row(size_t i, struct buf *out)
{
	static const char *const label[] = {"positive", "neutral", "negative"};
	buf_printf(out, "{\"id\":\"k%zu/%s\",\"text\":\"Text %zu\xc3\x84\",\"source\":\"%s\"", i, i % 3 ? "?&%" : "", i,
	    i % 2 ? "web" : "a b");
	if (i % 4)
		buf_printf(out, ",\"time\":\"2024-01-%02zuT00:00:00Z\"", 1 + i / 2);
	buf_printf(out, ",\"sentiment\":{\"label\":\"%s\",\"score\":0.%zu,\"model\":\"m\"}}", label[i % 3], i);
}

static void remove_all(struct arena *mem)
{
	enum { MOST = 4096 };
	struct message *row = xcalloc(MOST, sizeof *row), **list = xcalloc(MOST, sizeof *list);
	struct filter all = {.order = ORDER_ID};
	struct err e;
	int n = store->query(store, &all, row, MOST, SIZE_MAX, mem, &e);
	CHECK(n >= 0);
	for (int i = 0; i < n; i++) {
		row[i] = (struct message){.id = row[i].id, .remove = true};
		list[i] = &row[i];
	}
	CHECK(!n || store->edit(store, list, (size_t)n, mem, &e) == 0);
	free(row);
	free(list);
}

/* False if a server has stored something meanwhile: lines that were handed in before their body was refused. */
static bool fill_store(void)
{
	struct batch b = {0};
	struct json_scan s = {0}, inner = {0};
	struct message m[FUZZ_ROWS], *list[FUZZ_ROWS];
	struct store_stats stats;
	struct err e;
	uint64_t gone;
	remove_all(&b.mem);
	for (size_t i = 0; i < FUZZ_ROWS; i++) {
		struct buf line = {0};
		put_row(i, &line);
		struct rec *r = batch_add(&b);
		r->line = json_padded(&b.mem, buf_view(&line));
		CHECK(message_read(&m[i], &b, r, &s, &inner) == 0);
		list[i] = &m[i];
		buf_free(&line);
	}
	CHECK(store_put(store, list, FUZZ_ROWS, &b.mem, &e) == 0);
	CHECK(store->outbox->prune(store->outbox, INT64_MAX, &gone, &e) == 0);
	CHECK(store->stats(store, &stats, &e) == 0 && stats.messages >= FUZZ_ROWS);
	version = stats.version;
	json_scan_free(&s);
	json_scan_free(&inner);
	batch_free(&b);
	return stats.messages == FUZZ_ROWS;
}

static void restore(void)
{
	struct store_stats stats;
	struct err e;
	CHECK(store->stats(store, &stats, &e) == 0);
	bool good = stats.version == version && stats.messages == FUZZ_ROWS;
	for (int tries = 0; !good; tries++) {
		CHECK(tries < 1000);
		good = fill_store();
	}
}

static void start(void)
{
	struct err e;
	log_init("fuzz", LOG_ERROR, LOG_PLAIN);
	cond_init(&changed);
	stop_init(&stop);
	store_path = fuzz_file("store.db", STR(""));
	store = sqlite_open(store_path, STORE_CREATE, &e);
	CHECK(store);
	CHECK(fill_store());
	char *token_file = fuzz_file("tokens", STR(tokens));
	start_server(FUZZ_OPEN, NULL);
	start_server(FUZZ_GUARDED, token_file);
	atexit(stop_servers);
}

/* ---- one request ---- */

/* Waits while another thread has the request: false if that goes on for too long and may. */
static bool wait_resumed(struct MHD_Connection *c, int64_t most_ms)
{
	int64_t until = most_ms < 0 ? INT64_MAX : clock_mono_ms() + most_ms;
	pthread_mutex_lock(&lock);
	while (c->suspended && clock_mono_ms() < until)
		if (most_ms < 0)
			pthread_cond_wait(&changed, &lock);
		else
			cond_wait_until(&changed, &lock, until);
	bool resumed = !c->suspended;
	pthread_mutex_unlock(&lock);
	return resumed;
}

static bool send_body(struct MHD_Daemon *d, struct MHD_Connection *c, void **context)
{
	const struct fuzz_request *q = c->asked;
	struct str left = q->body;
	while (left.n && !c->answer->status) {
		struct str piece = fuzz_cut(&left, q->piece);
		char *copy = xmalloc(piece.n); /* of its own, so that a byte beyond is seen */
		memcpy(copy, piece.p, piece.n);
		size_t n = piece.n;
		bool good = d->handle(d->handle_arg, c, q->target, q->method, q->version, copy, &n, context) == MHD_YES;
		CHECK(!good || n == 0);
		free(copy);
		if (!good)
			return false;
		wait_resumed(c, -1);
	}
	return true;
}

/* The beginning of a stream: what there is, and what comes within a moment. */
static void read_stream(struct MHD_Connection *c)
{
	enum { MOST = 40, WAITS = 2, WAIT_MS = 3, BLOCK = 64 };
	struct buf *out = &c->answer->body;
	for (int rounds = 0, waits = 0; rounds < MOST && waits < WAITS; rounds++) {
		ssize_t n = c->response.read(c->response.arg, out->n, buf_reserve(out, BLOCK), BLOCK);
		CHECK(n <= BLOCK);
		if (n < 0)
			return;
		out->n += (size_t)n;
		waits += n == 0 && !wait_resumed(c, WAIT_MS);
	}
}

static void take_body(struct MHD_Connection *c)
{
	c->answer->streamed = c->response.read != NULL;
	if (c->answer->status == 304) { /* of its body the library sends the length alone */
		buf_free(&c->response.body);
		c->answer->compressed = false;
	} else if (c->answer->streamed) {
		read_stream(c);
	} else {
		c->answer->body = c->response.body;
	}
}

static void exchange(struct MHD_Daemon *d, struct MHD_Connection *c)
{
	const struct fuzz_request *q = c->asked;
	char *target = xstrdup(q->target);
	size_t none = 0;
	d->connection(d->connection_arg, c, &c->context, MHD_CONNECTION_NOTIFY_STARTED);
	void *context = d->begin(d->begin_arg, target, c);
	bool good = d->handle(d->handle_arg, c, target, q->method, q->version, NULL, &none, &context) == MHD_YES;
	good = good && send_body(d, c, &context);
	while (good && !c->answer->status) {
		good = d->handle(d->handle_arg, c, target, q->method, q->version, NULL, &none, &context) == MHD_YES;
		CHECK(!good || c->answer->status || c->suspended || c->response.body.p == NULL);
		wait_resumed(c, -1);
	}
	if (good)
		take_body(c);
	d->end(
	    d->end_arg, c, &context, good ? MHD_REQUEST_TERMINATED_COMPLETED_OK : MHD_REQUEST_TERMINATED_CLIENT_ABORT);
	d->connection(d->connection_arg, c, &c->context, MHD_CONNECTION_NOTIFY_CLOSED);
	free(target);
}

/* ---- the answer ---- */

static void decompress(struct buf *b)
{
	enum { BLOCK = 65536, GZIP = 16 + MAX_WBITS };
	struct buf out = {0};
	z_stream z = {.next_in = (Bytef *)b->p, .avail_in = (uInt)b->n};
	int rc = inflateInit2(&z, GZIP);
	while (rc == Z_OK) {
		z.next_out = (Bytef *)buf_reserve(&out, BLOCK);
		z.avail_out = BLOCK;
		rc = inflate(&z, Z_NO_FLUSH);
		out.n += BLOCK - z.avail_out;
	}
	CHECK(rc == Z_STREAM_END && z.avail_in == 0);
	inflateEnd(&z);
	buf_free(b);
	*b = out;
}

static void check_lines(struct str body)
{
	CHECK(!body.n || body.p[body.n - 1] == '\n');
	while (body.n)
		fuzz_check_json(fuzz_line(&body));
}

static void check_events(struct str body)
{
	while (body.n && memchr(body.p, '\n', body.n)) {
		struct str line = fuzz_line(&body), data = line, name = fuzz_cut(&data, 6);
		if (str_eq(name, STR("data: ")))
			fuzz_check_json(data);
		else
			CHECK(!line.n || memchr(line.p, ':', line.n));
	}
}

static void check_body(const struct fuzz_answer *a)
{
	struct str body = buf_view(&a->body);
	if (a->status == 204 || a->status == 304)
		CHECK(!body.n);
	else if (strcmp(a->media, "application/problem+json") == 0)
		CHECK(a->status >= 400);
	else if (a->streamed)
		check_events(body);
	if (strcmp(a->media, "application/problem+json") == 0 || strcmp(a->media, "application/json") == 0) {
		CHECK(a->status == 304 || (body.n && body.p[body.n - 1] == '\n'));
		if (body.n)
			fuzz_check_json(body);
	} else if (strcmp(a->media, "application/x-ndjson") == 0) {
		check_lines(body);
	} else if (!a->streamed) {
		CHECK(!body.n || utf8_valid_prefix(body) == body.n);
	}
}

static bool has_token(const struct fuzz_request *q)
{
	for (size_t i = 0; i < q->headers; i++)
		if (strcasecmp(q->header[i].name, "Authorization") == 0)
			return strstr(q->header[i].value, FUZZ_READER) || strstr(q->header[i].value, FUZZ_WRITER);
	return false;
}

void fuzz_ask(enum fuzz_server which, const struct fuzz_request *q, struct fuzz_answer *a)
{
	static bool started;
	struct MHD_Connection c = {.asked = q, .answer = a};
	*a = (struct fuzz_answer){0};
	if (!started)
		start();
	started = true;
	restore();
	pthread_mutex_lock(&lock);
	current = &c;
	pthread_mutex_unlock(&lock);
	exchange(servers[which].daemon, &c);
	pthread_mutex_lock(&lock);
	current = NULL;
	pthread_mutex_unlock(&lock);
	if (a->compressed)
		decompress(&a->body);
	if (a->status)
		check_body(a);
	if (which == FUZZ_GUARDED && a->status < 300 && a->status != 204 && !has_token(q))
		CHECK(strncmp(q->target, "/v1/", 4) != 0);
}

void fuzz_answer_free(struct fuzz_answer *a)
{
	buf_free(&a->link);
	buf_free(&a->body);
}
