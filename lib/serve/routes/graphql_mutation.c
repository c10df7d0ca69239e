/* graphql_mutation.c - Mutation.submit, correct and delete: what POST, PATCH and DELETE of /v1/messages do. */
#include <pthread.h>

#include "lib/base/clock.h"
#include "lib/data/lookaside.h"
#include "lib/json/write.h"
#include "lib/serve/await.h"
#include "lib/serve/intake.h"
#include "lib/serve/routes/graphql_internal.h"

enum { MOST_WAIT_MS = 60000, MOST_WAITING = 2 };

/* ---- submit ---- */

struct submission_item {
	struct buf id;
	struct buf why; /* of a refusal: CODE: REASON */
	bool scored;
};

/* The operation's thread waits until other threads have dealt with each item. */
struct submitted {
	struct intake_caller caller;
	const struct graphql_conf *conf;
	struct submission_item *item;
	size_t n, taken;  /* taken: the pump's thread's own */
	int64_t deadline; /* of workers' results; 0: nobody waits for workers */
	pthread_mutex_t lock;
	pthread_cond_t done;
	size_t left;
	bool failed;
};

struct shown_submission {
	struct str id, error;
	const struct shown_message *message;
};

static void item_done(struct submitted *s, bool failed)
{
	pthread_mutex_lock(&s->lock);
	s->failed |= failed;
	if (--s->left == 0)
		pthread_cond_signal(&s->done);
	pthread_mutex_unlock(&s->lock);
}

/* From the feed's thread. */
static void on_result(void *caller, size_t i, struct str record)
{
	struct submitted *s = caller;
	s->item[i].scored = record.p != NULL;
	item_done(s, false);
}

/* From the pump's thread. */
static void on_stored(struct rec *r, bool ok)
{
	struct submitted *s = r->caller;
	struct submission_item *item = &s->item[s->taken];
	size_t i = s->taken++;
	if (ok && r->fate == FATE_OUT) {
		buf_str(&item->id, r->id);
		item->scored = !s->conf->await;
		/* without memory to wait in, it is as if the wait were over */
		if (s->deadline && await_add(s->conf->await, r->id, r->text, s->deadline, on_result, s, i))
			return;
	} else if (ok) {
		buf_printf(&item->why, "%s: ", r->code);
		buf_str(&item->why, r->why);
	}
	item_done(s, !ok);
}

static void put_member(struct buf *out, const char *name, const struct gql_value *v)
{
	if (!graphql_given(v))
		return;
	json_put_name(out, str_of(name));
	json_put_string(out, v->text);
}

/* The records, as a client of REST would spell them. */
static struct str *spell(const struct gql_value *messages, struct arena *mem)
{
	static const char *const name[] = {"id", "text", "source", "time"}; /* as in MessageInput */
	struct str *line = arena_alloc(mem, messages->n * sizeof *line);
	struct buf b = {0};
	for (size_t i = 0; i < messages->n; i++) {
		buf_clear(&b);
		buf_char(&b, '{');
		for (size_t k = 0; k < COUNT_OF(name); k++)
			put_member(&b, name[k], &messages->item[i].item[k]);
		buf_char(&b, '}');
		line[i] = json_padded(mem, buf_view(&b));
	}
	buf_free(&b);
	return line;
}

/* The stored messages of those that were waited for and are scored. */
static int add_messages(struct graphql_operation *op, const struct submitted *s, struct shown_submission *shown,
    struct arena *mem, struct err *e)
{
	struct str *id = arena_alloc(mem, s->n * sizeof *id);
	size_t *at = arena_alloc(mem, s->n * sizeof *at), n = 0;
	for (size_t i = 0; i < s->n; i++)
		if (s->item[i].scored) {
			id[n] = shown[i].id;
			at[n++] = i;
		}
	const struct look *look = n ? graphql_look(op, id, n, mem, e) : NULL;
	if (n && !look)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (look[i].state == LOOK_FOUND)
			shown[at[i]].message = graphql_message(look[i].record, op->scan, mem);
	return 0;
}

static void answer(struct graphql_operation *op, struct gql_call *call, const struct submitted *s, bool wait)
{
	struct err e;
	struct shown_submission *shown = arena_alloc(call->mem, s->n * sizeof *shown);
	for (size_t i = 0; i < s->n; i++)
		shown[i] = (struct shown_submission){.id = arena_str(call->mem, buf_view(&s->item[i].id)),
		    .error = s->item[i].why.n ? arena_str(call->mem, buf_view(&s->item[i].why)) : STR_NONE};
	if (s->failed) {
		call->out =
		    gql_failure(STR("not all messages are known to be stored; send them again, under the same ids"),
			"STORE_UNAVAILABLE");
		return;
	}
	if (wait && add_messages(op, s, shown, call->mem, &e) < 0) {
		graphql_unavailable(op, call, 1, &e);
		return;
	}
	call->out = gql_list(call, s->n);
	for (size_t i = 0; i < s->n; i++)
		call->out.item[i] = gql_object(&shown[i]);
}

static bool hand_in(struct submitted *s, struct gql_call *call, const struct str *line)
{
	struct err e;
	if (intake_add(s->conf->intake, line, s->n, s, &e) == 0)
		return true;
	call->out = intake_ready(s->conf->intake, &e)
			? gql_failure(STR("too many messages are waiting to be stored"), "BUSY")
			: gql_failure(STR("the store does not answer"), "STORE_UNAVAILABLE");
	return false;
}

/* Hands all in and returns once each has its fate. Threads that wait for workers are few, so that they never are all
 * there are. */
static void submit(struct graphql_operation *op, struct gql_call *call, int64_t wait_ms)
{
	const struct gql_value *messages = &call->args[0];
	struct submitted s = {.caller = {on_stored}, .conf = &op->g->conf, .n = messages->n, .left = messages->n};
	bool waits = wait_ms && s.conf->await && atomic_fetch_add(&op->g->waiting, 1) < MOST_WAITING;
	if (waits)
		s.deadline = clock_mono_ms() + wait_ms;
	s.item = xcalloc(s.n + 1, sizeof *s.item);
	pthread_mutex_init(&s.lock, NULL);
	pthread_cond_init(&s.done, NULL);
	if (s.n == 0 || hand_in(&s, call, spell(messages, call->mem))) {
		pthread_mutex_lock(&s.lock);
		while (s.left)
			pthread_cond_wait(&s.done, &s.lock);
		pthread_mutex_unlock(&s.lock);
		answer(op, call, &s, wait_ms > 0);
	}
	if (wait_ms && s.conf->await)
		atomic_fetch_sub(&op->g->waiting, 1);
	for (size_t i = 0; i < s.n; i++) {
		buf_free(&s.item[i].id);
		buf_free(&s.item[i].why);
	}
	free(s.item);
	pthread_mutex_destroy(&s.lock);
	pthread_cond_destroy(&s.done);
}

static void mutation_submit(struct gql_call *call, size_t n, void *app)
{
	struct graphql_operation *op = app;
	for (size_t i = 0; i < n; i++) {
		const struct gql_value *a = call[i].args;
		int64_t wait_ms = graphql_given(&a[1]) ? a[1].integer : 0;
		if (a[0].n > op->g->conf.max_items)
			call[i].out =
			    graphql_bad_input(&call[i], "at most %zu messages at a time", op->g->conf.max_items);
		else if (wait_ms < 0 || wait_ms > MOST_WAIT_MS)
			call[i].out = graphql_bad_input(&call[i], "waitMs is a number from 0 to %d", MOST_WAIT_MS);
		else
			submit(op, &call[i], wait_ms);
	}
}

static void submission_message(struct gql_call *call, size_t n, void *app)
{
	(void)app;
	for (size_t i = 0; i < n; i++)
		call[i].out = gql_object(((const struct shown_submission *)call[i].parent)->message);
}

/* ---- correct and delete ---- */

/* Edits one row, and lets the cache know: true, or false with call->out set. A client whose change was answered must
 * not find the old row. */
static bool edit(struct graphql_operation *op, struct gql_call *call, struct message *m)
{
	struct store *s = op->db->store;
	struct message *const one = m;
	struct err e, ignored; /* the outbox has the change as well, and its follower retries until it is done */
	if (s->edit(s, &one, 1, call->mem, &e) < 0) {
		graphql_unavailable(op, call, 1, &e);
		return false;
	}
	struct change change = {
	    .id = m->id, .version = m->remove ? 0 : m->version, .op = m->remove ? CHANGE_DELETE : CHANGE_UPDATE};
	if (op->db->cache && m->fate == MESSAGE_FOUND &&
	    op->db->cache->invalidate(op->db->cache, &change, 1, &ignored) < 0)
		return true;
	return true;
}

static void correct(struct graphql_operation *op, struct gql_call *call)
{
	struct message m = {.id = call->args[0].text, .label = graphql_label(call->args[1].text)};
	struct buf record = {0};
	if (!edit(op, call, &m))
		return;
	if (m.fate != MESSAGE_FOUND)
		call->out = gql_failure(
		    arena_printf(call->mem, "no message has the id '%.*s'", STR_FMT(call->args[0].text)), "NOT_FOUND");
	else if (message_write(&m, &record, op->scan) == 0)
		call->out = gql_object(graphql_message(buf_view(&record), op->scan, call->mem));
	else
		call->out =
		    gql_failure(STR("the message's columns sentiment and extra are not JSON objects"), "BROKEN_ROW");
	buf_free(&record);
}

static void mutation_correct(struct gql_call *call, size_t n, void *app)
{
	for (size_t i = 0; i < n; i++)
		correct(app, &call[i]);
}

static void mutation_delete(struct gql_call *call, size_t n, void *app)
{
	for (size_t i = 0; i < n; i++) {
		struct message m = {.id = call[i].args[0].text, .remove = true};
		if (edit(app, &call[i], &m))
			call[i].out = gql_truth(m.fate == MESSAGE_FOUND);
	}
}

const struct graphql_binding graphql_mutation_fields[] = {
    {"Mutation", "submit", mutation_submit, NULL},
    {"Mutation", "correct", mutation_correct, NULL},
    {"Mutation", "delete", mutation_delete, NULL},
    {"Submission", "id", graphql_text, GRAPHQL_MEMBER(struct shown_submission, id)},
    {"Submission", "message", submission_message, NULL},
    {"Submission", "error", graphql_text, GRAPHQL_MEMBER(struct shown_submission, error)},
    {0},
};
