/* senti-cache - known results for records that come again, and stored messages for readers by id. */
#include "cmd/cache_verbs.h"

#define OPTIONS struct cache_options
#define OF(verb) (1u << (verb))
static const struct option_def own[] = {
    {'m', "model", "MODEL",
	"get, key: the results of MODEL (default $SENTI_MODEL, else vader);\nverify: recompute those in the cache",
	OPT_STRING(model.spec), .only = OF(CACHE_GET) | OF(CACHE_VERIFY) | OF(CACHE_KEY)},
    {'f', "field", "NAME", "get, put, key: the member that holds the text (default text)",
	OPT_SLICE(verb.form.text_name), .only = OF(CACHE_GET) | OF(CACHE_PUT) | OF(CACHE_KEY)},
    {0, "into", "NAME", "get, put: the member of the result (default sentiment)", OPT_SLICE(verb.form.result_name),
	.only = OF(CACHE_GET) | OF(CACHE_PUT)},
    {'e', "expression", "TEXT", "key: print the key of the result for TEXT; may be repeated", OPT_LIST(texts),
	.only = OF(CACHE_KEY)},
    {0, "once", NULL, "follow: exit once all present changes are followed", OPT_FLAG(follow.once),
	.only = OF(CACHE_FOLLOW)},
    {0, "reader", "NAME",
	"follow: the name of its position in the outbox (default: the cache's\naddress and the host name)",
	OPT_NAME(follow.reader), .only = OF(CACHE_FOLLOW)},
    {0, "sample", "N", "verify: check N messages, from a random start (default 1000)", OPT_NUMBER(sample, 1, 100000000),
	.only = OF(CACHE_VERIFY)},
    {0},
};

static const char examples[] =
    "  export SENTI_REDIS=redis://127.0.0.1\n"
    "  senti-cache get <texts.jsonl | senti-score | senti-cache put >scored.jsonl\n"
    "  senti-worker -q texts -- sh -c 'senti-cache get | senti-score | senti-store put | senti-cache put'\n"
    "  senti-cache follow >/dev/null\n"
    "  redis-cli get \"$(senti-cache key -e 'I love it')\"\n";

int main(int argc, char **argv)
{
	struct cache_options o = {
	    .verb.form = {.text_name = STR("text"), .result_name = STR("sentiment")},
	    .model.spec = default_model(),
	    .sample = 1000,
	};
	struct tool t = {
	    .name = "senti-cache",
	    .verbs = cache_verbs,
	    .summary =
		"Keeps results and stored messages in Redis. get adds known results to records, put caches results\n"
		"and messages; if the cache is down, work slows but nothing breaks. follow removes messages from\n"
		"the cache when the store changes, verify checks that the two agree.",
	    .examples = examples,
	    .own = own,
	    .options = &o,
	    .shared = SHARED_FILTER | SHARED_OUT | SHARED_STORE | SHARED_CACHE,
	};
	struct err e;
	tool_options(&t, argc, argv);
	o.verb.wait_ms = t.limits.wait_ms;
	if (str_eq(o.verb.form.text_name, o.verb.form.result_name)) {
		err_set(&e, ERR_USAGE, "-f and --into name the same member '%.*s'", STR_FMT(o.verb.form.text_name));
		return tool_fail(&t, &e);
	}
	return t.verb->run(&t, &o);
}
