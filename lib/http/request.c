/* request.c - one request and its answer: what the headers mean, which route takes it, how the answer is sent. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "lib/base/clock.h"
#include "lib/json/scan.h"
#include "lib/json/write.h"
#include "lib/http/cors.h"
#include "lib/http/http_internal.h"
#include "lib/text/hash.h"
#include "lib/base/utf8.h"

enum { GZIP_FROM = 1024, GZIP_LEVEL = 1, STREAM_BLOCK = 1024 };

int64_t request_clock_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

struct request *request_new(struct http *h, const char *uri)
{
	struct both {
		struct request x;
		struct request_private own;
	} *both = xcalloc(1, sizeof *both);
	struct request *x = &both->x;
	x->own = &both->own;
	x->own->http = h;
	x->own->uri = xstrdup(uri);
	x->own->last_header = &x->own->header;
	x->own->mem.p = x->own->room;
	x->own->mem.end = x->own->room + sizeof x->own->room;
	x->out_fd = -1;
	x->method = "";
	x->path = x->own->uri;
	x->began_us = request_clock_us();
	return x;
}

void request_free(struct request *x)
{
	struct request_private *o = x->own;
	if (o->begun) {
		if (o->http->conf.ended)
			o->http->conf.ended(x, o->http->conf.ended_arg);
		atomic_fetch_sub(&o->http->busy, 1);
	}
	if (x->drop)
		x->drop(x->state);
	if (x->out_fd >= 0)
		close(x->out_fd);
	atomic_fetch_sub(&o->http->held, o->held);
	buf_free(&x->body);
	buf_free(&x->out);
	arena_free(&o->mem);
	free(o->uri);
	free(x);
}

/* ---- what was asked ---- */

long percent_decode(struct str in, bool plus, char **out)
{
	char *to = xmalloc(in.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < in.n; i++) {
		char c = in.p[i];
		if (c == '%') {
			static const char digits[] = "0123456789abcdef";
			const char *high, *low;
			if (in.n - i < 3 || !in.p[i + 1] || !in.p[i + 2] ||
			    !(high = strchr(digits, tolower((unsigned char)in.p[i + 1]))) ||
			    !(low = strchr(digits, tolower((unsigned char)in.p[i + 2]))) ||
			    (high == low && high == digits))
				goto bad;
			c = (char)((high - digits) << 4 | (low - digits));
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		to[n++] = c;
	}
	to[n] = 0;
	if (utf8_valid_prefix((struct str){to, n}) == n) {
		*out = to;
		return (long)n;
	}
bad:
	free(to);
	return -1;
}

/* The same into the request's memory. */
static bool decode(struct request *x, struct str in, bool plus, struct str *out)
{
	char *p;
	long n = percent_decode(in, plus, &p);
	if (n < 0)
		return false;
	char *kept = arena_alloc(&x->own->mem, (size_t)n + 1);
	memcpy(kept, p, (size_t)n + 1);
	free(p);
	*out = (struct str){kept, (size_t)n};
	return true;
}

const char *request_header(const struct request *x, const char *name)
{
	return MHD_lookup_connection_value(x->own->connection, MHD_HEADER_KIND, name);
}

/* A parameter that does not decode is kept as absent text with its name, so that a bad query can be told. */
static bool read_query(struct request *x, const char *query)
{
	bool good = true;
	while (*query) {
		size_t n = strcspn(query, "&"), name = strcspn(query, "=&");
		struct pair *p = arena_alloc(&x->own->mem, sizeof *p);
		*p = (struct pair){.next = x->own->query};
		struct str value = name < n ? (struct str){query + name + 1, n - name - 1} : STR("");
		if (decode(x, (struct str){query, name}, true, &p->name) && decode(x, value, true, &p->value))
			x->own->query = p;
		else
			good = false;
		query += n + (query[n] == '&');
	}
	return good;
}

struct str request_query(struct request *x, const char *name)
{
	struct str want = str_of(name);
	for (const struct pair *p = x->own->query; p; p = p->next)
		if (str_eq(p->name, want))
			return p->value;
	return STR_NONE;
}

bool request_accepts(const struct request *x, const char *header, const char *value, bool absent)
{
	const char *list = request_header(x, header);
	if (!list)
		return absent;
	size_t n = strlen(value);
	while (*list) {
		list += strspn(list, ", \t");
		size_t item = strcspn(list, ","), word = strcspn(list, ",; \t");
		if (word == n && strncasecmp(list, value, n) == 0) {
			const char *q = memchr(list, ';', item);
			q = q ? strcasestr(q, "q=") : NULL;
			return !q || q >= list + item || strtod(q + 2, NULL) > 0;
		}
		list += item;
	}
	return false;
}

/* What one pass over the headers finds. Lent by the connection. */
struct look {
	unsigned lengths, hosts, codings, credentials;
	bool bad_name, bad_value, bad_coding, folded;
	const char *type, *length, *id, *trace;
};

static enum MHD_Result look_at(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct look *l = arg;
	(void)kind;
	l->bad_name |= !*name;
	for (const unsigned char *p = (const unsigned char *)name; *p; p++)
		l->bad_name |= *p <= ' ' || *p >= 127;
	for (const unsigned char *p = (const unsigned char *)value; p && *p; p++)
		l->bad_value |= (*p < ' ' && *p != '\t') || *p == 127;
	/* Of a line that is continued on the next one, libmicrohttpd 0.9.75 takes the continuation for more of the name, so that
	 * "Content-Length: 5" would be no length. It moves such a name behind the values, where no other stands. */
	l->folded |= value && (uintptr_t)value < (uintptr_t)name;
	switch (name[0] | 0x20) {
	case 'a':
		l->credentials += strcasecmp(name, "Authorization") == 0;
		break;
	case 'c':
		if (strcasecmp(name, "Content-Length") == 0) {
			l->lengths++;
			l->length = value;
		} else if (strcasecmp(name, "Content-Type") == 0) {
			l->type = value;
		}
		break;
	case 'h':
		l->hosts += strcasecmp(name, "Host") == 0;
		break;
	case 't':
		if (strcasecmp(name, "Transfer-Encoding") == 0) {
			l->codings++;
			l->bad_coding |= !value || strcasecmp(value, "chunked") != 0;
		} else if (strcasecmp(name, "traceparent") == 0) {
			l->trace = value;
		}
		break;
	case 'x':
		if (strcasecmp(name, "X-Request-Id") == 0)
			l->id = value;
		break;
	}
	return MHD_YES;
}

/* Requests that two servers may understand differently are refused: a proxy in front of us could then be made to let through
 * what it would not (RFC 9112, section 11.2). */
static const char *ambiguous(const struct look *l, const char *path, bool old)
{
	for (const unsigned char *p = (const unsigned char *)path; *p; p++)
		if (*p <= ' ' || *p == 127)
			return "a blank or a control character in the path";
	return l->bad_name			 ? "a header's name is empty, or holds a blank or a control character"
	       : l->bad_value			 ? "a header's value holds a control character"
	       : l->folded			 ? "a header is continued on a second line"
	       : l->hosts == 0 && !old		 ? "no Host header"
	       : l->hosts > 1			 ? "two Host headers"
	       : l->credentials > 1		 ? "two Authorization headers"
	       : l->lengths > 1			 ? "two Content-Length headers"
	       : l->lengths && l->codings	 ? "Content-Length together with Transfer-Encoding"
	       : l->codings && old		 ? "Transfer-Encoding in HTTP/1.0"
	       : l->codings > 1 || l->bad_coding ? "a Transfer-Encoding other than chunked"
						 : NULL;
}

/* Whether the route's path is this one; a segment in braces is left in *segment. */
static bool fits(const char *pattern, const char *path, struct str *segment)
{
	for (;;) {
		if (*pattern == '{') {
			size_t n = strcspn(path, "/");
			if (n == 0)
				return false;
			*segment = (struct str){path, n};
			path += n;
			pattern = strchr(pattern, '}') + 1;
		} else if (*pattern != *path) {
			return false;
		} else if (!*pattern) {
			return true;
		} else {
			pattern++;
			path++;
		}
	}
}

static void method_not_allowed(struct request *x, const char *allow)
{
	request_set(x, "Allow", "%s", allow);
	if (strcmp(x->method, "OPTIONS") == 0) {
		if (x->own->cross_origin)
			cors_preflight(x, allow);
		request_answer(x, 204, NULL);
	} else {
		request_problem(x, 405, "method_not_allowed", "%s is not for this path; it takes %s", x->method, allow);
	}
}

/* The methods of all routes at this path, as in Allow. */
static void list_methods(const struct request *x, struct buf *out)
{
	struct str ignored;
	for (const struct route *r = x->own->http->conf.route; r->path; r++)
		if (fits(r->path, x->path, &ignored))
			buf_printf(out, "%s, %s", r->method, strcmp(r->method, "GET") == 0 ? "HEAD, " : "");
	buf_add(out, "OPTIONS", sizeof "OPTIONS");
}

static void find_route(struct request *x)
{
	struct buf allow = {0};
	const char *method = strcmp(x->method, "HEAD") == 0 ? "GET" : x->method;
	bool known = false;
	for (const struct route *r = x->own->http->conf.route; r->path; r++) {
		struct str segment = STR_NONE;
		if (!fits(r->path, x->path, &segment))
			continue;
		known = true;
		if (strcmp(r->method, method) != 0)
			continue;
		x->route = r;
		if (segment.p && !decode(x, segment, false, &x->segment))
			request_problem(x, 400, "bad_path", "the path's last part is not percent-encoded UTF-8 text");
		return;
	}
	if (!known) {
		request_problem(
		    x, 404, "no_such_path", "there is nothing at this path; /openapi.json lists what there is");
		return;
	}
	list_methods(x, &allow);
	method_not_allowed(x, allow.p);
	buf_free(&allow);
}

static bool is_token(const char *s, size_t most)
{
	size_t n = strlen(s);
	return n && n < most && strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:") == n;
}

/* Unique among all servers' without a system call each: a random number of this process, and a count. */
static void name_request(struct request *x)
{
	static atomic_uint_fast64_t count;
	static const char hex_digit[] = "0123456789abcdef";
	uint64_t n = atomic_fetch_add(&count, 1);
	int shift = 60;
	while (shift && !(n >> shift))
		shift -= 4;
	char *to = x->request_id;
	memcpy(to, x->own->http->id, UUID_LEN);
	to += UUID_LEN;
	for (*to++ = '-'; shift >= 0; shift -= 4)
		*to++ = hex_digit[n >> shift & 15];
	*to = 0;
}

static void correlate(struct request *x, const struct look *l)
{
	if (l->id && is_token(l->id, sizeof x->request_id))
		memcpy(x->request_id, l->id, strlen(l->id) + 1);
	else
		name_request(x);
	if (l->trace && strlen(l->trace) == 55 && is_token(l->trace, 56))
		memcpy(x->traceparent, l->trace, 56);
}

static void read_media(struct request *x, const char *type)
{
	size_t n = type ? strcspn(type, "; \t") : 0;
	if (n >= sizeof x->media)
		n = sizeof x->media - 1;
	for (size_t i = 0; i < n; i++)
		x->media[i] = (char)tolower((unsigned char)type[i]);
	x->media[n] = 0;
}

/* Where the path begins in the form that proxies are sent, "http://HOST/PATH". */
static const char *behind_host(const char *target)
{
	size_t n = strncasecmp(target, "http://", 7) == 0 ? 7 : strncasecmp(target, "https://", 8) == 0 ? 8 : 0;
	if (!n)
		return target;
	target += n + strcspn(target + n, "/?");
	return *target == '/' ? target : "/";
}

int request_begin(struct request *x, struct MHD_Connection *c, const char *method, const char *version)
{
	struct request_private *o = x->own;
	o->connection = c;
	o->begun = true;
	atomic_fetch_add(&o->http->busy, 1);
	x->method = method;
	struct look look = {0};
	MHD_get_connection_values(c, MHD_HEADER_KIND, look_at, &look);
	correlate(x, &look);
	read_media(x, look.type);
	if (o->http->conf.cors)
		o->cross_origin = cors_begin(x, o->http->conf.cors);
	o->has_body = look.codings || (look.length && strcmp(look.length, "0") != 0);
	const char *why = ambiguous(&look, x->path, strcmp(version, "HTTP/1.0") == 0);
	char *query = strchr(x->path, '?');
	if (query)
		*query++ = 0;
	x->path = behind_host(x->path);
	if (why) {
		o->has_body = true; /* whatever follows is not looked at */
		request_set(x, "Connection", "close");
		request_problem(x, 400, "ambiguous_request", "%s", why);
		return -1;
	}
	find_route(x);
	if (o->answered)
		return -1;
	if (query && !read_query(x, query))
		request_problem(x, 400, "bad_query", "the query is not percent-encoded UTF-8 text");
	else if (look.length && strtoull(look.length, NULL, 10) > o->http->conf.max_body)
		request_problem(x, 413, "too_large", "the body has more than %zu bytes", o->http->conf.max_body);
	else if (o->http->conf.admit)
		o->http->conf.admit(x, o->http->conf.admit_arg);
	if (!o->answered && x->route->begin)
		x->route->begin(x, x->route->app);
	return o->answered ? -1 : 0;
}

/* Takes from the server's allowance; what has been taken is given back with the request. */
static bool hold(struct request *x, size_t n)
{
	struct http *h = x->own->http;
	x->own->held += n;
	return atomic_fetch_add(&h->held, n) + n <= h->conf.max_held;
}

static void busy(struct request *x)
{
	request_set(x, "Retry-After", "1");
	request_problem(x, 503, "busy", "too much is being worked on; try again in a second");
}

/* A body that is too large is read on to twice the limit, since nothing can be answered in its midst, and many clients look for an
 * answer only when they have sent all. */
int request_take(struct request *x, const char *p, size_t n)
{
	struct request_private *o = x->own;
	size_t most = o->http->conf.max_body;
	o->arrived += n;
	if (o->arrived > most) {
		o->cut = true;
		buf_free(&x->body);
		return o->arrived > 2 * most ? -1 : 0;
	}
	if (o->answered)
		return 0;
	if (x->route->piece && x->route->piece(x, x->route->app, (struct str){p, n}))
		return 0;
	if (hold(x, n)) {
		if (!x->body.p)
			buf_reserve(&x->body, n + JSON_PAD);
		buf_add(&x->body, p, n);
	} else {
		buf_free(&x->body);
		busy(x);
	}
	return 0;
}

/* ---- what is answered ---- */

void request_set(struct request *x, const char *name, const char *fmt, ...)
{
	char value[2048];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(value, sizeof value, fmt, ap);
	va_end(ap);
	struct arena *mem = &x->own->mem;
	struct pair *p = arena_alloc(mem, sizeof *p);
	size_t length = n < 0 ? 0 : (size_t)n < sizeof value ? (size_t)n : sizeof value - 1;
	*p = (struct pair){.name = arena_str(mem, (struct str){name, strlen(name) + 1}),
	    .value = arena_str(mem, (struct str){value, length + 1})};
	*x->own->last_header = p;
	x->own->last_header = &p->next;
}

void request_answer(struct request *x, unsigned status, const char *media)
{
	x->status = status;
	x->out_media = media;
	x->own->answered = true;
}

void request_stream(struct request *x, unsigned status, const char *media,
    ssize_t (*read)(struct request *x, void *arg, char *out, size_t max), void *arg, void (*drop)(void *arg))
{
	x->own->stream = read;
	x->state = arg;
	x->drop = drop;
	request_answer(x, status, media);
}

/* The library's own numbers for what a stream answers. */
static ssize_t read_stream(void *arg, uint64_t at, char *out, size_t max)
{
	struct request *x = arg;
	ssize_t n = x->own->stream(x, x->state, out, max);
	x->sent = at + (n > 0 ? (uint64_t)n : 0);
	return n == STREAM_END	 ? MHD_CONTENT_READER_END_OF_STREAM
	       : n == STREAM_CUT ? MHD_CONTENT_READER_END_WITH_ERROR
				 : n;
}

static const char *title_of(unsigned status)
{
	const char *title = MHD_get_reason_phrase_for(status);
	return title ? title : "Error";
}

void request_problem(struct request *x, unsigned status, const char *kind, const char *fmt, ...)
{
	char detail[1024];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(detail, sizeof detail, fmt, ap);
	va_end(ap);
	size_t length = n < 0 ? 0 : (size_t)n < sizeof detail ? (size_t)n : sizeof detail - 1;
	buf_clear(&x->out);
	if (x->out_fd >= 0)
		close(x->out_fd);
	x->out_fd = -1;
	buf_printf(&x->out, "{\"type\":\"urn:senti:problem:%s\",\"title\":\"%s\",\"status\":%u,\"detail\":", kind,
	    title_of(status), status);
	json_put_lossy(&x->out, (struct str){detail, length});
	buf_printf(&x->out, ",\"instance\":\"urn:senti:request:%s\"}\n", x->request_id);
	request_answer(x, status, MEDIA_PROBLEM);
}

void request_problem_member(struct request *x, const char *name, struct str json)
{
	x->out.n -= sizeof "}\n" - 1;
	buf_printf(&x->out, ",\"%s\":", name);
	buf_str(&x->out, json);
	buf_str(&x->out, STR("}\n"));
}

bool request_answered(const struct request *x)
{
	return x->own->answered;
}

void request_defer(struct request *x)
{
	x->own->deferred = true;
	MHD_suspend_connection(x->own->connection);
}

void request_pause(struct request *x)
{
	x->own->paused = true;
	MHD_suspend_connection(x->own->connection);
}

void request_resume(struct request *x)
{
	MHD_resume_connection(x->own->connection);
}

/* True if the body was compressed in place. */
static bool compress_body(struct request *x)
{
	z_stream z = {0};
	if (deflateInit2(&z, GZIP_LEVEL, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	struct buf small = {0};
	size_t room = deflateBound(&z, x->out.n);
	z.next_in = (unsigned char *)x->out.p;
	z.avail_in = (unsigned)x->out.n;
	z.next_out = (unsigned char *)buf_reserve(&small, room);
	z.avail_out = (unsigned)room;
	bool done = deflate(&z, Z_FINISH) == Z_STREAM_END;
	small.n = room - z.avail_out;
	deflateEnd(&z);
	if (!done || small.n >= x->out.n) {
		buf_free(&small);
		return false;
	}
	buf_free(&x->out);
	x->out = small;
	return true;
}

/* Other bytes have another strong entity tag (RFC 9110, section 8.8.1): "7" becomes "7-gzip". */
static void mark_tag(struct request *x)
{
	for (struct pair *p = x->own->header; p; p = p->next)
		if (strcmp(p->name.p, "ETag") == 0) {
			size_t n = strlen(p->value.p) + sizeof "-gzip";
			char *tag = arena_alloc(&x->own->mem, n);
			snprintf(tag, n, "%.*s-gzip\"", (int)strlen(p->value.p) - 1, p->value.p);
			p->value = (struct str){tag, n};
		}
}

static bool wants_gzip(const struct request *x)
{
	return x->out.n >= GZIP_FROM && x->out.n < UINT32_MAX / 2 &&
	       request_accepts(x, "Accept-Encoding", "gzip", false);
}

static struct MHD_Response *response_of(struct request *x)
{
	struct stat st;
	if (x->own->stream)
		return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream, x, NULL);
	if (x->out_fd >= 0 && fstat(x->out_fd, &st) == 0) {
		struct MHD_Response *r = MHD_create_response_from_fd64((uint64_t)st.st_size, x->out_fd);
		x->sent = (uint64_t)st.st_size;
		if (r)
			x->out_fd = -1; /* the response closes it */
		return r;
	}
	if (wants_gzip(x) && compress_body(x)) {
		request_set(x, "Content-Encoding", "gzip");
		mark_tag(x);
	}
	x->sent = x->out.n;
	hold(x, x->out.n);
	struct MHD_Response *r = MHD_create_response_from_buffer(x->out.n, x->out.p, MHD_RESPMEM_MUST_FREE);
	if (r)
		x->out = (struct buf){0};
	return r;
}

enum MHD_Result request_queue(struct request *x)
{
	struct request_private *o = x->own;
	if (o->cut && x->status != 413)
		request_problem(x, 413, "too_large", "the body has more than %zu bytes", o->http->conf.max_body);
	/* Only what a cache may keep. */
	bool varies = ((x->out_media && x->out_fd < 0) || x->status == 304) && (*x->method == 'G' || *x->method == 'H');
	struct MHD_Response *r = response_of(x);
	if (!r)
		return MHD_NO;
	if (x->out_media)
		MHD_add_response_header(r, "Content-Type", x->out_media);
	if (varies)
		MHD_add_response_header(r, "Vary", "Accept-Encoding");
	for (const struct pair *p = o->header; p; p = p->next)
		MHD_add_response_header(r, p->name.p, p->value.p);
	MHD_add_response_header(r, "X-Request-Id", x->request_id);
	if (x->traceparent[0])
		MHD_add_response_header(r, "traceparent", x->traceparent);
	o->queued = true;
	enum MHD_Result queued = MHD_queue_response(o->connection, x->status, r);
	MHD_destroy_response(r);
	return queued;
}
