/* windows.c - keys, slots and panes; what closes, and in which order it comes out. */
#include <math.h>

#include "lib/base/clock.h"
#include "lib/window/windows_internal.h"

/* What a map's slot and malloc cost beside the struct itself. */
enum { ENTRY_COST = 112 };

struct windows *windows_new(const struct windows_conf *conf)
{
	struct windows *w = xcalloc(1, sizeof *w);
	w->conf = conf;
	w->greatest = w->watermark = w->emitted = INT64_MIN;
	return w;
}

/* ---- which batches are held ---- */

void windows_hold(struct windows *w, uint64_t batch)
{
	if (!w->helds)
		w->base = batch;
	size_t at = (size_t)(batch - w->base);
	if (at >= w->helds_cap) {
		w->helds_cap = 2 * at + 64;
		w->held = xreallocarray(w->held, w->helds_cap, sizeof *w->held);
	}
	for (; w->helds <= at; w->helds++)
		w->held[w->helds] = 0;
	w->held[at]++;
}

static void unhold(struct windows *w, uint64_t batch)
{
	w->held[batch - w->base]--;
	size_t done = 0;
	while (done < w->helds && !w->held[done])
		done++;
	if (done < w->helds && done < 1024)
		return;
	w->helds -= done;
	w->base += done;
	memmove(w->held, w->held + done, w->helds * sizeof *w->held);
}

uint64_t windows_held_from(const struct windows *w)
{
	for (size_t i = 0; i < w->helds; i++)
		if (w->held[i])
			return w->base + i;
	return UINT64_MAX;
}

/* ---- keys and panes ---- */

void list_add(struct pane_list *l, struct pane *p)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 64;
		l->pane = xreallocarray(l->pane, l->cap, sizeof *l->pane);
	}
	l->pane[l->n++] = p;
}

static size_t series_cost(struct str key)
{
	return sizeof(struct window_series) + key.n + ENTRY_COST;
}

struct window_series *windows_series(struct windows *w, struct str key)
{
	struct map_slot *found = map_get(&w->series, key);
	if (found)
		return found->v.ptr;
	struct window_series *s = xcalloc(1, sizeof *s);
	s->key = (struct str){str_dup(key), key.n};
	s->ewm.at = s->ewm.until = INT64_MIN;
	map_put(&w->series, s->key, NULL)->v.ptr = s;
	w->used += series_cost(key);
	return s;
}

static void series_free(struct windows *w, struct window_series *s)
{
	w->used -= series_cost(s->key) + s->cap * sizeof *s->session;
	map_remove(&w->series, s->key);
	free((void *)s->key.p);
	free(s->session);
	free(s);
}

/* New, of that slot or (NULL) a session. */
struct pane *windows_pane(struct windows *w, struct window_series *s, struct window_slot *slot, uint64_t batch)
{
	struct pane *p = xcalloc(1, sizeof *p);
	p->series = s;
	p->slot = slot;
	p->batch = batch;
	s->open++;
	w->used += sizeof *p + ENTRY_COST;
	windows_hold(w, batch);
	return p;
}

void windows_pane_free(struct windows *w, struct pane *p)
{
	w->used -= sizeof *p + ENTRY_COST + aggregate_bytes(&p->a);
	aggregate_free(&p->a, &w->conf->aggregate);
	unhold(w, p->batch);
	p->series->open--;
	if (p->series->latest == p)
		p->series->latest = NULL;
	free(p);
}

/* Keys whose mean has no weight any more, and that have no window, are dropped now and then. */
static void sweep(struct windows *w)
{
	if (w->series.n < 2 * w->swept + 1024)
		return;
	struct window_series **gone = xcalloc(w->series.n, sizeof *gone);
	size_t n = 0;
	for (size_t i = 0; i < w->series.cap; i++) {
		struct window_series *s = w->series.slot[i].key.p ? w->series.slot[i].v.ptr : NULL;
		if (s && !s->open && s->ewm.until < w->watermark)
			gone[n++] = s;
	}
	while (n)
		series_free(w, gone[--n]);
	free(gone);
	w->swept = w->series.n;
}

/* ---- slots ---- */

static int slot_order(const struct window_slot *a, const struct window_slot *b)
{
	if (a->last != b->last)
		return a->last < b->last ? -1 : 1;
	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return a->first < b->first ? -1 : a->first > b->first;
}

/* Where it is among the slots or would be. */
static size_t slot_place(const struct windows *w, const struct window_slot *as)
{
	size_t low = 0, high = w->slots;
	while (low < high) {
		size_t mid = (low + high) / 2;
		if (slot_order(w->slot[mid], as) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static struct window_slot *slot_find(const struct windows *w, const struct window_slot *as)
{
	size_t at = slot_place(w, as);
	return at < w->slots && slot_order(w->slot[at], as) == 0 ? w->slot[at] : NULL;
}

static struct window_slot *slot_new(struct windows *w, const struct window_slot *as)
{
	size_t at = slot_place(w, as);
	if (w->slots == w->slots_cap) {
		w->slots_cap = w->slots_cap ? 2 * w->slots_cap : 16;
		w->slot = xreallocarray(w->slot, w->slots_cap, sizeof *w->slot);
	}
	memmove(w->slot + at + 1, w->slot + at, (w->slots - at) * sizeof *w->slot);
	w->slots++;
	w->slot[at] = xcalloc(1, sizeof **w->slot);
	*w->slot[at] = *as;
	w->used += sizeof **w->slot + ENTRY_COST;
	return w->slot[at];
}

static void slot_remove(struct windows *w, size_t at)
{
	struct window_slot *s = w->slot[at];
	for (size_t i = 0; i < s->pane.cap; i++)
		if (s->pane.slot[i].key.p)
			windows_pane_free(w, s->pane.slot[i].v.ptr);
	map_free(&s->pane);
	if (w->recent == s)
		w->recent = NULL;
	free(s);
	w->used -= sizeof *s + ENTRY_COST;
	memmove(w->slot + at, w->slot + at + 1, (w->slots - at - 1) * sizeof *w->slot);
	w->slots--;
}

static int64_t floor_to(int64_t t, int64_t step)
{
	int64_t past = t % step;
	return t - (past < 0 ? past + step : past);
}

/* The slot that a record of that time belongs to. False: it is late. */
static bool slot_for(const struct windows *w, int64_t time, struct window_slot *out)
{
	const struct windows_conf *c = w->conf;
	*out = (struct window_slot){0};
	if (c->shape == SHAPE_CALENDAR) {
		calendar_span(c->period, time, &out->start, &out->end);
		out->first = out->last = out->end;
		return out->last > w->watermark;
	}
	out->start = floor_to(time, c->every_ms);
	out->end = out->first = out->start + c->every_ms;
	out->last = out->start + c->of_ms;
	if (out->first <= w->watermark && out->last > w->watermark)
		out->first = floor_to(w->watermark, c->every_ms) + c->every_ms;
	return out->last > w->watermark;
}

static bool in_years(int64_t start, int64_t end)
{
	return time_in_range(start) && time_in_range(end);
}

/* ---- adding ---- */

static void see(struct windows *w, int64_t time)
{
	if (time <= w->greatest)
		return;
	w->greatest = time;
	if (w->conf->late_ms >= 0 && time - w->conf->late_ms > w->watermark)
		w->watermark = time - w->conf->late_ms;
}

/* Where a record or window goes: what is there already, NULL where it must be made. */
struct target {
	struct window_series *series;
	struct pane *pane;
	struct window_slot slot; /* as it is or is to be made */
	struct window_slot *found;
	int64_t start, end; /* of a session */
};

static enum windows_result find_slot(struct windows *w, struct str key, int64_t time, struct target *t)
{
	struct window_slot *r = w->recent;
	if (r && r->start <= time && time < r->end && r->first > w->watermark && w->conf->shape != SHAPE_GIVEN)
		t->found = r;
	else if (w->conf->shape != SHAPE_GIVEN && !slot_for(w, time, &t->slot))
		return WINDOWS_LATE;
	else if (!in_years(
		     w->conf->shape == SHAPE_STEPS ? t->slot.first - w->conf->of_ms : t->slot.start, t->slot.last))
		return WINDOWS_FAR;
	if (t->found)
		t->slot = *t->found;
	else
		t->found = slot_find(w, &t->slot);
	struct map_slot *s = map_get(&w->series, key);
	t->series = s ? s->v.ptr : NULL;
	struct pane *latest = t->series ? t->series->latest : NULL;
	if (latest && latest->slot == t->found) {
		t->pane = latest;
	} else if (t->series && t->found) {
		struct map_slot *p = map_get(&t->found->pane, key);
		t->pane = p ? p->v.ptr : NULL;
	}
	return WINDOWS_TAKEN;
}

static enum windows_result find_session(struct windows *w, struct str key, int64_t start, int64_t end, struct target *t)
{
	if (!in_years(start, end))
		return WINDOWS_FAR;
	struct map_slot *s = map_get(&w->series, key);
	t->series = s ? s->v.ptr : NULL;
	t->start = start;
	t->end = end;
	t->pane = t->series ? session_find(w, t->series, start, end) : NULL;
	return t->pane || end > w->watermark ? WINDOWS_TAKEN : WINDOWS_LATE;
}

static struct pane *pane_in(struct windows *w, struct window_series *s, struct window_slot *slot, uint64_t batch)
{
	struct pane *made = windows_pane(w, s, slot, batch);
	map_put(&slot->pane, s->key, NULL)->v.ptr = made;
	return made;
}

/* Makes what is missing. */
static struct pane *reach(struct windows *w, struct str key, struct target *t, uint64_t batch)
{
	struct window_series *s = t->series ? t->series : windows_series(w, key);
	if (w->conf->shape == SHAPE_SESSIONS)
		return s->latest = session_put(w, s, t->start, t->end, batch);
	if (!t->found)
		t->found = slot_new(w, &t->slot);
	w->recent = t->found;
	if (!t->pane)
		t->pane = pane_in(w, s, t->found, batch);
	return s->latest = t->pane;
}

static bool has_room(const struct windows *w, const struct target *t, struct str key, size_t growth, uint64_t extra)
{
	size_t need = growth;
	if (!t->series)
		need += series_cost(key);
	if (!t->pane)
		need += sizeof(struct pane) + sizeof(struct window_slot) + 2 * ENTRY_COST;
	return !need || !w->conf->memory || windows_bytes(w) + extra + need <= w->conf->memory;
}

enum windows_result windows_add(
    struct windows *w, struct str key, int64_t time, const struct observation *o, uint64_t batch, uint64_t extra)
{
	static const struct aggregate none;
	const struct windows_conf *c = w->conf;
	struct target t = {0};
	enum windows_result r =
	    c->shape == SHAPE_SESSIONS ? find_session(w, key, time, time + c->gap_ms, &t) : find_slot(w, key, time, &t);
	if (r != WINDOWS_TAKEN)
		return r;
	const struct aggregate *there = t.pane ? &t.pane->a : &none;
	if (!has_room(w, &t, key, aggregate_growth(there, &c->aggregate, o), extra))
		return WINDOWS_FULL;
	if (!aggregate_fits(there, square_of(o->score)))
		return WINDOWS_TOO_BIG;
	struct pane *p = reach(w, key, &t, batch);
	size_t before = aggregate_bytes(&p->a);
	aggregate_add(&p->a, &c->aggregate, o);
	w->used += aggregate_bytes(&p->a) - before;
	see(w, time);
	return WINDOWS_TAKEN;
}

enum windows_result windows_merge(struct windows *w, struct str key, int64_t start, int64_t end,
    const struct aggregate *a, uint64_t batch, uint64_t extra)
{
	static const struct aggregate none;
	const struct windows_conf *c = w->conf;
	struct target t = {.slot = {.start = start, .end = end, .first = end, .last = end}};
	enum windows_result r = end <= w->watermark ? WINDOWS_LATE : WINDOWS_TAKEN;
	if (c->shape == SHAPE_SESSIONS)
		r = find_session(w, key, start, end, &t);
	else if (r == WINDOWS_TAKEN)
		r = find_slot(w, key, start, &t);
	if (r != WINDOWS_TAKEN)
		return r;
	const struct aggregate *there = t.pane ? &t.pane->a : &none;
	if (!has_room(w, &t, key, aggregate_bytes(a) + sketch_growth(&there->sketch, a->sketch.buckets), extra))
		return WINDOWS_FULL;
	if (!aggregate_fits(there, a->squares))
		return WINDOWS_TOO_BIG;
	struct pane *p = reach(w, key, &t, batch);
	size_t before = aggregate_bytes(&p->a);
	aggregate_merge(&p->a, a, &c->aggregate);
	p->a.newest.n += a->newest.n;
	p->a.newest.sum += a->newest.sum;
	w->used += aggregate_bytes(&p->a) - before;
	see(w, end);
	return WINDOWS_TAKEN;
}

/* ---- closing ---- */

static int64_t ceil_after(int64_t t, int64_t from, int64_t step)
{
	return from > t ? from : from + ((t - from) / step + 1) * step;
}

/* The end of the slot's next window that has not come out. */
static int64_t next_end(const struct windows *w, const struct window_slot *s)
{
	return s->first == s->last ? s->last : ceil_after(w->emitted, s->first, w->conf->every_ms);
}

static int by_key(const void *a, const void *b)
{
	const struct pane *x = *(struct pane *const *)a, *y = *(struct pane *const *)b;
	int order = str_cmp(x->series->key, y->series->key);
	return order ? order : slot_order(x->slot, y->slot);
}

static int by_end(const void *a, const void *b)
{
	const struct pane *x = *(struct pane *const *)a, *y = *(struct pane *const *)b;
	if (x->end != y->end)
		return x->end < y->end ? -1 : 1;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return str_cmp(x->series->key, y->series->key);
}

/* The sessions that the watermark has closed. */
static void ripen_sessions(struct windows *w)
{
	struct pane *p;
	while ((p = session_first(w)) && p->end <= w->watermark)
		list_add(&w->ripe, session_pop(w));
	sort(w->ripe.pane, w->ripe.n, sizeof *w->ripe.pane, by_end);
}

static void add_slot(struct windows *w, const struct window_slot *s)
{
	for (size_t i = 0; i < s->pane.cap; i++)
		if (s->pane.slot[i].key.p)
			list_add(&w->ripe, s->pane.slot[i].v.ptr);
}

/* The panes of the next window that the watermark has closed. */
static void ripen_slots(struct windows *w)
{
	bool steps = w->conf->shape == SHAPE_STEPS;
	const struct window_slot *first = NULL;
	int64_t end = INT64_MAX;
	for (size_t i = 0; i < w->slots; i++) {
		int64_t next = next_end(w, w->slot[i]);
		if (next < end) {
			end = next;
			first = w->slot[i];
		}
	}
	if (!first || end > w->watermark)
		return;
	w->ripe_end = end;
	w->ripe_start = steps ? end - w->conf->of_ms : first->start;
	for (size_t i = 0; i < w->slots; i++) {
		const struct window_slot *s = w->slot[i];
		if (steps ? s->first <= end && s->last >= end : s == first)
			add_slot(w, s);
	}
	sort(w->ripe.pane, w->ripe.n, sizeof *w->ripe.pane, by_key);
}

/* Frees what the windows that have come out had for themselves. */
static void drop_ripe(struct windows *w)
{
	if (!w->ripe.n)
		return;
	if (w->conf->shape == SHAPE_SESSIONS) {
		for (size_t i = 0; i < w->ripe.n; i++)
			windows_pane_free(w, w->ripe.pane[i]);
	} else {
		w->emitted = w->ripe_end;
		for (size_t i = w->slots; i-- > 0;) {
			const struct window_slot *s = w->slot[i];
			if (s->last == w->ripe_end && (w->conf->shape == SHAPE_STEPS || s->start == w->ripe_start))
				slot_remove(w, i);
		}
	}
	w->ripe.n = w->at = 0;
	sweep(w);
}

bool windows_ripe(struct windows *w)
{
	if (w->at == w->ripe.n) {
		drop_ripe(w);
		if (w->conf->shape == SHAPE_SESSIONS)
			ripen_sessions(w);
		else
			ripen_slots(w);
	}
	return w->at < w->ripe.n;
}

/* The mean up to a window that ends there and adds `new`. */
static double weigh(const struct windows *w, struct window_series *s, int64_t length, int64_t end, struct tally new)
{
	struct tally_over_time *e = &s->ewm;
	int64_t half = w->conf->half_life_ms ? w->conf->half_life_ms : 5 * length;
	if (end > e->until || end < e->at) { /* a damaged state may be ahead */
		*e = (struct tally_over_time){.at = end};
		s->alerted = false;
	}
	double weight = exp2(-(double)(end - e->at) / (double)half);
	e->n = e->n * weight + (double)new.n;
	e->sum = e->sum * weight + (double)new.sum;
	e->at = end;
	e->until = end > INT64_MAX / 2 - FORGOTTEN * (half / 2) ? INT64_MAX : end + FORGOTTEN * half;
	return e->n > 0 ? e->sum / e->n / SCORE_UNIT : 0;
}

/* What of the window is in none before it. */
static struct tally newest_of(const struct windows *w, struct pane *const *p, size_t n)
{
	struct tally t = {0};
	if (w->conf->shape == SHAPE_GIVEN)
		return p[0]->a.newest;
	for (size_t i = 0; i < n; i++)
		if (!p[i]->slot || p[i]->slot->first == w->ripe_end) {
			t.n += p[i]->a.all.n;
			t.sum += p[i]->a.all.sum;
		}
	return t;
}

bool windows_next(struct windows *w, struct closed_window *out)
{
	aggregate_free(&w->merged, &w->conf->aggregate);
	if (!windows_ripe(w))
		return false;
	struct pane **p = w->ripe.pane + w->at;
	size_t n = 1;
	bool session = w->conf->shape == SHAPE_SESSIONS;
	while (!session && w->at + n < w->ripe.n && p[n]->series == p[0]->series)
		n++;
	w->at += n;
	w->merged = (struct aggregate){0};
	for (size_t i = 0; n > 1 && i < n; i++)
		aggregate_merge(&w->merged, &p[i]->a, &w->conf->aggregate);
	struct aggregate *a = n > 1 ? &w->merged : &p[0]->a;
	a->newest = newest_of(w, p, n);
	*out = (struct closed_window){.start = session ? p[0]->start : w->ripe_start,
	    .end = session ? p[0]->end : w->ripe_end,
	    .key = p[0]->series->key,
	    .aggregate = a,
	    .alerted = &p[0]->series->alerted};
	out->ewm = weigh(w, p[0]->series, out->end - out->start, out->end, a->newest);
	return true;
}

void windows_close(struct windows *w)
{
	for (size_t i = 0; i < w->slots; i++)
		if (w->slot[i]->last > w->watermark)
			w->watermark = w->slot[i]->last;
	for (size_t i = 0; i < w->heap.n; i++)
		if (!w->heap.pane[i]->dead && w->heap.pane[i]->end > w->watermark)
			w->watermark = w->heap.pane[i]->end;
}

bool windows_any(const struct windows *w)
{
	return w->slots || w->heap.n || w->ripe.n;
}

uint64_t windows_bytes(const struct windows *w)
{
	return w->used + w->conf->aggregate.vocabulary->bytes + (w->heap.cap + w->ripe.cap) * sizeof(struct pane *);
}

void windows_free(struct windows *w)
{
	aggregate_free(&w->merged, &w->conf->aggregate);
	w->at = w->ripe.n;
	if (w->conf->shape == SHAPE_SESSIONS)
		drop_ripe(w);
	while (w->slots)
		slot_remove(w, w->slots - 1);
	for (size_t i = 0; i < w->heap.n; i++)
		windows_pane_free(w, w->heap.pane[i]);
	for (size_t i = 0; i < w->series.cap; i++)
		if (w->series.slot[i].key.p) {
			struct window_series *s = w->series.slot[i].v.ptr;
			free((void *)s->key.p);
			free(s->session);
			free(s);
		}
	map_free(&w->series);
	free(w->slot);
	free(w->heap.pane);
	free(w->ripe.pane);
	free(w->held);
	free(w);
}

struct pane *windows_adopt(struct windows *w, struct str key, const struct window_slot *as)
{
	struct window_series *s = windows_series(w, key);
	if (w->conf->shape == SHAPE_SESSIONS) {
		bool is_new = as->end > w->watermark && !session_find(w, s, as->start, as->end);
		return is_new ? session_put(w, s, as->start, as->end, 0) : NULL;
	}
	struct window_slot *slot = slot_find(w, as);
	if (!slot)
		slot = slot_new(w, as);
	return map_get(&slot->pane, key) ? NULL : pane_in(w, s, slot, 0);
}
