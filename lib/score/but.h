/* but.h - VADER's rule for "but": values before it count half, values after it one and a half times.
 *
 * The package walks over its list of values. At each position it changes not the value there but the FIRST value equal
 * to it. So equal values affect one another, and a changed value may match a later one. The package needs quadratic
 * time; here it is n log n, with the same result. The rule never changes a value of 0, so only the others are kept.
 */
#ifndef SENTI_BUT_H
#define SENTI_BUT_H

#include "lib/base/base.h"

struct but_value {
	double v;
	size_t token;	 /* index among all tokens, ascending */
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

/* Applies the rule; `but` is the index of the first "but" among all tokens. */
void but_shift(struct but_values *b, size_t but);
void but_copy(struct but_values *to, const struct but_values *from);
void but_free(struct but_values *b);

#endif
