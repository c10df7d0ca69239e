/* place.h - a place in a file that is followed, which finds the file again after a restart, whatever its name is then.
 *
 * Inode and birth tell files apart, and the first bytes whether the file has been rewritten since.
 */
#ifndef SENTI_PLACE_H
#define SENTI_PLACE_H

#include "lib/base/buf.h"
#include "lib/json/scan.h"
#include "lib/text/hash.h"

enum { PLACE_HEAD = 256, PLACE_BIRTH = 48 };

struct file_place {
	uint64_t offset, line, inode, truncations, head; /* head: how many of its first bytes head_hash covers */
	char birth[PLACE_BIRTH], head_hash[HASH_HEX + 1], life[HASH_HEX + 1];
};

/* Spells when the open file was made, or "0.0" if the file system does not keep that: the length. */
size_t place_birth(int fd, char out[PLACE_BIRTH]);
/* The same as nanoseconds since 1970; false if it is not known. */
bool place_made(const char *birth, int64_t *ns);
/* Fills in what identifies the open file, whose first bytes, at most PLACE_HEAD, are `head`; life becomes zeros. */
void place_of_head(struct file_place *p, int fd, struct str head);
/* True if the open file is the one of the place; *truncated: it has not kept what was read from it. */
bool place_holds(int fd, const struct file_place *p, bool *truncated);
/* The name that the place's file has now in the folder of `path`: new, or NULL. */
char *place_find(const char *path, const struct file_place *p);

/* Appends the line of a state file. */
void place_put(struct buf *out, const char *path, const struct file_place *p);
/* Reads such a line, but for its path, from what is scanned; false if it is not one. */
bool place_read(const struct json_scan *j, struct file_place *p);

#endif
