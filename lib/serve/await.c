/* await.c - waiting callers, hashed by id. */
#include "lib/serve/await.h"

#include <pthread.h>

#include "lib/base/event.h"
#include "lib/base/map.h"

enum { BUCKETS = 4096, PAGE = 32 /* rows in memory at a time */, BLOCK = 16 /* what the allocator adds to a block */ };

struct waiter {
	struct waiter *next;
	char *bytes;
	struct str id, text;
	bool checked; /* its row was read once, and was not there yet */
	int64_t deadline;
	await_done *done;
	void *caller;
	size_t item;
	struct share memory;
};

struct await {
	int event;
	struct budget *memory;
	pthread_mutex_t lock;
	struct waiter *bucket[BUCKETS];
	size_t n, unchecked;
	int64_t next_deadline; /* the earliest of all, or earlier */
	bool over;
};

struct await *await_new(int event, struct budget *memory)
{
	struct await *a = xcalloc(1, sizeof *a);
	a->event = event;
	a->memory = memory;
	pthread_mutex_init(&a->lock, NULL);
	return a;
}

void await_free(struct await *a)
{
	if (!a)
		return;
	pthread_mutex_destroy(&a->lock);
	free(a);
}

static struct waiter **bucket_of(struct await *a, struct str id)
{
	return &a->bucket[hash_bytes(id) % BUCKETS];
}

bool await_add(
    struct await *a, struct str id, struct str text, int64_t deadline, await_done *done, void *caller, size_t item)
{
	struct share share = {.of = a->memory};
	if (!share_take(&share, sizeof(struct waiter) + id.n + text.n + 2 * BLOCK))
		return false;
	struct waiter *w = xcalloc(1, sizeof *w);
	char *bytes = xmalloc(id.n + text.n + 1);
	memcpy(bytes, id.p, id.n);
	memcpy(bytes + id.n, text.p, text.n);
	*w = (struct waiter){.bytes = bytes,
	    .id = {bytes, id.n},
	    .text = {bytes + id.n, text.n},
	    .deadline = deadline,
	    .done = done,
	    .caller = caller,
	    .item = item,
	    .memory = share};
	pthread_mutex_lock(&a->lock);
	struct waiter **bucket = bucket_of(a, w->id);
	w->next = *bucket;
	*bucket = w;
	if (a->n++ == 0 || deadline < a->next_deadline)
		a->next_deadline = deadline;
	a->unchecked++;
	pthread_mutex_unlock(&a->lock);
	event_signal(a->event);
	return true;
}

void await_end(struct await *a)
{
	pthread_mutex_lock(&a->lock);
	a->over = true;
	pthread_mutex_unlock(&a->lock);
	event_signal(a->event);
}

bool await_any(struct await *a)
{
	pthread_mutex_lock(&a->lock);
	bool any = a->n > 0;
	pthread_mutex_unlock(&a->lock);
	return any;
}

/* Without the lock, since an answered caller may add another. */
static void answer_all(struct waiter *list, struct str record)
{
	for (struct waiter *w = list, *next; w; w = next) {
		next = w->next;
		w->done(w->caller, w->item, record);
		share_release(&w->memory);
		free(w->bytes);
		free(w);
	}
}

/* Moves it from its bucket to a list. The lock is held. */
static void take(struct await *a, struct waiter **at, struct waiter **list)
{
	struct waiter *w = *at;
	*at = w->next;
	w->next = *list;
	*list = w;
	a->n--;
	a->unchecked -= !w->checked;
}

void await_met(struct await *a, const struct message *row, struct str record)
{
	struct waiter *met = NULL;
	pthread_mutex_lock(&a->lock);
	for (struct waiter **at = bucket_of(a, row->id); *at;)
		if (str_eq((*at)->id, row->id) && str_eq((*at)->text, row->text))
			take(a, at, &met);
		else
			at = &(*at)->next;
	pthread_mutex_unlock(&a->lock);
	answer_all(met, record);
}

/* Up to PAGE waiters whose rows have not been read. Only this thread frees waiters. */
static size_t find_unchecked(struct await *a, struct waiter **out)
{
	size_t n = 0;
	pthread_mutex_lock(&a->lock);
	for (size_t i = 0; i < BUCKETS && n < a->unchecked && n < PAGE; i++)
		for (struct waiter *w = a->bucket[i]; w && n < PAGE; w = w->next)
			if (!w->checked)
				out[n++] = w;
	pthread_mutex_unlock(&a->lock);
	return n;
}

static void mark_checked(struct await *a, struct waiter **w, size_t n)
{
	pthread_mutex_lock(&a->lock);
	for (size_t i = 0; i < n; i++)
		w[i]->checked = true;
	a->unchecked -= n;
	pthread_mutex_unlock(&a->lock);
}

int await_check(struct await *a, struct store *s, struct arena *mem, struct json_scan *scan, struct err *e)
{
	struct message *row = arena_alloc(mem, PAGE * sizeof *row), *list[PAGE];
	struct waiter *w[PAGE];
	struct buf record = {0};
	size_t n = find_unchecked(a, w);
	if (n == 0)
		return 0;
	for (size_t i = 0; i < n; i++) {
		row[i] = (struct message){.id = w[i]->id};
		list[i] = &row[i];
	}
	if (s->get(s, list, n, mem, e) < 0)
		return -1;
	mark_checked(a, w, n);
	/* The ids belong to the waiters, which the first answer frees. */
	for (size_t i = 0; i < n; i++)
		row[i].id = arena_str(mem, row[i].id);
	for (size_t i = 0; i < n; i++) {
		buf_clear(&record);
		if (row[i].fate == MESSAGE_FOUND && row[i].label.p && message_write(&row[i], &record, scan) == 0)
			await_met(a, &row[i], buf_view(&record));
	}
	buf_free(&record);
	return 1;
}

int64_t await_expire(struct await *a, int64_t now)
{
	struct waiter *late = NULL;
	pthread_mutex_lock(&a->lock);
	if (a->n && (a->over || a->next_deadline <= now)) {
		a->next_deadline = INT64_MAX;
		for (size_t i = 0; i < BUCKETS; i++)
			for (struct waiter **at = &a->bucket[i]; *at;)
				if (a->over || (*at)->deadline <= now) {
					take(a, at, &late);
				} else {
					if ((*at)->deadline < a->next_deadline)
						a->next_deadline = (*at)->deadline;
					at = &(*at)->next;
				}
	}
	int64_t earliest = a->n ? a->next_deadline : INT64_MAX;
	pthread_mutex_unlock(&a->lock);
	answer_all(late, STR_NONE);
	return earliest;
}
