/* counts.c - the sums of a run. */
#include "lib/flow/counts.h"

#include "lib/base/clock.h"
#include "lib/json/write.h"

static const char *const tally_names[TALLY_COUNT] = {
    [TALLY_SCORED] = "scored",
    [TALLY_KEPT] = "kept",
    [TALLY_STORED] = "stored",
    [TALLY_UNCHANGED] = "unchanged",
    [TALLY_HITS] = "hits",
    [TALLY_MISSES] = "misses",
    [TALLY_SKIPPED] = "skipped",
    [TALLY_DELETED] = "deleted",
    [TALLY_CORRECTED] = "corrected",
    [TALLY_RESTARTS] = "restarts",
    [TALLY_DUPLICATES] = "duplicates",
    [TALLY_REDELIVERED] = "redelivered",
    [TALLY_BURIED] = "buried",
};

static const char *const closed_names[CLOSED_COUNT] = {
    [CLOSED_FULL] = "full",
    [CLOSED_BYTES] = "bytes",
    [CLOSED_TIME] = "time",
    [CLOSED_IDLE] = "idle",
    [CLOSED_END] = "end",
};

const char *tally_name(enum tally t)
{
	return tally_names[t];
}

const char *closed_name(enum closed c)
{
	return closed_names[c];
}

void counts_start(struct counts *c)
{
	*c = (struct counts){.started_ms = clock_mono_ms()};
}

void counts_batch(struct counts *c, const struct batch *b)
{
	c->in += b->n;
	for (size_t i = 0; i < b->n; i++) {
		c->out += b->rec[i].fate == FATE_OUT;
		c->rejected += b->rec[i].fate == FATE_REJECTED;
		c->held += b->rec[i].fate == FATE_HELD;
	}
	for (size_t t = 0; t < TALLY_COUNT; t++)
		c->tally[t] += b->tally[t];
	c->batches++;
	c->closed[b->closed]++;
}

bool counts_balance(const struct counts *c)
{
	return c->in + c->made == c->out + c->rejected + c->held;
}

void counts_summary(const struct counts *c, const char *tool, unsigned show, struct buf *out)
{
	buf_str(out, STR("{\"tool\":"));
	json_put_string(out, str_of(tool));
	buf_printf(out, ",\"in\":%llu,\"out\":%llu,\"rejected\":%llu", (unsigned long long)c->in,
	    (unsigned long long)c->out, (unsigned long long)c->rejected);
	for (size_t t = 0; t < TALLY_COUNT; t++)
		if (c->tally[t] || (show >> t & 1))
			buf_printf(out, ",\"%s\":%llu", tally_names[t], (unsigned long long)c->tally[t]);
	buf_printf(out, ",\"seconds\":%.3f}", (double)(clock_mono_ms() - c->started_ms) / 1000);
}
