/* fold.h - searching text without regard to case, the same in every store.
 *
 * Each character counts as its lower-case form (Unicode, without regard to language or neighbours; the final sigma
 * counts as a sigma). "Straße" is found by "STRASSE" in no store, "ÉTÉ" by "été" in all.
 */
#ifndef SENTI_FOLD_H
#define SENTI_FOLD_H

#include "lib/base/buf.h"

/* Appends the folded text. Bytes that are not UTF-8 stay as they are. */
void fold_text(struct buf *out, struct str text);
/* True if text, once folded, holds `folded` (which fold_text made). `scratch` is kept by the caller from call to
 * call. */
bool fold_contains(struct str text, struct str folded, struct buf *scratch);

#endif
