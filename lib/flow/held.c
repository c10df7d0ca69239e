/* held.c - a queue of receipts. */
#include "lib/flow/held.h"

struct mark {
	const char *origin;
	uint64_t lineno, token;
	void *caller;
	enum fate fate;
};

struct receipt {
	struct receipt *next;
	uint64_t number;
	size_t n;
	struct mark mark[];
};

void held_init(struct held *h, struct source *source)
{
	*h = (struct held){.source = source};
	h->last = &h->first;
}

static void keep(struct held *h, const struct batch *b)
{
	struct receipt *r = xcalloc(1, sizeof *r + b->n * sizeof *r->mark);
	r->number = b->number;
	r->n = b->n;
	for (size_t i = 0; i < b->n; i++) {
		const struct rec *from = &b->rec[i];
		r->mark[i] = (struct mark){from->origin, from->lineno, from->token, from->caller, from->fate};
	}
	*h->last = r;
	h->last = &r->next;
	h->records += b->n;
}

/* Removes the oldest receipt and makes it a batch. */
static struct batch *shift(struct held *h)
{
	struct receipt *r = h->first;
	struct batch *b = &h->scratch;
	batch_reset(b);
	b->number = r->number;
	for (size_t i = 0; i < r->n; i++) {
		const struct mark *m = &r->mark[i];
		*batch_add(b) = (struct rec){
		    .origin = m->origin, .lineno = m->lineno, .token = m->token, .caller = m->caller, .fate = m->fate};
	}
	h->first = r->next;
	if (!h->first)
		h->last = &h->first;
	h->records -= r->n;
	free(r);
	return b;
}

int held_accept(struct held *h, uint64_t before, struct err *e)
{
	struct source *s = h->source;
	while (h->first && h->first->number < before) {
		struct batch *b = shift(h);
		if (s->accept && s->accept(s, b, e) < 0)
			return -1;
	}
	return 0;
}

int held_pass(struct held *h, struct batch *b, uint64_t before, struct err *e)
{
	struct source *s = h->source;
	if (!s->accept && !s->abandon)
		return 0;
	b->n -= b->derived; /* unknown to the source */
	b->derived = 0;
	if (b->number >= before)
		keep(h, b);
	else if (s->accept)
		return s->accept(s, b, e);
	return 0;
}

void held_release(struct held *h)
{
	struct source *s = h->source;
	while (h->first) {
		struct batch *b = shift(h);
		if (s->abandon)
			s->abandon(s, b);
	}
	batch_free(&h->scratch);
}
