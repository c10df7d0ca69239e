/* senti-window - sentiment over time: scored records in, a line for each window of time that closes. */
#include "cmd/run.h"
#include "cmd/window_conf.h"

#define OPTIONS struct window_options
static const struct option_def own[] = {
    {0, "every", "D", "windows of D (1m, 12h), or hour, day, week, month, quarter or\nyear of --tz", OPT_NAME(every)},
    {0, "of", "D", "with --every: windows of D, one every such step", OPT_DURATION(of_ms, 1)},
    {0, "gap", "D", "sessions: a window ends when nothing comes for D", OPT_DURATION(gap_ms, 1)},
    {0, "tz", "ZONE", "the time zone of hours, days and months (default UTC)", OPT_NAME(tz)},
    {0, "by", "NAME,...", "windows for each value of these members", OPT_LIST(by)},
    {0, "late", "D", "keep windows open until times are D past their end (default 0s)", OPT_DURATION(late_ms, 0)},
    {0, "ahead", "D", "reject times so far ahead of the clock (default 1d)", OPT_DURATION(ahead_ms, 0)},
    {0, "idle-close", "D", "close all windows when nothing comes for D", OPT_DURATION(conf.idle_close_ms, 1)},
    {0, "half-life", "D", "of the mean over windows (default five windows)", OPT_DURATION(half_life_ms, 1)},
    {0, "terms", "K", "show the K most frequent and most contributing words (default 10)", OPT_NUMBER(terms, 0, 1000)},
    {0, "result", "NAME", "the member that holds the result (default sentiment)", OPT_SLICE(result)},
    {0, "dedupe", "N", "count a record once, by the last N ids (default 0)", OPT_NUMBER(dedupe, 0, 1000000000)},
    {0, "merge", NULL, "the input is lines of windows: add up those of several workers", OPT_FLAG(merge)},
    {0, "no-sketch", NULL, "leave out what --merge needs", OPT_FLAG(no_sketch)},
    {0, "alert", "EXPR", "put out only windows that begin to fulfil EXPR, as in\n'mean < -0.3 and count >= 20'",
	OPT_NAME(alert)},
    {0, "clear", "EXPR", "an alert is over when EXPR holds (default: when its own does not)", OPT_NAME(clear)},
    {0, "chart", NULL, "draw a line for each window instead of JSON", OPT_FLAG(chart)},
    {0, "state", "FILE", "keep open windows in FILE, so that a run that was killed goes on", OPT_NAME(state)},
    {0, "memory", "SIZE", "reject records that would need more (default 256M)",
	OPT_SIZE(memory, 1 << 20, (uint64_t)1 << 40)},
    {0},
};

static const char examples[] =
    "  senti-score comments.jsonl | senti-window --every 1h --by source\n"
    "  senti-score --explain comments.jsonl | senti-window --every month --tz Europe/Berlin --no-sketch\n"
    "  senti-window -i amqp:scored --every 1m --of 10m --idle-close 1m | jq -c '{end,mean}'\n"
    "  senti-window --every 5m --alert 'mean < -0.3 and count >= 20' scored.jsonl\n"
    "  senti-window --merge worker1.jsonl worker2.jsonl\n";

int main(int argc, char **argv)
{
	struct window_options o = {
	    .result = STR("sentiment"),
	    .ahead_ms = 86400000,
	    .terms = 10,
	    .memory = (uint64_t)256 << 20,
	};
	struct tool t = {
	    .name = "senti-window",
	    .usage = "--every D|PERIOD [--of D] [--by NAME,...] [OPTION...] [FILE...]\n"
		     "--gap D [--by NAME,...] [OPTION...] [FILE...]\n"
		     "--merge [--gap D] [OPTION...] [FILE...]",
	    .summary =
		"Sums up scored records by time: counts, means, quantiles, label shares and words of each window.",
	    .examples = examples,
	    .own = own,
	    .options = &o,
	    .shared = SHARED_FILTER | SHARED_OUT,
	    .show = 1u << COUNTER_WINDOWS | 1u << COUNTER_LATE,
	};
	struct err e;
	tool_options(&t, argc, argv);
	int status = window_conf_make(&o, &t, &e) < 0 ? tool_fail(&t, &e)
						      : tool_run(&t, &(struct step){&window_stage, &o.conf}, 1);
	return window_conf_close(&o, &t, status);
}
