/* train.h - the verb of senti-train: takes in labelled records, and at the end of the input makes a model of them. */
#ifndef SENTI_LEARN_TRAIN_H
#define SENTI_LEARN_TRAIN_H

#include "lib/flow/stage.h"
#include "lib/learn/fit.h"
#include "lib/learn/checkpoint.h"

struct train_conf {
	struct fit_conf fit;
	struct label_conf label;
	struct rec_form form;
	const char *path;	       /* where the model goes: a regular file is replaced in one step */
	const struct stop *stop;       /* raised at the end of the input: no model is made; NULL: its end is a stop */
	struct checkpoint *checkpoint; /* of a queue, lent: what is held is safe in it; NULL: none */
};

/* conf: struct train_conf. Begins with what is in the checkpoint. Holds all records that it does not reject (counters:
 * resumed, duplicates, as in eval.h); `end` writes the model file and then adds its metadata as a line. An input that
 * was stopped before its end makes no model: that is an error, and a file that was there stays. */
extern const struct stage train_stage;

#endif
