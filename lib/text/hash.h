/* hash.h - names for texts and records, derived from their content: SHA-256, cut to 128 bits.
 *
 * Whoever sends texts can choose them. If two contents shared a name, one would get the other's result or row; a
 * cryptographic hash rules that out.
 */
#ifndef SENTI_HASH_H
#define SENTI_HASH_H

#include "lib/base/base.h"

#define HASH_HEX 32 /* 128 bits in lower-case hexadecimal, no NUL */

/* Hashes one text: the key of the result cache. */
void hash_text(struct str text, char out[HASH_HEX]);
/* Hashes several fields, each with its length, so that ("ab","c") and ("a","bc") differ. */
void hash_list(const struct str *field, size_t n, char out[HASH_HEX]);

/* The same by XXH3: for checksums of data that only we write, fingerprints in state files, and the names that earlier
 * versions gave. */
void hash_text_xxh3(struct str text, char out[HASH_HEX]);
void hash_list_xxh3(const struct str *field, size_t n, char out[HASH_HEX]);

/* A random UUID (version 4): 36 bytes, no NUL. */
#define UUID_LEN 36
void uuid_new(char out[UUID_LEN]);
/* A UUID of version 7: it begins with the time, so that consecutive ids are neighbours in an index. It reveals when it
 * was made. */
void uuid_ordered(char out[UUID_LEN]);

#endif
