/* counts.c - the families of a run. */
#include "lib/metrics/counts.h"

#include "lib/base/clock.h"
#include "lib/metrics/exposition.h"

/* Counters under conventional names; several may be one family, told apart by a label. */
enum counter_family { OWN, TEXTS, KEPT, WRITES, CACHE, RESTARTS, DUPLICATES, REDELIVERED, PLACES };

static const struct {
	const char *name, *help, *label; /* label NULL: has none */
} family[PLACES] = {
    [TEXTS] = {"senti_score_texts_total", "Texts that were scored.", "model"},
    [KEPT] = {"senti_score_kept_total", "Records that already had a result of this very model.", "model"},
    [WRITES] = {"senti_writes_total", "Records by what the store or cache did with them.", "result"},
    [CACHE] = {"senti_cache_requests_total", "Requests to the cache by their outcome.", "result"},
    [RESTARTS] = {"senti_command_restarts_total", "Restarts of the command.", NULL},
    [DUPLICATES] = {"senti_command_duplicates_total", "Answers of the command beyond the first to a record.", NULL},
    [REDELIVERED] = {"senti_queue_redelivered_total", "Records that the broker had delivered before.", NULL},
};

static const struct {
	enum counter_family place; /* OWN: its name in the summary becomes a family's */
	const char *value;	   /* of the label; NULL: the model */
} counter[COUNTER_COUNT] = {
    [COUNTER_SCORED] = {TEXTS, NULL},
    [COUNTER_KEPT] = {KEPT, NULL},
    [COUNTER_STORED] = {WRITES, "stored"},
    [COUNTER_UNCHANGED] = {WRITES, "unchanged"},
    [COUNTER_DELETED] = {WRITES, "deleted"},
    [COUNTER_CORRECTED] = {WRITES, "corrected"},
    [COUNTER_HITS] = {CACHE, "hit"},
    [COUNTER_MISSES] = {CACHE, "miss"},
    [COUNTER_SKIPPED] = {CACHE, "skipped"},
    [COUNTER_RESTARTS] = {RESTARTS, NULL},
    [COUNTER_DUPLICATES] = {DUPLICATES, NULL},
    [COUNTER_REDELIVERED] = {REDELIVERED, NULL},
    [COUNTER_BURIED] = {WRITES, "buried"},
    [COUNTER_REFUSED] = {WRITES, "refused"},
};

static void single(struct buf *out, enum metric_kind kind, const char *name, const char *help, uint64_t v)
{
	exposition_family(out, kind, name, help);
	exposition_count(out, name, STR(""), v);
}

static void labelled(struct buf *out, const char *name, const char *label, const char *value, uint64_t v)
{
	struct buf labels = {0};
	if (label)
		exposition_label(&labels, label, str_of(value));
	exposition_count(out, name, buf_view(&labels), v);
	buf_free(&labels);
}

static void put_records(const struct counts *c, struct buf *out)
{
	static const char rejected[] = "senti_records_rejected_total";
	single(out, METRIC_COUNTER, "senti_records_in_total", "Records that came in and have been dealt with.", c->in);
	single(out, METRIC_COUNTER, "senti_records_out_total", "Records that have gone out and are safe.", c->out);
	exposition_family(out, METRIC_COUNTER, rejected, "Records that were rejected, by the code of the reject.");
	for (size_t i = 0; i < c->ncodes; i++)
		labelled(out, rejected, "code", c->code[i].code, c->code[i].rejected);
	if (c->held)
		single(out, METRIC_COUNTER, "senti_records_held_total",
		    "Records held for a result that comes out later.", c->held);
}

static void put_batches(const struct counts *c, struct buf *out)
{
	static const char size[] = "senti_batch_size", flush[] = "senti_batch_flush_total";
	exposition_family(out, METRIC_HISTOGRAM, size, "Records in a batch.");
	exposition_histogram(out, size, STR(""), counts_size_bound, COUNTS_SIZES, c->size, (double)c->batched);
	exposition_family(out, METRIC_COUNTER, flush, "Batches by why they were closed.");
	for (size_t i = 0; i < FLUSH_COUNT; i++)
		labelled(out, flush, "reason", flush_reason_name((enum flush_reason)i), c->flush_reason[i]);
}

static void put_own(enum counter t, uint64_t v, struct buf *out)
{
	char name[80];
	snprintf(name, sizeof name, "senti_%s_total", counter_name(t));
	single(out, METRIC_COUNTER, name, "A count of the summary, under its name there.", v);
}

static void put_tallies(const struct counts *c, const char *model, unsigned show, struct buf *out)
{
	for (size_t p = 0; p < PLACES; p++) {
		bool begun = false;
		if (!model && (p == TEXTS || p == KEPT))
			continue;
		for (size_t t = 0; t < COUNTER_COUNT; t++) {
			if (counter[t].place != p || !(c->counter[t] || (show >> t & 1)))
				continue;
			if (p == OWN) {
				put_own((enum counter)t, c->counter[t], out);
				continue;
			}
			if (!begun)
				exposition_family(out, METRIC_COUNTER, family[p].name, family[p].help);
			begun = true;
			labelled(out, family[p].name, family[p].label, counter[t].value ? counter[t].value : model,
			    c->counter[t]);
		}
	}
}

static void put_results(const struct counts *c, const char *model, struct buf *out)
{
	static const char name[] = "senti_results_total";
	exposition_family(out, METRIC_COUNTER, name, "Results that were made, by their label.");
	for (size_t i = 0; i < LABELS; i++) {
		struct buf labels = {0};
		exposition_label(&labels, "label", str_of(label_name((enum label)i)));
		exposition_label(&labels, "model", str_of(model));
		exposition_count(out, name, buf_view(&labels), c->results[i]);
		buf_free(&labels);
	}
}

static void put_queue(const struct counts *c, struct buf *out)
{
	static const char dead[] = "senti_dead_lettered_total";
	single(out, METRIC_GAUGE, "senti_queue_unacked", "Messages that were taken in and are not acknowledged.",
	    c->unacked);
	single(out, METRIC_COUNTER, "senti_queue_reconnects_total", "Reconnections to a broker.", c->reconnects);
	exposition_family(out, METRIC_COUNTER, dead, "Records that became dead letters, by the code of the reject.");
	for (size_t i = 0; i < c->ncodes; i++)
		if (c->code[i].dead)
			labelled(out, dead, "reason", c->code[i].code, c->code[i].dead);
}

static void put_lag(int64_t current_ms, struct buf *out)
{
	exposition_gauge(out, "senti_follow_lag_seconds",
	    "Age of the last moment from before which nothing is left to follow.",
	    (double)(clock_mono_ms() - current_ms) / 1000);
}

void counts_expose(struct counts *c, const char *model, unsigned show, struct buf *out)
{
	struct counts now;
	counts_copy(c, &now);
	put_records(&now, out);
	put_batches(&now, out);
	put_tallies(&now, model, now.queue ? show | 1u << COUNTER_REDELIVERED : show, out);
	if (model)
		put_results(&now, model, out);
	if (now.queue)
		put_queue(&now, out);
	if (now.current_ms)
		put_lag(now.current_ms, out);
}
