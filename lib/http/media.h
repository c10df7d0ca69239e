/* media.h - media types. */
#ifndef SENTI_MEDIA_H
#define SENTI_MEDIA_H

#include <stddef.h>

#define MEDIA_JSON "application/json"
#define MEDIA_NDJSON "application/x-ndjson"
#define MEDIA_PROBLEM "application/problem+json"

/* The type that Content-Type names (NULL: none), in lower case and without parameters, cut to size - 1 bytes. */
void media_read(const char *content_type, char *out, size_t size);

#endif
