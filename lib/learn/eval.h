/* eval.h - the verb of senti-eval: compares what models say with what people said, and reports it at the end of the
 * input. */
#ifndef SENTI_LEARN_EVAL_H
#define SENTI_LEARN_EVAL_H

#include "lib/flow/stage.h"
#include "lib/learn/accuracy.h"
#include "lib/learn/checkpoint.h"

/* One side of the comparison. */
struct contestant {
	const struct model *model; /* NULL: the results that the records carry */
	const char *name;	   /* for the report; NULL: the model's own */
	struct accuracy accuracy;  /* filled by the run */
};

struct eval_conf {
	struct contestant *side;
	size_t sides;
	struct label_conf label;
	struct rec_form form;	       /* result_name: the member that holds a result */
	bool two;		       /* the labels have no neutral: a score above 0 is positive, any other negative */
	bool json;		       /* the report: one JSON line a side; else one text */
	bool colour;		       /* of the text */
	struct checkpoint *checkpoint; /* of a queue, lent: what is held is safe in it; NULL: none */
};

/* conf: struct eval_conf. Begins with what is in the checkpoint. Holds all records that it does not reject; the report
 * is what `end` adds. Counters: resumed (from the checkpoint); duplicates (in the checkpoint by their id, and not
 * counted again). */
extern const struct stage eval_stage;

#endif
