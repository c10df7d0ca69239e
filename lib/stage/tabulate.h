/* tabulate.h - a stage that turns records into the rows of a table: CSV, TSV, Markdown, or flat JSON objects.
 *
 * It comes last. The columns are those that are named, or else those that the first records have: the members in order,
 * then those of the result. A column names
 *
 *     label score neg neu pos subjectivity model corrected why    a member of the result
 *     RESULT.NAME                                                 the same, of any name (sentiment.label)
 *     .NAME                                                       a member of the record itself, whatever its name
 *     NAME                                                        any other member of the record
 *
 * Strings are shown decoded, everything else as spelled; what is missing or null is an empty cell. Rows of JSON are
 * objects with the named columns alone.
 */
#ifndef SENTI_STAGE_TABULATE_H
#define SENTI_STAGE_TABULATE_H

#include "lib/flow/stage.h"
#include "lib/text/cell.h"

enum table_format { TABLE_JSON, TABLE_CSV, TABLE_TSV, TABLE_MARKDOWN };

enum { TABLE_COLUMNS = 256 };

struct table_conf {
	enum table_format format; /* JSON without columns: records pass unchanged */
	struct str columns;	  /* names with commas between; absent: those of the first records */
	/* If no columns are named: these come first and last. Ended by NULL; may be NULL. */
	const char *const *first, *const *last;
	struct str result_name; /* "sentiment"; absent: records have no results */
	bool raw;		/* formulas are not neutralised */
};

/* conf: struct table_conf. A row leaves as the record's line; the header is before the first row, or alone in `end`. A
 * warning names the columns that no record had, and counts records with members that no column shows unless columns are
 * named. */
extern const struct stage table_stage;

/* Checks the names: 0, or -1 with a usage error. */
MUST_USE int table_check(const struct table_conf *conf, struct err *e);

#endif
