/* port.h - where records come from and where they go: the contracts of sources and sinks.
 *
 * Implemented by stdio and files (stdio.h), memory (mem.h), the server's gatherer (gather.h) and queues (lib/net/amqp).
 * The pump is their only caller, and calls each from one thread.
 */
#ifndef SENTI_PORT_H
#define SENTI_PORT_H

#include "lib/base/err.h"
#include "lib/base/stop.h"
#include "lib/flow/record.h"

/* When to close a batch, and how long a record may be. */
struct limits {
	size_t records;		 /* -b: at most so many records */
	size_t bytes;		 /* at most so many bytes of input (1 MiB), but at least one record */
	int wait_ms;		 /* -w: close so long after the first record; 0: as soon as no more input is ready */
	size_t max_record;	 /* --max-record: a longer line is rejected */
	const struct stop *stop; /* ends the input; NULL: no stop */
};

enum next { NEXT_END = 0, NEXT_BATCH = 1, NEXT_WOKEN = 2, NEXT_ERROR = -1 };

struct source {
	/* The most unaccepted records before it gives no further one; 0: no limit. */
	size_t window;
	/* Set before NEXT_END: a stop cut the input short, although it has an end (a regular file, a query). */
	bool interrupted;
	/* Fills an empty batch with at least one record: NEXT_BATCH. Waits indefinitely for the first record. A stop
	 * ends the input: NEXT_END once everything read has been given. If `wake` (-1: none) becomes readable while it
	 * waits for the first record, returns NEXT_WOKEN with the batch still empty. The batch lends the bytes until it
	 * is reset. */
	enum next (*next)(struct source *, struct batch *, const struct limits *, int wake, struct err *);
	/* All records of the batch are safe: out and flushed, or rejected. Called once per batch, in order; the source
	 * acknowledges, saves its place, resumes callers. Records that a stage held have only origin, lineno, token,
	 * caller and fate left. May be NULL. */
	int (*accept)(struct source *, struct batch *, struct err *);
	/* The pump stops early (an error): this batch from next will never be accepted. May be NULL. */
	void (*abandon)(struct source *, struct batch *);
	/* Reads the rest of a long_line: 1 with the next piece in *chunk (lent until the next call), 0 at the end of
	 * the line, -1. NULL if such records do not occur. */
	int (*rest)(struct source *, struct str *chunk, struct err *);
	/* Bytes consumed and in total, for --progress; *total is 0 if unknown. May be NULL. */
	void (*position)(const struct source *, uint64_t *done, uint64_t *total);
	/* Frees it. */
	int (*close)(struct source *, struct err *);
};

/* How many messages wait in a queue, and how many dead letters it has; -1: unknown. */
struct queue_depth {
	int64_t messages, dead;
};

/* Which records of a batch a sink takes. */
enum lane { LANE_OUT, LANE_REJECTS };

struct sink {
	/* If the output has a reader (a pipe, a socket): the descriptor that gives POLLERR or POLLHUP once the reader
	 * is gone. 0: none. */
	int reader;
	/* Takes the records of its lane. May buffer bytes until flush, but nothing of the batch itself. `from` is the
	 * batch's source, for the rest of a long_line (rejects only; an output never sees one). */
	int (*put)(struct sink *, const struct batch *, struct source *from, struct err *);
	/* Returns once everything put is safe (written; confirmed). */
	int (*flush)(struct sink *, struct err *);
	/* Before a put, and after a failed put or flush: rejects the records that its destination is known never to
	 * take, and after a failure forgets the batch. False if it knows of nothing new: then the failure stands. NULL:
	 * takes all. */
	bool (*refuse)(struct sink *, struct batch *);
	/* Closes and frees it. A failed close is a failed write. */
	int (*close)(struct sink *, struct err *);
	/* Checks that its destination is still there: lets a caller probe it between flushes. NULL: cannot be
	 * checked. */
	int (*check)(struct sink *, struct err *);
	/* Asks its queue: 0 and *out, or -1. Between flushes, like check. NULL: it has none. */
	int (*depth)(struct sink *, struct queue_depth *out, struct err *);
	/* A sink of rejects: those that came as messages become dead letters. */
	bool dead_letters;
};

#endif
