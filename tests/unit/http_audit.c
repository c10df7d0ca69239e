/* Requests that two servers may read in two ways. */
#include "lib/http/audit.h"

#include "tests/unit/tap.h"

enum { MOST = 4 };

static const struct {
	const char *why; /* NULL: nothing is wrong with it */
	const char *target;
	bool old;
	const char *header[MOST][2];
} cases[] = {
    {NULL, "/", false, {{"Host", "a"}}},
    {NULL, "/", true, {{NULL, NULL}}},
    {NULL, "/", false, {{"host", "a"}, {"Content-Length", "5"}, {"Accept", "x\ty\xff"}}},
    {NULL, "/", false, {{"Host", "a"}, {"Transfer-Encoding", "Chunked"}}},
    {NULL, "/", false, {{"Host", "a"}, {"X-Content-Length", "5"}, {"Content-Length", "5"}}},
    {"no Host header", "/", false, {{"Hostess", "a"}}},
    {"two Host headers", "/", false, {{"Host", "a"}, {"HOST", "a"}}},
    {"two Authorization headers", "/", false, {{"Host", "a"}, {"Authorization", "x"}, {"authorization", "x"}}},
    {"two Content-Length headers", "/", false, {{"Host", "a"}, {"Content-Length", "5"}, {"content-length", "5"}}},
    {"Content-Length together with Transfer-Encoding", "/", false,
	{{"Host", "a"}, {"Content-Length", "5"}, {"Transfer-Encoding", "chunked"}}},
    {"Transfer-Encoding in HTTP/1.0", "/", true, {{"Transfer-Encoding", "chunked"}}},
    {"a Transfer-Encoding other than chunked", "/", false, {{"Host", "a"}, {"Transfer-Encoding", "gzip, chunked"}}},
    {"a Transfer-Encoding other than chunked", "/", false, {{"Host", "a"}, {"Transfer-Encoding", "chunked, identity"}}},
    {"a Transfer-Encoding other than chunked", "/", false, {{"Host", "a"}, {"Transfer-Encoding", NULL}}},
    {"a Transfer-Encoding other than chunked", "/", false,
	{{"Host", "a"}, {"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}}},
    {"a header's name is empty, or holds a blank or a control character", "/", false, {{"Host", "a"}, {"", "x"}}},
    {"a header's name is empty, or holds a blank or a control character", "/", false, {{"Host", "a"}, {"B ", "x"}}},
    {"a header's name is empty, or holds a blank or a control character", "/", false, {{"Host", "a"}, {"B\xe9", "x"}}},
    {"a header's value holds a control character", "/", false, {{"Host", "a"}, {"B", "x\rC: y"}}},
    {"a header's value holds a control character", "/", false, {{"Host", "a"}, {"B", "\x7f"}}},
    {"a blank or a control character in the path", "/a b", false, {{"Host", "a"}}},
    {"a blank or a control character in the path", "/a\x7f", false, {{"Host", "a"}}},
    {"a blank or a control character in the path", "/?q=\t", false, {{"Host", "a"}}},
};

/* The library keeps each name before its value, which audit_header relies on. */
static void look(struct audit *a, const char *name, const char *value)
{
	static char room[MOST * 4][64];
	static size_t at;
	char *line = room[at++ % COUNT_OF(room)], *after = line + strlen(name) + 1;
	memcpy(line, name, strlen(name) + 1);
	if (value)
		memcpy(after, value, strlen(value) + 1);
	audit_header(a, line, value ? after : NULL);
}

int main(void)
{
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct audit a = {0};
		for (size_t k = 0; k < MOST && cases[i].header[k][0]; k++)
			look(&a, cases[i].header[k][0], cases[i].header[k][1]);
		const char *why = audit_verdict(&a, cases[i].target, cases[i].old);
		is_str(why ? str_of(why) : STR_NONE, cases[i].why ? str_of(cases[i].why) : STR_NONE, "case %zu", i);
	}
	struct audit a = {0};
	char moved[] = "x\0 Content-Length";
	audit_header(&a, moved + 2, moved);
	ok(a.folded, "a name that was moved after its value is of a continued line");
	a = (struct audit){0};
	look(&a, "Content-Type", "text/a");
	look(&a, "X-Request-Id", "r");
	look(&a, "Traceparent", "t");
	look(&a, "Content-Length", "12");
	is_str(str_of(a.content_type), STR("text/a"), "the type is kept");
	is_str(str_of(a.request_id), STR("r"), "so is the request's id");
	is_str(str_of(a.traceparent), STR("t"), "and the trace");
	is_str(str_of(a.content_length), STR("12"), "and the length");
	return tap_done();
}
