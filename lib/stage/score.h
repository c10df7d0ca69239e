/* score.h - the verb of senti-score: each record gets the result of a model. */
#ifndef SENTI_STAGE_SCORE_H
#define SENTI_STAGE_SCORE_H

#include "lib/flow/stage.h"
#include "lib/score/engine.h"

struct score_conf {
	const struct model *model;
	struct rec_form form; /* which member is the text, and which takes the result */
	bool plain;	      /* lines are texts, not records: each becomes {"text":...} first */
	bool force;	      /* score again what has a result of this very model */
	bool explain;
};

/* conf: struct score_conf. Pure. Counters: scored, and kept for records that pass untouched. */
extern const struct stage score_stage;

#endif
