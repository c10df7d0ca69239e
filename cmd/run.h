/* run.h - one run of a filter, from opening its ends to its exit status. */
#ifndef SENTI_RUN_H
#define SENTI_RUN_H

#include "cmd/schemes.h"
#include "lib/flow/pump.h"

/* The options of ends, for tools that open some themselves. */
struct end_conf tool_ends(struct tool *t);
/* Refuses an output that is one of the inputs, whatever names it: writing would destroy it, or feed the tool its own
 * output. 0, or -1 with *e. Part of tool_run, for tools that write another file. */
MUST_USE int tool_check_output(const struct tool *t, const char *out, struct err *e);
/* Opens what is not open yet, pumps, reports and closes. Returns the exit status. */
int tool_run(struct tool *t, const struct step *step, size_t nsteps);

#endif
