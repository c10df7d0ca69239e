/* media.c - media types. */
#include "lib/http/media.h"

#include <ctype.h>
#include <string.h>

#include "lib/base/base.h"

void media_read(const char *content_type, char *out, size_t size)
{
	size_t n = content_type ? strcspn(content_type, "; \t") : 0;
	if (n >= size)
		n = size - 1;
	for (size_t i = 0; i < n; i++)
		out[i] = (char)tolower((unsigned char)content_type[i]);
	out[n] = 0;
}

enum media_kind media_kind(const char *media)
{
	static const struct {
		const char *media;
		enum media_kind kind;
	} known[] = {
	    {MEDIA_JSON, MEDIA_KIND_JSON},
	    {"text/json", MEDIA_KIND_JSON},
	    {MEDIA_PATCH, MEDIA_KIND_PATCH},
	    {MEDIA_NDJSON, MEDIA_KIND_LINES},
	    {"application/ndjson", MEDIA_KIND_LINES},
	    {"application/jsonl", MEDIA_KIND_LINES},
	    {"application/x-jsonlines", MEDIA_KIND_LINES},
	};
	for (size_t i = 0; i < COUNT_OF(known); i++)
		if (strcmp(media, known[i].media) == 0)
			return known[i].kind;
	return MEDIA_KIND_OTHER;
}
