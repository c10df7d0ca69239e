/* train.h - the verb of senti-train: takes in labelled records, and makes a model of them at the end of the input. */
#ifndef SENTI_LEARN_TRAIN_H
#define SENTI_LEARN_TRAIN_H

#include "lib/flow/stage.h"
#include "lib/learn/checkpoint.h"
#include "lib/learn/test_set.h"

struct train_conf {
	struct fit_conf fit;
	struct label_conf label;
	struct rec_form form;
	const char *test_path;	 /* of records to judge the model on, which it must not learn; NULL: none */
	bool dedupe;		 /* learn one record of each text, the first */
	const char *path;	 /* where to write the model; a regular file is replaced atomically */
	const struct stop *stop; /* if raised at the end of the input, no model is made; NULL: a stop is a normal end */
	struct checkpoint *checkpoint; /* of a queue, lent: makes what is held safe; NULL: none */
};

/* conf: struct train_conf. Begins with the records of the checkpoint. Holds all records that it does not reject
 * (counters: resumed, duplicates, as in eval.h). `end` writes the model file, then adds its metadata as a line. If the
 * input was stopped early, no model is made: this is an error, and an existing file stays. Texts of the test set are
 * left out of what is learned; copies of a text (text_key.h) are counted, said in a warning, and never judged by a
 * model that has seen one of them. */
extern const struct stage train_stage;

#endif
