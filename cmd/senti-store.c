/* senti-store - keeps scored records as rows: put, get, query, correct, delete, and the care of the database. */
#include "cmd/store_verbs.h"
#include "lib/base/clock.h"

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

#define OPTIONS struct store_options
#define OF_QUERY .only = 1u << STORE_QUERY
static const struct option_def own[] = {
    {0, "label", "LABEL", "query: positive, neutral or negative", OPT_CALL(filter.label, read_label), OF_QUERY},
    {0, "source", "NAME", "query: from this source", OPT_SLICE(filter.source), OF_QUERY},
    {0, "since", "TIME", "query: with a time of TIME or later (RFC 3339, or a date)", OPT_CALL(filter, read_since),
	OF_QUERY},
    {0, "until", "TIME", "query: with a time before TIME", OPT_CALL(filter, read_until), OF_QUERY},
    {0, "text", "WORDS", "query: the text contains WORDS, in any case", OPT_SLICE(filter.text), OF_QUERY},
    {0, "model", "MODEL", "query: scored by this model, as its results name it", OPT_SLICE(filter.model), OF_QUERY},
    {0, "not-model", "MODEL", "query: scored by another model, or not at all", OPT_SLICE(filter.not_model), OF_QUERY},
    {0, "unscored", NULL, "query: without a result", OPT_FLAG(filter.unscored), OF_QUERY},
    {0, "corrected", NULL, "query: with a label set by a person", OPT_FLAG(filter.corrected), OF_QUERY},
    {0, "after", "ID", "query: continue after the message with this id", OPT_STRING(after), OF_QUERY},
    {0, "limit", "N", "query: at most N messages", OPT_NUMBER(limit, 1, UINT32_MAX), OF_QUERY},
    {0, "order", "ORDER", "query: oldest (default) or newest first, records without a time last; or by id",
	OPT_CHOICE(filter.order, "oldest", "newest", "id"), .min = ORDER_OLDEST, OF_QUERY},
    {0, "dead", "DURATION", "prune: drop readers silent for this long: 90s, 30m, 12h, 7d (default)",
	OPT_DURATION(dead_ms, 0), .only = 1u << STORE_PRUNE},
    {0},
};

static const char examples[] = "  senti-ingest -F csv reviews.csv | senti-score | senti-store >/dev/null\n"
			       "  senti-store query --label negative --since 2024-05-01 --limit 20\n"
			       "  senti-store correct 17 positive\n"
			       "  senti-store query --not-model \"$NEW\" | senti-score | senti-store put >/dev/null\n";

int main(int argc, char **argv)
{
	struct store_options o = {.dead_ms = 7 * (int64_t)86400000};
	struct tool t = {
	    .name = "senti-store",
	    .verbs = store_verbs,
	    .verb_optional = true,
	    .summary =
		"Keeps records in a database, one row per id. put (the default) passes each record on once it is\n"
		"committed, with its version; query and export print JSON lines; correct sets a label by hand.",
	    .examples = examples,
	    .own = own,
	    .options = &o,
	    .shared = SHARED_FILTER | SHARED_OUT | SHARED_STORE,
	};
	tool_options(&t, argc, argv);
	return t.verb->run(&t, &o);
}
