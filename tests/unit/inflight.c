/* inflight.c - answers and rejects find their records: by id, by order, late, twice, from the middle of a pipeline. */
#include "lib/stage/inflight.h"

#include "tests/unit/tap.h"

struct bench {
	struct batch b;
	struct inflight f;
	struct buf fed, line;
};

static void start(struct bench *t, const char *const *line)
{
	*t = (struct bench){0};
	inflight_init(&t->f);
	for (; *line; line++) {
		char *p = arena_alloc(&t->b.mem, strlen(*line) + JSON_PAD);
		memcpy(p, *line, strlen(*line));
		batch_add(&t->b)->line = (struct str){p, strlen(*line)};
	}
	inflight_begin(&t->f, &t->b);
	for (size_t i = 0; i < t->b.n; i++)
		inflight_feed(&t->f, i, &t->fed);
}

static void end(struct bench *t)
{
	inflight_free(&t->f);
	batch_free(&t->b);
	buf_free(&t->fed);
	buf_free(&t->line);
}

static struct str padded(struct bench *t, const char *s)
{
	buf_clear(&t->line);
	buf_str(&t->line, str_of(s));
	memset(buf_reserve(&t->line, JSON_PAD), 0, JSON_PAD);
	return buf_view(&t->line);
}

/* As the stage asks: again when unsure. *asked, if not NULL, tells that it had to. */
static enum answer answer(struct bench *t, const char *s, bool *asked)
{
	enum answer a = inflight_answer(&t->f, padded(t, s), false);
	if (asked)
		*asked = a == ANSWER_UNSURE;
	return a == ANSWER_UNSURE ? inflight_answer(&t->f, padded(t, s), true) : a;
}

static bool out(const struct bench *t, size_t i, const char *line)
{
	return t->b.rec[i].fate == FATE_OUT && str_eq(t->b.rec[i].line, str_of(line));
}

static bool rejected(const struct bench *t, size_t i, const char *code)
{
	return t->b.rec[i].fate == FATE_REJECTED && strcmp(t->b.rec[i].code, code) == 0;
}

static void in_order(void)
{
	struct bench t;
	bool asked;
	start(&t, (const char *const[]){"{\"id\":\"a\"}", "{\"id\":\"b\"}", "{\"x\":1}", "plain", NULL});
	ok(str_eq(buf_view(&t.fed), STR("{\"id\":\"a\"}\n{\"id\":\"b\"}\n{\"x\":1}\nplain\n")),
	    "records are fed as lines");
	ok(t.f.open == 4, "all are in flight");
	ok(answer(&t, "{\"id\":\"a\",\"y\":1}", &asked) == ANSWER_TAKEN && !asked &&
		out(&t, 0, "{\"id\":\"a\",\"y\":1}"),
	    "an answer with the first one's id is its own, whatever else may come");
	ok(answer(&t, "{\"y\":2}", &asked) == ANSWER_TAKEN && asked && out(&t, 1, "{\"y\":2}"),
	    "one without an id is matched by order, after rejects were looked for");
	ok(answer(&t, "no object", NULL) == ANSWER_STRAY, "what answers an object is an object");
	ok(answer(&t, "{\"id\":\"new\",\"x\":1}", NULL) == ANSWER_TAKEN, "a record without an id may get one");
	ok(answer(&t, "PLAIN", NULL) == ANSWER_TAKEN && out(&t, 3, "PLAIN"), "other lines are matched by order");
	ok(t.f.open == 0, "nothing is in flight");
	ok(answer(&t, "PLAIN", NULL) == ANSWER_STRAY, "then a line is a stray");
	ok(answer(&t, "{\"id\":\"b\"}", NULL) == ANSWER_DUPLICATE, "but not one with an id that was answered");
	inflight_finish(&t.f);
	ok(answer(&t, "{\"id\":\"a\"}", NULL) == ANSWER_DUPLICATE, "nor after the batch");
	ok(answer(&t, "{\"id\":\"z\"}", NULL) == ANSWER_STRAY, "an id that nobody knows is a stray");
	end(&t);
}

static void out_of_order(void)
{
	struct bench t;
	bool asked;
	start(&t, (const char *const[]){"{\"id\":\"a\"}", "{\"id\":\"b\"}", "{\"id\":\"c\"}", "{\"id\":\"d\"}", NULL});
	ok(answer(&t, "{\"id\":\"c\"}", &asked) == ANSWER_TAKEN && asked && t.f.open == 1,
	    "a later answer passes those before");
	ok(answer(&t, "{\"id\":\"b\",\"late\":1}", NULL) == ANSWER_TAKEN && out(&t, 1, "{\"id\":\"b\",\"late\":1}"),
	    "one that was passed may still come");
	ok(answer(&t, "{\"id\":\"c\"}", NULL) == ANSWER_DUPLICATE, "a second answer changes nothing");
	ok(answer(&t, "{\"id\":\"e\"}", NULL) == ANSWER_STRAY && t.f.open == 1,
	    "an unknown id is nobody's while one with an id is first");
	ok(answer(&t, "{\"id\":\"\\u0064\"}", NULL) == ANSWER_TAKEN, "ids compare by what they mean");
	inflight_finish(&t.f);
	ok(rejected(&t, 0, CODE_LOST_BY_PIPELINE), "what was passed and never came is lost by the pipeline");
	end(&t);
}

static void rejects(void)
{
	struct bench t;
	start(&t, (const char *const[]){"{\"id\":\"a\"}", "{\"x\":1}", "not json", "{\"id\":\"d\"}", "\xff",
		      "{\"y\":2}", "{\"id\":\"g\"}", NULL});
	ok(inflight_reject(&t.f,
	       padded(&t, "{\"error\":{\"code\":\"bad\",\"message\":\"m\",\"tool\":\"t\"},\"input\":\"not json\"}")) &&
		rejected(&t, 2, "bad") && str_eq(t.b.rec[2].cause->tool, STR("t")) && str_eq(t.b.rec[2].why, STR("m")),
	    "a reject of the very line, with code, message and tool");
	ok(inflight_reject(
	       &t.f, padded(&t, "{\"error\":{\"code\":\"c\"},\"input\":\"{\\\"more\\\":1,\\\"id\\\":\\\"d\\\"}\"}")) &&
		rejected(&t, 3, "c"),
	    "one by id, however the line looks by now");
	ok(inflight_reject(
	       &t.f, padded(&t, "{\"error\":{\"code\":\"c\"},\"input\":\"{\\\"x\\\":1,\\\"sentiment\\\":{}}\"}")) &&
		rejected(&t, 1, "c"),
	    "one with members added in the middle of the pipeline");
	ok(inflight_reject(&t.f, padded(&t, "{\"error\":{\"code\":\"bad_utf8\"},\"input_base64\":\"/w==\"}")) &&
		rejected(&t, 4, "bad_utf8"),
	    "one in Base64");
	ok(!inflight_reject(&t.f, padded(&t, "{\"error\":{\"code\":\"c\"},\"input\":\"strange\"}")),
	    "one of no record in flight");
	ok(!inflight_reject(&t.f, padded(&t, "{\"error\":\"c\",\"input\":\"x\"}")) &&
		!inflight_reject(&t.f, padded(&t, "junk")),
	    "and what is not a reject");
	ok(answer(&t, "{\"id\":\"g\"}", NULL) == ANSWER_TAKEN && t.f.open == 0, "a passed record");
	ok(inflight_reject(&t.f, padded(&t, "{\"error\":{\"code\":\"late\"},\"input\":\"{\\\"id\\\":\\\"a\\\"}\"}")) &&
		rejected(&t, 0, "late"),
	    "may be rejected later");
	ok(inflight_reject(&t.f, padded(&t, "{\"error\":{\"code\":\"c\"},\"input\":\"rewritten\"}")) &&
		rejected(&t, 5, "c"),
	    "the only one left takes a reject that names nobody");
	inflight_finish(&t.f);
	ok(!inflight_reject(&t.f, padded(&t, "{\"error\":{\"code\":\"c\"},\"input\":\"{\\\"id\\\":\\\"a\\\"}\"}")),
	    "none after the batch");
	end(&t);
}

static void again(void)
{
	struct bench t;
	start(&t, (const char *const[]){"{\"id\":\"a\"}", "{\"id\":\"b\"}", "{\"id\":\"c\"}", NULL});
	ok(answer(&t, "{\"id\":\"a\"}", NULL) == ANSWER_TAKEN, "one was answered");
	inflight_recall(&t.f);
	ok(t.f.open == 0 && t.f.pending[0].state == PENDING_SETTLED && t.f.pending[1].state == PENDING_WAITING,
	    "the others wait again");
	buf_clear(&t.fed);
	inflight_feed(&t.f, 2, &t.fed);
	ok(t.f.open == 1 && answer(&t, "{\"id\":\"c\"}", NULL) == ANSWER_TAKEN, "in any order");
	inflight_feed(&t.f, 1, &t.fed);
	ok(answer(&t, "{\"n\":1}", NULL) == ANSWER_TAKEN && out(&t, 1, "{\"n\":1}"),
	    "the first in flight is known again");
	inflight_finish(&t.f);
	end(&t);
}

/* A tool in the middle was killed while it wrote: the next one got the beginning of a line. */
static void torn(void)
{
	struct bench t;
	static const char *const lines[] = {"{\"id\":\"a\",\"text\":\"x\"}", "{\"id\":\"bad", NULL};
	static const char whole[] =
	    "{\\\"id\\\":\\\"a\\\",\\\"text\\\":\\\"x\\\",\\\"sentiment\\\":{\\\"label\\\":\\\"positive\\\"}}";
	size_t wrong = 0;
	start(&t, lines);
	for (size_t n = 1; n + 1 < sizeof whole; n++) {
		char reject[400];
		if (whole[n - 1] == '\\')
			continue;
		snprintf(
		    reject, sizeof reject, "{\"error\":{\"code\":\"bad_json\"},\"input\":\"%.*s\"}", (int)n, whole);
		wrong += inflight_reject(&t.f, padded(&t, reject));
	}
	is_u64(wrong, 0, "a beginning of an answer, cut anywhere, rejects no record");
	ok(inflight_reject(&t.f, padded(&t, "{\"error\":{\"code\":\"bad_json\"},\"input\":\"{\\\"id\\\":\\\"bad\"}")) &&
		rejected(&t, 1, CODE_BAD_JSON),
	    "a record that is no whole line itself is rejected for that");
	ok(inflight_reject(&t.f, padded(&t, "{\"error\":{\"code\":\"bad_json\"},\"input\":\"{\\\"id\\\":\\\"a\\\","
					    "\\\"text\\\":\\\"x\\\",,\\\"more\\\":\\\"than that\\\"}\"}")) &&
		rejected(&t, 0, CODE_BAD_JSON),
	    "and what a tool has spoiled");
	end(&t);
}

int main(void)
{
	in_order();
	out_of_order();
	rejects();
	torn();
	again();
	return tap_done();
}
