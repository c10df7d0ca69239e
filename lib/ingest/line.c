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
