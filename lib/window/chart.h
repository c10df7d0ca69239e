/* chart.h - a window as one line for a terminal: its start, key, count, mean, and a bar left or right of zero. */
#ifndef SENTI_CHART_H
#define SENTI_CHART_H

#include "lib/window/line.h"

struct chart {
	unsigned width; /* columns, at least CHART_LEAST */
	bool colour;
};

enum { CHART_LEAST = 60 };

/* Appends the line. The bar shows means from -1 to 1; further ones are cut. */
void chart_put(const struct closed_window *w, const struct line_conf *c, const struct chart *chart, struct buf *out);

#endif
