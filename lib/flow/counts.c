/* counts.c - a run's counters and its summary. */
#include "lib/flow/counts.h"

#include <stddef.h>

#include "lib/base/clock.h"
#include "lib/json/write.h"

static const char *const counter_names[COUNTER_COUNT] = {
    [COUNTER_SCORED] = "scored",
    [COUNTER_KEPT] = "kept",
    [COUNTER_STORED] = "stored",
    [COUNTER_UNCHANGED] = "unchanged",
    [COUNTER_HITS] = "hits",
    [COUNTER_MISSES] = "misses",
    [COUNTER_SKIPPED] = "skipped",
    [COUNTER_DELETED] = "deleted",
    [COUNTER_CORRECTED] = "corrected",
    [COUNTER_RESTARTS] = "restarts",
    [COUNTER_DUPLICATES] = "duplicates",
    [COUNTER_REDELIVERED] = "redelivered",
    [COUNTER_BURIED] = "buried",
    [COUNTER_REFUSED] = "refused",
    [COUNTER_RESUMED] = "resumed",
    [COUNTER_LATE] = "late",
    [COUNTER_WINDOWS] = "windows",
    [COUNTER_UNREAD] = "unread_files",
};

static const char *const flush_reason_names[FLUSH_COUNT] = {
    [FLUSH_FULL] = "full",
    [FLUSH_BYTES] = "bytes",
    [FLUSH_TIME] = "time",
    [FLUSH_IDLE] = "idle",
    [FLUSH_END] = "end",
};

const char *counter_name(enum counter t)
{
	return counter_names[t];
}

const char *flush_reason_name(enum flush_reason c)
{
	return flush_reason_names[c];
}

void counts_start(struct counts *c)
{
	*c = (struct counts){.started_ms = clock_mono_ms()};
	pthread_mutex_init(&c->lock, NULL);
}

const double counts_size_bound[COUNTS_SIZES] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000};

static void count_size(struct counts *c, size_t n)
{
	size_t i = 0;
	while (i < COUNTS_SIZES && (double)n > counts_size_bound[i])
		i++;
	c->size[i]++;
	c->batched += n;
	c->batches++;
}

/* Equal codes may have different addresses. */
static struct code_count *find_code(struct counts *c, const char *code)
{
	for (size_t i = 0; i < c->ncodes; i++)
		if (c->code[i].code == code || strcmp(c->code[i].code, code) == 0)
			return &c->code[i];
	bool full = c->ncodes >= COUNTS_CODES;
	if (full && c->ncodes > COUNTS_CODES)
		return &c->code[COUNTS_CODES];
	struct code_count *made = &c->code[c->ncodes++];
	made->code = full ? "other" : code;
	return made;
}

static void count_reject(struct counts *c, const struct rec *r, bool dead_letters)
{
	struct code_count *n = find_code(c, r->code);
	n->rejected++;
	n->dead += dead_letters && r->envelope;
}

static void count_batch(struct counts *c, const struct batch *b, bool dead_letters)
{
	for (size_t i = 0; i < b->n; i++) {
		c->out += b->rec[i].fate == FATE_OUT;
		c->held += b->rec[i].fate == FATE_HELD;
		if (unlikely(b->rec[i].fate == FATE_REJECTED)) {
			c->rejected++;
			count_reject(c, &b->rec[i], dead_letters);
		}
	}
	for (size_t t = 0; t < COUNTER_COUNT; t++)
		c->counter[t] += b->counter[t];
	for (size_t i = 0; i < LABELS; i++)
		c->results[i] += b->results[i];
	count_size(c, b->n);
	c->flush_reason[b->flush_reason]++;
}

void counts_batch(struct counts *c, const struct batch *b, bool dead_letters)
{
	pthread_mutex_lock(&c->lock);
	c->in += b->n - b->derived;
	c->derived += b->derived;
	count_batch(c, b, dead_letters);
	pthread_mutex_unlock(&c->lock);
}

void counts_queue(struct counts *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	c->queue = true;
	pthread_mutex_unlock(&c->lock);
}

void counts_reconnected(struct counts *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	c->reconnects++;
	pthread_mutex_unlock(&c->lock);
}

void counts_add(struct counts *c, enum counter t, uint64_t n)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	c->counter[t] += n;
	pthread_mutex_unlock(&c->lock);
}

void counts_unacked(struct counts *c, uint64_t now)
{
	if (c)
		atomic_store_explicit(&c->unacked, now, memory_order_relaxed);
}

void counts_current(struct counts *c, int64_t at_ms)
{
	if (c)
		atomic_store_explicit(&c->current_ms, at_ms, memory_order_relaxed);
}

void counts_copy(struct counts *c, struct counts *to)
{
	pthread_mutex_lock(&c->lock);
	memcpy(to, c, offsetof(struct counts, unacked));
	pthread_mutex_unlock(&c->lock);
	to->unacked = atomic_load_explicit(&c->unacked, memory_order_relaxed);
	to->current_ms = atomic_load_explicit(&c->current_ms, memory_order_relaxed);
}

bool counts_balance(const struct counts *c)
{
	return c->in + c->derived == c->out + c->rejected + c->held;
}

void counts_summary(const struct counts *c, const char *tool, unsigned show, struct buf *out)
{
	buf_str(out, STR("{\"tool\":"));
	json_put_string(out, str_of(tool));
	buf_printf(out, ",\"in\":%llu,\"out\":%llu,\"rejected\":%llu", (unsigned long long)c->in,
	    (unsigned long long)c->out, (unsigned long long)c->rejected);
	for (size_t t = 0; t < COUNTER_COUNT; t++)
		if (c->counter[t] || (show >> t & 1))
			buf_printf(out, ",\"%s\":%llu", counter_names[t], (unsigned long long)c->counter[t]);
	int64_t current = atomic_load_explicit(&c->current_ms, memory_order_relaxed);
	if (current)
		buf_printf(out, ",\"lag\":%.3f", (double)(clock_mono_ms() - current) / 1000);
	if (c->interrupted)
		buf_str(out, STR(",\"interrupted\":true"));
	buf_printf(out, ",\"seconds\":%.3f}", (double)(clock_mono_ms() - c->started_ms) / 1000);
}
