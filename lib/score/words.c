/* words.c - the dictionary behind words.h: open addressing, at most half full, a third at first. */
#include "lib/score/words.h"

static void insert(struct words *w, uint64_t h, uint32_t number)
{
	uint64_t bit = h >> (64 - WORDS_FILTER_BITS);
	w->filter[bit / 64] |= (uint64_t)1 << (bit % 64);
	size_t i = h & w->mask;
	while (w->slot[i])
		i = (i + 1) & w->mask;
	w->slot[i] = number;
}

static void resize(struct words *w, size_t slots)
{
	free(w->slot);
	w->slot = xcalloc(slots, sizeof *w->slot);
	w->mask = (uint32_t)(slots - 1);
	for (uint32_t i = 1; i <= w->n; i++) {
		const struct word_key *k = &w->key[i];
		insert(w, word_hash((struct word_bits){{k->k[0], k->k[1]}}, k->n), i);
	}
}

void words_init(struct words *w, size_t expected)
{
	*w = (struct words){0};
	size_t slots = 64;
	while (slots < expected * 3)
		slots *= 2;
	w->cap = (uint32_t)(expected < 64 ? 64 : expected + 1);
	w->key = xreallocarray(NULL, w->cap, sizeof *w->key);
	w->key[0] = (struct word_key){0};
	resize(w, slots);
}

void words_free(struct words *w)
{
	free(w->slot);
	free(w->key);
	arena_free(&w->mem);
}

void words_copy(struct words *to, const struct words *from)
{
	words_init(to, from->n + 64);
	for (uint32_t i = 1; i <= from->n; i++)
		words_add(to, (struct str){from->key[i].text, from->key[i].n});
}

static bool same_tail(const struct word_key *k, const char *p)
{
	for (size_t i = 16; i < k->n; i++) {
		unsigned char c = (unsigned char)p[i];
		if ((unsigned char)k->text[i] != (c | ((unsigned)(c - 'A') < 26 ? 0x20u : 0)))
			return false;
	}
	return true;
}

uint32_t words_find(const struct words *w, const char *p, size_t n)
{
	struct word_bits b = word_load(p, n);
	for (size_t i = word_hash(b, n) & w->mask; w->slot[i]; i = (i + 1) & w->mask) {
		const struct word_key *k = &w->key[w->slot[i]];
		if (k->k[0] == b.k[0] && k->k[1] == b.k[1] && k->n == n && (n <= 16 || same_tail(k, p)))
			return w->slot[i];
	}
	return 0;
}

uint32_t words_add(struct words *w, struct str key)
{
	uint32_t had = words_find(w, key.p, key.n);
	if (had)
		return had;
	if (w->n + 1 == w->cap) {
		w->cap *= 2;
		w->key = xreallocarray(w->key, w->cap, sizeof *w->key);
	}
	if ((w->n + 1) * 2 > w->mask + 1)
		resize(w, ((size_t)w->mask + 1) * 2);
	struct word_bits b = word_load(key.p, key.n);
	char *text = arena_alloc(&w->mem, key.n + WORDS_PAD);
	memcpy(text, key.p, key.n);
	memset(text + key.n, 0, WORDS_PAD);
	w->key[++w->n] = (struct word_key){.k = {b.k[0], b.k[1]}, .n = (uint32_t)key.n, .text = text};
	insert(w, word_hash(b, key.n), w->n);
	return w->n;
}
