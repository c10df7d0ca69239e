/* outgoing.h - turns records into messages: one each, several in a pack, or a reject with its reason. */
#ifndef SENTI_NET_OUTGOING_H
#define SENTI_NET_OUTGOING_H

#include "lib/flow/port.h"
#include "lib/net/window.h"

enum { PACK_BYTES = 1 << 20 };

struct packer {
	size_t most;  /* records in a message; 1: each alone */
	size_t bytes; /* at most in a message of several; 0: PACK_BYTES */
	struct json_scan scan;
	struct buf line;
	struct batch scratch;
};

/* Puts the batch's outgoing records into the window. A pack never crosses batches, and holds at most `bytes` or one
 * record. */
int pack_records(struct packer *k, struct window *w, const struct batch *b);
/* Puts its rejects: the original bytes as a dead letter if the record has an envelope, else a reject object of `tool`.
 * `from` has the rest of a long line. */
int pack_rejects(
    struct packer *k, struct window *w, const struct batch *b, const char *tool, struct source *from, struct err *e);
void packer_free(struct packer *k);

#endif
