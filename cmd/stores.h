/* stores.h - from the name of a store to the store: sqlite:PATH (or a path), postgresql://... */
#ifndef SENTI_STORES_H
#define SENTI_STORES_H

#include "cmd/tool.h"
#include "lib/data/store.h"

/* The store that t->store names; t->retry_ms bounds how long one is waited for that is away. New, or NULL with *e. */
struct store *store_open(const struct tool *t, enum store_mode mode, struct err *e);

#endif
