/* wide.h - UTF-16 and UTF-32 as UTF-8. */
#ifndef SENTI_WIDE_H
#define SENTI_WIDE_H

#include "lib/base/bytes.h"

enum wide { WIDE_BY_MARK, WIDE_NONE, WIDE_16LE, WIDE_16BE, WIDE_32LE, WIDE_32BE };

/* Finds "utf-16", "utf-16le" (with or without the first hyphen, in any case) and the like; else WIDE_NONE. Without a
 * byte-order mark, "utf-16" is little-endian, as from Windows. */
enum wide wide_named(struct str name);
/* New, with `from` taken. A byte-order mark says which of the encodings it is, and is left out; without one it is
 * `wide` (WIDE_BY_MARK: none of them, and passes unchanged). What is not a character becomes bytes that are not UTF-8:
 * a lone surrogate its three bytes, anything else ff. */
struct bytes *wide_utf8(struct bytes *from, enum wide wide);

#endif
