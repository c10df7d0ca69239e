/* ingest_source.h - the source of senti-ingest. */
#ifndef SENTI_INGEST_SOURCE_H
#define SENTI_INGEST_SOURCE_H

#include "cmd/tool.h"
#include "lib/ingest/decode.h"
#include "lib/ingest/maildir.h"
#include "lib/ingest/rate.h"

struct ingest_options {
	struct ingest ingest;
	struct rate rate;
	unsigned id_by;		    /* index of its choice: 1 is content */
	struct maildir_files files; /* maildir_free them after the run */
	bool follow;
	int64_t rotate_wait_ms;
};

/* Makes t->source by the options, by default from stdin: 0, or -1 with *e. */
MUST_USE int ingest_source(struct ingest_options *o, struct tool *t, struct err *e);

#endif
