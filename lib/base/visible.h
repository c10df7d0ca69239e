/* visible.h - foreign bytes made safe to show: in messages, in logs, at a terminal.
 *
 * What strangers send can hold sequences that move the cursor, rewrite earlier lines or reverse the order of letters.
 * Everything that shows foreign text goes through here. Plain text passes as it is.
 */
#ifndef SENTI_VISIBLE_H
#define SENTI_VISIBLE_H

#include "lib/base/buf.h"

/* How to write what must not be shown: a control (C0, DEL, C1), a mark that sets the direction of writing, a line or
 * paragraph separator, or a byte that is not UTF-8. */
enum visible {
	VISIBLE_BLANK, /* a blank; a byte that is not UTF-8 becomes U+FFFD: for tables */
	VISIBLE_HEX,   /* \x1b, \u202e; a byte that is not UTF-8 \xff: for messages to people */
	VISIBLE_JSON,  /* \u001b, \u202e, as in a JSON string; U+FFFD for a byte that is not UTF-8 */
};

void visible_put(struct buf *b, struct str s, enum visible how);
/* True if visible_put with VISIBLE_HEX would write s as it is. */
bool visible_plain(struct str s);

#endif
