/* term_totals.c - reads messages page by page, and adds up what their words contribute. */
#include "lib/serve/term_totals.h"

#include <math.h>

#include "lib/base/map.h"
#include "lib/base/utf8.h"
#include "lib/data/fold.h"

enum { PAGE = 500, PAGE_BYTES = 1 << 20 };

struct finder {
	struct term_totals *found;
	size_t cap;
	struct map by_word; /* the term's index */
	const struct model *model;
	struct scratch *scratch;
	struct buf folded, place;
	struct arena *mem;
	size_t bytes; /* of texts */
};

static struct term_total *term_of(struct finder *f, struct str word)
{
	struct term_totals *t = f->found;
	buf_clear(&f->folded);
	fold_text(&f->folded, word);
	struct map_slot *slot = map_get(&f->by_word, buf_view(&f->folded));
	if (slot)
		return &t->term[slot->v.num];
	if (t->n == f->cap) {
		f->cap = f->cap ? 2 * f->cap : 256;
		t->term = xreallocarray(t->term, f->cap, sizeof *t->term);
	}
	struct term_total *new = &t->term[t->n];
	*new = (struct term_total){.word = arena_str(f->mem, buf_view(&f->folded))};
	map_put(&f->by_word, new->word, NULL)->v.num = t->n++;
	return new;
}

/* What marks, the whole text or letters inside of words add is not a word's. */
static bool is_of_word(const struct reason *r)
{
	static const char *const others[] = {"punctuation", "weak", "more", "letters"};
	for (size_t i = 0; i < COUNT_OF(others); i++)
		if (strcmp(r->rule, others[i]) == 0)
			return false;
	return r->to > r->from;
}

static void add_message(struct finder *f, const struct message *m, struct arena *scrap)
{
	struct result result;
	struct why why = {.mem = scrap};
	struct str text = json_padded(scrap, m->text);
	uint64_t number = ++f->found->messages;
	f->bytes += m->text.n;
	if (utf8_valid_prefix(text) < text.n || memchr(text.p, 0, text.n))
		return; /* only SQL can have made it, and no engine takes it */
	f->model->engine->score(f->model, f->scratch, text, &result, &why);
	for (size_t i = 0; i < why.n; i++) {
		const struct reason *r = &why.reason[i];
		if (!is_of_word(r))
			continue;
		struct term_total *t = term_of(f, (struct str){text.p + r->from, r->to - r->from});
		t->contribution += r->value;
		if (t->last == number)
			continue;
		t->last = number;
		t->count++;
		t->scored += m->has_score;
		t->scores += m->has_score ? m->score : 0;
	}
}

static bool is_full(const struct finder *f, size_t sample)
{
	return f->found->messages == sample || f->bytes >= TERMS_BYTES || f->found->n >= TERMS_WORDS;
}

/* Adds the messages after filter->after, which moves on: 1; 0 once there are no more, or no more are to be looked at;
 * -1. One more than is wanted shows whether there are. */
static int add_page(
    struct finder *f, struct store *store, struct filter *filter, size_t sample, struct arena *page, struct err *e)
{
	size_t left = sample - f->found->messages + 1, most = left < PAGE ? left : PAGE;
	struct message *row = arena_alloc(page, most * sizeof *row);
	struct arena scrap = {0};
	int n = store->query(store, filter, row, most, PAGE_BYTES, page, e), rc = n < 0 ? -1 : n > 0;
	f->found->complete = n == 0;
	for (int i = 0; i < n && rc > 0; i++) {
		if (is_full(f, sample)) {
			rc = 0;
			break;
		}
		add_message(f, &row[i], &scrap);
		arena_reset(&scrap);
		rc = interrupt_check(store->interrupt, e) < 0 ? -1 : 1;
	}
	arena_free(&scrap);
	if (rc > 0) {
		filter->after = place_after(&row[n - 1]);
		buf_clear(&f->place);
		buf_str(&f->place, row[n - 1].id);
		filter->after.id = buf_view(&f->place);
	}
	return rc;
}

static int by_contribution(const void *a, const void *b)
{
	const struct term_total *x = a, *y = b;
	double p = fabs(x->contribution), q = fabs(y->contribution);
	return p > q ? -1 : p < q ? 1 : str_cmp(x->word, y->word);
}

int term_totals_find(struct term_totals *t, struct store *store, const struct model *model, const struct filter *filter,
    size_t sample, struct arena *mem, struct err *e)
{
	struct finder f = {.found = t, .model = model, .scratch = scratch_new(model), .mem = mem};
	struct filter pages = *filter;
	struct arena page = {0};
	int rc;
	*t = (struct term_totals){0};
	pages.order = ORDER_NEWEST;
	pages.after = (struct place){0};
	while ((rc = add_page(&f, store, &pages, sample, &page, e)) > 0)
		arena_reset(&page);
	sort(t->term, t->n, sizeof *t->term, by_contribution);
	model->engine->scratch_free(f.scratch);
	arena_free(&page);
	map_free(&f.by_word);
	buf_free(&f.folded);
	buf_free(&f.place);
	return rc;
}

void term_totals_free(struct term_totals *t)
{
	free(t->term);
}
