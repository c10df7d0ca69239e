/* ids.h - the ids of records that bring none: a hash of what they are and of where they stand.
 *
 * By position (the default) an id is made of source, path as given, stream or rotation, position, time as spelled and
 * text: the same file gives the same ids each time, and two customers' "thanks" stay two. By content it is made of
 * source, time, text and how often these three came before, so that a row that is inserted at the top of a corrected
 * file changes no other id.
 */
#ifndef SENTI_IDS_H
#define SENTI_IDS_H

#include "lib/base/arena.h"
#include "lib/base/map.h"
#include "lib/text/hash.h"

#define ID_LEN HASH_HEX

/* What tells one file's records from another's. */
struct origin {
	const char *name;  /* of the file, for messages */
	struct str source; /* the member; absent on stdin without --source */
	struct str path;   /* as given, or --id-path; empty for a stream */
	struct str file;   /* scheme 1: the last part of the path if there is a --source; else empty */
	struct str salt;   /* tells one stream, or one rotation of a file, from the next; else empty */
};

/* Where in its file a record stands: a line, and which row within it (old Mac line ends make several). */
struct line_place {
	uint64_t line;
	unsigned sub;
};

struct id_conf {
	bool by_content; /* --id-by content */
	unsigned
	    scheme; /* 1: the ids of versions before 0.2, without a path and hashed by XXH3; else the present ones */
	const char *path, *prefix; /* --id-path, --id-prefix; NULL if not given */
};

/* What a run has seen so far, by content: some 100 bytes a different record. */
struct ids {
	const struct id_conf *conf; /* lent */
	struct map seen;
	struct arena keys;
};

void ids_free(struct ids *ids);
/* The hash, without the prefix. */
void ids_make(
    struct ids *ids, const struct origin *o, struct line_place at, struct str time, struct str text, char out[ID_LEN]);

#endif
