/* score.h - the verb of senti-score: each record gets the result of a model. */
#ifndef SENTI_STAGE_SCORE_H
#define SENTI_STAGE_SCORE_H

#include "lib/flow/stage.h"
#include "lib/score/engine.h"

struct score_conf {
	const struct model *model;
	struct rec_form form; /* the members for text and result */
	bool plain;	      /* lines are plain texts: each becomes {"text":...} */
	bool force;	      /* replace results of this very model */
	bool explain;
};

/* conf: struct score_conf. Pure. Counters: scored, kept (passed untouched). */
extern const struct stage score_stage;

#endif
