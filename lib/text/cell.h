/* cell.h - one cell of a table as CSV, TSV or Markdown has it: the only writer of such cells.
 *
 * CSV is RFC 4180's, with "\n" at the end of a row; TSV is the same with tabs between cells. In both, text that a
 * spreadsheet would take for a formula gets an apostrophe before it, as in the dashboard's export (web/dashboard/csv.js
 * has the same rule). In Markdown nothing in a cell has a meaning, and line ends become <br>.
 */
#ifndef SENTI_TEXT_CELL_H
#define SENTI_TEXT_CELL_H

#include "lib/base/buf.h"

enum cell_format { CELL_CSV, CELL_TSV, CELL_MARKDOWN };

/* Appends a cell without what is between cells. `raw`: a formula stays as it is. */
void cell_put(struct buf *out, enum cell_format format, struct str text, bool raw);
/* True if a spreadsheet would take the text for a formula. */
bool cell_is_formula(struct str text);

#endif
