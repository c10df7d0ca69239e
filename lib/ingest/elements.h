/* elements.h - the elements of a JSON array as lines, however large the array is.
 *
 *     [{"text":"a"},        {"text":"a"}
 *      {"text":             {"text": "b"}
 *       "b"}]
 *
 * A line is an element, so the Nth line is the Nth element. Line breaks inside an element, with the blanks after them,
 * become one blank; nothing else changes. What is not JSON makes a line that is not a record, or an error (ERR_ENV) if
 * the array has no end.
 */
#ifndef SENTI_ELEMENTS_H
#define SENTI_ELEMENTS_H

#include "lib/base/bytes.h"

/* New, with `from` taken. Only what begins with an array of objects is changed; `any`: also an empty array. The name is
 * for messages, lent. */
struct bytes *elements(struct bytes *from, bool any, const char *name);

#endif
