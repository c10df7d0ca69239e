/* http.c - requests as a client may send them, to all routes of a server: what the headers mean, queries, tokens,
 * preconditions, bodies of all forms, the answer. The input is a request line, headers a line each, an empty line,
 * and the body; a request that names an Authorization goes to a server that asks for it. A body that is said to be
 * gzipped, and does not begin as gzip does, is compressed first. What is checked: lib/serve.h, and that a body that
 * comes in pieces, or compressed, is scored as if it were whole, or plain. */
#include <strings.h>
#include <zlib.h>

#include "tests/fuzz/lib/serve.h"

/* Cuts the first line off, which then ends with NUL. */
static char *next_line(char **text, const char *end)
{
	char *line = *text, *nl = memchr(line, '\n', (size_t)(end - line));
	*text = nl ? nl + 1 : (char *)(uintptr_t)end;
	*(nl ? nl : (char *)(uintptr_t)end) = 0;
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

/* Nothing answers what waits in the queue of a guarded server, so a client had better not wait for it. */
static bool is_wanted(const char *name, enum fuzz_server which)
{
	return which == FUZZ_OPEN || strcasecmp(name, "Prefer") != 0;
}

static enum fuzz_server read_headers(char **text, const char *end, struct fuzz_request *q)
{
	enum fuzz_server which = FUZZ_OPEN;
	char *line;
	while (*text < end && *(line = next_line(text, end))) {
		char *colon = strchr(line, ':');
		if (!colon || q->headers == FUZZ_HEADERS)
			continue;
		*colon++ = 0;
		q->header[q->headers].name = line;
		q->header[q->headers++].value = colon + strspn(colon, " \t");
		if (strcasecmp(line, "Authorization") == 0)
			which = FUZZ_GUARDED;
	}
	size_t n = 0;
	for (size_t i = 0; i < q->headers; i++)
		if (is_wanted(q->header[i].name, which))
			q->header[n++] = q->header[i];
	q->headers = n;
	return which;
}

/* What is stored changes what comes after; scoring does not. */
static bool is_scoring(const struct fuzz_request *q)
{
	return strncmp(q->target, "/v1/sentiment", 13) == 0;
}

/* The first header of that name; else the number of headers. */
static size_t find_header(const struct fuzz_request *q, const char *name)
{
	size_t i = 0;
	while (i < q->headers && strcasecmp(q->header[i].name, name) != 0)
		i++;
	return i;
}

/* True if there is a body, which is said to be gzipped but is not. The library gives no body without its length. */
static bool wants_gzip(const struct fuzz_request *q, size_t coding)
{
	size_t length = find_header(q, "Content-Length");
	return coding < q->headers && strcasecmp(q->header[coding].value, "gzip") == 0 && length < q->headers &&
	       strcmp(q->header[length].value, "0") != 0 && (q->body.n < 2 || memcmp(q->body.p, "\x1f\x8b", 2) != 0);
}

static void compress_body(struct str plain, struct buf *out)
{
	enum { GZIP = 16 + MAX_WBITS };
	z_stream z = {.next_in = (Bytef *)(uintptr_t)plain.p, .avail_in = (uInt)plain.n};
	CHECK(deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, GZIP, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	size_t most = deflateBound(&z, (uLong)plain.n);
	z.next_out = (Bytef *)buf_reserve(out, most);
	z.avail_out = (uInt)most;
	CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
	out->n += most - z.avail_out;
	deflateEnd(&z);
}

/* Asks with the body as it is, which must give the same sentiment as its compressed form gave. */
static void check_plain(enum fuzz_server which, struct fuzz_request q, size_t coding, struct str plain,
    const struct fuzz_answer *compressed)
{
	struct fuzz_answer a;
	q.body = plain;
	q.header[coding] = q.header[--q.headers];
	fuzz_ask(which, &q, &a);
	if (compressed->status == 200 && is_scoring(&q))
		CHECK(a.status == 200 && str_eq(buf_view(&a.body), buf_view(&compressed->body)));
	fuzz_answer_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = fuzz_copy(fuzz_input(data, size)), *text = copy, *end = copy + size;
	char *line = next_line(&text, end);
	struct fuzz_request q = {.piece = SIZE_MAX};
	struct fuzz_answer whole, pieces;
	q.method = next_word(&line);
	q.target = next_word(&line);
	q.version = *line ? line : "HTTP/1.1";
	enum fuzz_server which = read_headers(&text, end, &q);
	q.body = (struct str){text, (size_t)(end - text)};
	struct buf packed = {0};
	struct str plain = q.body;
	size_t coding = find_header(&q, "Content-Encoding");
	bool compress = wants_gzip(&q, coding);
	if (compress) {
		compress_body(plain, &packed);
		q.body = buf_view(&packed);
	}
	fuzz_ask(which, &q, &whole);
	if (compress)
		check_plain(which, q, coding, plain, &whole);
	q.piece = 1 + size % 7;
	fuzz_ask(which, &q, &pieces);
	if (is_scoring(&q)) {
		CHECK(whole.status == pieces.status);
		/* A problem names its request, which is another one now. */
		CHECK(whole.status != 200 || str_eq(buf_view(&whole.body), buf_view(&pieces.body)));
	}
	fuzz_answer_free(&whole);
	fuzz_answer_free(&pieces);
	buf_free(&packed);
	free(copy);
	return 0;
}
