/* mem.h - ports in memory, for tests and for the server: a source of given lines, a sink that keeps its input.
 *
 * Both can be told to fail at a given call, to test the pump's promises. */
#ifndef SENTI_MEM_H
#define SENTI_MEM_H

#include "lib/flow/port.h"

struct mem_source {
	struct source port; /* pass &m.port to the pump */
	const char *const *line;
	size_t n, at, accepted; /* `accepted` counts records, in order */
	size_t abandoned;
	size_t fail_next_at; /* 1-based call that fails; 0: never */
	size_t fail_accept_at;
	size_t stop_after; /* after so many records it ends as if cut short by a stop; 0: never */
	size_t nexts, accepts;
};

struct mem_sink {
	struct sink port;
	enum lane lane;
	struct buf got;	    /* lines put */
	struct buf flushed; /* lines made safe by a flush */
	size_t puts, flushes;
	size_t fail_put_at, fail_flush_at;
};

/* `line` is lent. Closing frees nothing: the structs are the caller's. */
void mem_source_init(struct mem_source *m, const char *const *line, size_t n);
void mem_sink_init(struct mem_sink *m, enum lane lane);
void mem_sink_free(struct mem_sink *m);

#endif
