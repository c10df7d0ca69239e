/* port.h - where records come from and where they go: the two contracts that every kind of end fulfils.
 *
 * stdio and files (stdio.h), memory (mem.h), the server's gatherer (gather.h), queues (lib/net/amqp). The pump is their
 * only caller, and calls each from one thread.
 */
#ifndef SENTI_PORT_H
#define SENTI_PORT_H

#include "lib/base/err.h"
#include "lib/base/stop.h"
#include "lib/flow/record.h"

/* When a batch is closed, and what a record may measure. */
struct limits {
	size_t records;		 /* -b: at most so many */
	size_t bytes;		 /* and at most so many bytes of input (1 MiB), but at least one record */
	int wait_ms;		 /* -w: close so long after the first record; 0: as soon as nothing more is ready */
	size_t max_record;	 /* --max-record: a longer line is rejected */
	const struct stop *stop; /* ends the input; NULL: nothing does */
};

enum next { NEXT_END = 0, NEXT_BATCH = 1, NEXT_WOKEN = 2, NEXT_ERROR = -1 };

struct source {
	/* It gives no further record while so many are not accepted; 0: it does not mind. */
	size_t window;
	/* Set before NEXT_END: a stop has cut the input, which has an end of its own (a regular file, a query) and was
	 * not read to it. */
	bool interrupted;
	/* Fills an empty batch with at least one record: NEXT_BATCH. Waits for the first as long as it takes; a stop
	 * ends the input: NEXT_END once nothing that was read is left. While it waits for the first record, `wake` (-1:
	 * none) becoming readable makes it return NEXT_WOKEN with the batch still empty. The bytes are lent by the
	 * batch until it is reset. */
	enum next (*next)(struct source *, struct batch *, const struct limits *, int wake, struct err *);
	/* All records of the batch are safe: out and flushed, or in the rejects. Called once a batch, in their order;
	 * the source acknowledges, saves its place, resumes callers. Of the records of a batch that a stage held, only
	 * origin, lineno, token, caller and fate are left by then. May be NULL. */
	int (*accept)(struct source *, struct batch *, struct err *);
	/* The pump stops early (an error): this batch, which next gave, will never be accepted. May be NULL. */
	void (*abandon)(struct source *, struct batch *);
	/* The rest of a long_line: 1 with the next piece in *chunk (lent until the next call), 0 at the line's end, -1.
	 * NULL where such records do not occur. */
	int (*rest)(struct source *, struct str *chunk, struct err *);
	/* Bytes consumed and in all, for --progress; *total is 0 when unknown. May be NULL. */
	void (*position)(const struct source *, uint64_t *done, uint64_t *total);
	/* Frees it. */
	int (*close)(struct source *, struct err *);
};

/* Which records of a batch a sink takes. */
enum lane { LANE_OUT, LANE_REJECTS };

struct sink {
	/* Where the output has a reader (a pipe, a socket): the descriptor, on which POLLERR or POLLHUP says that it
	 * has gone. 0: none. */
	int reader;
	/* Takes what of the batch is its lane's. It may keep bytes back until flush, but nothing of the batch itself.
	 * `from` is the batch's source, for the rest of a long_line (lane of rejects only; an output never sees
	 * one). */
	int (*put)(struct sink *, const struct batch *, struct source *from, struct err *);
	/* Returns when all that was put is safe (written; confirmed). */
	int (*flush)(struct sink *, struct err *);
	/* Closes and frees it; a close that fails is a write that failed. */
	int (*close)(struct sink *, struct err *);
	/* Tells whether what it writes to is still there: lets a caller probe it between flushes. NULL: this cannot be
	 * told. */
	int (*check)(struct sink *, struct err *);
	/* Of a sink of rejects: those that came as messages leave as dead letters. */
	bool dead_letters;
};

#endif
