/* budget.h - so much of something (bytes of memory, of files) for all threads of a process, and the shares that its
 * users have of it.
 *
 *     struct share s = {.of = &memory};
 *     if (!share_take(&s, n))
 *             ... refuse what would need it ...
 *     share_release(&s);
 *
 * Who takes asks first, so the budget is never exceeded. The last eighth is only for shares that are small as a whole:
 * however much a few large ones hold, there is room for many small ones. A share without a budget may take anything.
 */
#ifndef SENTI_BUDGET_H
#define SENTI_BUDGET_H

#include <stdatomic.h>

#include "lib/base/base.h"

struct budget {
	uint64_t limit; /* set before it is used */
	atomic_uint_fast64_t used;
};

/* What one user holds. Belongs to one thread at a time. */
struct share {
	struct budget *of; /* lent; NULL: without a limit */
	uint64_t held;
};

#define SHARE_SMALL ((uint64_t)64 << 10)

/* n more, or false and no more than before. Cheap; thread-safe towards other shares. */
MUST_USE bool share_take(struct share *s, uint64_t n);
/* n more whether there is room or not: for what exists already, or must. */
void share_add(struct share *s, uint64_t n);
/* n less (n <= held). */
void share_give(struct share *s, uint64_t n);
/* All of it. */
void share_release(struct share *s);
/* The most that one share can ever have. */
uint64_t budget_most(const struct budget *b);
uint64_t budget_used(const struct budget *b);

#endif
