/* exposition.h - figures as text, in the format of Prometheus (version 0.0.4).
 *
 *     exposition_family(&out, METRIC_COUNTER, "senti_writes_total", "Records by what the store did with them.");
 *     exposition_label(&labels, "result", STR("stored"));
 *     exposition_count(&out, "senti_writes_total", buf_view(&labels), 7);
 *
 * Everything is appended to the caller's buffer, and nothing fails. A family's samples follow its head directly.
 */
#ifndef SENTI_EXPOSITION_H
#define SENTI_EXPOSITION_H

#include "lib/base/buf.h"

/* The Content-Type of such text. */
#define EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

/* The head of a family: # HELP and # TYPE. */
void exposition_family(struct buf *out, enum metric_kind kind, const char *name, const char *help);
/* Appends name="value" to a set of labels, escaped; bytes that are not UTF-8 become U+FFFD. */
void exposition_label(struct buf *labels, const char *name, struct str value);
/* One sample; `labels` is from exposition_label, or empty. */
void exposition_count(struct buf *out, const char *name, struct str labels, uint64_t v);
void exposition_value(struct buf *out, const char *name, struct str labels, double v);
/* All samples of a histogram: n[i] counts values in (bound[i - 1], bound[i]], n[nbounds] those above all bounds. */
void exposition_histogram(struct buf *out, const char *name, struct str labels, const double *bound, size_t nbounds,
    const uint64_t *n, double sum);
/* A family of one gauge without labels. */
void exposition_gauge(struct buf *out, const char *name, const char *help, double v);

#endif
