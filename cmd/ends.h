/* ends.h - opens the ends of a filter by how they are named: a path, "-", or a scheme. The one place that knows which kinds there are. */
#ifndef SENTI_ENDS_H
#define SENTI_ENDS_H

#include "lib/flow/counts.h"
#include "lib/flow/port.h"

/* What the options say of ends; all lent for the ports' life. */
struct end_conf {
	const char *tool;
	const struct limits *limits;
	unsigned jobs;
	int64_t idle_ms;       /* --idle; -1: not given */
	int64_t retry_ms;      /* --retry; -1: not given */
	size_t pack;	       /* --pack */
	bool keep_end;	       /* lines keep their ends (stdio.h) */
	struct counts *counts; /* where ports of queues count; NULL: nowhere */
	bool rejects;	       /* the source is read for reject objects (senti-ingest -F reject) */
};

/* True if this names an end by a scheme that is known here. */
bool end_has_scheme(const char *end);
/* 0, or -1 with *e where it names one by a scheme that is not. */
MUST_USE int end_check(const char *end, struct err *e);
/* New: of one or several paths (none: stdin), or of one end with a scheme. NULL with *e. */
struct source *end_source(const char *const *end, size_t n, const struct end_conf *conf, struct err *e);
/* New. NULL with *e. */
struct sink *end_sink(const char *end, enum lane lane, const struct end_conf *conf, struct err *e);
/* New: where rejects go when nobody has said so and `source` is what is read (NULL: none is named): "-", or a queue's dead letters. */
char *end_of_rejects(const char *source);

#endif
