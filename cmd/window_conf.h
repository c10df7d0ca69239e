/* window_conf.h - the options of senti-window, and what they mean together. */
#ifndef SENTI_WINDOW_CONF_H
#define SENTI_WINDOW_CONF_H

#include "cmd/tool.h"
#include "lib/window/stage.h"

struct window_options {
	struct window_conf conf;
	const char *every; /* "1m" or "month" */
	int64_t of_ms, gap_ms, late_ms, ahead_ms, half_life_ms;
	const char *tz, *alert, *clear, *state;
	struct option_words by;
	uint64_t dedupe, memory;
	uint32_t terms;
	bool merge, chart, no_sketch;
	struct str result;
	bool done;
	/* New, filled by window_conf_make. */
	struct str *names;
	struct condition *alert_condition, *clear_condition;
};

/* After tool_options: fills o->conf and opens the state. 0, or -1 with *e. */
MUST_USE int window_conf_make(struct window_options *o, struct tool *t, struct err *e);
/* After tool_run, with its status, which it returns or makes worse: the state goes once all windows are out. */
int window_conf_close(struct window_options *o, struct tool *t, int status);

#endif
