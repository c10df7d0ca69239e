/* but.h - VADER's rule for "but": what is said before counts half, what is said after it half as much again.
 *
 * The package walks over its list of values and changes not the value that it stands at but the FIRST one that equals
 * it, while it walks. So equal values hit one another, and a changed value may meet a later one. That is quadratic
 * there; here it is n log n, with the same result. Values of 0 never change by it, so only the others are kept.
 */
#ifndef SENTI_BUT_H
#define SENTI_BUT_H

#include "lib/base/base.h"

struct but_value {
	double v;
	size_t token;	 /* its place among all tokens, ascending */
	size_t from, to; /* its bytes, for explaining */
};

struct but_values {
	struct but_value *value;
	size_t n, cap;
	struct but_node *node;
	size_t nodes;
	uint32_t *slot;
	size_t slots;
};

void but_grow(struct but_values *b);

static inline void but_add(struct but_values *b, size_t token, double v, size_t from, size_t to)
{
	if (unlikely(b->n == b->cap))
		but_grow(b);
	b->value[b->n++] = (struct but_value){v, token, from, to};
}

/* Applies the rule; `but` is the place of the first "but" among all tokens. */
void but_shift(struct but_values *b, size_t but);
void but_copy(struct but_values *to, const struct but_values *from);
void but_free(struct but_values *b);

#endif
