/* label.h - the label that a person gave a record: training learns it, and evaluation compares with it.
 *
 * It is the member `label` (or another, by name), else the label in the record's result, which a person may have
 * corrected. It must be positive, neutral or negative, or a value that a map renames to one of them. Blanks around it
 * do not count, and numbers are compared by value: 5, "5.0" and " 5 " are one label. A number, even spelled as a string
 * (as all CSV values are), is a rating: unless mapped, it has no class but can be correlated with scores.
 */
#ifndef SENTI_LEARN_LABEL_H
#define SENTI_LEARN_LABEL_H

#include "lib/flow/record.h"
#include "lib/score/engine.h"

struct label_rename {
	char *from; /* decoded */
	enum label to;
};

struct label_conf {
	struct str member; /* "label"; "sentiment.label" is the one in the result */
	struct label_rename *rename;
	size_t renames;
	bool no_fallback; /* a missing label is not taken from the result */
};

struct gold {
	bool has_class, has_number;
	enum label label;
	double number;
};

/* Adds renamings such as "4=positive,0=negative": 0, or -1 with a usage error. Refuses to rename a value twice. */
MUST_USE int label_map(struct label_conf *c, const char *spec, struct err *e);
void label_conf_free(struct label_conf *c);

/* Reads the label of a record that rec_scan has scanned into `s`: 0, or -1 and the record is rejected as bad_label.
 * `nested` is scratch. */
MUST_USE int label_read(const struct label_conf *c, struct batch *b, struct rec *r, const struct json_scan *s,
    struct json_scan *nested, struct gold *out);

#endif
