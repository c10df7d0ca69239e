/* serve_run.h - senti-serve after its options. */
#ifndef SENTI_SERVE_RUN_H
#define SENTI_SERVE_RUN_H

#include "cmd/tool.h"
#include "lib/serve/server.h"

struct serve_options {
	struct tool tool;
	struct server_conf server;
	char *queue; /* with its scheme; NULL: score messages here */
	const char *new_token;
	int64_t pending_ms;
	const char *cors[MOST_NAMES + 1], *hosts[MOST_NAMES + 1]; /* ended by NULL */
};

/* Makes a token, or serves until a signal. Returns the exit status. */
int serve_run(struct serve_options *o);

#endif
