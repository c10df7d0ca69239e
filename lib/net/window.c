/* window.c - which messages the broker has confirmed. */
#include "lib/net/window.h"

struct outgoing *window_add(struct window *w)
{
	w->outgoing = xgrow(w->outgoing, w->n, &w->cap, 64, sizeof *w->outgoing);
	struct outgoing *p = &w->outgoing[w->n++];
	*p = (struct outgoing){0};
	return p;
}

struct window_part window_keep(struct window *w, struct str s)
{
	struct window_part at = {w->bytes.n, s.n};
	buf_str(&w->bytes, s);
	return at;
}

struct str window_str(const struct window *w, struct window_part s)
{
	return s.n ? (struct str){w->bytes.p + s.at, s.n} : STR("");
}

void window_sent(struct window *w)
{
	w->sent++;
	w->open++;
}

void window_settle(struct window *w, uint64_t tag, bool multiple, bool ok)
{
	if (tag < w->base || tag - w->base >= w->sent)
		return;
	size_t last = (size_t)(tag - w->base);
	for (size_t i = multiple ? w->first : last; i <= last; i++) {
		if (w->outgoing[i].state != OUTGOING_OPEN)
			continue;
		w->outgoing[i].state = ok ? OUTGOING_DONE : OUTGOING_REFUSED;
		w->refused = w->refused || !ok;
		w->open--;
	}
	while (w->first < w->sent && w->outgoing[w->first].state != OUTGOING_OPEN)
		w->first++;
}

void window_again(struct window *w, uint64_t base)
{
	size_t kept = 0;
	for (size_t i = 0; i < w->n; i++) {
		if (w->outgoing[i].state == OUTGOING_DONE)
			continue;
		w->outgoing[kept] = w->outgoing[i];
		w->outgoing[kept++].state = OUTGOING_OPEN;
	}
	w->n = kept;
	w->sent = w->first = w->open = 0;
	w->refused = false;
	w->base = base;
}

void window_clear(struct window *w)
{
	w->base += w->sent;
	window_drop(w);
}

void window_drop(struct window *w)
{
	w->n = w->sent = w->first = w->open = 0;
	w->refused = false;
	buf_clear(&w->bytes);
}

void window_free(struct window *w)
{
	free(w->outgoing);
	buf_free(&w->bytes);
	*w = (struct window){0};
}
