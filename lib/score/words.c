/* words.c - the dictionary: open addressing, at most half full. */
#include "lib/score/words.h"

void words_init(struct words *w, size_t most)
{
	*w = (struct words){.most = (uint32_t)most};
	size_t slots = 64;
	while (slots < most * 2)
		slots *= 2;
	w->mask = (uint32_t)(slots - 1);
	/* [0] and the slots, in whole cache lines. calloc gets large blocks from the system, zeroed when touched. */
	w->block = xcalloc(slots + 3, sizeof *w->word);
	w->word = (struct word *)(((uintptr_t)w->block + 63) & ~(uintptr_t)63);
}

void words_free(struct words *w)
{
	free(w->block);
	buf_free(&w->tails);
}

bool words_same_tail(const struct words *w, const struct word *k, const char *p)
{
	const char *tail = w->tails.p + k->tail;
	for (size_t i = 16; i < k->n; i++) {
		unsigned char c = (unsigned char)p[i];
		if ((unsigned char)tail[i - 16] != (c | ((unsigned)(c - 'A') < 26 ? 0x20u : 0)))
			return false;
	}
	return true;
}

uint32_t words_add(struct words *w, struct str key)
{
	struct word_bits b = word_load(key.p, key.n);
	uint32_t at = words_probe(w, b, key.p, key.n);
	struct word *k = &w->word[at];
	if (k->n || key.n == 0)
		return k->n ? at : 0;
	if (w->n == w->most)
		abort(); /* the caller's count was wrong */
	w->n++;
	*k = (struct word){.k = {b.k[0], b.k[1]}, .n = (uint16_t)key.n};
	if (key.n > 16) {
		k->tail = (uint32_t)w->tails.n;
		buf_add(&w->tails, key.p + 16, key.n - 16);
	}
	uint64_t bit = word_hash(b, key.n) >> (64 - WORDS_FILTER_BITS);
	w->filter[bit / 64] |= (uint64_t)1 << (bit % 64);
	return at;
}
