/* budget.h - a limit on a resource (bytes of memory, of files) for all threads of a process, and the shares its users
 * hold.
 *
 *     struct share s = {.of = &memory};
 *     if (!share_take(&s, n))
 *             ... refuse what would need it ...
 *     share_release(&s);
 *
 * Users ask before they take, so the limit is never exceeded. The last eighth is reserved for small shares: however
 * much a few large ones hold, there is room for many small ones. A share without a budget is unlimited.
 */
#ifndef SENTI_BUDGET_H
#define SENTI_BUDGET_H

#include <stdatomic.h>

#include "lib/base/base.h"

struct budget {
	/* Set before first use; `fixed` is what one share holds for good. */
	uint64_t limit, fixed;
	atomic_uint_fast64_t used;
};

/* What one user holds. Used by one thread at a time. */
struct share {
	struct budget *of; /* lent; NULL: no limit */
	uint64_t held;
};

#define SHARE_SMALL ((uint64_t)64 << 10)

/* Takes n more; false if they do not fit, and then takes nothing. Cheap; thread-safe between shares. */
MUST_USE bool share_take(struct share *s, uint64_t n);
/* Takes n more even beyond the limit: for what exists already, or must. */
void share_add(struct share *s, uint64_t n);
/* Gives n back (n <= held). */
void share_give(struct share *s, uint64_t n);
/* Gives everything back. */
void share_release(struct share *s);
/* The largest size that any other share can reach. */
uint64_t budget_most(const struct budget *b);
uint64_t budget_used(const struct budget *b);

#endif
