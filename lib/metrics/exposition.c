/* exposition.c - figures as text. */
#include "lib/metrics/exposition.h"

#include <math.h>

#include "lib/base/utf8.h"

void exposition_family(struct buf *out, enum metric_kind kind, const char *name, const char *help)
{
	static const char *const type[] = {"counter", "gauge", "histogram"};
	buf_printf(out, "# HELP %s ", name);
	for (; *help; help++) {
		if (*help == '\\' || *help == '\n')
			buf_char(out, '\\');
		buf_char(out, *help == '\n' ? 'n' : *help);
	}
	buf_printf(out, "\n# TYPE %s %s\n", name, type[kind]);
}

void exposition_label(struct buf *labels, const char *name, struct str value)
{
	if (labels->n)
		buf_char(labels, ',');
	buf_printf(labels, "%s=\"", name);
	for (const char *p = value.p, *end = p + value.n; p < end;) {
		size_t n = utf8_sequence(p, end);
		if (n == 0)
			buf_str(labels, STR("\xef\xbf\xbd"));
		else if (*p == '\n')
			buf_str(labels, STR("\\n"));
		else if (*p == '\\' || *p == '"')
			buf_printf(labels, "\\%c", *p);
		else
			buf_add(labels, p, n);
		p += n ? n : 1;
	}
	buf_char(labels, '"');
}

static void put_double(struct buf *out, double v)
{
	if (isnan(v))
		buf_str(out, STR("NaN"));
	else if (isinf(v))
		buf_str(out, v > 0 ? STR("+Inf") : STR("-Inf"));
	else {
		char text[40];
		snprintf(text, sizeof text, "%.15g", v);
		buf_printf(out, strtod(text, NULL) == v ? "%.15g" : "%.17g", v);
	}
}

static void put_head(struct buf *out, const char *name, const char *suffix, struct str labels)
{
	buf_printf(out, "%s%s", name, suffix);
	if (labels.n) {
		buf_char(out, '{');
		buf_str(out, labels);
		buf_char(out, '}');
	}
	buf_char(out, ' ');
}

static void put_count(struct buf *out, const char *name, const char *suffix, struct str labels, uint64_t v)
{
	put_head(out, name, suffix, labels);
	buf_u64(out, v);
	buf_char(out, '\n');
}

static void put_value(struct buf *out, const char *name, const char *suffix, struct str labels, double v)
{
	put_head(out, name, suffix, labels);
	put_double(out, v);
	buf_char(out, '\n');
}

void exposition_count(struct buf *out, const char *name, struct str labels, uint64_t v)
{
	put_count(out, name, "", labels, v);
}

void exposition_value(struct buf *out, const char *name, struct str labels, double v)
{
	put_value(out, name, "", labels, v);
}

void exposition_histogram(struct buf *out, const char *name, struct str labels, const double *bound, size_t nbounds,
    const uint64_t *n, double sum)
{
	struct buf le = {0}, all = {0};
	uint64_t total = 0;
	for (size_t i = 0; i <= nbounds; i++) {
		total += n[i];
		buf_clear(&le);
		buf_clear(&all);
		put_double(&le, i < nbounds ? bound[i] : INFINITY);
		buf_str(&all, labels);
		exposition_label(&all, "le", buf_view(&le));
		put_count(out, name, "_bucket", buf_view(&all), total);
	}
	put_value(out, name, "_sum", labels, sum);
	put_count(out, name, "_count", labels, total);
	buf_free(&le);
	buf_free(&all);
}

void exposition_gauge(struct buf *out, const char *name, const char *help, double v)
{
	exposition_family(out, METRIC_GAUGE, name, help);
	exposition_value(out, name, STR(""), v);
}
