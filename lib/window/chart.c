/* chart.c - a bar in half columns. */
#include "lib/window/chart.h"

#include <math.h>

#include "lib/base/utf8.h"
#include "lib/base/visible.h"

enum { TIME_SHOWN = 16, KEY_SHOWN = 20, FIGURES_SHOWN = 18 };

/* At most KEY_SHOWN characters, and blanks up to there. */
static void put_key(struct str key, struct buf *out)
{
	struct buf shown = {0};
	visible_put(&shown, key, VISIBLE_BLANK);
	const char *p = shown.p, *end = shown.p + shown.n;
	unsigned n = 0;
	while (p < end && n < KEY_SHOWN) {
		utf8_next(&p);
		n++;
	}
	buf_add(out, shown.p, (size_t)(p - shown.p));
	buf_printf(out, "%*s", (int)(KEY_SHOWN - n), "");
	buf_free(&shown);
}

static void put_times(struct buf *out, const char *what, int n)
{
	while (n-- > 0)
		buf_str(out, str_of(what));
}

/* Each side of zero has `side` columns. */
static void put_bar(double mean, int side, bool colour, struct buf *out)
{
	double size = fabs(mean) < 1 ? fabs(mean) : 1;
	int halves = (int)lround(size * 2 * side), whole = halves / 2, half = halves % 2;
	bool left = mean < 0;
	put_times(out, " ", left ? side - whole - half : side);
	if (left && colour)
		buf_str(out, STR("\033[31m"));
	if (left) {
		put_times(out, "▐", half);
		put_times(out, "█", whole);
	}
	if (left && colour)
		buf_str(out, STR("\033[0m"));
	buf_str(out, STR("│"));
	if (left)
		return;
	if (colour)
		buf_str(out, STR("\033[32m"));
	put_times(out, "█", whole);
	put_times(out, "▌", half);
	if (colour)
		buf_str(out, STR("\033[0m"));
}

void chart_put(const struct closed_window *w, const struct line_conf *c, const struct chart *chart, struct buf *out)
{
	size_t from = out->n;
	double mean = aggregate_mean(w->aggregate);
	line_put_time(c, w->start, out);
	out->n = from + TIME_SHOWN; /* to the minute */
	out->p[from + strlen("0000-00-00")] = ' ';
	buf_str(out, STR("  "));
	if (c->nby)
		put_key(w->key, out);
	buf_printf(out, "%8llu  %+.4f  ", (unsigned long long)w->aggregate->all.n, mean);
	int used = TIME_SHOWN + 2 + (c->nby ? KEY_SHOWN : 0) + FIGURES_SHOWN + 1, left = (int)chart->width - used;
	put_bar(mean, left > 2 ? left / 2 : 1, chart->colour, out);
}
