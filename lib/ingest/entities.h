/* entities.h - HTML's character references (&amp; &#39;) as the characters that they stand for.
 *
 * The same as html.unescape of Python 3, which follows HTML 5: also what lacks its semicolon, and the references that
 * mean another character than their number says.
 */
#ifndef SENTI_ENTITIES_H
#define SENTI_ENTITIES_H

#include "lib/base/buf.h"

/* The text without references: itself if it has none, else lent in *out. UTF-8 stays UTF-8, without NUL. */
struct str entities_unescape(struct str text, struct buf *out);

#endif
