/* terms.c - Space-Saving in an array: with some dozens of counters, looking through them is quicker than a heap. */
#include "lib/window/terms.h"

/* So much more than its letters a word costs: itself, its slot in the map, and what malloc adds. */
enum { WORD_COST = 96 };

struct vocabulary_word {
	uint32_t users;
	uint32_t n;
	char p[];
};

static struct str text_of(const struct vocabulary_word *w)
{
	return (struct str){w->p, w->n};
}

static struct vocabulary_word *word_take(struct vocabulary *v, struct str text)
{
	struct map_slot *found = map_get(&v->map, text);
	if (!found) {
		struct vocabulary_word *w = xmalloc(sizeof *w + text.n + 1);
		w->users = 0;
		w->n = (uint32_t)text.n;
		memcpy(w->p, text.p, text.n);
		w->p[text.n] = 0;
		found = map_put(&v->map, text_of(w), NULL);
		found->v.ptr = w;
		v->bytes += text.n + WORD_COST;
	}
	struct vocabulary_word *w = found->v.ptr;
	w->users++;
	return w;
}

static void word_give(struct vocabulary *v, struct vocabulary_word *w)
{
	if (--w->users)
		return;
	v->bytes -= w->n + WORD_COST;
	map_remove(&v->map, text_of(w));
	free(w);
}

static uint64_t add_capped(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static int64_t add_signed(int64_t a, int64_t b)
{
	int64_t sum;
	return __builtin_add_overflow(a, b, &sum) ? (a < 0 ? -INT64_MAX : INT64_MAX) : sum;
}

static uint32_t next_cap(uint32_t cap, uint32_t most)
{
	uint32_t next = cap ? 2 * cap : 4;
	return next < most ? next : most;
}

static struct term *append(struct term_summary *t, uint32_t most)
{
	if (t->n == t->cap) {
		t->cap = next_cap(t->cap, most);
		t->term = xreallocarray(t->term, t->cap, sizeof *t->term);
	}
	struct term *made = &t->term[t->n++];
	*made = (struct term){0};
	return made;
}

static struct term *find(const struct term_summary *t, const struct vocabulary_word *w)
{
	for (uint32_t i = 0; i < t->n; i++)
		if (t->term[i].word == w)
			return &t->term[i];
	return NULL;
}

static struct term *lightest(const struct term_summary *t)
{
	struct term *least = t->term;
	for (uint32_t i = 1; i < t->n; i++)
		if (t->term[i].weight < least->weight)
			least = &t->term[i];
	return least;
}

void terms_add(
    struct term_summary *t, struct vocabulary *v, uint32_t most, struct str word, uint64_t weight, int64_t value)
{
	struct vocabulary_word *w = word_take(v, word);
	struct term *c = find(t, w);
	if (c) {
		word_give(v, w);
	} else if (t->n < most) {
		c = append(t, most);
		c->word = w;
	} else {
		c = lightest(t);
		word_give(v, c->word);
		*c = (struct term){.word = w, .weight = c->weight, .error = c->weight};
	}
	c->weight = add_capped(c->weight, weight);
	c->value = add_signed(c->value, value);
}

bool terms_restore(struct term_summary *t, struct vocabulary *v, uint32_t most, struct str word, const struct term *as)
{
	if (t->n == most)
		return false;
	struct vocabulary_word *w = word_take(v, word);
	if (find(t, w)) {
		word_give(v, w);
		return false;
	}
	struct term *c = append(t, most);
	*c = *as;
	c->word = w;
	return true;
}

struct str term_text(const struct term *t)
{
	return text_of(t->word);
}

static int heavier(const void *a, const void *b)
{
	const struct term *x = a, *y = b;
	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	return str_cmp(term_text(x), term_text(y));
}

/* A word that one of them does not count may have in it the weight of its lightest, if it is full. */
void terms_merge(struct term_summary *to, const struct term_summary *from, struct vocabulary *v, uint32_t most)
{
	uint64_t missed = to->n == most && most ? lightest(to)->weight : 0;
	uint64_t missing = from->n == most && most ? lightest(from)->weight : 0;
	uint32_t had = to->n;
	bool *both = xcalloc(had + 1, sizeof *both);
	for (uint32_t i = 0; i < from->n; i++) {
		const struct term *f = &from->term[i];
		struct term *c = find(to, f->word);
		if (c && c < to->term + had)
			both[c - to->term] = true;
		if (!c) {
			c = append(to, UINT32_MAX);
			*c = (struct term){.word = f->word, .weight = missed, .error = missed};
			f->word->users++;
		}
		c->weight = add_capped(c->weight, f->weight);
		c->error = add_capped(c->error, f->error);
		c->value = add_signed(c->value, f->value);
	}
	for (uint32_t i = 0; i < had; i++)
		if (!both[i]) {
			to->term[i].weight = add_capped(to->term[i].weight, missing);
			to->term[i].error = add_capped(to->term[i].error, missing);
		}
	free(both);
	if (to->n > most) {
		sort(to->term, to->n, sizeof *to->term, heavier);
		while (to->n > most)
			word_give(v, to->term[--to->n].word);
	}
}

static uint64_t size_of(int64_t v)
{
	return v < 0 ? -(uint64_t)v : (uint64_t)v;
}

static bool before(const struct term *x, const struct term *y, bool by_value)
{
	uint64_t a = by_value ? size_of(x->value) : x->weight, b = by_value ? size_of(y->value) : y->weight;
	return a != b ? a > b : str_cmp(term_text(x), term_text(y)) < 0;
}

size_t terms_best(const struct term_summary *t, bool by_value, const struct term **best, size_t k)
{
	size_t n = 0;
	for (uint32_t i = 0; i < t->n; i++) {
		const struct term *c = &t->term[i];
		if (n == k && (!k || !before(c, best[k - 1], by_value)))
			continue;
		size_t at = n < k ? n++ : k - 1;
		for (; at && before(c, best[at - 1], by_value); at--)
			best[at] = best[at - 1];
		best[at] = c;
	}
	return n;
}

size_t terms_growth(const struct term_summary *t, uint32_t most, uint32_t more, size_t letters)
{
	uint32_t cap = t->cap;
	while (cap < most && cap < t->n + more)
		cap = next_cap(cap, most);
	return (cap - t->cap) * sizeof *t->term + more * (size_t)WORD_COST + letters;
}

size_t terms_bytes(const struct term_summary *t)
{
	return t->cap * sizeof *t->term;
}

void terms_free(struct term_summary *t, struct vocabulary *v)
{
	for (uint32_t i = 0; i < t->n; i++)
		word_give(v, t->term[i].word);
	free(t->term);
	*t = (struct term_summary){0};
}

void vocabulary_free(struct vocabulary *v)
{
	map_free(&v->map);
}
