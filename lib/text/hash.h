/* hash.h - stable 128-bit names for texts and records (XXH3 of xxHash). */
#ifndef SENTI_HASH_H
#define SENTI_HASH_H

#include "lib/base/base.h"

#define HASH_HEX 32 /* 128 bits in lower-case hexadecimal, no NUL */

/* The hash of one text; key of the result cache. Big-endian spelling, so equal on all machines. */
void hash_text(struct str text, char out[HASH_HEX]);

/* The hash of several fields, each with its length, so that ("ab","c") and ("a","bc") differ. */
void hash_list(const struct str *field, size_t n, char out[HASH_HEX]);

/* A fresh random UUID (version 4), 36 bytes, no NUL. */
#define UUID_LEN 36
void uuid_new(char out[UUID_LEN]);
/* The same of version 7: it begins with the time, so that ids given one after the other are neighbours in an index.
 * Tells when it was made. */
void uuid_ordered(char out[UUID_LEN]);

#endif
