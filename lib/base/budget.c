/* budget.c - shares of one limit. */
#include "lib/base/budget.h"

enum { KEPT_FOR_SMALL = 8 }; /* the fraction of the limit: an eighth */

static uint64_t usable(const struct budget *b)
{
	return b->limit - b->limit / KEPT_FOR_SMALL;
}

uint64_t budget_most(const struct budget *b)
{
	return b ? usable(b) - b->fixed : UINT64_MAX;
}

uint64_t budget_used(const struct budget *b)
{
	return atomic_load_explicit(&b->used, memory_order_relaxed);
}

bool share_take(struct share *s, uint64_t n)
{
	struct budget *b = s->of;
	if (b) {
		uint64_t most = s->held + n <= SHARE_SMALL ? b->limit : usable(b);
		uint64_t used = atomic_fetch_add_explicit(&b->used, n, memory_order_relaxed) + n;
		if (unlikely(used > most)) {
			atomic_fetch_sub_explicit(&b->used, n, memory_order_relaxed);
			return false;
		}
	}
	s->held += n;
	return true;
}

void share_add(struct share *s, uint64_t n)
{
	if (s->of)
		atomic_fetch_add_explicit(&s->of->used, n, memory_order_relaxed);
	s->held += n;
}

void share_give(struct share *s, uint64_t n)
{
	if (s->of)
		atomic_fetch_sub_explicit(&s->of->used, n, memory_order_relaxed);
	s->held -= n;
}

void share_release(struct share *s)
{
	if (s->held)
		share_give(s, s->held);
}
