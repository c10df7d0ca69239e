/* input.c - puts the filters of a file's bytes one around the other. */
#include "lib/ingest/input.h"

#include "lib/ingest/elements.h"
#include "lib/ingest/format.h"
#include "lib/ingest/sniff.h"
#include "lib/ingest/unpack.h"
#include "lib/ingest/wide.h"

struct bytes *input_open(const void *arg, const char *path, int fd)
{
	const struct ingest *conf = arg;
	const struct format *named = sniff_name(path);
	bool json = conf->format == &format_json || (!conf->format && named == &format_json);
	struct bytes *b = wide_utf8(unpack(bytes_fd(fd, path), path), conf->wide);
	if (json || (!conf->format && !named && !conf->delimiter && !conf->no_header))
		b = elements(b, json, path);
	return b;
}
