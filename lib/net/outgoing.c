/* outgoing.c - fills messages and their headers. */
#include "lib/net/outgoing.h"

#include "lib/json/write.h"

enum { LONGEST_ID = 255, MOST_WHY = 4096, KEEP = 8 << 20 };

static struct str shorter(struct str s, size_t most)
{
	return (struct str){s.p, s.n < most ? s.n : most};
}

/* The id of a record: from a stage, from the line, or of the message that brought it (a dead letter keeps its bytes).
 * Empty if there is none, or it is too long for a property. */
static struct str id_of(struct packer *k, const struct rec *r)
{
	struct str id = r->id;
	if (!id.p) {
		/* No stage adds an id without having scanned the record. */
		const struct json_member *m = json_scan(&k->scan, r->line) == 0 ? json_find(&k->scan, STR("id")) : NULL;
		batch_reset(&k->scratch);
		id = m && m->type == JSON_STRING	? json_decode(m, &k->scratch.mem)
		     : r->envelope && r->envelope->id.n ? r->envelope->id
							: STR("");
	}
	return id.n <= LONGEST_ID ? id : STR("");
}

static struct str trace_of(const struct rec *r)
{
	return r->envelope ? r->envelope->trace : STR("");
}

static void add_line(struct packer *k, struct window *w, struct outgoing *m, const struct rec *r)
{
	size_t before = w->bytes.n;
	if (m->body.n == 0)
		m->body.at = before;
	rec_put(&w->bytes, r);
	if (k->most > 1)
		buf_char(&w->bytes, '\n');
	m->body.n += w->bytes.n - before;
}

/* Id and trace come before the body, which grows. A pack has its first record's id, and the trace if all share it. */
static void start(struct packer *k, struct window *w, struct outgoing *m, const struct rec *r, struct str trace)
{
	m->lines = k->most > 1;
	m->id = window_keep(w, id_of(k, r));
	m->trace = window_keep(w, trace);
}

/* How many records from i on go into one message, and whether they share a trace. */
static size_t run_length(const struct packer *k, const struct batch *b, size_t i, bool *one_trace)
{
	struct str trace = trace_of(&b->rec[i]);
	size_t n = 0, bytes = 0, end = i;
	*one_trace = true;
	for (; end < b->n && n < k->most; end++) {
		const struct rec *r = &b->rec[end];
		if (r->fate != FATE_OUT)
			continue;
		bytes += r->line.n + r->add.n + 1;
		if (n && bytes > (k->bytes ? k->bytes : PACK_BYTES))
			break;
		*one_trace = *one_trace && str_eq(trace_of(r), trace);
		n++;
	}
	return end - i;
}

int pack_records(struct packer *k, struct window *w, const struct batch *b)
{
	for (size_t i = 0; i < b->n;) {
		if (b->rec[i].fate != FATE_OUT) {
			i++;
			continue;
		}
		bool one_trace;
		size_t n = run_length(k, b, i, &one_trace);
		struct outgoing *m = window_add(w);
		start(k, w, m, &b->rec[i], one_trace ? trace_of(&b->rec[i]) : STR(""));
		for (size_t end = i + n; i < end; i++)
			if (b->rec[i].fate == FATE_OUT)
				add_line(k, w, m, &b->rec[i]);
	}
	return 0;
}

/* Header texts must be UTF-8: other bytes become U+FFFD. */
static struct window_part keep_text(struct packer *k, struct window *w, struct str s)
{
	buf_clear(&k->line);
	json_put_lossy(&k->line, shorter(s, MOST_WHY));
	/* The JSON spelling without its quotes, unless it needed escapes. */
	struct str spelled = {k->line.p + 1, k->line.n - 2};
	if (!memchr(spelled.p, '\\', spelled.n))
		return window_keep(w, spelled);
	struct buf plain = {0};
	json_unescape(spelled, &plain);
	struct window_part at = window_keep(w, buf_view(&plain));
	buf_free(&plain);
	return at;
}

static void dead_letter(struct packer *k, struct window *w, const struct rec *r, const char *tool)
{
	const struct rec_cause *c = r->cause;
	struct outgoing m = {.tries = r->envelope->tries, .truncated = r->truncated};
	struct str id = r->envelope->id.n ? r->envelope->id : r->id.p ? r->id : STR("");
	m.id = window_keep(w, id.n <= LONGEST_ID ? id : STR(""));
	m.trace = window_keep(w, r->envelope->trace);
	m.code = keep_text(k, w, str_of(r->code));
	m.why = keep_text(k, w, r->why);
	m.tool = keep_text(k, w, c && c->tool.p ? c->tool : str_of(tool));
	if (c && c->status.p) {
		m.status = keep_text(k, w, c->status);
		m.words = keep_text(k, w, c->words);
	}
	m.body = window_keep(w, r->envelope->body);
	*window_add(w) = m;
}

/* The beginning of a line that is not in memory; the rest is read and dropped. */
static int long_line(struct window *w, const struct rec *r, const char *tool, struct source *from, struct err *e)
{
	struct buf kept = {0};
	struct str chunk = r->line;
	bool truncated = false;
	int rc;
	do {
		size_t room = (size_t)KEEP - kept.n;
		truncated = truncated || chunk.n > room;
		buf_str(&kept, shorter(chunk, room));
		rc = from->rest(from, &chunk, e);
	} while (rc > 0);
	if (rc == 0) {
		struct rec whole = *r;
		whole.line = buf_view(&kept);
		whole.truncated = truncated;
		struct window_part body = {w->bytes.n, 0};
		rec_put_reject(&w->bytes, &whole, tool);
		body.n = w->bytes.n - body.at;
		window_add(w)->body = body;
	}
	buf_free(&kept);
	return rc;
}

static void reject_object(struct window *w, const struct rec *r, const char *tool)
{
	struct window_part body = {w->bytes.n, 0};
	rec_put_reject(&w->bytes, r, tool);
	body.n = w->bytes.n - body.at;
	window_add(w)->body = body;
}

int pack_rejects(
    struct packer *k, struct window *w, const struct batch *b, const char *tool, struct source *from, struct err *e)
{
	for (size_t i = 0; i < b->n; i++) {
		const struct rec *r = &b->rec[i];
		if (r->fate != FATE_REJECTED)
			continue;
		if (r->long_line && long_line(w, r, tool, from, e) < 0)
			return -1;
		if (r->long_line)
			continue;
		if (r->envelope)
			dead_letter(k, w, r, tool);
		else
			reject_object(w, r, tool);
	}
	return 0;
}

void packer_free(struct packer *k)
{
	json_scan_free(&k->scan);
	buf_free(&k->line);
	batch_free(&k->scratch);
}
