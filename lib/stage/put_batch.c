/* put_batch.c - turns records into messages and puts these in rounds. */
#include "lib/stage/put_batch.h"

#include "lib/text/hash.h"

void put_batch_free(struct put_batch *p)
{
	free(p->slot);
	free(p->live);
	map_free(&p->newest);
	json_scan_free(&p->scan);
	json_scan_free(&p->inner);
	buf_free(&p->line);
}

void put_batch_begin(struct put_batch *p, size_t n)
{
	if (p->cap < n) {
		p->cap = n;
		p->slot = xreallocarray(p->slot, n, sizeof *p->slot);
		p->live = xreallocarray(p->live, n, sizeof *p->live);
	}
	p->n = n;
	map_clear(&p->newest);
	for (size_t i = 0; i < n; i++)
		p->slot[i].added = p->slot[i].last = false;
}

static void give_id(struct put_batch *p, struct batch *b, struct rec *r, struct message *m, bool line)
{
	char json[UUID_LEN + 2], *id = arena_alloc(&b->mem, UUID_LEN);
	uuid_ordered(id);
	m->id = r->id = (struct str){id, UUID_LEN};
	if (!line)
		return;
	json[0] = json[UUID_LEN + 1] = '"';
	memcpy(json + 1, id, UUID_LEN);
	if (m->had_id)
		rec_set(b, r, &p->scan, STR("id"), (struct str){json, sizeof json});
	else
		rec_append(b, r, STR(",\"id\":"), (struct str){json, sizeof json});
}

int put_batch_read(struct put_batch *p, struct batch *b, size_t i, bool line)
{
	struct rec *r = &b->rec[i];
	struct message *m = &p->slot[i].m;
	if (message_read(m, b, r, &p->scan, &p->inner) < 0)
		return -1;
	if (!m->id.p)
		give_id(p, b, r, m, line);
	return 0;
}

void put_batch_add(struct put_batch *p, size_t i)
{
	struct put_slot *s = &p->slot[i];
	struct map_slot *newest = map_put(&p->newest, s->m.id, NULL);
	s->older = newest->v.ptr;
	s->added = s->last = true;
	if (s->older)
		s->older->last = false;
	newest->v.ptr = s;
}

/* True if `m`, which shows a corrected label, is exactly what the stored message shows. */
static bool shows_the_same(struct put_batch *p, const struct message *m, const struct message *stored)
{
	buf_clear(&p->line);
	return stored->fate == MESSAGE_FOUND && str_eq(m->text, stored->text) &&
	       message_write_sentiment(stored, &p->line, &p->inner) == 0 && str_eq(m->sentiment, buf_view(&p->line));
}

/* A record read from the store shows a corrected label in its result. Put back otherwise unchanged, it must not replace
 * the engine's result. */
static int undo_shown(struct put_batch *p, struct batch *b, struct store *store, struct err *e)
{
	size_t n = 0;
	for (size_t i = 0; i < p->nlive; i++)
		n += p->live[i]->shown_corrected;
	if (n == 0)
		return 0;
	struct message *stored = arena_alloc(&b->mem, n * sizeof *stored);
	struct message **row = arena_alloc(&b->mem, n * sizeof *row), **shown = arena_alloc(&b->mem, n * sizeof *shown);
	n = 0;
	for (size_t i = 0; i < p->nlive; i++)
		if (p->live[i]->shown_corrected) {
			stored[n] = (struct message){.id = p->live[i]->id};
			row[n] = &stored[n];
			shown[n++] = p->live[i];
		}
	if (store->get(store, row, n, &b->mem, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct message *m = shown[i];
		if (!shows_the_same(p, m, &stored[i]))
			continue;
		m->sentiment = stored[i].sentiment;
		m->from_record = false;
		m->label = stored[i].sentiment.p ? stored[i].label : STR_NONE;
		m->model = stored[i].model;
		m->score = stored[i].score;
		m->has_score = stored[i].has_score;
	}
	return 0;
}

/* Replaces each refused record by the one before it in its chain. Returns how many are in the next round. */
static size_t next_round(struct put_batch *p)
{
	p->nlive = 0;
	for (size_t i = p->n; i-- > 0;) {
		struct put_slot *s = &p->slot[i];
		if (!s->last || s->m.fate != MESSAGE_REFUSED || !s->older)
			continue;
		s->last = false;
		s->older->last = true;
		p->live[p->nlive++] = &s->older->m;
	}
	return p->nlive;
}

/* Goes through a chain from its newest record: refused ones, the one that was put, and those that share its row. */
static void finish_chain(struct put_batch *p, struct batch *b, struct put_slot *s)
{
	for (; s && s->m.fate == MESSAGE_REFUSED; s = s->older) {
		s->stored = NULL;
		rec_reject(b, &b->rec[s - p->slot], CODE_REFUSED, "the database refuses it: %.*s", STR_FMT(s->m.why));
	}
	for (const struct put_slot *put = s; s; s = s->older) {
		s->stored = put;
		b->counter[put->m.fate == MESSAGE_STORED ? COUNTER_STORED : COUNTER_UNCHANGED]++;
	}
}

int put_batch_store(struct put_batch *p, struct batch *b, struct store *store, struct err *e)
{
	p->nlive = 0;
	for (size_t i = 0; i < p->n; i++) {
		p->slot[i].stored = NULL;
		if (p->slot[i].last)
			p->live[p->nlive++] = &p->slot[i].m;
	}
	do
		if (undo_shown(p, b, store, e) < 0 || store_put(store, p->live, p->nlive, &b->mem, e) < 0)
			return -1;
	while (next_round(p));
	for (size_t i = 0; i < p->newest.cap; i++)
		if (p->newest.slot[i].key.p)
			finish_chain(p, b, p->newest.slot[i].v.ptr);
	return 0;
}
