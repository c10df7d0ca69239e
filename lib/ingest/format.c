/* format.c - the list of formats, and what they share. */
#include "lib/ingest/format.h"

const struct format *format_named(const char *name)
{
	static const struct format *const all[] = {&format_csv, &format_tsv, &format_text, &format_json, &format_log,
	    &format_reject, &format_mbox, &format_maildir};
	for (size_t i = 0; i < COUNT_OF(all); i++)
		if (strcmp(all[i]->name, name) == 0)
			return all[i];
	return NULL;
}

bool batch_room_full(struct batch_room *r)
{
	for (; r->counted < r->b->n; r->counted++)
		r->bytes += r->b->rec[r->counted].line.n;
	return r->b->n >= r->limits->records || r->bytes >= r->limits->bytes;
}
