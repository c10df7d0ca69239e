/* inflight.c - records that a command was given, and what it says of them: lines up to an empty one are the records,
 * then each line is an event. "A" is an answer, "R" a reject of a tool, "W" the command's death, after which all
 * that is open is fed again, "C" the giving up of the first record in flight. Nothing is counted twice or forgotten,
 * and every record leaves as JSON. */
#include "lib/stage/inflight.h"
#include "tests/fuzz/lib/check.h"

enum { RECORDS = 40 };

static void feed_all(struct inflight *f, struct batch *b)
{
	struct buf out = {0};
	for (size_t i = 0; i < b->n; i++)
		if (f->pending[i].state == PENDING_WAITING)
			inflight_feed(f, i, &out);
	buf_free(&out);
}

static void check_counts(const struct inflight *f, const struct batch *b)
{
	size_t open = 0;
	for (size_t i = 0; i < b->n; i++)
		open += f->pending[i].state == PENDING_FED;
	CHECK(open == f->open);
	CHECK(!open || (f->head < b->n && f->pending[f->head].state == PENDING_FED));
}

static void give_up(struct inflight *f, const struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		if (f->pending[i].state == PENDING_FED) {
			inflight_dead_letter(f, i, CODE_COMMAND_FAILED, NULL, "given up");
			return;
		}
}

static void happen(struct inflight *f, struct batch *b, struct str event)
{
	uint8_t kind = fuzz_byte(&event);
	char *copy = fuzz_copy(event);
	struct str line = {copy, event.n};
	switch (kind) {
	case 'R':
		inflight_reject(f, line);
		break;
	case 'W':
		inflight_recall(f);
		feed_all(f, b);
		break;
	case 'C':
		give_up(f, b);
		break;
	default:
		if (inflight_answer(f, line, false) == ANSWER_UNSURE)
			CHECK(inflight_answer(f, line, true) != ANSWER_UNSURE);
	}
	check_counts(f, b);
	free(copy);
}

static void check_rejects(const struct batch *b)
{
	struct buf out = {0};
	for (size_t i = 0; i < b->n; i++) {
		const struct rec *r = &b->rec[i];
		if (r->fate != FATE_REJECTED)
			continue;
		buf_clear(&out);
		CHECK(r->code);
		rec_put_reject(&out, r, "fuzz");
		fuzz_check_line(buf_view(&out));
	}
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = fuzz_input(data, size), line;
	struct inflight f;
	struct batch b = {0};
	inflight_init(&f);
	while ((line = fuzz_line(&in)).n && b.n < RECORDS)
		batch_add(&b)->line = json_padded(&b.mem, line);
	inflight_begin(&f, &b);
	feed_all(&f, &b);
	while (in.n)
		happen(&f, &b, fuzz_line(&in));
	inflight_finish(&f);
	check_rejects(&b);
	inflight_free(&f);
	batch_free(&b);
	return 0;
}
