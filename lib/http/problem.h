/* problem.h - problem details (RFC 9457): JSON that says what is wrong with a request. */
#ifndef SENTI_PROBLEM_H
#define SENTI_PROBLEM_H

#include "lib/base/buf.h"

struct problem {
	const char *vendor; /* the types are urn:VENDOR:problem:KIND */
	const char *kind;   /* "bad_json" */
	const char *title;  /* the status in words */
	unsigned status;
	struct str detail; /* a sentence fragment; bytes that are not UTF-8 are replaced */
	const char *request_id;
};

/* Appends it, with a line end. */
void problem_put(struct buf *out, const struct problem *p);
/* Adds a member to the problem at the end of `out`; `json` is its value. */
void problem_add_member(struct buf *out, const char *name, struct str json);

#endif
