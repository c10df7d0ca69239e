/* alert.h - conditions on the figures of a window: 'mean < -0.3 and count >= 20'.
 *
 *     condition  = term { "or" term }         term = factor { "and" factor }
 *     factor     = "not" factor | "(" condition ")" | value relation value
 *     value      = number | count | mean | stdev | p50 | p90 | p99 | ewm | positive | neutral | negative
 *     relation   = "<" | "<=" | ">" | ">=" | "==" | "!="
 */
#ifndef SENTI_ALERT_H
#define SENTI_ALERT_H

#include "lib/base/err.h"

enum alert_figure {
	FIGURE_COUNT,
	FIGURE_MEAN,
	FIGURE_STDEV,
	FIGURE_P50,
	FIGURE_P90,
	FIGURE_P99,
	FIGURE_EWM,
	FIGURE_POSITIVE,
	FIGURE_NEUTRAL,
	FIGURE_NEGATIVE,
	FIGURES
};

struct condition;

/* New. NULL with *e (ERR_USAGE), which names the column; `option` is whose value it is. */
struct condition *condition_parse(const char *text, const char *option, struct err *e);
bool condition_holds(const struct condition *c, const double figure[FIGURES]);
void condition_free(struct condition *c);

#endif
