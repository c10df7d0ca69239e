/* registry.c - families and their series.
 *
 * A series is identified by its labels as written. So two label sets that look the same on the wire are one series, as
 * a scraper demands, even if bytes that are not UTF-8 were replaced.
 */
#include "lib/metrics/registry.h"

#include <pthread.h>
#include <stdatomic.h>

#include "lib/base/map.h"

struct series {
	const struct family *family;
	struct series *next;
	char *labels;
	_Atomic uint64_t count;	   /* of a counter */
	_Atomic double value;	   /* of a gauge; a histogram's sum */
	_Atomic uint64_t bucket[]; /* of a histogram: nbounds + 1, not cumulative */
};

struct family {
	struct family_def def;
	struct family *next;
	void (*collect)(void *arg, struct buf *out); /* instead of series */
	void *arg;
	struct registry *registry;
	struct map by_labels;
	struct series *first, **last;
};

struct registry {
	pthread_mutex_t
	    lock; /* of the families' series; the list of families does not change once other threads use it */
	struct family *first, **last;
};

struct registry *registry_new(void)
{
	struct registry *r = xcalloc(1, sizeof *r);
	pthread_mutex_init(&r->lock, NULL);
	r->last = &r->first;
	return r;
}

static void free_family(struct family *f)
{
	for (struct series *s = f->first, *next; s; s = next) {
		next = s->next;
		free(s->labels);
		free(s);
	}
	map_free(&f->by_labels);
	free(f);
}

void registry_free(struct registry *r)
{
	if (!r)
		return;
	for (struct family *f = r->first, *next; f; f = next) {
		next = f->next;
		free_family(f);
	}
	pthread_mutex_destroy(&r->lock);
	free(r);
}

static struct family *add_family(struct registry *r)
{
	struct family *f = xcalloc(1, sizeof *f);
	f->registry = r;
	f->last = &f->first;
	*r->last = f;
	r->last = &f->next;
	return f;
}

struct family *registry_family(struct registry *r, const struct family_def *def)
{
	struct family *f = add_family(r);
	f->def = *def;
	return f;
}

void registry_collect(struct registry *r, void (*write)(void *arg, struct buf *out), void *arg)
{
	struct family *f = add_family(r);
	f->collect = write;
	f->arg = arg;
}

static void put_labels(const struct family *f, const struct str *value, struct buf *out)
{
	buf_clear(out);
	for (size_t i = 0; i < REGISTRY_LABELS && f->def.label[i]; i++)
		exposition_label(out, f->def.label[i], value ? value[i] : STR("other"));
}

/* The lock is held. */
static struct series *find(struct family *f, struct str labels)
{
	const struct map_slot *slot = map_get(&f->by_labels, labels);
	return slot ? slot->v.ptr : NULL;
}

/* The lock is held. */
static struct series *make(struct family *f, struct str labels)
{
	size_t buckets = f->def.kind == METRIC_HISTOGRAM ? f->def.nbounds + 1 : 0;
	struct series *s = xcalloc(1, sizeof *s + buckets * sizeof s->bucket[0]);
	s->family = f;
	s->labels = str_dup(labels);
	*f->last = s;
	f->last = &s->next;
	map_put(&f->by_labels, (struct str){s->labels, labels.n}, NULL)->v.ptr = s;
	return s;
}

struct series *family_series(struct family *f, const struct str *value)
{
	struct buf labels = {0};
	put_labels(f, value, &labels);
	pthread_mutex_lock(&f->registry->lock);
	struct series *s = find(f, buf_view(&labels));
	if (!s && f->by_labels.n >= REGISTRY_SERIES) {
		put_labels(f, NULL, &labels);
		s = find(f, buf_view(&labels));
	}
	if (!s)
		s = make(f, buf_view(&labels));
	pthread_mutex_unlock(&f->registry->lock);
	buf_free(&labels);
	return s;
}

void series_add(struct series *s, uint64_t n)
{
	atomic_fetch_add_explicit(&s->count, n, memory_order_relaxed);
}

uint64_t series_total(const struct series *s)
{
	return atomic_load_explicit(&s->count, memory_order_relaxed);
}

void series_set(struct series *s, double v)
{
	atomic_store_explicit(&s->value, v, memory_order_relaxed);
}

void series_move(struct series *s, double by)
{
	double old = atomic_load_explicit(&s->value, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(
	    &s->value, &old, old + by, memory_order_relaxed, memory_order_relaxed))
		;
}

void series_observe(struct series *s, double value)
{
	const struct family_def *d = &s->family->def;
	size_t i = 0;
	while (i < d->nbounds && !(value <= d->bound[i]))
		i++;
	atomic_fetch_add_explicit(&s->bucket[i], 1, memory_order_relaxed);
	series_move(s, value);
}

static void write_histogram(const struct series *s, struct str labels, struct buf *out)
{
	const struct family_def *d = &s->family->def;
	uint64_t *n = xcalloc(d->nbounds + 1, sizeof *n);
	for (size_t i = 0; i <= d->nbounds; i++)
		n[i] = atomic_load_explicit(&s->bucket[i], memory_order_relaxed);
	exposition_histogram(
	    out, d->name, labels, d->bound, d->nbounds, n, atomic_load_explicit(&s->value, memory_order_relaxed));
	free(n);
}

static void write_series(const struct series *s, struct buf *out)
{
	const struct family_def *d = &s->family->def;
	const struct str labels = str_of(s->labels);
	switch (d->kind) {
	case METRIC_COUNTER:
		exposition_count(out, d->name, labels, atomic_load_explicit(&s->count, memory_order_relaxed));
		break;
	case METRIC_GAUGE:
		exposition_value(out, d->name, labels, atomic_load_explicit(&s->value, memory_order_relaxed));
		break;
	case METRIC_HISTOGRAM:
		write_histogram(s, labels, out);
		break;
	}
}

void registry_write(struct registry *r, struct buf *out)
{
	for (struct family *f = r->first; f; f = f->next) {
		if (f->collect) {
			f->collect(f->arg, out);
			continue;
		}
		exposition_family(out, f->def.kind, f->def.name, f->def.help);
		/* Other threads may be making series. */
		pthread_mutex_lock(&r->lock);
		for (const struct series *s = f->first; s; s = s->next)
			write_series(s, out);
		pthread_mutex_unlock(&r->lock);
	}
}
