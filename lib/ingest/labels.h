/* labels.h - a source of labels from a spreadsheet: rows of CSV or TSV with the columns id and label.
 *
 *     id,label
 *     17,positive               gives  {"id":"17","label":"positive"}
 *
 * The first line names the columns, in any order and case; others are ignored. The delimiter is the one of comma,
 * semicolon and tab that the first line has most of. An id is text, exactly as the cell has it, but for the apostrophe
 * with which a table of ours keeps it from being a formula; blanks around a label do not count.
 */
#ifndef SENTI_INGEST_LABELS_H
#define SENTI_INGEST_LABELS_H

#include "lib/flow/port.h"

/* New. `from` is taken: lines of one file with their ends. `name` is for messages; lent. */
struct source *source_labels(struct source *from, const char *name);

#endif
