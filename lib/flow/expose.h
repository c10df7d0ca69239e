/* expose.h - figures in the text format of Prometheus (version 0.0.4): a registry of families, and the writing of the text.
 *
 *     struct registry *r = registry_new();
 *     struct family *f = registry_family(r, &(struct family_def){.kind = EXPOSE_COUNTER, .name = "senti_http_requests_total",
 *         .help = "Requests that were answered.", .label = {"route", "code"}});
 *     series_add(family_series(f, (struct str[]){STR("/v1/stats"), STR("200")}), 1);
 *     registry_write(r, &out);
 *
 * Families are made before the threads that use them start. After that everything here may be called from any thread; the figures
 * themselves take no lock. Who counts elsewhere hands in a function that writes its part at each scrape (registry_collect), with the
 * functions at the end of this file.
 */
#ifndef SENTI_EXPOSE_H
#define SENTI_EXPOSE_H

#include "lib/base/buf.h"

/* The Content-Type of what registry_write makes. */
#define EXPOSE_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum expose_kind { EXPOSE_COUNTER, EXPOSE_GAUGE, EXPOSE_HISTOGRAM };

/* LABELS: of one series. SERIES: of one family; where more label sets come, those share one whose values are all "other". */
enum { EXPOSE_LABELS = 4, EXPOSE_SERIES = 500 };

/* All lent for the registry's life. */
struct family_def {
	enum expose_kind kind;
	const char *name; /* of a counter it ends in _total */
	const char *help;
	const char *label[EXPOSE_LABELS]; /* NULL from the first that is not used */
	const double *bound;		  /* of a histogram: upper bounds, rising, without +Inf */
	size_t nbounds;
};

struct registry;
struct family;
struct series;

struct registry *registry_new(void);
void registry_free(struct registry *r);
/* Lent for the registry's life. */
struct family *registry_family(struct registry *r, const struct family_def *def);
/* Calls write at each scrape, in the thread that scrapes, behind what was registered before it. */
void registry_collect(struct registry *r, void (*write)(void *arg, struct buf *out), void *arg);
/* Appends all families, in the order of their making; a scrape. */
void registry_write(struct registry *r, struct buf *out);

/* The series with these values of the family's labels (NULL where it has none), made where missing. Lent for the registry's life; takes a lock, so
 * keep it where that matters. */
struct series *family_series(struct family *f, const struct str *value);
void series_add(struct series *s, uint64_t n);	     /* of a counter */
void series_set(struct series *s, double v);	     /* of a gauge */
void series_move(struct series *s, double by);	     /* of a gauge */
void series_observe(struct series *s, double value); /* of a histogram */

/* ---- the text ---- */

/* # HELP and # TYPE; the family's samples follow at once. */
void expose_family(struct buf *out, enum expose_kind kind, const char *name, const char *help);
/* Appends name="value" to a set of labels, escaped; bytes that are no UTF-8 become U+FFFD. */
void expose_label(struct buf *labels, const char *name, struct str value);
/* One sample; `labels` is what expose_label made, or empty. */
void expose_count(struct buf *out, const char *name, struct str labels, uint64_t v);
void expose_value(struct buf *out, const char *name, struct str labels, double v);
/* All samples of a histogram. n[i]: how many values lie above bound i - 1 and not above bound i; n[nbounds] those above all. */
void expose_histogram(struct buf *out, const char *name, struct str labels, const double *bound, size_t nbounds,
    const uint64_t *n, double sum);
/* What every process tells of itself: process_start_time_seconds, process_cpu_seconds_total, process_resident_memory_bytes,
 * process_virtual_memory_bytes, process_open_fds, process_max_fds. */
void expose_process(struct buf *out);

#endif
