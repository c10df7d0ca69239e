/* sniff.h - detects a file's format from its name and its first line. */
#ifndef SENTI_SNIFF_H
#define SENTI_SNIFF_H

#include "lib/ingest/format.h"

struct sniffed {
	const struct format *format;
	const char *pattern; /* of format_log; constant */
};

/* The format by a name's ending, if that says it, also before .gz or .zst; else NULL. */
const struct format *sniff_name(const char *path);

/* `path` is NULL for stdin. Options that imply a format (--pattern, --no-header, ...) decide first, then the file
 * name's ending (.csv .tsv .tab .txt .text .json .jsonl .ndjson .dead), then the line: a JSON object, a log line of a
 * preset, a header that has the text's column, else plain text. -1 and *e for what is known to be something else (an
 * archive, a mailbox, XML) or not UTF-8. */
MUST_USE int sniff(const struct ingest *conf, const char *path, struct str line, struct sniffed *out, struct err *e);

#endif
