/* store_options.c - the options of senti-store's verbs, and how their values are read. */
#include <math.h>

#include "cmd/store_verbs.h"
#include "lib/base/clock.h"
#include "lib/base/utf8.h"
#include "lib/stage/store.h"

static int read_time(const char *name, const char *value, bool *has, int64_t *ms, struct err *e)
{
	char whole[32];
	int n = snprintf(whole, sizeof whole, "%sT00:00:00Z", value);
	*has = true;
	if (time_parse(str_of(value), ms) == 0 || (n == 20 && time_parse((struct str){whole, (size_t)n}, ms) == 0))
		return 0;
	return option_bad(name, value, "a time such as 2024-05-01T12:00:00Z or 2024-05-01", e);
}

static int read_since(void *to, const char *value, struct err *e)
{
	struct filter *f = to;
	return read_time("since", value, &f->has_since, &f->since, e);
}

static int read_until(void *to, const char *value, struct err *e)
{
	struct filter *f = to;
	return read_time("until", value, &f->has_until, &f->until, e);
}

static int read_score(const char *name, const char *value, double *score, struct err *e)
{
	return filter_read_score(str_of(value), score) ? 0 : option_bad(name, value, "a score from -1 to 1", e);
}

/* Neither includes the score itself. */
static int read_above(void *to, const char *value, struct err *e)
{
	struct filter *f = to;
	double score;
	if (read_score("score-above", value, &score, e) < 0)
		return -1;
	f->has_least = true;
	f->least = nextafter(score, INFINITY);
	return 0;
}

static int read_below(void *to, const char *value, struct err *e)
{
	struct filter *f = to;
	double score;
	if (read_score("score-below", value, &score, e) < 0)
		return -1;
	f->has_most = true;
	f->most = nextafter(score, -INFINITY);
	return 0;
}

static int read_where(void *to, const char *value, struct err *e)
{
	struct store_where *w = to;
	struct str all = str_of(value);
	if (w->n == FILTER_MEMBERS)
		return err_set(e, ERR_USAGE, "--where may be given %d times", FILTER_MEMBERS);
	if (utf8_valid_prefix(all) < all.n || !filter_read_member(all, &w->member[w->n++]))
		return option_bad("where", value, "a member and its value, NAME=VALUE", e);
	return 0;
}

static int read_by(void *to, const char *value, struct err *e)
{
	struct err why;
	struct str all = str_of(value);
	if (utf8_valid_prefix(all) < all.n)
		return option_bad("by", value, "a list of names in UTF-8", e);
	return stats_by(to, all, &why) == 0 ? 0 : err_set(e, ERR_USAGE, "--by: %s", why.msg);
}

static int read_step(void *to, const char *value, struct err *e)
{
	return stats_step(str_of(value), to)
		   ? 0
		   : option_bad("step", value, "a duration such as 90s, 15m, 1h, 1d or 1w", e);
}

static int read_zone(void *to, const char *value, struct err *e)
{
	struct err why;
	struct zone **zone = to;
	zone_free(*zone);
	*zone = zone_open(str_of(value), &why);
	return *zone ? 0 : err_set(e, ERR_USAGE, "--tz: %s", why.msg);
}

#define OPTIONS struct store_options
#define OF_QUERY .only = 1u << STORE_QUERY
#define OF_STATS .only = 1u << STORE_STATS
#define OF_BOTH .only = 1u << STORE_QUERY | 1u << STORE_STATS
const struct option_def store_option_defs[] = {
    {0, "label", "LABEL", "query, stats: positive, neutral or negative", OPT_CALL(filter.label, read_label), OF_BOTH},
    {0, "source", "NAME", "query, stats: from this source", OPT_SLICE(filter.source), OF_BOTH},
    {0, "since", "TIME", "query, stats: with a time of TIME or later (RFC 3339, or a date)",
	OPT_CALL(filter, read_since), OF_BOTH},
    {0, "until", "TIME", "query, stats: with a time before TIME", OPT_CALL(filter, read_until), OF_BOTH},
    {0, "text", "WORDS", "query, stats: the text contains WORDS, in any case", OPT_SLICE(filter.text), OF_BOTH},
    {0, "model", "MODEL", "query, stats: scored by this model, as its results name it", OPT_SLICE(filter.model),
	OF_BOTH},
    {0, "not-model", "MODEL", "query, stats: scored by another model, or not at all", OPT_SLICE(filter.not_model),
	OF_BOTH},
    {0, "score-above", "SCORE", "query, stats: with a score above SCORE", OPT_CALL(filter, read_above), OF_BOTH},
    {0, "score-below", "SCORE", "query, stats: with a score below SCORE", OPT_CALL(filter, read_below), OF_BOTH},
    {0, "where", "NAME=VALUE", "query, stats: the member NAME has this VALUE; may be repeated",
	OPT_CALL(where, read_where), OF_BOTH},
    {0, "unscored", NULL, "query, stats: without a result", OPT_FLAG(filter.unscored), OF_BOTH},
    {0, "corrected", NULL, "query, stats: with a label set by a person", OPT_FLAG(filter.corrected), OF_BOTH},
    {0, "after", "ID", "query: continue after the message with this id", OPT_STRING(after), OF_QUERY},
    {0, "limit", "N", "query, stats: at most N messages, or groups", OPT_NUMBER(limit, 1, UINT32_MAX), OF_BOTH},
    {0, "sample", "N", "query: N messages drawn at random", OPT_NUMBER(sample, 1, SAMPLE_MOST), OF_QUERY},
    {0, "order", "ORDER",
	"query: oldest (default) or newest first, records without a time last; by id; by score, or -score",
	OPT_CHOICE(filter.order, "oldest", "newest", "id", "score", "-score"), .min = ORDER_OLDEST, OF_QUERY},
    {0, "format", "FORMAT", "query, stats: print json (default, a line each), csv, tsv or markdown",
	OPT_CHOICE(table.format, "json", "csv", "tsv", "markdown"), .min = TABLE_JSON, OF_BOTH},
    {0, "columns", "NAME,...",
	"query, stats: these columns: members of the result (label, score, ...) or of the record\n"
	"(default: all that the first records have)",
	OPT_SLICE(table.columns), OF_BOTH},
    {0, "raw", NULL, "query, stats: csv and tsv without the apostrophe that keeps text from being a formula",
	OPT_FLAG(table.raw), OF_BOTH},
    {0, "csv", NULL, "correct: read CSV or TSV with the columns id and label (default for -i NAME.csv, NAME.tsv)",
	OPT_FLAG(csv), .only = 1u << STORE_CORRECT},
    {0, "by", "NAME,...", "stats: in groups by label, source, model, time, hour, day, week, month or other members",
	OPT_CALL(stats, read_by), OF_STATS},
    {0, "step", "DURATION", "stats: the length of --by time: 90s, 15m, 1h (default), 1d, 1w",
	OPT_CALL(stats.step_ms, read_step), OF_STATS},
    {0, "tz", "ZONE", "stats: the time zone of hours, days, weeks and months (default UTC)", OPT_CALL(zone, read_zone),
	OF_STATS},
    {0, "dead", "DURATION", "prune: drop readers silent for this long: 90s, 30m, 12h, 7d (default)",
	OPT_DURATION(dead_ms, 0), .only = 1u << STORE_PRUNE},
    {0},
};
