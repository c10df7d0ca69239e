/* label.h - what a text is judged to be. */
#ifndef SENTI_FLOW_LABEL_H
#define SENTI_FLOW_LABEL_H

#include "lib/base/base.h"

enum label { LABEL_NEGATIVE, LABEL_NEUTRAL, LABEL_POSITIVE, LABELS };

/* As records spell it. Constant. */
const char *label_name(enum label l);
/* Returns 0 and *l, or -1. */
int label_parse(struct str s, enum label *l);

#endif
