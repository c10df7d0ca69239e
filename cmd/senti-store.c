/* senti-store - keeps scored records as rows: put, get, query, correct, delete, and the care of the database. */
#include "cmd/store_verbs.h"

static const char examples[] = "  senti-ingest -F csv reviews.csv | senti-score | senti-store >/dev/null\n"
			       "  senti-store query --label negative --since 2024-05-01 --limit 20\n"
			       "  senti-store stats --by product,month --tz Europe/Berlin --format csv\n"
			       "  senti-store query --order score --limit 20 --format csv --columns id,score,text\n"
			       "  senti-store correct 17 positive; senti-store correct -i labels.csv\n"
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
	    .own = store_option_defs,
	    .options = &o,
	    .shared = SHARED_FILTER | SHARED_OUT | SHARED_STORE,
	};
	tool_options(&t, argc, argv);
	return t.verb->run(&t, &o);
}
