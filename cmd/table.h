/* table.h - scored texts for a person at a terminal: one row a text, in colour where that is wanted. */
#ifndef SENTI_TABLE_H
#define SENTI_TABLE_H

#include "lib/flow/port.h"

/* A sink on stdout for records that carry a result under `result_name`. */
struct sink *table_sink(struct str result_name, bool colour);

#endif
