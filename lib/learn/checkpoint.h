/* checkpoint.h - keeps the records that an aggregate took from a queue on disk until its result is out.
 *
 *     s = checkpoint_open(path, owner, &e);               creates it, or opens what a killed run left
 *     checkpoint_replay(s, take, ctx, &n, &e);            hands its records to the aggregate again
 *     checkpoint_run(s, b, take, ctx, &first, &e);        takes in a batch; then its messages may be acknowledged
 *     checkpoint_close(s, done);                          removes it once the result is out
 *
 * The file is a sealed one (lib/flow/sealed.h): each batch is a group, with a line per record.
 *
 * A record that has an id (a member, or the message's) counts once, however often it is delivered. Ids are compared by
 * 64 bits under a secret key: 16 bytes of memory each. For a record without an id, a redelivery cannot be told from an
 * equal record, so it counts again.
 */
#ifndef SENTI_CHECKPOINT_H
#define SENTI_CHECKPOINT_H

#include "lib/flow/stage.h"

struct checkpoint;

/* New. `owner` names the tool and the queue; a file of another owner is refused. NULL with *e. */
struct checkpoint *checkpoint_open(const char *path, const char *owner, struct err *e);
/* How an aggregate takes in a record: 0; CHECKPOINT_REPEATED if it did nothing; or -1 if it rejected it. It calls
 * checkpoint_repeats before it counts. */
enum { CHECKPOINT_REPEATED = 1 };
typedef int checkpoint_take(void *ctx, struct batch *b, struct rec *r);

/* Hands it every record of the checkpoint, in order; *n: how many. A rejected one is an error. */
MUST_USE int checkpoint_replay(struct checkpoint *s, checkpoint_take *take, void *ctx, uint64_t *n, struct err *e);
/* True if the checkpoint has the id of the record, which rec_scan has scanned. `s` may be NULL: false. */
bool checkpoint_repeats(struct checkpoint *s, const struct rec *r);
/* The stage's `run`: takes in the records of the batch, and returns once they are on disk. Without a checkpoint (NULL),
 * *first (HOLDS_NOTHING at first) becomes the number of the first batch of which something is held. Counter:
 * duplicates. */
MUST_USE int checkpoint_run(
    struct checkpoint *s, struct batch *b, checkpoint_take *take, void *ctx, uint64_t *first, struct err *e);
/* Closes it, and removes the file if `done` (the result is out) or if it is empty. `s` may be NULL. */
void checkpoint_close(struct checkpoint *s, bool done);

#endif
