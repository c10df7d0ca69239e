/* expand.h - expands compressed streams piece by piece: gzip (RFC 1952) and Zstandard (RFC 8878).
 *
 * Members and frames that follow each other are one content. zlib and libzstd are loaded when they are first needed.
 */
#ifndef SENTI_EXPAND_H
#define SENTI_EXPAND_H

#include "lib/base/err.h"

enum coding { CODING_NONE, CODING_GZIP, CODING_ZSTD };

/* By the name of a content coding (gzip, x-gzip, zstd; in any case); CODING_NONE: another one. */
enum coding coding_named(struct str name);
const char *coding_name(enum coding c);
/* 0 if its library is there, else -1 with *e. Thread-safe. */
MUST_USE int coding_load(enum coding c, struct err *e);
/* What one expander takes at most, in bytes, if it is for `messages`. */
size_t coding_memory(enum coding c);

struct expander;
/* New. For `messages` a frame of Zstandard may refer back to 8 MiB, which is what RFC 9659 allows there; else to
 * 128 MiB, which takes that much memory. NULL with *e. Thread-safe. */
struct expander *expander_new(enum coding c, bool messages, struct err *e);
/* NULL is allowed. */
void expander_free(struct expander *x);
/* Expands some of *in, which loses what was used, to at most `max` bytes of `out`: how many. 0: it needs more input, or
 * the rest is damaged. */
size_t expander_next(struct expander *x, struct str *in, char *out, size_t max);
/* What is wrong with the data, in a few words; NULL: nothing so far. What came before has been given out. */
const char *expander_damage(const struct expander *x);
/* True at the end of a member or frame, also before the first byte: the content may end here. */
bool expander_whole(const struct expander *x);

#endif
