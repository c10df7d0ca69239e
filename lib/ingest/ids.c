/* ids.c - ids by position and by content. */
#include "lib/ingest/ids.h"

void ids_free(struct ids *ids)
{
	map_free(&ids->seen);
	arena_free(&ids->keys);
}

static uint64_t count_content(struct ids *ids, const char hash[ID_LEN])
{
	bool made;
	struct map_slot *slot = map_get(&ids->seen, (struct str){hash, ID_LEN});
	if (!slot)
		slot = map_put(&ids->seen, arena_str(&ids->keys, (struct str){hash, ID_LEN}), &made);
	return slot->v.num++;
}

static void by_content(struct ids *ids, const struct origin *o, struct str time, struct str text, char out[ID_LEN])
{
	const struct str content[] = {o->source, time, text};
	char count[24];
	hash_list(content, COUNT_OF(content), out);
	uint64_t before = count_content(ids, out);
	if (!before)
		return;
	int n = snprintf(count, sizeof count, "%llu", (unsigned long long)before);
	const struct str again[] = {o->source, time, text, {count, (size_t)n}};
	hash_list(again, COUNT_OF(again), out);
}

void ids_make(
    struct ids *ids, const struct origin *o, struct line_place at, struct str time, struct str text, char out[ID_LEN])
{
	char place[48], *digit = place + 24, *end = digit;
	if (ids->conf->by_content) {
		by_content(ids, o, time, text, out);
		return;
	}
	do
		*--digit = (char)('0' + at.line % 10);
	while (at.line /= 10);
	if (at.sub)
		end += snprintf(end, sizeof place - 24, ".%u", at.sub);
	bool former = ids->conf->scheme == 1;
	const struct str field[] = {
	    o->source, former ? o->file : o->path, o->salt, {digit, (size_t)(end - digit)}, time, text};
	(former ? hash_list_xxh3 : hash_list)(field, COUNT_OF(field), out);
}
