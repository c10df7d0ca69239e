/* message.c - rows of messages: a record that becomes one is shown as a record that reads back as the same row, and
 * folding its text keeps to UTF-8 and finds itself. A row whose columns SQL has filled with anything is shown as
 * JSON, or refused. */
#include "lib/base/utf8.h"
#include "lib/data/fold.h"
#include "lib/data/message.h"
#include "tests/fuzz/lib/check.h"

struct scans {
	struct json_scan outer, inner;
};

/* A record may span lines where it is an item of an array; it is written on one, with blanks for line ends. */
static bool same_json(struct str a, struct str b)
{
	bool same = a.n == b.n;
	for (size_t i = 0; same && i < a.n; i++)
		same = a.p[i] == b.p[i] || ((a.p[i] == '\n' || a.p[i] == '\r') && b.p[i] == ' ');
	return same;
}

static void check_same(const struct message *a, const struct message *b)
{
	CHECK(str_eq(a->id, b->id) && str_eq(a->text, b->text) && str_eq(a->source, b->source));
	CHECK(str_eq(a->label, b->label) && same_json(a->sentiment, b->sentiment));
	CHECK(a->has_time == b->has_time && (!a->has_time || a->time == b->time));
}

static void check_fold(struct str text)
{
	struct buf folded = {0}, scratch = {0};
	fold_text(&folded, text);
	CHECK(utf8_valid_prefix(buf_view(&folded)) == folded.n);
	CHECK(fold_contains(text, buf_view(&folded), &scratch));
	buf_free(&folded);
	buf_free(&scratch);
}

static void check_written(struct batch *b, struct message *m, struct scans *s)
{
	struct buf once = {0}, twice = {0};
	struct message again;
	m->version = 7;
	CHECK(message_write(m, &once, &s->outer) == 0);
	fuzz_check_line(buf_view(&once));
	struct rec back = {.line = json_padded(&b->mem, buf_view(&once))};
	CHECK(message_read(&again, b, &back, &s->outer, &s->inner) == 0);
	check_same(m, &again);
	again.version = 7;
	CHECK(message_write(&again, &twice, &s->outer) == 0 && str_eq(buf_view(&once), buf_view(&twice)));
	buf_free(&once);
	buf_free(&twice);
}

/* Members that tools set are there once, whatever the record had. */
static void check_set(struct batch *b, struct rec *r, struct scans *s)
{
	struct buf out = {0};
	size_t ids = 0;
	rec_set(b, r, &s->outer, STR("id"), STR("\"new\""));
	rec_set(b, r, &s->outer, STR("sentiment"), STR("{}"));
	rec_set(b, r, &s->outer, STR("id"), STR("\"newer\""));
	rec_put(&out, r);
	CHECK(json_scan(&s->outer, json_padded(&b->mem, buf_view(&out))) == 0);
	for (size_t i = 0; i < s->outer.n; i++)
		ids += json_name_is(&s->outer.member[i], STR("id"));
	CHECK(ids == 1);
	buf_free(&out);
}

static void check_record(struct batch *b, struct str in, struct scans *s)
{
	struct rec *r = batch_add(b);
	struct message m;
	r->line = json_padded(&b->mem, in);
	if (message_read(&m, b, r, &s->outer, &s->inner) < 0) {
		CHECK(r->fate == FATE_REJECTED && r->code && r->why.n);
		return;
	}
	check_fold(m.text);
	if (m.id.p)
		check_written(b, &m, s);
	check_set(b, r, s);
}

/* Each line is a column. */
static void check_row(struct batch *b, struct str in, struct scans *s)
{
	struct message m = {.id = STR(""), .version = 3};
	struct str *const column[] = {&m.id, &m.sentiment, &m.extra, &m.label, &m.corrected, &m.source, &m.text};
	struct buf out = {0};
	for (size_t i = 0; i < COUNT_OF(column) && in.n; i++) {
		struct str line = fuzz_line(&in);
		if (line.n || i == 0)
			*column[i] = json_padded(&b->mem, line);
	}
	if (message_write(&m, &out, &s->outer) == 0)
		fuzz_check_line(buf_view(&out));
	else
		CHECK(out.n == 0);
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct batch b = {0};
	struct scans s = {0};
	check_record(&b, fuzz_input(data, size), &s);
	check_row(&b, fuzz_input(data, size), &s);
	json_scan_free(&s.outer);
	json_scan_free(&s.inner);
	batch_free(&b);
	return 0;
}
