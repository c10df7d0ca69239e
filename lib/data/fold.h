/* fold.h - case-insensitive search of text, the same in every store.
 *
 * Each character counts as its Unicode lower-case form, whatever the language or its neighbours; a final sigma is a
 * sigma. "été" finds "ÉTÉ" in every store, "STRASSE" finds "Straße" in none.
 */
#ifndef SENTI_FOLD_H
#define SENTI_FOLD_H

#include "lib/base/buf.h"

/* Appends the folded text. Bytes that are not UTF-8 stay as they are. */
void fold_text(struct buf *out, struct str text);
/* True if the folded text contains `folded` (from fold_text). The caller keeps `scratch` between calls. */
bool fold_contains(struct str text, struct str folded, struct buf *scratch);

#endif
