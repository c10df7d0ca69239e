/* ingest.c - whatever the bytes, every format gives records that are valid JSON with an id and a text, and rejects
 * with a code; and no line that is not blank gets lost: of formats that go line by line, each gives one or the
 * other. The first byte chooses the format and the options, also --join; with --time-format, the first line is one. */
#include "lib/flow/mem.h"
#include "lib/ingest/decode.h"
#include "tests/fuzz/fuzz.h"

static void find(const char *what, struct str line)
{
	fprintf(stderr, "find: %s in: %.*s\n", what, STR_FMT(line));
	abort();
}

#define CHECK(good, line) ((good) ? (void)0 : find(#good, (line)))

/* A source over the lines of the input, ends included. */
struct input {
	struct source port;
	struct str in;
	uint64_t lineno;
};

static enum next input_next(struct source *port, struct batch *b, const struct limits *l, int wake, struct err *e)
{
	struct input *s = (struct input *)port;
	(void)wake;
	(void)e;
	while (s->in.n && b->n < l->records) {
		const char *nl = memchr(s->in.p, '\n', s->in.n);
		size_t n = nl ? (size_t)(nl - s->in.p) + 1 : s->in.n;
		struct str copy = arena_str(&b->mem, (struct str){s->in.p, n});
		struct rec *r = batch_add(b);
		r->line = copy;
		r->origin = "stdin";
		r->lineno = ++s->lineno;
		s->in = (struct str){s->in.p + n, s->in.n - n};
	}
	return b->n ? NEXT_BATCH : NEXT_END;
}

static int input_close(struct source *port, struct err *e)
{
	(void)port;
	(void)e;
	return 0;
}

static void check(const struct rec *r, const struct format *f)
{
	struct json_scan s = {0};
	struct buf out = {0};
	if (r->fate == FATE_REJECTED) {
		CHECK(r->code && r->why.n, r->line);
		return;
	}
	rec_put(&out, r);
	size_t n = out.n;
	memset(buf_reserve(&out, JSON_PAD), 0, JSON_PAD);
	struct str line = {out.p, n};
	CHECK(f == &format_reject || !memchr(line.p, '\n', n), line);
	if (f != &format_reject) {
		CHECK(json_scan(&s, line) == 0, line);
		const struct json_member *id = json_find(&s, STR("id")), *text = json_find(&s, STR("text"));
		CHECK(id && id->type == JSON_STRING && text && text->type == JSON_STRING, line);
	}
	json_scan_free(&s);
	buf_free(&out);
}

/* Takes the first line as a format, with others after it. New: what conf->times lends. */
static char *take_time_format(struct ingest *conf, struct str *in)
{
	static const char *const others[] = {"%m/%d/%y %H:%M:%S.%f", "%a %b %d %T %Z %Y", "epoch-us"};
	const char *nl = memchr(in->p, '\n', in->n);
	size_t n = nl ? (size_t)(nl - in->p) : in->n;
	char *format = str_dup((struct str){in->p, n});
	struct err e;
	*in = (struct str){in->p + n + (nl != NULL), in->n - n - (nl != NULL)};
	if (time_formats_add(&conf->times, format, &e) < 0)
		CHECK(e.kind == ERR_USAGE && e.msg[0], STR(""));
	for (size_t i = 0; i < COUNT_OF(others); i++)
		CHECK(time_formats_add(&conf->times, others[i], &e) == 0, STR(""));
	return format;
}

static bool is_mail(const struct format *f)
{
	return f == &format_mbox || f == &format_maildir;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct format *const formats[] = {
	    &format_csv, &format_tsv, &format_text, &format_json, &format_journal, &format_reject, &format_log, NULL};
	static const struct limits limits = {.records = 3, .bytes = 1 << 20, .max_record = 1 << 10};
	if (size < 1)
		return 0;
	struct ingest conf = {.format = formats[data[0] % COUNT_OF(formats)], .source = STR("fuzz")};
	if (conf.format == &format_reject)
		conf.source = STR_NONE;
	if (conf.format == &format_log)
		conf.pattern = data[0] & 8 ? "syslog" : "combined";
	conf.no_header = data[0] & 16;
	if (!conf.format && (data[0] & 24) == 24) {
		conf.format = data[0] & 64 ? &format_maildir : &format_mbox;
		conf.no_header = false;
	}
	if (data[0] & 32 && conf.format && !is_mail(conf.format) && conf.format != &format_text &&
	    conf.format != &format_reject)
		conf.time = "t";
	struct err e;
	if (data[0] & 64 && !is_mail(conf.format))
		conf.encoding = encoding_new("utf-8,windows-1252", &e);
	conf.unescape = data[0] & 128;
	if (conf.format == &format_text ? data[0] & 8 : conf.format == &format_log && data[0] & 16)
		conf.join = "^[^ \\t]";
	struct input input = {
	    .port = {.next = input_next, .close = input_close}, .in = {(const char *)data + 1, size - 1}};
	char *format = conf.time && data[0] & 8 ? take_time_format(&conf, &input.in) : NULL;
	struct source *s = source_decode(&conf, &input.port, false);
	struct batch b = {0};
	enum next next;
	while ((next = s->next(s, &b, &limits, -1, &e)) == NEXT_BATCH) {
		CHECK(b.n > 0 && b.n <= limits.records, STR(""));
		for (size_t i = 0; i < b.n; i++)
			check(&b.rec[i], conf.format);
		batch_reset(&b);
	}
	/* Mail needs GMime. */
	CHECK(next == NEXT_END || ((e.kind == ERR_USAGE || is_mail(conf.format)) && e.msg[0]), STR(""));
	s->close(s, &e);
	encoding_free(conf.encoding);
	batch_free(&b);
	free(format);
	return 0;
}
