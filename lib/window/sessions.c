/* sessions.c - open sessions: by key in their order, and all of them in a heap by their end.
 *
 * A session's end only grows, so the heap is put right when one comes to its top: it then goes down again, or, if it
 * has become part of another (dead), away.
 */
#include "lib/window/windows_internal.h"

/* Two of a key overlap never, so their ends are in order too. The first that ends after `start`. */
static uint32_t first_after(const struct window_series *s, int64_t start)
{
	uint32_t low = 0, high = s->sessions;
	while (low < high) {
		uint32_t mid = (low + high) / 2;
		if (s->session[mid]->end > start)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

static bool overlaps(const struct window_series *s, uint32_t i, int64_t end)
{
	return i < s->sessions && s->session[i]->start < end;
}

/* Closed ones are not open to more, though they may still be here. */
static uint32_t first_open(const struct windows *w, const struct window_series *s, int64_t start)
{
	return first_after(s, start > w->watermark ? start : w->watermark);
}

struct pane *session_find(const struct windows *w, const struct window_series *s, int64_t start, int64_t end)
{
	uint32_t i = first_open(w, s, start);
	return overlaps(s, i, end) ? s->session[i] : NULL;
}

static void remove_from(struct window_series *s, uint32_t at)
{
	memmove(s->session + at, s->session + at + 1, (s->sessions - at - 1) * sizeof *s->session);
	s->sessions--;
}

static void insert(struct windows *w, struct window_series *s, uint32_t at, struct pane *p)
{
	if (s->sessions == s->cap) {
		w->used -= s->cap * sizeof *s->session;
		s->cap = s->cap ? 2 * s->cap : 2;
		s->session = xreallocarray(s->session, s->cap, sizeof *s->session);
		w->used += s->cap * sizeof *s->session;
	}
	memmove(s->session + at + 1, s->session + at, (s->sessions - at) * sizeof *s->session);
	s->session[at] = p;
	s->sessions++;
}

/* What was in `p` goes into `into`, which begins before it; p stays in the heap as a dead one. */
static void join(struct windows *w, struct pane *into, struct pane *p)
{
	size_t before = aggregate_bytes(&into->a) + aggregate_bytes(&p->a);
	aggregate_merge(&into->a, &p->a, &w->conf->aggregate);
	into->a.newest.n += p->a.newest.n;
	into->a.newest.sum += p->a.newest.sum;
	aggregate_free(&p->a, &w->conf->aggregate);
	w->used += aggregate_bytes(&into->a) - before;
	if (p->batch < into->batch) { /* the older batch is the one that is held */
		uint64_t newer = into->batch;
		into->batch = p->batch;
		p->batch = newer;
	}
	into->end = p->end > into->end ? p->end : into->end;
	p->dead = true;
	if (p->series->latest == p)
		p->series->latest = NULL;
}

struct pane *session_put(struct windows *w, struct window_series *s, int64_t start, int64_t end, uint64_t batch)
{
	uint32_t i = first_open(w, s, start);
	if (!overlaps(s, i, end)) {
		struct pane *made = windows_pane(w, s, NULL, batch);
		made->start = start;
		made->end = end;
		insert(w, s, i, made);
		session_push(w, made);
		return made;
	}
	struct pane *p = s->session[i];
	p->start = start < p->start ? start : p->start;
	p->end = end > p->end ? end : p->end;
	while (overlaps(s, i + 1, p->end)) {
		join(w, p, s->session[i + 1]);
		remove_from(s, i + 1);
	}
	return p;
}

static void sink(struct pane_list *h, size_t at)
{
	for (;;) {
		size_t child = 2 * at + 1;
		if (child >= h->n)
			return;
		child += child + 1 < h->n && h->pane[child + 1]->heap_end < h->pane[child]->heap_end;
		if (h->pane[at]->heap_end <= h->pane[child]->heap_end)
			return;
		struct pane *p = h->pane[at];
		h->pane[at] = h->pane[child];
		h->pane[child] = p;
		at = child;
	}
}

void session_push(struct windows *w, struct pane *p)
{
	struct pane_list *h = &w->heap;
	p->heap_end = p->end;
	list_add(h, p);
	for (size_t at = h->n - 1, up; at && h->pane[up = (at - 1) / 2]->heap_end > p->heap_end; at = up) {
		h->pane[at] = h->pane[up];
		h->pane[up] = p;
	}
}

static struct pane *take_top(struct pane_list *h)
{
	struct pane *p = h->pane[0];
	h->pane[0] = h->pane[--h->n];
	sink(h, 0);
	return p;
}

struct pane *session_first(struct windows *w)
{
	struct pane_list *h = &w->heap;
	while (h->n) {
		struct pane *p = h->pane[0];
		if (p->dead) {
			windows_pane_free(w, take_top(h));
		} else if (p->heap_end != p->end) {
			p->heap_end = p->end;
			sink(h, 0);
		} else {
			return p;
		}
	}
	return NULL;
}

struct pane *session_pop(struct windows *w)
{
	struct pane *p = take_top(&w->heap);
	struct window_series *s = p->series;
	for (uint32_t i = 0; i < s->sessions; i++)
		if (s->session[i] == p) {
			remove_from(s, i);
			break;
		}
	if (s->latest == p)
		s->latest = NULL;
	return p;
}
