/* media.h - media types. */
#ifndef SENTI_MEDIA_H
#define SENTI_MEDIA_H

#include <stddef.h>

#define MEDIA_JSON "application/json"
#define MEDIA_NDJSON "application/x-ndjson"
#define MEDIA_PATCH "application/merge-patch+json"
#define MEDIA_PROBLEM "application/problem+json"

/* The type that Content-Type names (NULL: none), in lower case and without parameters, cut to size - 1 bytes. */
void media_read(const char *content_type, char *out, size_t size);

/* The kind of body that a type (of media_read) means. OTHER includes none, and all that a page may send to any server
 * without a preflight (text/plain, forms). LINES: a JSON value per line. */
enum media_kind { MEDIA_KIND_OTHER, MEDIA_KIND_JSON, MEDIA_KIND_PATCH, MEDIA_KIND_LINES };
enum media_kind media_kind(const char *media);

#endif
