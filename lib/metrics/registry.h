/* registry.h - figures that a program keeps for scrapers: families of series, told apart by labels.
 *
 *     struct registry *r = registry_new();
 *     struct family *f = registry_family(r, &(struct family_def){.kind = METRIC_COUNTER,
 *         .name = "senti_http_requests_total",
 *         .help = "Requests that are over.", .label = {"route", "code"}});
 *     series_add(family_series(f, (struct str[]){STR("/v1/stats"), STR("200")}), 1);
 *     registry_write(r, &out);
 *
 * Make the families before the threads that use them start; after that everything here is thread-safe, and changing a
 * figure takes no lock. Code that counts elsewhere registers a function that writes its part at each scrape
 * (registry_collect), using exposition.h.
 */
#ifndef SENTI_REGISTRY_H
#define SENTI_REGISTRY_H

#include "lib/metrics/exposition.h"

/* LABELS: most labels of a series. SERIES: most series of a family; further label sets share one whose values are all
 * "other". */
enum { REGISTRY_LABELS = 4, REGISTRY_SERIES = 500 };

/* All lent for the registry's life. */
struct family_def {
	enum metric_kind kind;
	const char *name; /* of a counter it ends in _total */
	const char *help;
	const char *label[REGISTRY_LABELS]; /* NULL from the first that is not used */
	const double *bound;		    /* of a histogram: upper bounds, rising, without +Inf */
	size_t nbounds;
};

struct registry;
struct family;
struct series;

struct registry *registry_new(void);
/* NULL is allowed. */
void registry_free(struct registry *r);
/* Lent for the registry's life. */
struct family *registry_family(struct registry *r, const struct family_def *def);
/* Calls write at each scrape, in the scraping thread, in the order of registration. */
void registry_collect(struct registry *r, void (*write)(void *arg, struct buf *out), void *arg);
/* A scrape: appends all families, in the order of their making. */
void registry_write(struct registry *r, struct buf *out);

/* The series with these values of the family's labels (NULL if it has none), made if absent. Lent for the registry's
 * life. It takes a lock, so a hot path keeps the series. */
struct series *family_series(struct family *f, const struct str *value);
void series_add(struct series *s, uint64_t n);	     /* of a counter */
uint64_t series_total(const struct series *s);	     /* of a counter: what was added */
void series_set(struct series *s, double v);	     /* of a gauge */
void series_move(struct series *s, double by);	     /* of a gauge */
void series_observe(struct series *s, double value); /* of a histogram */

#endif
