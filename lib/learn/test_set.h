/* test_set.h - labelled records of a file of their own, on which a trained model is judged. */
#ifndef SENTI_LEARN_TEST_SET_H
#define SENTI_LEARN_TEST_SET_H

#include "lib/learn/fit.h"

struct test_set {
	struct example *example;
	size_t n, cap;
	struct text_set texts; /* of all examples */
	uint64_t duplicates;   /* examples whose text an earlier one has */
	struct arena mem;      /* of the texts */
};

/* Reads a file of records. One that lacks a text or a label is an error, which names its line. */
MUST_USE int test_set_read(
    struct test_set *t, const char *path, const struct label_conf *label, const struct rec_form *form, struct err *e);
void test_set_free(struct test_set *t);

/* Judges the model of that image (a model file's bytes). */
MUST_USE int test_set_judge(const struct test_set *t, const struct buf *image, uint64_t seed, struct accuracy *out,
    struct intervals *interval, struct err *e);

#endif
