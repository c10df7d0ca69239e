/* journal.h - what a state of windows says: its lines, and how they are read again.
 *
 * A snapshot has the lines of windows_save, and of each input and of ids
 *     {"file":NAME,"line":N,"hash":"..."}     dealt with up to there
 *     {"ids":"..."}                           in hexadecimal, the oldest first
 * and each batch after it
 *     @NAME               the input that the next lines are of, as a JSON string; "" where lines mean nothing
 *     +LINE RECORD        a record that was taken in
 *     -LINE RECORD        one without an id of its own
 *     ?LINE NUMBER        one that was refused, with this verdict
 *     >LINE HASH          the last line of the batch in this input
 *     !                   all windows were closed
 */
#ifndef SENTI_WINDOW_JOURNAL_H
#define SENTI_WINDOW_JOURNAL_H

#include "lib/window/places.h"
#include "lib/window/recent.h"
#include "lib/window/saved.h"
#include "lib/window/windows.h"

/* What there is to keep, and scratch. All lent. */
struct window_journal {
	struct saved *saved;
	struct windows *windows;
	struct places *places;
	struct recent *recent;
	/* private */
	struct buf text;
	struct input_place *at; /* that the last '@' named; NULL: "" */
	bool begun;		/* there was one in this batch */
	struct json_scan scan;
	struct arena mem;
};

/* What a restart does for each line that is not of the snapshot: takes in a record; closes all; and before a batch lets
 * go of what those before it have closed. */
struct journal_reader {
	int (*record)(void *arg, struct str line, bool own_id, struct err *e);
	void (*close)(void *arg);
	void (*settle)(void *arg);
	void *arg;
};

MUST_USE int journal_read(struct window_journal *j, const struct journal_reader *to, struct err *e);
/* A record was taken in; `at` is its place or NULL. */
void journal_record(struct window_journal *j, struct input_place *at, const struct rec *r, bool own_id);
/* A record that could be read was refused. Only where lines mean something. */
void journal_refused(struct window_journal *j, struct input_place *at, const struct rec *r, unsigned verdict);
/* The last record of an input in this batch. */
void journal_reach(struct window_journal *j, struct input_place *at, const struct rec *r);
void journal_closed(struct window_journal *j);
/* All of it is on disk when this returns. */
MUST_USE int journal_commit(struct window_journal *j, struct err *e);
/* All lines are out: a restart repeats none of them. On disk when this returns. */
MUST_USE int journal_out(struct window_journal *j, struct err *e);
/* Before a batch: a new snapshot if it is time for one. Everything must be out. */
MUST_USE int journal_snapshot(struct window_journal *j, struct err *e);
void journal_release(struct window_journal *j);

#endif
