/* term_totals.h - the words that contribute most to the scores of the newest messages.
 *
 *     struct term_totals t;
 *     if (term_totals_find(&t, store, model, &filter, 1000, &mem, &e) == 0)
 *             ... t.term[0], the word of the greatest |contribution|, to t.term[t.n - 1] ...
 *     term_totals_free(&t);
 *
 * The model explains each message anew, a few at a time: memory holds one page of them, and the words.
 */
#ifndef SENTI_SERVE_TERM_TOTALS_H
#define SENTI_SERVE_TERM_TOTALS_H

#include "lib/data/store.h"
#include "lib/score/engine.h"

/* TERMS_BYTES: of texts, after which it looks at no more messages. TERMS_WORDS: so many different words likewise.
 * TERMS_MEMORY: bytes that one search takes at most. */
enum {
	TERMS_SAMPLE = 1000,
	TERMS_SAMPLE_MOST = 10000,
	TERMS_BYTES = 8 << 20,
	TERMS_WORDS = 50000,
	TERMS_MEMORY = 24 << 20,
};

struct term_total {
	struct str word;     /* folded (fold.h) */
	uint64_t count;	     /* messages that have it */
	double contribution; /* the sum of what it added to their scores, on the model's own scale */
	uint64_t scored;     /* of the messages, those with a score in the store */
	double scores;	     /* the sum of these */

	uint64_t last; /* private: the last message that has it */
};

struct term_totals {
	struct term_total *term; /* by |contribution|, then by word */
	size_t n;
	uint64_t messages; /* that were looked at */
	bool complete;	   /* there are no others */
};

/* Looks at the newest `sample` messages of the filter, whose place and order are ignored: 0, or -1 with *e, as
 * store->query: also when store->interrupt is due. Words live in mem. */
MUST_USE int term_totals_find(struct term_totals *t, struct store *store, const struct model *model,
    const struct filter *f, size_t sample, struct arena *mem, struct err *e);
/* After a failure too. */
void term_totals_free(struct term_totals *t);

#endif
