/* store.h - the verbs of senti-store as stages over any store, and what it is asked as sources.
 *
 * A record leaves these stages after its change is committed. Counters: stored, unchanged, corrected, deleted.
 */
#ifndef SENTI_STAGE_STORE_H
#define SENTI_STAGE_STORE_H

#include "lib/data/store.h"
#include "lib/flow/port.h"
#include "lib/flow/stage.h"

/* These stages' configuration is the store itself, lent. */

/* Upserts each record and sets its `version`. Of several records with one id in a batch the last wins, and all get its
 * version. A record without id gets a fresh UUID. Records that the database refuses are rejected as `refused`. */
extern const struct stage stage_store_put;
/* Replaces each record with the stored one of its id, or rejects it as not_found. */
extern const struct stage stage_store_get;
/* Sets the message's label to the record's `label`; then as get. */
extern const struct stage stage_store_correct;
/* Deletes the message; the record passes unchanged, or is rejected as not_found. */
extern const struct stage stage_store_delete;

/* New: the records of a query, at most `limit` (0: all). The filter's strings are lent for the source's life. It holds
 * one batch in memory, and no transaction is open between batches. */
struct source *source_query(struct store *store, const struct filter *f, uint64_t limit);
/* New: `n` of them (at most SAMPLE_MOST), drawn at random. It holds their ids, and one batch. */
enum { SAMPLE_MOST = 100000 };
struct source *source_drawn(struct store *store, const struct filter *f, uint64_t n);
/* New: the groups that the question asks for, a line each, at most `limit` (0: all); `flat` for a table
 * (stats_put_flat). The question is lent likewise. It holds one page of them. */
struct source *source_stats(struct store *store, const struct stats_question *q, uint64_t limit, bool flat);

#endif
