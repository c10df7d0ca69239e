/* group_sql.h - the parts of a statement for groups (lib/data/stats.h) that both databases read alike. Its columns are
 * k0, k1, ... for the keys, a period as its number, and n for the count.
 */
#ifndef SENTI_GROUP_SQL_H
#define SENTI_GROUP_SQL_H

#include "lib/data/stats.h"

/* Appends the condition for the groups after q->after, "true" if there is none. Its parameters are "?1" with `mark`
 * '?': from number `first` on the number of the period, the count, and the keys. */
void group_sql_after(struct buf *sql, const struct stats_question *q, char mark, int first);
/* Appends " ORDER BY ...". */
void group_sql_order(struct buf *sql, const struct stats_question *q);

#endif
