/* stage.h - the verb of senti-window: scored records in, a line for each window that closes.
 *
 * With a state (saved.h) a batch is on disk before it may be accepted, as its records; what a restart finds is read
 * again in their order, so it comes to the same windows. The windows that the last batch on disk has closed may not
 * have come out: they come again, in the same bytes. All before are out, since a batch begins only when everything of
 * the one before it is.
 *
 * Where inputs are regular files, the state knows the last line it has of each and its hash; the lines up to there are
 * passed over and the hash is compared. Records of pipes and queues are known by their ids alone.
 */
#ifndef SENTI_WINDOW_STAGE_H
#define SENTI_WINDOW_STAGE_H

#include "lib/base/stop.h"
#include "lib/flow/stage.h"
#include "lib/window/alert.h"
#include "lib/window/line.h"
#include "lib/window/saved.h"

struct window_conf {
	struct windows_conf windows; /* its vocabulary is the stage's */
	struct line_conf line;
	bool merge;			       /* the input is lines of windows */
	int64_t ahead_ms;		       /* records so far ahead of the clock are rejected; -1: none */
	int64_t idle_close_ms;		       /* close all when nothing came for so long; 0: never */
	size_t dedupe;			       /* ids that are remembered */
	struct saved *saved;		       /* lent; NULL: none */
	const struct stop *stop;	       /* with a state it keeps the windows open */
	const struct condition *alert, *clear; /* NULL: all lines come out; clear NULL: when the alert is over */
	const char *alert_text;
	bool chart, colour;
	unsigned width; /* of the chart */
	bool *done;	/* set once all windows are out */
};

/* conf: struct window_conf. Counters: windows, late, duplicates, resumed (lines that the state already had). */
extern const struct stage window_stage;

#endif
