/* mem.c - ports in memory, with failures on demand. */
#include "lib/flow/mem.h"

static enum next mem_next(struct source *s, struct batch *b, const struct limits *l, int wake, struct err *e)
{
	struct mem_source *m = (struct mem_source *)s;
	(void)wake;
	if (++m->nexts == m->fail_next_at)
		return err_set(e, ERR_ENV, "told to fail in next"), NEXT_ERROR;
	size_t bytes = 0, end = m->stop_after ? m->stop_after : m->n;
	s->interrupted = m->at == end && end < m->n;
	while (m->at < end && b->n < l->records && (b->n == 0 || bytes < l->bytes)) {
		struct rec *r = batch_add(b);
		r->line = json_padded(&b->mem, str_of(m->line[m->at]));
		r->lineno = ++m->at;
		bytes += r->line.n;
	}
	b->flush_reason = b->n == l->records ? FLUSH_FULL : m->at < m->n ? FLUSH_BYTES : FLUSH_END;
	return b->n ? NEXT_BATCH : NEXT_END;
}

static int mem_accept(struct source *s, struct batch *b, struct err *e)
{
	struct mem_source *m = (struct mem_source *)s;
	if (++m->accepts == m->fail_accept_at)
		return err_set(e, ERR_ENV, "told to fail in accept");
	for (size_t i = 0; i < b->n; i++)
		if (b->rec[i].lineno != m->accepted + 1 + i)
			return err_set(e, ERR_ENV, "accepted out of order");
	m->accepted += b->n;
	return 0;
}

static void mem_abandon(struct source *s, struct batch *b)
{
	((struct mem_source *)s)->abandoned += b->n;
}

static int mem_source_close(struct source *s, struct err *e)
{
	(void)s;
	(void)e;
	return 0;
}

void mem_source_init(struct mem_source *m, const char *const *line, size_t n)
{
	*m = (struct mem_source){
	    .port = {.next = mem_next, .accept = mem_accept, .abandon = mem_abandon, .close = mem_source_close},
	    .line = line,
	    .n = n,
	};
}

static int mem_put(struct sink *s, const struct batch *b, struct source *from, struct err *e)
{
	struct mem_sink *m = (struct mem_sink *)s;
	(void)from;
	if (++m->puts == m->fail_put_at)
		return err_set(e, ERR_ENV, "told to fail in put");
	for (size_t i = 0; i < b->n; i++) {
		const struct rec *r = &b->rec[i];
		if (r->fate != (m->lane == LANE_OUT ? FATE_OUT : FATE_REJECTED))
			continue;
		if (m->lane == LANE_OUT)
			rec_put(&m->got, r);
		else
			rec_put_reject(&m->got, r, "mem");
		buf_char(&m->got, '\n');
	}
	return 0;
}

static int mem_flush(struct sink *s, struct err *e)
{
	struct mem_sink *m = (struct mem_sink *)s;
	if (++m->flushes == m->fail_flush_at)
		return err_set(e, ERR_ENV, "told to fail in flush");
	if (m->got.n > m->flushed.n)
		buf_add(&m->flushed, m->got.p + m->flushed.n, m->got.n - m->flushed.n);
	return 0;
}

static int mem_sink_close(struct sink *s, struct err *e)
{
	(void)s;
	(void)e;
	return 0;
}

void mem_sink_init(struct mem_sink *m, enum lane lane)
{
	*m = (struct mem_sink){.port = {.put = mem_put, .flush = mem_flush, .close = mem_sink_close}, .lane = lane};
}

void mem_sink_free(struct mem_sink *m)
{
	buf_free(&m->got);
	buf_free(&m->flushed);
}
