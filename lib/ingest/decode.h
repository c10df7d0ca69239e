/* decode.h - a source around a source: lines in, records out, in whatever format each file has.
 *
 * The inner source gives lines with their ends (lines_conf.keep_end). It hears of a batch's acceptance only when all
 * records made of its lines have been delivered, also where a record crosses batches, so a queue or a state file inside
 * keeps the law.
 */
#ifndef SENTI_DECODE_H
#define SENTI_DECODE_H

#include "lib/ingest/format.h"

/* New. `from` is taken. The inner source names files by `origin`, the same pointer for the same file; line 1 begins a
 * file anew. `following`: `from` is source_follow, whose end comes in the middle of things: what is incomplete then is
 * left in its file. */
struct source *source_decode(const struct ingest *conf, struct source *from, bool following);

#endif
