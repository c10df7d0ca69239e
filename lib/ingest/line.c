/* line.c - what a line holds beside its end. Apart from format.c, which links all formats. */
#include "lib/ingest/format.h"

struct str line_content(struct str line)
{
	if (line.n && line.p[line.n - 1] == '\n')
		line.n--;
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

bool line_blank(struct str line)
{
	for (size_t i = 0; i < line.n; i++)
		if (!strchr(" \t\r\n", line.p[i]) || !line.p[i])
			return false;
	return true;
}

bool mbox_begins(struct str line)
{
	if (line.n < 6 || memcmp(line.p, "From ", 5) != 0)
		return false;
	const char *nl = memchr(line.p, '\n', line.n);
	size_t n = nl ? (size_t)(nl - line.p) : line.n;
	for (size_t i = 7; i + 5 < n; i++)
		if (line.p[i] == ':' && line.p[i + 3] == ':' && line.p[i + 1] >= '0' && line.p[i + 1] <= '9')
			return true;
	return false;
}
