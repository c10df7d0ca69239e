/* sniff.h - which format a file has, by its name and its first line. */
#ifndef SENTI_SNIFF_H
#define SENTI_SNIFF_H

#include "lib/ingest/format.h"

struct sniffed {
	const struct format *format;
	const char *pattern; /* of format_log; constant */
};

/* `path` is NULL for stdin. Where the options decide (--pattern, --no-header, ...) they come first, then the name's
 * ending (.csv .tsv .tab .txt .text .json .jsonl .ndjson .dead), then the line: a JSON object, a log line of a preset,
 * a header that has the column for the text, else plain text. -1 and *e for what no format reads (compressed files,
 * UTF-16). */
MUST_USE int sniff(const struct ingest *conf, const char *path, struct str line, struct sniffed *out, struct err *e);

#endif
