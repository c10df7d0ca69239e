/* decode.h - a source around a source: lines in, records out, in each file's format.
 *
 * The inner source gives lines with their ends (lines_conf.keep_end). Its batches are accepted only once all records
 * made of their lines are delivered, even if a record spans batches, so a queue or a state file inside keeps the law.
 */
#ifndef SENTI_DECODE_H
#define SENTI_DECODE_H

#include "lib/ingest/format.h"

/* New. `from` is taken. The inner source identifies files by `origin` (the same pointer for the same file); line 1
 * begins a file again. `following`: `from` is source_follow, which may end anywhere; incomplete records are then left
 * in their files. */
struct source *source_decode(const struct ingest *conf, struct source *from, bool following);

#endif
