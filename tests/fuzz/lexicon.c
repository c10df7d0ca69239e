/* lexicon.c - a user's lexicon: any file is refused with a reason, or makes a model whose results are finite, in
 * their range and JSON. The first byte chooses the engine; the rest is the lexicon, and also the text that is scored
 * with it, so that its words are found. */
#include <math.h>

#include "lib/base/utf8.h"
#include "lib/json/scan.h"
#include "lib/score/model.h"
#include "tests/fuzz/lib/check.h"

static void score(const struct model *m, struct str text)
{
	struct scratch *s = scratch_new(m);
	struct arena mem = {0};
	struct why why = {.mem = &mem};
	struct result plain, explained;
	struct buf out = {0};
	m->engine->score(m, s, text, &plain, NULL);
	m->engine->score(m, s, text, &explained, &why);
	CHECK(plain.score >= -1 && plain.score <= 1);
	CHECK(plain.score == explained.score && plain.label == explained.label);
	for (size_t i = 0; i < why.n; i++)
		CHECK(why.reason[i].from <= why.reason[i].to && why.reason[i].to <= text.n);
	result_put(&out, m, &explained, &why, text);
	fuzz_check_line(buf_view(&out));
	buf_free(&out);
	arena_free(&mem);
	m->engine->scratch_free(s);
}

/* The beginning of the bytes that a record's text can hold. */
static struct str text_of(struct str s)
{
	const char *nul = memchr(s.p, 0, s.n);
	s.n = nul ? (size_t)(nul - s.p) : s.n;
	return (struct str){s.p, utf8_valid_prefix(s)};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const spec[] = {
	    "afinn", "vader", "vader-nltk", "textblob", "plus", "afinn:da+emoticons", "linear", "afinn:en"};
	struct str in = fuzz_input(data, size);
	struct err e = {0};
	struct model_conf conf = {.spec = spec[fuzz_byte(&in) % COUNT_OF(spec)]};
	char *path = fuzz_file("lexicon.tsv", in), *copy = fuzz_copy(in);
	conf.lexicon = path;
	struct model *m = model_load(&conf, &e);
	CHECK(m || e.msg[0]);
	if (m)
		score(m, text_of((struct str){copy, in.n}));
	model_free(m);
	free(copy);
	free(path);
	return 0;
}
