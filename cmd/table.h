/* table.h - scored texts for a person at a terminal: one row a text, perhaps in colour. */
#ifndef SENTI_TABLE_H
#define SENTI_TABLE_H

#include "lib/flow/port.h"

/* A sink on stdout for records with a result in member `result_name`. */
struct sink *table_sink(struct str result_name, bool colour);

#endif
