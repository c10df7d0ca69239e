/* eval.h - the verb of senti-eval: compares models' results with people's labels, and reports at the end of the
 * input. */
#ifndef SENTI_LEARN_EVAL_H
#define SENTI_LEARN_EVAL_H

#include "lib/flow/stage.h"
#include "lib/learn/bootstrap.h"
#include "lib/learn/checkpoint.h"

/* One side of the comparison. */
struct contestant {
	const struct model *model; /* NULL: the results in the records */
	const char *name;	   /* for the report: a model file's, as it was given; NULL: the model's name */
	struct accuracy accuracy;  /* filled by the run */
};

struct eval_conf {
	struct contestant *side;
	size_t sides;
	struct label_conf label;
	struct rec_form form;	       /* result_name: the member that holds a result */
	bool two;		       /* labels have no neutral: a score above 0 is positive, any other negative */
	bool dedupe;		       /* count one record of each text, the first */
	uint64_t seed;		       /* of the bootstrap */
	bool json;		       /* report one JSON line per side instead of a text */
	bool colour;		       /* colour the text */
	struct checkpoint *checkpoint; /* of a queue, lent: makes what is held safe; NULL: none */
};

/* conf: struct eval_conf. Begins with the records of the checkpoint. Holds all records that it does not reject; `end`
 * adds the report. Counters: resumed (from the checkpoint); duplicates (their id is in the checkpoint, so they are not
 * counted again). */
extern const struct stage eval_stage;

#endif
