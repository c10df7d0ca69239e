/* request.c - one request and its answer: what its headers mean, which route takes it, how the answer is sent. */
#include "lib/http/request.h"

#include <poll.h>
#include <stdarg.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/http/audit.h"
#include "lib/http/compress.h"
#include "lib/http/conditions.h"
#include "lib/http/cors.h"
#include "lib/http/guard.h"
#include "lib/http/http_internal.h"
#include "lib/http/lists.h"
#include "lib/http/problem.h"
#include "lib/json/scan.h"

enum { STREAM_BLOCK = 1024, PACKED_BLOCK = 16384 };
enum { SMALL_ANSWER = 4096 }; /* not worth counting */
/* What fits into a socket that nothing was sent to; what the library adds to the headers, and the status line. */
enum { WRITTEN_MOST = 16384, LIBRARY_HEADERS = 256 };

/* One allocation, small enough for malloc's fast path. */
struct request_whole {
	struct request request;
	struct request_private own;
};
_Static_assert(sizeof(struct request_whole) <= 1032, "malloc has a quick way for up to 1,032 bytes");

int64_t request_clock_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

struct request *request_new(struct http_server *s, const char *uri)
{
	struct request_whole *whole = xcalloc(1, sizeof *whole);
	struct request *r = &whole->request;
	struct request_private *o = &whole->own;
	r->own = o;
	o->server = s;
	o->uri = xstrdup(uri);
	o->mem.p = o->room;
	o->mem.end = o->room + sizeof o->room;
	headers_init(&o->headers, &o->mem);
	r->spool = SPOOL_OF(s->conf.spools);
	o->memory.of = s->conf.memory;
	r->method = "";
	r->path = o->uri;
	r->began_us = request_clock_us();
	return r;
}

void request_free(struct request *r)
{
	struct request_private *o = r->own;
	const struct http_conf *conf = &o->server->conf;
	if (o->begun) {
		if (conf->ended)
			conf->ended(r, conf->ended_arg);
		atomic_fetch_sub(&o->server->busy, 1);
	}
	if (r->drop)
		r->drop(r->state);
	spool_free(&r->spool);
	share_release(&o->memory);
	expander_free(o->coding);
	gzipper_free(o->packing);
	buf_free(&r->body);
	buf_free(&r->out);
	arena_free(&o->mem);
	free(o->uri);
	free(r);
}

/* ---- what was asked ---- */

const char *request_header(const struct request *r, const char *name)
{
	return MHD_lookup_connection_value(r->own->connection, MHD_HEADER_KIND, name);
}

struct lines {
	const char *name;
	struct arena *mem;
	struct str list;
};

static enum MHD_Result add_line(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct lines *l = arg;
	(void)kind;
	if (!value || strcasecmp(name, l->name) != 0)
		return MHD_YES;
	l->list = l->list.p ? arena_printf(l->mem, "%s, %s", l->list.p, value) : str_of(value);
	return MHD_YES;
}

struct str request_header_list(struct request *r, const char *name)
{
	struct lines l = {.name = name, .mem = &r->own->mem};
	MHD_get_connection_values(r->own->connection, MHD_HEADER_KIND, add_line, &l);
	return l.list;
}

struct str request_query(struct request *r, const char *name)
{
	return query_get(r->own->query, name);
}

const struct param *request_queries(const struct request *r)
{
	return r->own->query;
}

static void answer_other_method(struct request *r, const char *allow)
{
	request_set(r, "Allow", "%s", allow);
	if (strcmp(r->method, "OPTIONS") != 0) {
		request_problem(r, 405, "method_not_allowed", "%s is not for this path; it takes %s", r->method, allow);
		return;
	}
	if (r->own->cross_origin && request_header(r, "Access-Control-Request-Method"))
		cors_preflight(allow, &r->own->headers);
	request_answer(r, 204, NULL);
}

static void find_route(struct request *r)
{
	const struct http_conf *conf = &r->own->server->conf;
	struct str segment;
	struct buf allow = {0};
	switch (route_find(conf->route, r->method, r->path, &r->route, &segment)) {
	case ROUTE_FOUND:
		if (segment.p && !percent_decode(segment, false, &r->own->mem, &r->segment))
			request_problem(r, 400, "bad_path", "the path's last part is not percent-encoded UTF-8 text");
		break;
	case ROUTE_NO_PATH:
		request_problem(r, 404, "no_such_path", "there is nothing at this path%s%s%s", conf->index ? "; " : "",
		    conf->index ? conf->index : "", conf->index ? " lists what there is" : "");
		break;
	case ROUTE_NO_METHOD:
		route_methods(conf->route, r->path, &allow);
		buf_char(&allow, 0);
		answer_other_method(r, allow.p);
		buf_free(&allow);
	}
}

static bool is_token(const char *s, size_t most)
{
	size_t n = strlen(s);
	return n && n < most && strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:") == n;
}

/* Unique among all servers, without a system call each: a random number of this process and a count. */
static void name_request(struct request *r)
{
	static atomic_uint_fast64_t count;
	static const char hex_digit[] = "0123456789abcdef";
	uint64_t n = atomic_fetch_add(&count, 1);
	int shift = 60;
	while (shift && !(n >> shift))
		shift -= 4;
	char *to = r->request_id;
	memcpy(to, r->own->server->id, UUID_LEN);
	to += UUID_LEN;
	for (*to++ = '-'; shift >= 0; shift -= 4)
		*to++ = hex_digit[n >> shift & 15];
	*to = 0;
}

static void correlate(struct request *r, const struct audit *a)
{
	if (a->request_id && is_token(a->request_id, sizeof r->request_id))
		memcpy(r->request_id, a->request_id, strlen(a->request_id) + 1);
	else
		name_request(r);
	if (a->traceparent && strlen(a->traceparent) == 55 && is_token(a->traceparent, 56))
		memcpy(r->traceparent, a->traceparent, 56);
}

/* Cuts the host off the absolute form, "http://HOST/PATH"; *host stays unchanged if the target is a path. */
static const char *after_host(const char *target, struct str *host)
{
	size_t n = strncasecmp(target, "http://", 7) == 0 ? 7 : strncasecmp(target, "https://", 8) == 0 ? 8 : 0;
	if (!n)
		return target;
	*host = (struct str){target + n, strcspn(target + n, "/?")};
	target = host->p + host->n;
	return *target == '/' ? target : "/";
}

/* Blanks after a value are not part of it (RFC 9112, section 5), but the library leaves them. It stands in the
 * connection's memory, which may be written to. */
static void trim(const char *value)
{
	char *end = (char *)(uintptr_t)value + strlen(value);
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = 0;
}

static enum MHD_Result look_at(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	(void)kind;
	if (value)
		trim(value);
	audit_header(arg, name, value);
	return MHD_YES;
}

static void too_large(struct request *r)
{
	request_problem(r, 413, "too_large", "the body has more than %zu bytes", r->own->server->conf.max_body);
}

/* HTTP/1.0 allows requests without a host, which no browser sends. */
static void check_host(struct request *r, struct str host)
{
	const struct http_server *s = r->own->server;
	if (s->checks_host && host.p && !guard_knows_host(&s->names, host))
		request_problem(r, 421, "unknown_host", "this server does not answer for '%.*s'", STR_FMT(host));
}

/* Web pages of other origins may neither change anything nor use a guarded route. */
static void check_source(struct request *r, struct str host, const struct audit *a)
{
	const struct guard_source source = {
	    .origin = a->origin, .fetch_site = a->fetch_site, .forwarded_proto = a->forwarded_proto};
	if ((strcmp(r->route->method, "GET") != 0 || r->route->guarded) && !r->own->cross_origin &&
	    !guard_is_ours(&source, host))
		request_problem(r, 403, "cross_origin", "a web page of another origin asks for this");
}

/* A page can send any other type, or none, to any server without a preflight. */
static void check_media(struct request *r)
{
	bool patch = strcmp(r->method, "PATCH") == 0;
	if (!r->own->has_body || strcmp(r->route->method, "GET") == 0 || media_kind(r->media) != MEDIA_KIND_OTHER)
		return;
	request_set(r, patch ? "Accept-Patch" : "Accept-Post", "%s, %s", patch ? MEDIA_PATCH : MEDIA_JSON,
	    patch ? MEDIA_JSON : MEDIA_NDJSON);
	request_problem(r, 415, "unsupported_media_type",
	    "the body's Content-Type must be JSON, such as %s; it is '%s'", MEDIA_JSON, r->media);
}

/* Prepares to expand a body that is compressed. */
static void check_coding(struct request *r, const struct audit *a)
{
	struct request_private *o = r->own;
	const char *coding = a->encodings ? a->content_encoding : "identity";
	if (!o->has_body || (a->encodings < 2 && strcasecmp(coding, "identity") == 0))
		return;
	enum coding c = a->encodings > 1 ? CODING_NONE : coding_named(str_of(coding));
	struct err why;
	if (c == CODING_NONE || coding_load(c, &why) < 0) {
		bool zstd = coding_load(CODING_ZSTD, &why) == 0;
		request_set(r, "Accept-Encoding", zstd ? "gzip, zstd" : "gzip");
		request_problem(r, 415, "unsupported_coding", "the body's Content-Encoding must be gzip%s, or none",
		    zstd ? " or zstd" : "");
	} else if (!request_hold(r, coding_memory(c)) || !(o->coding = expander_new(c, true, &why))) {
		request_busy(r);
	}
}

/* A misspelt name would ask for something else than its sender thinks. */
static void check_params(struct request *r)
{
	const char *names = r->route->params;
	const struct param *p = names ? query_unknown(r->own->query, names) : NULL;
	struct buf known = {0};
	if (!p)
		return;
	for (size_t n; (n = strcspn(names, " ")); names += n + 1)
		buf_printf(&known, "%s%.*s", known.n ? ", " : "", (int)n, names);
	request_problem(r, 400, "bad_query", "'%.*s' is not a parameter of this path%s%.*s", STR_FMT(p->name),
	    known.n ? "; there are " : ", which has none", (int)known.n, known.n ? known.p : "");
	buf_free(&known);
}

/* Checks what depends on the route: the query, the announced length, the credentials. */
static void check(struct request *r, const char *query, struct str host, const struct audit *a)
{
	struct request_private *o = r->own;
	const struct http_conf *conf = &o->server->conf;
	o->announced = a->content_length ? strtoull(a->content_length, NULL, 10) : 0;
	check_source(r, host, a);
	if (o->answered)
		return;
	if (query && !query_parse(query, &o->mem, &o->query))
		request_problem(r, 400, "bad_query", "the query is not percent-encoded UTF-8 text");
	else if (o->announced > conf->max_body)
		too_large(r);
	else if (conf->admit)
		conf->admit(r, conf->admit_arg);
	if (!o->answered)
		check_params(r);
	if (!o->answered)
		check_media(r);
	if (!o->answered)
		check_coding(r, a);
}

/* Refuses a header section that is too large, before the library runs out of room. */
static void check_size(struct request *r, const struct audit *a, size_t line)
{
	static const size_t separators = 4; /* ": " and the line end */
	size_t most = r->own->server->conf.max_header, bytes = line + a->bytes + a->lines * separators;
	size_t taken = bytes + a->lines * HEADER_COST;
	r->own->head_bytes = bytes;
	r->own->head_lines = a->lines;
	r->own->crowded = bytes > most || taken > most + HEADER_SPARE - HEADER_ROOM;
	if (line > most)
		request_problem(r, 414, "uri_too_long", "the request line has more than %zu bytes", most);
	else if (r->own->crowded)
		request_problem(r, 431, "headers_too_large", "the request line and headers have more than %zu bytes",
		    bytes > most ? most : bytes);
}

int request_begin(struct request *r, struct MHD_Connection *c, const char *method, const char *version)
{
	struct request_private *o = r->own;
	o->connection = c;
	o->begun = true;
	atomic_fetch_add(&o->server->busy, 1);
	r->method = method;
	struct audit audit = {0};
	MHD_get_connection_values(c, MHD_HEADER_KIND, look_at, &audit);
	correlate(r, &audit);
	check_size(r, &audit, strlen(method) + strlen(r->path) + strlen(version) + 4);
	media_read(audit.content_type, r->media, sizeof r->media);
	if (o->server->conf.cors)
		o->cross_origin = cors_begin(o->server->conf.cors, audit.origin, &o->headers);
	o->has_body = audit.codings || (audit.content_length && strcmp(audit.content_length, "0") != 0);
	const char *why = audit_verdict(&audit, r->path, strcmp(version, "HTTP/1.0") == 0);
	char *query = strchr(r->path, '?');
	if (query)
		*query++ = 0;
	struct str host = audit.host ? str_of(audit.host) : STR_NONE;
	r->path = after_host(r->path, &host);
	if (o->answered)
		return -1;
	if (why) {
		o->has_body = true; /* what follows is not read */
		request_set(r, "Connection", "close");
		request_problem(r, 400, "ambiguous_request", "%s", why);
		return -1;
	}
	check_host(r, host);
	if (!o->answered)
		find_route(r);
	if (!o->answered)
		check(r, query, host, &audit);
	if (!o->answered && r->route->begin)
		r->route->begin(r, r->route->app);
	return o->answered ? -1 : 0;
}

/* A body that is too large is read on up to twice the limit: it cannot be answered in its middle, and many clients look
 * for an answer only after they have sent everything. */
static int take_plain(struct request *r, const char *p, size_t n)
{
	struct request_private *o = r->own;
	size_t most = o->server->conf.max_body;
	o->arrived += n;
	if (o->arrived > most) {
		o->cut |= !o->answered; /* the first answer stands */
		buf_free(&r->body);
		return o->arrived > 2 * most ? -1 : 0;
	}
	if (o->answered)
		return 0;
	if (r->route->piece && r->route->piece(r, r->route->app, (struct str){p, n}))
		return 0;
	if (request_hold(r, n)) {
		if (!r->body.p)
			buf_reserve(&r->body, n + JSON_PAD);
		buf_add(&r->body, p, n);
		o->body_held += n;
	} else {
		request_free_body(r);
		request_too_much(r, o->announced ? o->announced : o->arrived);
	}
	return 0;
}

/* A route that pauses gets the rest of the piece later; if that is all in `coding`, the last byte is given again. */
static int take_coded(struct request *r, struct str *piece)
{
	struct request_private *o = r->own;
	char plain[16384];
	if (o->used_one)
		*piece = (struct str){piece->p + 1, piece->n - 1};
	o->used_one = false;
	while (!o->paused && !o->answered && !o->cut) {
		size_t n = expander_next(o->coding, piece, plain, sizeof plain);
		const char *damage = expander_damage(o->coding);
		if (n && take_plain(r, plain, n) < 0)
			return -1;
		if (n)
			continue;
		if (!damage)
			return 0;
		request_problem(
		    r, 400, "bad_coding", "the body is not as its Content-Encoding says, or damaged: %s", damage);
	}
	if (!o->paused)
		piece->n = 0;
	o->used_one = o->paused && piece->n == 0;
	if (o->used_one)
		*piece = (struct str){piece->p - 1, 1};
	return 0;
}

int request_take(struct request *r, struct str *piece)
{
	struct str all = *piece;
	if (r->own->coding && !r->own->answered && !r->own->cut)
		return take_coded(r, piece);
	piece->n = 0;
	return take_plain(r, all.p, all.n);
}

/* Some clients begin JSON with a byte-order mark, which RFC 8259 lets us skip. */
static void drop_mark(struct buf *body)
{
	if (body->n < 3 || memcmp(body->p, "\xef\xbb\xbf", 3) != 0)
		return;
	body->n -= 3;
	memmove(body->p, body->p + 3, body->n);
}

void request_end(struct request *r)
{
	struct request_private *o = r->own;
	if (o->answered || o->cut)
		return;
	if (o->coding && !expander_whole(o->coding)) {
		request_problem(r, 400, "bad_coding", "the compressed body ends too early");
		return;
	}
	drop_mark(&r->body);
	r->route->end(r, r->route->app);
}

void request_defer(struct request *r)
{
	r->own->deferred = true;
	MHD_suspend_connection(r->own->connection);
}

void request_pause(struct request *r)
{
	r->own->paused = true;
	MHD_suspend_connection(r->own->connection);
}

void request_resume(struct request *r)
{
	MHD_resume_connection(r->own->connection);
}

static int socket_of(const struct request *r)
{
	const union MHD_ConnectionInfo *i =
	    MHD_get_connection_info(r->own->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	return i ? i->connect_fd : -1;
}

bool request_gone(const struct request *r)
{
	struct pollfd p = {.fd = socket_of(r), .events = POLLRDHUP};
	return poll(&p, 1, 0) > 0 && p.revents & (POLLRDHUP | POLLHUP | POLLERR);
}

void request_cut(struct request *r)
{
	shutdown(socket_of(r), SHUT_RDWR);
}

/* ---- memory ---- */

bool request_hold(struct request *r, size_t n)
{
	return share_take(&r->own->memory, n);
}

void request_unhold(struct request *r, size_t n)
{
	share_give(&r->own->memory, n);
}

void request_free_body(struct request *r)
{
	buf_free(&r->body);
	share_give(&r->own->memory, r->own->body_held);
	r->own->body_held = 0;
}

void request_too_much(struct request *r, uint64_t n)
{
	if (n > budget_most(r->own->memory.of))
		request_problem(r, 413, "too_large", "the body is larger than the server's memory");
	else
		request_busy(r);
}

void request_busy(struct request *r)
{
	request_set(r, "Retry-After", "1");
	request_problem(r, 503, "busy", "the server is busy; try again in a second");
}

static void no_space(struct request *r, const struct err *e)
{
	request_problem(r, 507, "no_space", "%s", e->msg);
}

/* Counts the present size of `out`. */
static bool hold_out(struct request *r)
{
	struct request_private *o = r->own;
	if (r->out.cap > o->out_held && !request_hold(r, r->out.cap - o->out_held))
		return false;
	if (r->out.cap < o->out_held)
		request_unhold(r, o->out_held - r->out.cap);
	o->out_held = r->out.cap;
	return true;
}

static enum spool_result keep(struct request *r, bool end, struct err *e)
{
	enum spool_result rc = spool_take(&r->spool, &r->out, end, e);
	if (rc == SPOOL_DONE && r->out.n && !hold_out(r))
		rc = spool_put(&r->spool, &r->out, e);
	if (rc == SPOOL_FULL && !hold_out(r))
		rc = SPOOL_FAILED; /* nor may it wait */
	if (rc == SPOOL_DONE && r->out.n == 0) {
		buf_free(&r->out);
		hold_out(r);
	}
	return rc;
}

bool request_spool(struct request *r, bool end, bool *again)
{
	struct err e;
	enum spool_result rc = keep(r, end, &e);
	if (again)
		*again = rc == SPOOL_FULL;
	if (rc != SPOOL_DONE && !(again && *again))
		no_space(r, &e);
	return rc == SPOOL_DONE;
}

/* The answer is whole, and waits for a client who may be slow. */
static void keep_answer(struct request *r)
{
	struct err e;
	if (hold_out(r))
		return;
	if (spool_put(&r->spool, &r->out, &e) != SPOOL_DONE) {
		request_busy(r);
		return;
	}
	buf_free(&r->out);
	hold_out(r);
}

/* ---- what is answered ---- */

void request_set(struct request *r, const char *name, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	headers_vadd(&r->own->headers, name, fmt, ap);
	va_end(ap);
}

void request_answer(struct request *r, unsigned status, const char *media)
{
	r->status = status;
	r->out_media = media;
	r->own->answered = true;
	if (r->out.n > SMALL_ANSWER)
		keep_answer(r);
}

static bool takes_gzip(struct request *r)
{
	return list_weight(request_header_list(r, "Accept-Encoding"), "gzip") > 0;
}

void request_answer_gzip(struct request *r, unsigned status, const char *media, struct str compressed, size_t size)
{
	r->own->compressed = takes_gzip(r) || !gzip_expand(compressed, size, &r->out);
	if (r->own->compressed)
		buf_str(&r->out, compressed);
	request_answer(r, status, media);
}

bool request_answered(const struct request *r)
{
	return r->own->answered;
}

void request_stream(struct request *r, unsigned status, const char *media,
    ssize_t (*read)(struct request *r, void *arg, char *out, size_t max), void *arg, void (*drop)(void *arg))
{
	if (r->drop)
		r->drop(r->state);
	r->own->stream = read;
	r->state = arg;
	r->drop = drop;
	request_answer(r, status, media);
}

void request_problem(struct request *r, unsigned status, const char *kind, const char *fmt, ...)
{
	const char *title = MHD_get_reason_phrase_for(status);
	struct problem p = {.vendor = r->own->server->conf.vendor,
	    .kind = kind,
	    .title = title ? title : "Error",
	    .status = status,
	    .request_id = r->request_id};
	va_list ap;
	va_start(ap, fmt);
	p.detail = arena_vprintf(&r->own->mem, fmt, ap);
	va_end(ap);
	buf_free(&r->out);
	spool_free(&r->spool);
	r->own->compressed = false;
	problem_put(&r->out, &p);
	request_answer(r, status, MEDIA_PROBLEM);
}

void request_problem_member(struct request *r, const char *name, struct str json)
{
	problem_add_member(&r->out, name, json);
}

/* Translates a stream's return values for the library. */
static ssize_t read_stream(void *arg, uint64_t at, char *out, size_t max)
{
	struct request *r = arg;
	ssize_t n = r->own->stream(r, r->state, out, max);
	r->sent = at + (n > 0 ? (uint64_t)n : 0);
	return n == STREAM_END	 ? MHD_CONTENT_READER_END_OF_STREAM
	       : n == STREAM_CUT ? MHD_CONTENT_READER_END_WITH_ERROR
				 : n;
}

static ssize_t read_packed(void *arg, uint64_t at, char *out, size_t max)
{
	struct request *r = arg;
	ssize_t n = gzipper_next(r->own->packing, out, max);
	r->sent = at + (n > 0 ? (uint64_t)n : 0);
	return n > 0 ? n : n == 0 ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
}

/* Compressed content has another strong entity tag (RFC 9110, section 8.8.1): "7" becomes "7-gzip". */
static void mark_tag(struct request *r)
{
	struct header *tag = headers_find(&r->own->headers, "ETag");
	if (tag)
		tag->value =
		    arena_printf(&r->own->mem, "%.*s" TAG_COMPRESSED "\"", (int)strlen(tag->value) - 1, tag->value).p;
}

static void compress(struct request *r)
{
	struct request_private *o = r->own;
	if (!o->compressed && !o->stream && r->spool.fd < 0 && gzip_worth(r->out.n) && takes_gzip(r))
		o->compressed = gzip_compress(&r->out);
	if (r->spool.fd >= 0 && takes_gzip(r) && request_hold(r, GZIPPER_MEMORY))
		o->compressed = (o->packing = gzipper_new(spool_give(&r->spool))) != NULL;
	if (o->compressed) {
		request_set(r, "Content-Encoding", "gzip");
		mark_tag(r);
	}
}

static struct MHD_Response *response_of(struct request *r)
{
	struct MHD_Response *response;
	if (r->own->packing) {
		r->sent = r->spool.bytes;
		return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, PACKED_BLOCK, read_packed, r, NULL);
	}
	if (r->own->stream)
		return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream, r, NULL);
	if (r->spool.fd >= 0) {
		r->sent = r->spool.bytes;
		int fd = spool_give(&r->spool);
		response = MHD_create_response_from_fd64(r->sent, fd);
		if (!response)
			close(fd);
		return response; /* which closes it */
	}
	r->sent = r->out.n;
	response = MHD_create_response_from_buffer(r->out.n, r->out.p, MHD_RESPMEM_MUST_FREE);
	if (response)
		r->out = (struct buf){0};
	return response;
}

/* ---- the head of an answer ---- */

typedef void put_header(void *to, const char *name, const char *value);

static void each_header(const struct request *r, put_header *put, void *to)
{
	/* Only for answers that a cache may keep. */
	if (r->out_media)
		put(to, "Content-Type", r->out_media);
	if ((r->out_media || r->status == 304) && (*r->method == 'G' || *r->method == 'H'))
		put(to, "Vary", "Accept-Encoding");
	for (const struct header *h = r->own->headers.first; h; h = h->next)
		put(to, h->name, h->value);
	put(to, "X-Request-Id", r->request_id);
	if (r->traceparent[0])
		put(to, "traceparent", r->traceparent);
}

static void count_header(void *to, const char *name, const char *value)
{
	*(size_t *)to += strlen(name) + strlen(value) + strlen(": \r\n");
}

static void write_header(void *to, const char *name, const char *value)
{
	buf_printf(to, "%s: %s\r\n", name, value);
}

static void add_header(void *to, const char *name, const char *value)
{
	MHD_add_response_header(to, name, value);
}

/* The library has memory for the headers of the answer. */
static bool head_fits(const struct request *r)
{
	const struct request_private *o = r->own;
	size_t bytes = 0, taken = 2 * o->head_bytes + o->head_lines * HEADER_COST + HEADER_ROOM;
	each_header(r, count_header, &bytes);
	return bytes + LIBRARY_HEADERS <= HEADER_ROOM || bytes + taken <= o->server->conf.max_header + HEADER_SPARE;
}

void request_write(struct request *r)
{
	struct buf head = {0};
	int fd = MHD_get_connection_info(r->own->connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	buf_printf(&head, "HTTP/1.1 %u %s\r\nContent-Length: %zu\r\nConnection: close\r\n", r->status,
	    MHD_get_reason_phrase_for(r->status), r->out.n);
	each_header(r, write_header, &head);
	buf_str(&head, STR("\r\n"));
	if (strcmp(r->method, "HEAD") != 0)
		buf_str(&head, buf_view(&r->out));
	ssize_t n = send(fd, head.p, head.n, MSG_DONTWAIT | MSG_NOSIGNAL);
	/* It fits, unless the client has left earlier answers unread. */
	r->own->written = n == (ssize_t)head.n;
	r->sent = r->own->written ? r->out.n : 0;
	buf_free(&head);
}

/* The headers of the answer are too long for the library. A small answer is written without it: true. Else nothing has
 * changed, and a problem takes its place; or Location is left out, which the answer to a message can do without, since
 * the message has its id. */
static bool answer_crowded(struct request *r)
{
	const struct request_private *o = r->own;
	if (!o->stream && !o->packing && r->spool.fd < 0 && r->out.n <= WRITTEN_MOST) {
		request_write(r);
		return true;
	}
	if (*r->method != 'G' && *r->method != 'H') {
		headers_remove(&r->own->headers, "Location");
		return false;
	}
	headers_remove(&r->own->headers, "Link");
	headers_remove(&r->own->headers, "ETag");
	headers_remove(&r->own->headers, "Content-Encoding");
	gzipper_free(r->own->packing);
	r->own->packing = NULL;
	request_problem(r, 431, "headers_too_large",
	    "the headers of the request leave no room for those of the answer: send fewer, or a shorter query");
	return false;
}

enum MHD_Result request_queue(struct request *r)
{
	struct request_private *o = r->own;
	if (o->cut && r->status != 413)
		too_large(r);
	compress(r);
	if (!head_fits(r) && answer_crowded(r))
		return MHD_NO;
	struct MHD_Response *response = response_of(r);
	if (!response)
		return MHD_NO;
	each_header(r, add_header, response);
	o->queued = true;
	enum MHD_Result queued = MHD_queue_response(o->connection, r->status, response);
	MHD_destroy_response(response);
	return queued;
}
