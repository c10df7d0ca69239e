/* visible.h - makes foreign bytes safe to show in messages, in logs, at a terminal.
 *
 * Foreign text can hold sequences that move the cursor, rewrite earlier lines or reverse the order of letters. All
 * foreign text is shown through here. Plain text passes unchanged.
 */
#ifndef SENTI_VISIBLE_H
#define SENTI_VISIBLE_H

#include "lib/base/buf.h"

/* How to write what must not be shown: a control (C0, DEL, C1), a mark that sets the direction of writing, a line or
 * paragraph separator, or a byte that is not UTF-8. */
enum visible {
	VISIBLE_BLANK, /* a blank; U+FFFD for a byte that is not UTF-8: for tables */
	VISIBLE_HEX,   /* \x1b, \u202e; \xff for a byte that is not UTF-8: for messages to people */
	VISIBLE_JSON,  /* \u001b, \u202e, as in a JSON string; U+FFFD for a byte that is not UTF-8 */
};

void visible_put(struct buf *b, struct str s, enum visible how);
/* True if visible_put with VISIBLE_HEX would leave s unchanged. */
bool visible_plain(struct str s);

#endif
