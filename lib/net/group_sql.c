/* group_sql.c - writes the order of groups, and where a page begins in it. */
#include "lib/net/group_sql.h"

void group_sql_after(struct buf *sql, const struct stats_question *q, char mark, int first)
{
	size_t period = stats_period(q), open = 1;
	if (!q->has_after) {
		buf_str(sql, STR("true"));
		return;
	}
	buf_char(sql, '(');
	if (period < q->nby) {
		buf_printf(sql, "k%zu > %c%d OR (k%zu = %c%d AND (", period, mark, first, period, mark, first);
		open += 2;
	}
	buf_printf(sql, "n < %c%d OR (n = %c%d AND (", mark, first + 1, mark, first + 1);
	open += 2;
	for (size_t i = 0; i < q->nby; i++) {
		int parameter = first + 2 + (int)i;
		if (i == period)
			continue;
		if (q->after.key[i].p)
			buf_printf(sql, "k%zu > %c%d OR k%zu IS NULL OR (k%zu = %c%d AND (", i, mark, parameter, i, i,
			    mark, parameter);
		else
			buf_printf(sql, "(k%zu IS NULL AND (", i);
		open += 2;
	}
	buf_str(sql, STR("false"));
	for (; open; open--)
		buf_char(sql, ')');
}

void group_sql_order(struct buf *sql, const struct stats_question *q)
{
	size_t period = stats_period(q);
	buf_str(sql, STR(" ORDER BY "));
	if (period < q->nby)
		buf_printf(sql, "k%zu, ", period);
	buf_str(sql, STR("n DESC"));
	for (size_t i = 0; i < q->nby; i++)
		if (i != period)
			buf_printf(sql, ", k%zu NULLS LAST", i);
}
