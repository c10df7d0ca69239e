/* sqlite.h - the store of lib/data/store.h in one file, by SQLite: no server, any number of processes on one machine.
 *
 * WAL with synchronous=FULL: what a call has stored survives kill -9 and a power cut. Readers never wait for a writer;
 * writers wait for each other, half a minute at most. Not for network file systems, on which WAL does not work. */
#ifndef SENTI_SQLITE_H
#define SENTI_SQLITE_H

#include "lib/data/store.h"

/* `path` is as in sqlite:PATH, taken as it is (":memory:" keeps nothing). New, or NULL with *e. */
struct store *sqlite_open(const char *path, enum store_mode mode, struct err *e);
/* All handles of the process together keep about this many bytes of pages in memory, instead of 8 MiB each. Before the
 * first one is opened. */
void sqlite_share_memory(int64_t bytes);

#endif
