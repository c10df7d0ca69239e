/* accuracy.h - how well predictions agree with labels: counts added up record by record, and the figures derived from
 * them. */
#ifndef SENTI_ACCURACY_H
#define SENTI_ACCURACY_H

#include "lib/base/buf.h"
#include "lib/learn/label.h"

#define CALIBRATION_BINS 15

struct accuracy {
	uint64_t confusion[LABELS][LABELS]; /* [labelled][predicted] */
	uint64_t n;			    /* records with a class */
	struct {
		uint64_t n, right;
		double confidence;
	} bin[CALIBRATION_BINS];
	uint64_t
	    rated; /* records with a number; running means and sums of squares avoid the cancellation of plain sums */
	double mean_x, mean_y, xx, yy, xy;
};

/* A prediction. confidence: the probability of the label; NaN: unknown. */
struct estimate {
	enum label label;
	double score, confidence;
};

void accuracy_add(struct accuracy *m, const struct gold *gold, const struct estimate *guess);

/* NaN: undefined, because the counts that it needs are 0. */
struct figures {
	double accuracy, macro_f1, macro_recall, ece, pearson;
	double precision[LABELS], recall[LABELS], f1[LABELS];
};

/* Macro F1 is the mean over the classes that were labelled or predicted; macro recall is the mean over those that were
 * labelled (balanced accuracy). ECE is the expected calibration error over CALIBRATION_BINS equal bins. */
struct figures accuracy_figures(const struct accuracy *m);

/* The range that holds 95 % of a bootstrap's replicates (bootstrap.h). NaN: undefined. */
struct interval {
	double low, high;
};
struct intervals {
	struct interval accuracy, macro_f1;
};

/* Appends the members "n":...,"accuracy":...,... without braces. */
void accuracy_json(const struct accuracy *m, const struct intervals *i, struct buf *out);

#endif
