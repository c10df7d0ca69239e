/* Features, labels, figures of merit, training, and the model file. */
#include <math.h>
#include <unistd.h>

#include "lib/flow/record.h"
#include "lib/learn/fit.h"
#include "lib/score/linear.h"
#include "lib/score/model.h"
#include "tests/unit/tap.h"

/* --- tokens and forms --- */

/* The forms of a text with blanks between them. */
static struct str forms_of(const char *text, struct buf *out)
{
	struct cutter c = {text, text + strlen(text)};
	struct feature_token t;
	buf_clear(out);
	while (token_next(&c, &t)) {
		struct form f;
		form_of(&t, &f);
		if (out->n)
			buf_char(out, ' ');
		for (uint32_t i = 1; i + 1 < f.n; i++)
			buf_printf(out, f.letter[i] < 0x80 ? "%c" : "<%x>", f.letter[i]);
	}
	return buf_view(out);
}

static void test_forms(void)
{
	static const struct {
		const char *text, *forms;
	} row[] = {
	    {"", ""},
	    {" \t\n\xc2\xa0\xe3\x80\x80 ", ""},
	    {"I don't LIKE it.", "i don't like it ."},
	    {"I don\xe2\x80\x99t", "i don't"},
	    {"soooo goooood!!!!!", "soo good !!"},
	    {"@sue #Fail \x40 #", "@user #fail @ #"},
	    {"see https://x.org/a?b=c, or www.x.org ok", "see http or http ok"},
	    {"http no", "http no"},
	    {"1234 a5", "00 a0"},
	    {"'quoted' x'", "' quoted ' x '"},
	    {"\xe2\x80\x9cyes\xe2\x80\x9d", "<201c> yes <201d>"},
	    {"good\xf0\x9f\x98\x80\xf0\x9f\x98\x80!", "good <1f600> <1f600> !"},
	    {"\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd \xe2\x9d\xa4\xef\xb8\x8f",
		"<1f44d> <2764>"}, /* skin tone, variation selector */
	    {"\xc3\x89T\xc3\x89", "<e9>t<e9>"},
	};
	struct buf b = {0};
	for (size_t i = 0; i < COUNT_OF(row); i++)
		is_str(forms_of(row[i].text, &b), str_of(row[i].forms).n ? str_of(row[i].forms) : buf_view(&b),
		    "forms of row %zu", i);
	ok(forms_of("", &b).n == 0, "no text, no forms");
	buf_free(&b);
}

static void test_traits(void)
{
	static const struct {
		const char *word;
		unsigned traits;
		bool capitals;
	} row[] = {{"NOT", FORM_LETTERS | FORM_NEGATES, true}, {"don't", FORM_LETTERS | FORM_NEGATES, false},
	    {"notes", FORM_LETTERS, false}, {".", FORM_STOPS, false}, {"I", FORM_LETTERS, false},
	    {"OMG", FORM_LETTERS, true}, {"Omg", FORM_LETTERS, false}, {"n't", FORM_LETTERS | FORM_NEGATES, false},
	    {"élan", FORM_LETTERS, false}, {"#tag", 0, false}, {"@sue", 0, false}, {"7up", 0, false}, {"😀", 0, false}};
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		struct form f;
		form_of(&(struct feature_token){row[i].word, (uint32_t)strlen(row[i].word), false}, &f);
		ok(f.traits == row[i].traits && f.capitals == row[i].capitals, "what %s does", row[i].word);
	}
}

static uint64_t state = 7;

static uint64_t rnd(uint64_t below)
{
	state = state * 6364136223846793005 + 1442695040888963407;
	return (state >> 33) % below;
}

/* Valid UTF-8 of bits that matter to the cutter. */
static struct str random_text(struct buf *b)
{
	static const char *const bits[] = {" ", "a", "B", "good", "not", "!", "'", "@", "#", "http://", "\xe2\x80\x99",
	    "\xe2\x80\x8d", "\xf0\x9f\x98\x80", "\xf0\x9f\x8f\xbd", "\xef\xb8\x8f", "\xe4\xb8\xad", "\xd0\x96", "7",
	    "www.", "\xc2\xa0", "_", "\x7f", "zzzzzzzzzzzzzzzzzzzzzzzzzz"};
	buf_clear(b);
	for (size_t n = rnd(40); n > 0; n--)
		buf_str(b, str_of(bits[rnd(COUNT_OF(bits))]));
	memset(buf_reserve(b, 64), 0, 64);
	return buf_view(b);
}

static void test_tokens_cover(void)
{
	struct buf b = {0};
	size_t wrong = 0, uncovered = 0;
	for (int round = 0; round < 20000; round++) {
		struct str text = random_text(&b);
		struct cutter c = {text.p, text.p + text.n};
		struct feature_token t;
		const char *at = text.p;
		while (token_next(&c, &t)) {
			struct form f;
			form_of(&t, &f);
			wrong += t.p < at || t.n == 0 || t.p + t.n > text.p + text.n || (!t.url && t.n > TOKEN_MAX) ||
				 f.n > TOKEN_MAX + 2 || ((unsigned char)t.p[0] & 0xc0) == 0x80;
			for (; at < t.p; at++)
				uncovered += (*at >= 'a' && *at <= 'z') || *at == '!';
			at = t.p + t.n;
		}
	}
	ok(wrong == 0, "tokens lie in the text, one behind the other, whole characters");
	ok(uncovered == 0, "nothing but white space lies between them");
	buf_free(&b);
}

/* --- metrics --- */

static void test_metrics(void)
{
	struct accuracy m = {0};
	static const enum label pair[][2] = {{LABEL_POSITIVE, LABEL_POSITIVE}, {LABEL_POSITIVE, LABEL_NEGATIVE},
	    {LABEL_NEGATIVE, LABEL_NEGATIVE}, {LABEL_NEGATIVE, LABEL_NEUTRAL}};
	for (size_t i = 0; i < COUNT_OF(pair); i++)
		accuracy_add(&m, &(struct gold){.has_class = true, .label = pair[i][0]},
		    &(struct estimate){pair[i][1], 0, 0.75});
	struct figures f = accuracy_figures(&m);
	ok(f.accuracy == 0.5 && f.macro_recall == 0.5, "recall is over the labelled classes");
	ok(fabs(f.macro_f1 - (2.0 / 3 + 0.5 + 0) / 3) < 1e-12, "F1 over the labelled or predicted ones");
	ok(fabs(f.ece - 0.25) < 1e-12, "sure of 0.75, right in half: off by 0.25");
	ok(isnan(f.pearson) && isnan(f.recall[LABEL_NEUTRAL]), "what nothing was counted for");
	struct accuracy none = {0};
	f = accuracy_figures(&none);
	ok(isnan(f.accuracy) && isnan(f.macro_f1) && isnan(f.ece), "nothing at all");
	for (int i = 0; i < 5; i++)
		accuracy_add(&none, &(struct gold){.has_number = true, .number = 1e9 + i},
		    &(struct estimate){LABEL_NEUTRAL, -i, NAN});
	f = accuracy_figures(&none);
	ok(fabs(f.pearson + 1) < 1e-9 && none.n == 0, "ratings far from 0 correlate exactly");
}

static void test_keys(void)
{
	static const char *const same[] = {"Hello  World", "hello world", " hello\tWORLD\n", "hello\u00a0\u3000world"};
	static const char *const other[] = {"helloworld", "hello world!", "hello w", "", "h ello world"};
	struct buf scratch = {0};
	struct text_key key = text_key(str_of(same[0]), &scratch);
	for (size_t i = 1; i < COUNT_OF(same); i++)
		ok(text_key_eq(text_key(str_of(same[i]), &scratch), key), "'%s' is the same text", same[i]);
	for (size_t i = 0; i < COUNT_OF(other); i++)
		ok(!text_key_eq(text_key(str_of(other[i]), &scratch), key), "'%s' is another", other[i]);
	ok(text_key_eq(text_key(STR("ÄRGER"), &scratch), text_key(STR("ärger"), &scratch)), "case is Unicode's");
	struct text_set set = {0};
	size_t wrong = 0;
	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 0; i < 5000; i++) {
			unsigned note = round ? 3 : i % 3;
			char text[16];
			snprintf(text, sizeof text, "%u", i);
			bool had = text_set_add(&set, text_key(str_of(text), &scratch), &note);
			wrong += had != (round == 1) || note != i % 3;
		}
	ok(wrong == 0 && set.n == 5000, "a set of texts, with the number that each was added with");
	ok(text_set_has(&set, text_key(STR("42"), &scratch)) && !text_set_has(&set, key), "and whether it has one");
	text_set_free(&set);
	buf_free(&scratch);
}

/* Draws are independent and Poisson(1): each replicate's sum over n texts is about n, give or take sqrt(n). */
static void test_draws(void)
{
	enum { N = 4000 };
	static uint64_t sum[REPLICATES];
	double total = 0, square = 0, spread = 0;
	uint8_t weight[REPLICATES], again[REPLICATES];
	for (uint64_t i = 0; i < N; i++) {
		bootstrap_draw(1, (struct text_key){{mix64(i), 0}}, weight);
		for (size_t k = 0; k < REPLICATES; k++) {
			sum[k] += weight[k];
			total += weight[k];
			square += weight[k] * weight[k];
		}
	}
	double n = (double)N * REPLICATES, mean = total / n;
	ok(fabs(mean - 257.0 / 256) < 0.002, "a text is drawn once on average (%g)", mean);
	ok(fabs(square / n - mean * mean - 1.004) < 0.01, "with a variance of 1");
	for (size_t k = 0; k < REPLICATES; k++)
		spread += ((double)sum[k] - N * mean) * ((double)sum[k] - N * mean) / REPLICATES;
	ok(spread > 0.85 * N && spread < 1.15 * N, "independently of others (%g)", spread / N);
	bootstrap_draw(1, (struct text_key){{7, 7}}, weight);
	bootstrap_draw(1, (struct text_key){{7, 7}}, again);
	ok(memcmp(weight, again, sizeof weight) == 0, "the same text, the same draws");
	bootstrap_draw(2, (struct text_key){{7, 7}}, again);
	ok(memcmp(weight, again, sizeof weight) != 0, "but with another seed");
}

static void test_label_map(void)
{
	struct label_conf c = {.member = STR("label")};
	struct err e;
	ok(label_map(&c, "4=positive,a=b=negative", &e) == 0 && c.renames == 2, "two renames; a label may hold '='");
	static const char *const bad[] = {"", "x", "=positive", "1=good", "1=positive,", "4=neutral"};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		ok(label_map(&c, bad[i], &e) < 0 && e.kind == ERR_USAGE, "--map '%s' is refused", bad[i]);
	label_conf_free(&c);
}

/* --- training, file, scoring --- */

enum { EXAMPLES = 600 };

static struct example example[EXAMPLES];
static struct buf texts;

static void make_examples(unsigned classes)
{
	static const char *const word[LABELS][4] = {{"awful", "broken", "refund", "hate"},
	    {"table", "tuesday", "box", "label"}, {"lovely", "superb", "thanks", "love"}};
	size_t at[EXAMPLES];
	buf_clear(&texts);
	for (size_t i = 0; i < EXAMPLES; i++) {
		example[i].label = (enum label)(i % classes);
		at[i] = texts.n;
		buf_printf(
		    &texts, "this %s thing number %zu is %s", word[i % classes][rnd(4)], i, word[i % classes][rnd(4)]);
		example[i].text.n = texts.n - at[i];
		memset(buf_reserve(&texts, 64), 0, 64);
		texts.n += 64;
	}
	for (size_t i = 0; i < EXAMPLES; i++)
		example[i].text.p = texts.p + at[i];
	struct buf scratch = {0};
	for (size_t i = 0; i < EXAMPLES; i++)
		example[i].key = text_key(example[i].text, &scratch);
	buf_free(&scratch);
}

static struct model *lexicon;

static struct fit_conf conf_of(void)
{
	return (struct fit_conf){
	    .features = {.bits = 12, .pairs = 1, .char_min = 3, .char_max = 5, .negation = 1, .lexicon = 1},
	    .lexicon = lexicon,
	    .folds = 3,
	    .seed = 1,
	    .balanced = true,
	    .cost = 1,
	    .figure_gain = 1,
	    .min_texts = 1};
}

static void put_file(const char *path, const void *p, size_t n)
{
	FILE *f = fopen(path, "wb");
	if (!f || fwrite(p, 1, n, f) != n || fclose(f) != 0)
		abort();
}

static char path[] = "/tmp/senti-learn-XXXXXX";

static int load_status(const void *p, size_t n, struct err *e)
{
	put_file(path, p, n);
	struct model *m = model_load(&(struct model_conf){.spec = path}, e);
	model_free(m);
	return m ? 0 : -1;
}

static const unsigned char *seen_of(const struct buf *file)
{
	const struct linear_head *h = (const void *)file->p;
	return (const unsigned char *)(h + 1) + (sizeof(struct linear_cell) << h->features.bits);
}

static void test_damage(const struct buf *file)
{
	struct err e;
	size_t taken = 0;
	ok(load_status(file->p, file->n, &e) == 0, "the whole file is taken");
	for (size_t n = 0; n < file->n; n += n < 2000 ? 37 : 1009)
		taken += load_status(file->p, n, &e) == 0 || e.kind != ERR_ENV;
	ok(taken == 0, "no beginning of it is");
	for (size_t i = 0; i < file->n; i += i < 1000 ? 1 : 997) {
		file->p[i] ^= 4;
		taken += load_status(file->p, file->n, &e) == 0;
		file->p[i] ^= 4;
	}
	ok(taken == 0, "nor is one with a bit turned");
	struct buf more = {0};
	buf_add(&more, file->p, file->n);
	buf_char(&more, 0);
	ok(load_status(more.p, more.n, &e) < 0, "nor with a byte more");
	buf_free(&more);
	/* A right checksum over nonsense. */
	struct linear_head h;
	memcpy(&h, file->p, sizeof h);
	struct buf odd = {0};
	h.label[0] = 7;
	linear_write(&h, (const void *)(file->p + sizeof h), seen_of(file), STR("{}"), &odd);
	ok(load_status(odd.p, odd.n, &e) < 0 && strstr(e.msg, "has invalid values"),
	    "nor with a class that does not exist");
	buf_clear(&odd);
	h.label[0] = 0;
	h.shift[0] = NAN;
	linear_write(&h, (const void *)(file->p + sizeof h), seen_of(file), STR("{}"), &odd);
	ok(load_status(odd.p, odd.n, &e) < 0, "nor with a weight that is not a number");
	buf_clear(&odd);
	h.shift[0] = 0;
	h.seen_none = h.seen_all;
	linear_write(&h, (const void *)(file->p + sizeof h), seen_of(file), STR("{}"), &odd);
	ok(load_status(odd.p, odd.n, &e) < 0, "nor with shares that are upside down");
	buf_clear(&odd);
	h.seen_none = 0;
	memcpy(h.lexicon, "other", 6);
	linear_write(&h, (const void *)(file->p + sizeof h), seen_of(file), STR("{}"), &odd);
	ok(load_status(odd.p, odd.n, &e) < 0 && strstr(e.msg, "trained with the lexicon other"),
	    "nor with another lexicon");
	buf_free(&odd);
}

/* Scoring goes through the table of words; this goes gram by gram, as training does. */
static void score_plainly(const struct linear_head *h, const struct linear_cell *cell, const unsigned char *seen,
    struct str text, double p[LINEAR_CLASSES])
{
	size_t known = 0;
	struct gram_list l = {0};
	struct linear_sums sums = {0};
	double figure[FIGURES], raw[LINEAR_CLASSES];
	struct result r;
	struct scratch *s = scratch_new(lexicon);
	features_list(&h->features, text, &l);
	for (size_t i = 0; i < l.n; i++) {
		for (size_t c = 0; c < LINEAR_CLASSES; c++)
			sums.weight[l.use[i].group][c] += cell[l.use[i].slot].weight[c];
		sums.rarity[l.use[i].group] += cell[l.use[i].slot].rarity;
	}
	lexicon->engine->score(lexicon, s, text, &r, NULL);
	features_figures(&r, figure);
	for (size_t i = 0; i < l.words; i++)
		known += linear_seen(h, seen, l.word[i]);
	linear_raw(h, &sums, figure, raw);
	linear_logits(h, raw, p);
	linear_back_off(h, linear_trust(h, l.words ? (double)known / (double)l.words : 0), figure, p);
	linear_softmax(h->classes, p);
	lexicon->engine->scratch_free(s);
	gram_list_free(&l);
}

static void score_text(const struct model *m, struct scratch *s, const char *text, struct result *out)
{
	struct buf b = {0};
	buf_str(&b, str_of(text));
	memset(buf_reserve(&b, JSON_PAD), 0, JSON_PAD);
	m->engine->score(m, s, buf_view(&b), out, NULL);
	buf_free(&b);
}

/* Of words that training has not seen, the lexicon alone counts. */
static void test_back_off(const struct model *m, struct scratch *s, const struct linear_head *h)
{
	struct result one, other, plain;
	score_text(m, s, "wunderlich krass tisch \xf0\x9f\x98\x8d", &one);
	score_text(m, s, "prachtig verschil oeuvre \xf0\x9f\x98\x8d", &other);
	score_text(m, s, "wunderlich krass tisch", &plain);
	ok(one.score == other.score && one.pos == other.pos, "new words weigh nothing");
	ok(h->features.lexicon && one.score > plain.score, "the emoji beside them does");
	ok(linear_trust(h, h->seen_none) == 0 && linear_trust(h, h->seen_all) == 1 && linear_trust(h, 1) == 1,
	    "n-grams count by the share of words seen");
}

static void test_scoring(const struct buf *file)
{
	struct err e;
	put_file(path, file->p, file->n);
	struct model *m = model_load(&(struct model_conf){.spec = path}, &e);
	struct scratch *s = scratch_new(m);
	const struct linear_head *h = (const void *)file->p;
	const struct linear_cell *cell = (const void *)(h + 1);
	struct buf b = {0};
	struct arena mem = {0};
	struct result r;
	size_t right = 0, differ = 0, outside = 0;
	for (size_t i = 0; i < EXAMPLES; i++) {
		m->engine->score(m, s, example[i].text, &r, NULL);
		right += r.label == example[i].label;
	}
	ok(right > EXAMPLES * 95 / 100, "the model has learned its examples (%zu of %d)", right, EXAMPLES);
	test_back_off(m, s, h);
	for (int round = 0; round < 20000; round++) {
		double p[LINEAR_CLASSES];
		struct why why = {.mem = &mem};
		struct str text = random_text(&b);
		m->engine->score(m, s, text, &r, round % 8 == 0 ? &why : NULL);
		score_plainly(h, cell, seen_of(file), text, p);
		differ +=
		    r.neg != p[0] || (h->classes == 3 ? r.pos : r.neu) != p[h->classes - 1] || r.score != r.pos - r.neg;
		for (size_t i = 0; i < why.n; i++)
			outside += why.reason[i].from > why.reason[i].to || why.reason[i].to > text.n;
	}
	ok(differ == 0, "the table of words changes no score");
	ok(outside == 0, "reasons lie in the text");
	buf_free(&b);
	arena_free(&mem);
	m->engine->scratch_free(s);
	model_free(m);
}

static void test_classes(unsigned classes)
{
	struct fit_conf c = conf_of();
	struct fit fit, again;
	struct err e;
	struct buf file = {0}, same = {0};
	make_examples(classes);
	ok(fit_model(&c, example, EXAMPLES, &fit, &e) == 0, "trains with %u classes", classes);
	ok(accuracy_figures(&fit.held_out).macro_recall > 0.95, "what is held out is found");
	linear_write(&fit.head, fit.cell, fit.seen, STR("{}"), &file);
	ok(fit_model(&c, example, EXAMPLES, &again, &e) == 0, "trains again");
	linear_write(&again.head, again.cell, again.seen, STR("{}"), &same);
	ok(str_eq(buf_view(&file), buf_view(&same)), "same data and seed, same bytes");
	fit_free(&again);
	test_scoring(&file);
	test_damage(&file);
	fit_free(&fit);
	buf_free(&file);
	buf_free(&same);
}

static void test_too_little(void)
{
	struct fit_conf c = conf_of();
	struct fit fit;
	struct err e;
	struct example few[3] = {example[0], example[0], example[0]};
	ok(fit_model(&c, few, 3, &fit, &e) < 0 && e.kind == ERR_ENV, "one label alone can't be learned");
	few[1] = example[1];
	ok(fit_model(&c, few, 2, &fit, &e) == 0, "two texts can");
	bool finite = true;
	for (size_t i = 0; i < LINEAR_CLASSES; i++)
		finite &= isfinite(fit.head.shift[i]) && isfinite(fit.head.mix[i][i]) && isfinite(fit.head.scale[i]);
	ok(finite, "with finite weights");
	fit_free(&fit);
}

int main(void)
{
	struct err e;
	int fd = mkstemp(path);
	if (fd < 0 || !(lexicon = model_load(&(struct model_conf){.spec = "plus"}, &e)))
		return 3;
	close(fd);
	test_forms();
	test_traits();
	test_tokens_cover();
	test_metrics();
	test_keys();
	test_draws();
	test_label_map();
	test_classes(3);
	test_classes(2);
	test_too_little();
	model_free(lexicon);
	buf_free(&texts);
	unlink(path);
	return tap_done();
}
