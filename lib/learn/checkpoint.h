/* checkpoint.h - the records that an aggregate of a queue has taken in, on disk until its result is out.
 *
 *     s = checkpoint_open(path, owner, &e);               creates it, or finds what a killed run has left
 *     checkpoint_replay(s, take, ctx, &n, &e);            hands that to the aggregate again
 *     checkpoint_run(s, b, take, ctx, &first, &e);        takes in a batch; then its messages may be acknowledged
 *     checkpoint_close(s, done);                          removes it once the result is out
 *
 * The file has a line for its owner, then batches: a line a record, and a line with the hash of them. A batch that is
 * cut off at the end of the file was never committed, and is dropped; any other damage is an error. One process at a
 * time uses a file.
 *
 * A record with an id of its own (a member, or the message's) counts once, however often it is delivered. Ids are told
 * apart by 64 bits under a secret key: 16 bytes of memory each. Of a record without one a repeat cannot be told from an
 * equal record, and counts again.
 */
#ifndef SENTI_CHECKPOINT_H
#define SENTI_CHECKPOINT_H

#include "lib/flow/stage.h"

struct checkpoint;

/* New. `owner` names tool and queue: a file of another owner is refused. NULL with *e. */
struct checkpoint *checkpoint_open(const char *path, const char *owner, struct err *e);
/* How an aggregate takes in a record: 0; CHECKPOINT_REPEATED, and nothing is done; or -1, and it is rejected. It asks
 * checkpoint_repeats before it counts. */
enum { CHECKPOINT_REPEATED = 1 };
typedef int checkpoint_take(void *ctx, struct batch *b, struct rec *r);

/* Hands it every record of the checkpoint, in order: how many, in *n. One that it rejects is an error. */
MUST_USE int checkpoint_replay(struct checkpoint *s, checkpoint_take *take, void *ctx, uint64_t *n, struct err *e);
/* True if the record, which rec_scan has scanned, is in the checkpoint by its id. `s` may be NULL (no). */
bool checkpoint_repeats(struct checkpoint *s, const struct rec *r);
/* The `run` of such a stage: takes in the records of the batch, and returns when they are on disk. Without a checkpoint
 * (NULL) *first, which is HOLDS_NOTHING at the start, becomes the number of the first batch of which something is held.
 * Counter: duplicates. */
MUST_USE int checkpoint_run(
    struct checkpoint *s, struct batch *b, checkpoint_take *take, void *ctx, uint64_t *first, struct err *e);
/* Closes it. `done`: the result is out, so the file goes; it also goes if nothing is in it. `s` may be NULL. */
void checkpoint_close(struct checkpoint *s, bool done);

#endif
