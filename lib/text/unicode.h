/* unicode.h - character properties of Unicode 14.0, as CPython 3.11's str methods see them.
 *
 * The exact engines must agree with Python whatever the C library, so scripts/build-unicode generates the tables
 * (lib/text/unicode_tables.c) from CPython 3.11.
 */
#ifndef SENTI_UNICODE_H
#define SENTI_UNICODE_H

#include "lib/base/base.h"

/* str.isspace(), which str.split() and str.strip() use. */
bool unicode_is_space(uint32_t c);
/* What str.isupper() needs: uppercase counts for it, lowercase and titlecase against it. */
enum unicode_case { CASE_NONE, CASE_UPPER, CASE_LOWER, CASE_TITLE };
enum unicode_case unicode_case_of(uint32_t c);
/* str.isalpha() */
bool unicode_is_alpha(uint32_t c);
/* str.isalnum(). With '_', this is what \w matches in a str pattern. */
bool unicode_is_alnum(uint32_t c);
/* str.lower() of one code point without context: writes 1 to 3 code points and returns the number. (Python's
 * final-sigma rule depends on the neighbours; text_lower applies it.) */
size_t unicode_lower(uint32_t c, uint32_t out[3]);
/* str.lower() of valid UTF-8, appended to out; U+03A3 becomes U+03C2 at the end of a word, as in Python. Returns the
 * number of bytes written. `out` needs room for 3 bytes per input byte. */
size_t text_lower(struct str s, char *out);

#endif
