/* The nearest name, and what is too far. */
#include "lib/base/guess.h"

#include "tests/unit/tap.h"

static const char *hint(const char *word)
{
	static const char *const name[] = {"get", "put", "stats", "max-record", "max-rejects", "metrics"};
	static struct guess g;
	g = (struct guess){.word = word};
	for (size_t i = 0; i < COUNT_OF(name); i++)
		guess_try(&g, name[i]);
	return guess_hint(&g, "--");
}

int main(void)
{
	static const struct {
		const char *word, *best;
	} cases[] = {
	    {"gte", "get"},		  /* swapped */
	    {"gt", "get"},		  /* missing */
	    {"gett", "get"},		  /* too many */
	    {"pot", "put"},		  /* wrong */
	    {"max-recrod", "max-record"}, /* the nearest of two that are near */
	    {"max-reject", "max-rejects"},
	    {"mtercis", "metrics"}, /* two slips in seven letters */
	    {"xyz", NULL},
	    {"", NULL},
	    {"g", NULL}, /* two slips in three letters */
	    {"statistics", NULL},
	    {"max-records-that-are-much-longer-than-any-name-is", NULL},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char want[64] = "";
		if (cases[i].best)
			snprintf(want, sizeof want, "; did you mean '--%s'?", cases[i].best);
		is_str(str_of(hint(cases[i].word)), str_of(want), "%s", cases[i].word);
	}
	return tap_done();
}
