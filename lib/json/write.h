/* write.h - writes JSON, piece by piece, into a buffer. */
#ifndef SENTI_JSON_WRITE_H
#define SENTI_JSON_WRITE_H

#include "lib/base/buf.h"

/* Writes a string with its quotes. The text must be UTF-8; only control characters, quotes and backslashes are
 * escaped. */
void json_put_string(struct buf *b, struct str text);
/* The same for bytes that may not be UTF-8: each bad sequence becomes U+FFFD. For messages, never for data. */
void json_put_lossy(struct buf *b, struct str bytes);
/* Writes "name": with a comma before it unless the last byte is '{' or '['. */
void json_put_name(struct buf *b, struct str name);
/* Writes the shortest text that reads back as the same double ("0.1", "1e+300"; -0 is "0"). v must be finite. */
void json_put_double(struct buf *b, double v);
/* Writes v rounded to `digits` (1 to 9) decimals exactly as C's "%.*f" and Python's round() do, without trailing zeros;
 * -0 is "0". |v| < 1e6. */
void json_put_fixed(struct buf *b, double v, int digits);
/* The double that json_put_fixed writes. */
double json_round(double v, int digits);
void json_put_base64(struct buf *b, struct str bytes);

#endif
