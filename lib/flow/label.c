/* label.c - the names of the three labels. */
#include "lib/flow/label.h"

static const char *const label_names[] = {
    [LABEL_NEGATIVE] = "negative", [LABEL_NEUTRAL] = "neutral", [LABEL_POSITIVE] = "positive"};

const char *label_name(enum label l)
{
	return label_names[l];
}

int label_parse(struct str s, enum label *l)
{
	for (size_t i = 0; i < COUNT_OF(label_names); i++)
		if (str_eq(s, str_of(label_names[i]))) {
			*l = (enum label)i;
			return 0;
		}
	return -1;
}
