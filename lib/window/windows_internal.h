/* windows_internal.h - what the files of struct windows share. */
#ifndef SENTI_WINDOWS_INTERNAL_H
#define SENTI_WINDOWS_INTERNAL_H

#include "lib/window/windows.h"

/* A key, and what is known of it over its windows. */
struct window_series {
	struct str key;
	struct pane *latest; /* to which something was added last; NULL: none */
	struct tally_over_time {
		double n, sum;	   /* at `at` */
		int64_t at, until; /* after `until` it is forgotten */
	} ewm;
	bool alerted;
	uint32_t open;	       /* its panes */
	struct pane **session; /* its open sessions in their order */
	uint32_t sessions, cap;
};

/* The records of one key in one slot, or of one session. */
struct pane {
	struct window_series *series;
	struct window_slot *slot; /* NULL: a session */
	int64_t start, end;	  /* of a session */
	int64_t heap_end;	  /* by which it stands in the heap */
	uint64_t batch;
	bool dead; /* a session that went into another */
	struct aggregate a;
};

/* A span of time: its windows end at `first`, `first` + every, ..., `last`. */
struct window_slot {
	int64_t start, end, first, last;
	struct map pane; /* by key */
};

struct pane_list {
	struct pane **pane;
	size_t n, cap;
};

struct windows {
	const struct windows_conf *conf;
	struct map series;
	size_t swept;		   /* series left by the last sweep */
	struct window_slot **slot; /* sorted by last, then start, then first */
	size_t slots, slots_cap;
	struct window_slot *recent;  /* of the record before; NULL: none */
	struct pane_list heap;	     /* sessions, the one that ends first on top */
	int64_t greatest, watermark; /* INT64_MIN: nothing seen */
	int64_t emitted;	     /* STEPS: windows up to this end have come out */

	/* The closed windows that are coming out: of one end and start, or sessions. */
	struct pane_list ripe;
	size_t at;
	int64_t ripe_start, ripe_end;
	struct aggregate merged;

	/* How many panes each batch has begun: held[i] is of batch `base` + i. */
	uint32_t *held;
	size_t helds, helds_cap;
	uint64_t base;

	uint64_t used;
};

/* private to lib/window */
void list_add(struct pane_list *l, struct pane *p);
struct window_series *windows_series(struct windows *w, struct str key);
struct pane *windows_pane(struct windows *w, struct window_series *s, struct window_slot *slot, uint64_t batch);
void windows_pane_free(struct windows *w, struct pane *p);
/* For a state: a pane, or a session, that is not there yet. NULL: it is. */
struct pane *windows_adopt(struct windows *w, struct str key, const struct window_slot *as);
void windows_hold(struct windows *w, uint64_t batch);
/* Sessions. */
struct pane *session_find(const struct windows *w, const struct window_series *s, int64_t start, int64_t end);
struct pane *session_put(struct windows *w, struct window_series *s, int64_t start, int64_t end, uint64_t batch);
void session_push(struct windows *w, struct pane *p);
/* The first session on the heap that is alive and stands at its end; NULL: none. */
struct pane *session_first(struct windows *w);
struct pane *session_pop(struct windows *w);

#endif
