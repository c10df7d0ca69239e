/* ids.h - ids for records without one: a hash of their content and position.
 *
 * By position (the default), an id is made of source, path as given, stream or rotation, position, time as spelled and
 * text: the same file always gives the same ids, and two customers' "thanks" differ. By content, it is made of source,
 * time, text and how often these three occurred before, so that inserting a row at the top of a corrected file changes
 * no other id.
 */
#ifndef SENTI_IDS_H
#define SENTI_IDS_H

#include "lib/base/arena.h"
#include "lib/base/map.h"
#include "lib/text/hash.h"

#define ID_LEN HASH_HEX

/* What distinguishes one file's records from another's. */
struct origin {
	const char *name;  /* of the file, for messages */
	struct str source; /* the member; absent on stdin without --source */
	struct str path;   /* as given, or --id-path; empty for a stream */
	struct str file;   /* scheme 1: the last part of the path if there is a --source; else empty */
	struct str salt;   /* distinguishes streams, or rotations of a file; else empty */
};

/* The position of a record in its file: a line, and the row within it (old Mac line ends make several). */
struct line_place {
	uint64_t line;
	unsigned sub;
};

struct id_conf {
	bool by_content; /* --id-by content */
	unsigned scheme; /* 1: ids as before version 0.2, without a path and hashed by XXH3; else the current ones */
	const char *path, *prefix; /* --id-path, --id-prefix; NULL if not given */
};

/* By content: what the run has seen so far, some 100 bytes per distinct record. */
struct ids {
	const struct id_conf *conf; /* lent */
	struct map seen;
	struct arena keys;
};

void ids_free(struct ids *ids);
/* Writes the hash, without the prefix. */
void ids_make(
    struct ids *ids, const struct origin *o, struct line_place at, struct str time, struct str text, char out[ID_LEN]);

#endif
