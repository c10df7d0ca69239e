/* media.c - media types. */
#include "lib/http/media.h"

#include <ctype.h>
#include <string.h>

void media_read(const char *content_type, char *out, size_t size)
{
	size_t n = content_type ? strcspn(content_type, "; \t") : 0;
	if (n >= size)
		n = size - 1;
	for (size_t i = 0; i < n; i++)
		out[i] = (char)tolower((unsigned char)content_type[i]);
	out[n] = 0;
}
