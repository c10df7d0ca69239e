/* encoding.h - lines in other encodings as UTF-8, by iconv(3). */
#ifndef SENTI_ENCODING_H
#define SENTI_ENCODING_H

#include "lib/base/err.h"

struct encoding;

/* New: "windows-1252", or several names to be tried in turn for each line ("utf-8,windows-1252"); lent. NULL with *e
 * (ERR_USAGE). Not UTF-16 or UTF-32, whose line ends are not bytes (wide.h). */
struct encoding *encoding_new(const char *names, struct err *e);
/* The line in UTF-8: itself or lent until the next call. One that is in none of these encodings comes back as it is,
 * and is not UTF-8: if its bytes happen to be, ff is added before its end. */
struct str encoding_utf8(struct encoding *c, struct str line);
/* New: the same. */
struct encoding *encoding_again(const struct encoding *c);
/* NULL is allowed. */
void encoding_free(struct encoding *c);

#endif
