/* windows.h - the open windows of a stream in event time: who is in which, and when they close.
 *
 *     w = windows_new(&conf);
 *     windows_add(w, key, time, &observation, batch)         a record; or windows_merge: a window of another worker
 *     while (windows_next(w, &closed)) ... put a line ...     those that the watermark has closed
 *     windows_close(w)                                        closes all, at the end of the input
 *     windows_free(w);
 *
 * The watermark is the greatest time seen less `late_ms`. A window closes once the watermark has reached its end, and a
 * record is late if all its windows are closed. Both are decided record by record, so where batches are cut changes
 * nothing. Closed windows come in the order of (end, start, key), and there are no empty ones.
 *
 * Fixed windows stand in slots, one for each span of time. Of hopping windows a slot is a pane, the part between two
 * steps, which all its windows share: each record is added once, and panes are merged when a window closes. A record
 * that comes after some of its windows have closed goes into a pane of its own, which only the others use. Sessions
 * are [first, last + gap); those that overlap become one.
 *
 * Each key has an exponentially weighted mean of all its windows so far: sum(w*sum)/sum(w*count), with the weight w
 * halved every half-life; of hopping windows each record counts once. A key that has no window for FORGOTTEN half-lives
 * is forgotten, and with it whether it is above its alert.
 */
#ifndef SENTI_WINDOWS_H
#define SENTI_WINDOWS_H

#include "lib/window/aggregate.h"
#include "lib/window/calendar.h"

enum shape { SHAPE_STEPS, SHAPE_CALENDAR, SHAPE_SESSIONS, SHAPE_GIVEN };

struct windows_conf {
	enum shape shape;     /* GIVEN: the windows of other workers */
	int64_t every_ms;     /* STEPS: the step, and the length of a pane */
	int64_t of_ms;	      /* STEPS: the length of a window, a multiple of the step */
	int64_t gap_ms;	      /* SESSIONS */
	enum period period;   /* CALENDAR */
	int64_t late_ms;      /* -1: only windows_close closes */
	int64_t half_life_ms; /* 0: five times the length of the window */
	uint64_t memory;      /* bytes that all of it may take; 0: any */
	struct aggregate_conf aggregate;
};

enum { FORGOTTEN = 20 };

struct windows;

enum windows_result {
	WINDOWS_TAKEN,
	WINDOWS_LATE,	 /* all its windows are closed */
	WINDOWS_FULL,	 /* it needs more than `memory` */
	WINDOWS_FAR,	 /* its window is not within the years 1 to 9999 */
	WINDOWS_TOO_BIG, /* its numbers do not fit into the sums */
};

struct closed_window {
	int64_t start, end;
	struct str key;
	const struct aggregate *aggregate;
	double ewm;
	bool *alerted; /* of the key, for the caller to keep */
};

/* New; conf is lent for its life. */
struct windows *windows_new(const struct windows_conf *conf);
/* The key is copied. `batch` is the number of the batch that the record came with, which never falls. `extra` bytes are
 * held by the caller for the same purpose, and count. */
enum windows_result windows_add(
    struct windows *w, struct str key, int64_t time, const struct observation *o, uint64_t batch, uint64_t extra);
/* The window of another worker. The aggregate stays the caller's. */
enum windows_result windows_merge(struct windows *w, struct str key, int64_t start, int64_t end,
    const struct aggregate *a, uint64_t batch, uint64_t extra);
/* The next closed window, lent until the next call of any function here. False: there is none. */
bool windows_next(struct windows *w, struct closed_window *out);
/* True if windows_next has one. */
bool windows_ripe(struct windows *w);
/* Moves the watermark to the end of the last window. */
void windows_close(struct windows *w);
/* True if there are windows, closed ones included. */
bool windows_any(const struct windows *w);
/* The number of the oldest batch of which a window has something; UINT64_MAX: none. */
uint64_t windows_held_from(const struct windows *w);
/* What of `memory` is taken. */
uint64_t windows_bytes(const struct windows *w);
void windows_free(struct windows *w);

/* For a state: what is kept, as lines, and back. Not while windows_ripe. */
struct windows_writer {
	int (*line)(void *arg, struct str line, struct err *e);
	void *arg;
};
MUST_USE int windows_save(struct windows *w, const struct windows_writer *to, struct err *e);
/* One such line, with JSON_PAD readable bytes after it: 0, or -1 if it is not one. */
MUST_USE int windows_restore(struct windows *w, struct str line, struct json_scan *s, struct arena *mem);

#endif
