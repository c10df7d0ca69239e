/* score.c - every engine on any text: no byte read that is not there, figures in their ranges, parts that add up,
 * and the same result again, also for a text that is not the first of its scratch. */
#include <math.h>

#include "lib/base/utf8.h"
#include "lib/json/scan.h"
#include "lib/score/model.h"
#include "tests/fuzz/fuzz.h"

static void find(const char *engine, const char *what)
{
	fprintf(stderr, "find: %s: %s\n", engine, what);
	abort();
}

#define CHECK(good) ((good) ? (void)0 : find(m->name, #good))

static bool in(double v, double low, double high)
{
	return v >= low && v <= high;
}

static void check_reasons(const struct model *m, const struct why *why, struct str text)
{
	for (size_t i = 0; i < why->n; i++) {
		const struct reason *r = &why->reason[i];
		CHECK(r->from <= r->to && r->to <= text.n && isfinite(r->value));
		CHECK(utf8_valid_prefix((struct str){text.p + r->from, r->to - r->from}) == r->to - r->from);
	}
}

static void check_vader(const struct model *m, const struct result *r, const struct why *why)
{
	double sum = 0, worst = 0;
	for (size_t i = 0; i < why->n; i++) {
		sum += why->reason[i].value;
		worst += fabs(why->reason[i].value);
	}
	CHECK(fabs(sum - why->raw) <= 1e-9 * (1 + worst));
	double score = why->raw / sqrt(why->raw * why->raw + 15);
	CHECK(fabs(score - r->score) <= 0.000051);
}

static void score_with(const struct model *m, struct scratch *s, struct str text)
{
	struct arena mem = {0};
	struct why why = {.mem = &mem};
	struct result plain, explained;
	m->engine->score(m, s, text, &plain, NULL);
	m->engine->score(m, s, text, &explained, &why);
	CHECK(in(plain.score, -1, 1) && plain.score == explained.score && plain.label == explained.label);
	if (plain.has_shares) {
		CHECK(in(plain.neg, 0, 1) && in(plain.neu, 0, 1) && in(plain.pos, 0, 1));
		double sum = plain.neg + plain.neu + plain.pos;
		CHECK(sum == 0 || fabs(sum - 1) < 1e-6);
	}
	if (plain.has_subjectivity)
		CHECK(in(plain.subjectivity, 0, 1));
	check_reasons(m, &why, text);
	if (strcmp(m->engine->name, "vader") == 0 || strcmp(m->engine->name, "plus") == 0)
		check_vader(m, &plain, &why);
	arena_free(&mem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct model *model[16];
	static struct scratch *scratch[COUNT_OF(model)];
	struct err e;
	struct str text = {(const char *)data, size};
	if (size > 1 << 16 || utf8_valid_prefix(text) < size || memchr(data, 0, size))
		return 0; /* the scanner lets no such text through */
	char *copy = xcalloc(size + JSON_PAD, 1);
	if (size)
		memcpy(copy, data, size);
	text.p = copy;
	for (size_t i = 0; engines[i] && i < COUNT_OF(model); i++) {
		if (!model[i]) {
			struct model_conf conf = {.spec = engines[i]->name};
			model[i] = model_load(&conf, &e);
			if (!model[i])
				find(engines[i]->name, e.msg);
			scratch[i] = scratch_new(model[i]);
		}
		score_with(model[i], scratch[i], text);
	}
	free(copy);
	return 0;
}
