/* stdio.h - descriptors and files as ports: one record per line.
 *
 * The source cuts blocks into lines without copying them: "\n" and "\r\n" end a line, a last line without an end
 * counts, blank lines are skipped (but numbered), and a byte-order mark at the start of a file is dropped. A line over
 * max_record is never held whole: its beginning is a record rejected as too_long, and the rest is drained through
 * source->rest.
 */
#ifndef SENTI_STDIO_H
#define SENTI_STDIO_H

#include "lib/base/bytes.h"
#include "lib/flow/port.h"

struct lines_conf {
	const char *const *path; /* files to read in turn, "-" is stdin; lent for the source's life */
	size_t npaths;		 /* 0: stdin */
	bool keep_end; /* keep line ends in `line`, and blank lines as records: for formats whose records span lines */
	/* What is in an open file, instead of its bytes as they are: new. NULL: the latter. `name` is the path as given
	 * or "stdin", lent. */
	struct bytes *(*open)(const void *arg, const char *name, int fd);
	const void *open_arg;
};

/* New. A file that cannot be opened fails when its turn comes, in next. A record's origin is the path as given, or
 * "stdin". */
struct source *source_lines(const struct lines_conf *conf);

/* A sink for one lane at a path: "-" is stdout (stderr for rejects). Writes one JSON object per line; rejects are
 * reject objects of `tool`. A file is truncated for output and appended to for rejects; to a listening Unix socket it
 * connects. On a terminal, rejects of one code beyond the first 20 are only counted, and the log says so at the end. If
 * a disk is full or a file too large, no half line stays. NULL with *e on failure. */
struct sink *sink_path(const char *path, enum lane lane, const char *tool, struct err *e);
/* What is written to a terminal by this sink of rejects, made by sink_path, begins with `clear` (constant), because a
 * line of progress stands there. */
void sink_clears_line(struct sink *sink, struct str clear);
/* A sink for the output that writes after what the file has. A last line without its end, which a kill has cut, goes:
 * for runs that write it again. NULL with *e on failure. */
struct sink *sink_append(const char *path, const char *tool, struct err *e);

#endif
