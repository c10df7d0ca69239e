/* stdio.h - descriptors and files as ports: one record a line.
 *
 * The source cuts blocks into lines without copying them: "\n" and "\r\n" end a line, a last line without an end
 * counts, blank lines are skipped (but numbered), a byte-order mark at the start of a file is dropped. A line over
 * max_record is never held whole: its beginning is a record rejected as too_long, the rest is drained through
 * source->rest.
 */
#ifndef SENTI_STDIO_H
#define SENTI_STDIO_H

#include "lib/flow/port.h"

struct lines_conf {
	const char *const *path; /* files to read one after the other, "-" is stdin; lent for the source's life */
	size_t npaths;		 /* 0: stdin */
	bool keep_end; /* line ends stay in `line` and blank lines are records: for formats whose records cross lines */
};

/* New. A file that cannot be opened fails when its turn comes, in next. */
struct source *source_lines(const struct lines_conf *conf);
/* The origin of a record that such a source gave is the path as it was named, or "stdin". */

/* A sink for one lane at a path. Output is one JSON object a line; rejects are the reject objects of `tool`. "-" is
 * stdout (stderr for rejects); a file is truncated for output and appended to for rejects. A Unix socket that listens
 * at the path is connected to. NULL with *e on failure. */
struct sink *sink_path(const char *path, enum lane lane, const char *tool, struct err *e);

#endif
