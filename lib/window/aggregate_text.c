/* aggregate_text.c - an aggregate as members of a line, and as the exact object that is read again. */
#include <math.h>

#include "lib/json/items.h"
#include "lib/json/write.h"
#include "lib/window/aggregate.h"
#include "lib/window/number.h"

/* ---- out ---- */

/* Up to six decimals. */
static void put_number(struct buf *out, double v)
{
	if (fabs(v) < 1e6)
		json_put_fixed(out, v, 6);
	else
		json_put_double(out, v);
}

static void put_member(struct buf *out, const char *name, double v)
{
	buf_printf(out, ",\"%s\":", name);
	put_number(out, v);
}

static void put_terms(struct buf *out, const char *name, const struct term_summary *t, bool by_value, uint32_t k)
{
	const struct term **best = xcalloc(k + 1, sizeof *best);
	size_t n = terms_best(t, by_value, best, k);
	buf_printf(out, ",\"%s\":[", name);
	for (size_t i = 0; i < n; i++) {
		buf_str(out, i ? STR(",{\"term\":") : STR("{\"term\":"));
		json_put_string(out, term_text(best[i]));
		if (by_value)
			put_member(out, "value", (double)best[i]->value / TERM_UNIT);
		else
			buf_printf(out, ",\"count\":%llu", (unsigned long long)best[i]->weight);
		buf_char(out, '}');
	}
	buf_char(out, ']');
	free(best);
}

void aggregate_put(const struct aggregate *a, const struct aggregate_conf *c, double ewm, struct buf *out)
{
	buf_str(out, STR(",\"count\":"));
	buf_u64(out, a->all.n);
	put_member(out, "mean", aggregate_mean(a));
	put_member(out, "stdev", aggregate_deviation(a));
	put_member(out, "p50", aggregate_quantile(a, 0.5));
	put_member(out, "p90", aggregate_quantile(a, 0.9));
	put_member(out, "p99", aggregate_quantile(a, 0.99));
	put_member(out, "ewm", ewm);
	buf_str(out, STR(",\"labels\":{"));
	for (int i = 0; i < SHARES; i++) {
		buf_printf(out, i ? ",\"%s\":" : "\"%s\":", share_name[i]);
		put_number(out, aggregate_share(a, i));
	}
	buf_char(out, '}');
	put_terms(out, "terms", &a->frequent, false, c->terms);
	put_terms(out, "contributing", &a->weighty, true, c->terms);
	if (!c->sketch)
		return;
	buf_str(out, STR(",\"sketch\":"));
	aggregate_put_exact(a, out);
}

static void put_counters(struct buf *out, const char *name, const struct term_summary *t)
{
	buf_printf(out, ",\"%s\":[", name);
	for (uint32_t i = 0; i < t->n; i++) {
		buf_str(out, i ? STR(",[") : STR("["));
		json_put_string(out, term_text(&t->term[i]));
		buf_printf(out, ",%llu,%llu,%lld]", (unsigned long long)t->term[i].weight,
		    (unsigned long long)t->term[i].error, (long long)t->term[i].value);
	}
	buf_char(out, ']');
}

void aggregate_put_exact(const struct aggregate *a, struct buf *out)
{
	buf_str(out, STR("{\"count\":"));
	buf_u64(out, a->all.n);
	buf_str(out, STR(",\"sum\":"));
	number_put(out, a->all.sum);
	buf_str(out, STR(",\"squares\":"));
	number_put(out, (int128)a->squares);
	buf_printf(out, ",\"min\":%lld,\"max\":%lld", (long long)a->least, (long long)a->greatest);
	buf_printf(out, ",\"labels\":[%llu,%llu,%llu],\"buckets\":[", (unsigned long long)a->label[SHARE_POSITIVE],
	    (unsigned long long)a->label[SHARE_NEUTRAL], (unsigned long long)a->label[SHARE_NEGATIVE]);
	for (uint32_t i = 0; i < a->sketch.buckets; i++)
		buf_printf(out, i ? ",[%d,%llu]" : "[%d,%llu]", (int)a->sketch.bucket[i].at,
		    (unsigned long long)a->sketch.bucket[i].n);
	buf_str(out, STR("],\"newest\":["));
	buf_u64(out, a->newest.n);
	buf_char(out, ',');
	number_put(out, a->newest.sum);
	buf_char(out, ']');
	put_counters(out, "terms", &a->frequent);
	put_counters(out, "contributing", &a->weighty);
	buf_char(out, '}');
}

/* ---- in ---- */

static struct str member(const struct json_scan *s, struct str name)
{
	const struct json_member *m = json_find(s, name);
	return m ? m->value : STR("");
}

static int read_counts(struct aggregate *a, const struct json_scan *s)
{
	const uint128 most = (uint128)1 << 126;
	struct str label[SHARES], newest[2];
	int128 squares;
	int64_t n, part, sum = 0;
	if (number_64(member(s, STR("count")), 1, &n) < 0 || n > (int64_t)1 << 53 ||
	    number_whole(member(s, STR("sum")), most, &a->all.sum) < 0 ||
	    number_whole(member(s, STR("squares")), most, &squares) < 0 || squares < 0 ||
	    number_64(member(s, STR("min")), -SKETCH_MOST, &a->least) < 0 ||
	    number_64(member(s, STR("max")), a->least, &a->greatest) < 0 || a->greatest > SKETCH_MOST ||
	    number_items(member(s, STR("labels")), label, SHARES) < 0 ||
	    number_items(member(s, STR("newest")), newest, 2) < 0 || number_64(newest[0], 0, &part) < 0 || part > n ||
	    number_whole(newest[1], most, &a->newest.sum) < 0)
		return -1;
	a->all.n = (uint64_t)n;
	a->newest.n = (uint64_t)part;
	a->squares = (uint128)squares;
	for (int i = 0; i < SHARES; i++) {
		if (number_64(label[i], 0, &part) < 0 || part > n - sum)
			return -1;
		a->label[i] = (uint64_t)part;
		sum += part;
	}
	int128 low = (int128)n * a->least, high = (int128)n * a->greatest;
	return sum == n && a->all.sum >= low && a->all.sum <= high ? 0 : -1;
}

static int read_buckets(struct aggregate *a, struct str array)
{
	if (!array.n || array.p[0] != '[')
		return -1;
	struct json_items it = json_items(array);
	struct str item, part[2];
	int64_t at, n, before = INT64_MIN;
	uint64_t left = a->all.n;
	int rc;
	while ((rc = json_items_next(&it, &item)) > 0) {
		if (number_items(item, part, 2) < 0 || number_64(part[0], -SKETCH_LAST, &at) < 0 || at > SKETCH_LAST ||
		    at <= before || number_64(part[1], 1, &n) < 0 || (uint64_t)n > left)
			return -1;
		sketch_put(&a->sketch, (int32_t)at, (uint64_t)n);
		left -= (uint64_t)n;
		before = at;
	}
	return rc == 0 && left == 0 ? 0 : -1;
}

static int read_counters(struct term_summary *t, const struct aggregate_conf *c, struct str array, struct arena *mem)
{
	if (!array.n || array.p[0] != '[')
		return -1;
	struct json_items it = json_items(array);
	struct str item, part[4];
	int rc;
	while ((rc = json_items_next(&it, &item)) > 0) {
		int64_t weight, error;
		struct term as = {0};
		if (number_items(item, part, 4) < 0 || part[0].n < 2 || part[0].p[0] != '"' ||
		    number_64(part[1], 1, &weight) < 0 || number_64(part[2], 0, &error) < 0 || error > weight ||
		    number_64(part[3], -INT64_MAX, &as.value) < 0)
			return -1;
		as.weight = (uint64_t)weight;
		as.error = (uint64_t)error;
		struct json_member word = {.value = part[0], .type = JSON_STRING, .escaped = true};
		if (!terms_restore(t, c->vocabulary, TERM_COUNTERS * c->terms, json_decode(&word, mem), &as))
			return -1;
	}
	return rc;
}

int aggregate_read(struct aggregate *a, const struct aggregate_conf *c, struct str text, struct json_scan *s,
    struct arena *mem, const char **why)
{
	*why = "'sketch' is not that of a window";
	if (json_scan(s, text) < 0 || read_counts(a, s) < 0)
		return -1;
	*why = "the buckets of 'sketch' are not in order, or not as many as its count";
	if (read_buckets(a, member(s, STR("buckets"))) < 0)
		return -1;
	*why = "the terms of 'sketch' are not those of a window with these --terms";
	if (read_counters(&a->frequent, c, member(s, STR("terms")), mem) < 0 ||
	    read_counters(&a->weighty, c, member(s, STR("contributing")), mem) < 0)
		return -1;
	return 0;
}
