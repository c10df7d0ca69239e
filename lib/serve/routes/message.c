/* message.c - /v1/messages/{id}: one stored message, read, corrected or deleted. */
#include "lib/serve/db_context.h"
#include "lib/serve/feed.h"
#include "lib/serve/routes/rest.h"
#include "lib/serve/routes/routes.h"
#include "lib/serve/thread_context.h"

static void answer_record(struct request *r, struct str record, uint64_t version, const char *how)
{
	request_set(r, "Cache-Status", "senti; %s", how);
	buf_str(&r->out, record);
	buf_char(&r->out, '\n');
	if (!rest_condition(r, version))
		return;
	rest_set_tag(r, version);
	request_answer(r, 200, MEDIA_JSON);
}

static void not_found(struct request *r)
{
	request_problem(r, 404, "not_found", "no message has the id '%.*s'", STR_FMT(r->segment));
}

enum cache_answer message_cache_answer(const struct look *l)
{
	if (l->hit)
		return l->state == LOOK_FOUND ? CACHE_HIT : CACHE_ABSENT;
	return l->asked ? CACHE_MISS : CACHE_SKIPPED;
}

/* One look-up answers several clients. */
static void look_up(struct db_context *c, struct request *const *r, size_t n, void *app)
{
	const struct messages_conf *conf = app;
	struct look look[DB_BATCH] = {0};
	struct err e;
	for (size_t i = 0; i < n; i++)
		look[i].id = r[i]->segment;
	int rc = look_aside(feed_current(conf->feed) ? c->aside : c->bare, look, n, &c->mem, &e);
	for (size_t i = 0; i < n; i++) {
		const struct look *l = &look[i];
		if (c->cache)
			series_add(conf->answers[message_cache_answer(l)], 1);
		if (rc < 0)
			db_unavailable(r[i], &e);
		else if (l->state == LOOK_FOUND)
			answer_record(r[i], l->record, l->version,
			    l->hit	? "hit"
			    : l->stored ? "fwd=uri-miss; stored"
					: "fwd=uri-miss");
		else if (l->state == LOOK_BROKEN)
			request_problem(
			    r[i], 500, "broken_row", "the message's columns sentiment and extra are not JSON objects");
		else
			not_found(r[i]);
	}
}

/* A hit in the process's own cache needs no other thread. */
static bool from_local(struct request *r, const struct messages_conf *conf)
{
	if (!conf->local || !feed_current(conf->feed))
		return false;
	struct thread_context *t = thread_context_get(conf->threads);
	struct err e;
	batch_reset(&t->batch);
	buf_clear(&t->key);
	cache_key_message(&t->key, r->segment);
	struct entry entry = {.kind = ENTRY_MESSAGE, .key = buf_view(&t->key)}, *const one = &entry;
	if (conf->local->get(conf->local, &one, 1, &t->batch.mem, &e) < 0 || entry.state != ENTRY_HIT || !entry.version)
		return false;
	series_add(conf->answers[CACHE_HIT], 1);
	answer_record(r, entry.value, entry.version, "hit");
	return true;
}

void message_get(struct request *r, void *app)
{
	const struct messages_conf *conf = app;
	if (!from_local(r, conf))
		db_pool_do(conf->pool, r, look_up);
}

/* Requests for a change, and what the store makes of them. */
struct edits {
	struct message m[DB_BATCH], *row[DB_BATCH];
	struct request *request[DB_BATCH];
	size_t n;
};

static void all_unavailable(const struct edits *d, const struct err *e)
{
	for (size_t i = 0; i < d->n; i++)
		db_unavailable(d->request[i], e);
}

static bool any_version(const struct request *r)
{
	const char *match = request_header(r, "If-Match");
	return match && strcmp(match, "*") == 0 && !request_header(r, "If-None-Match");
}

/* Sets only_version to the version that each request's preconditions let it change, which takes a look at the row: it
 * may be one of several. A star alone lets it change any. Answers requests that may change nothing. */
static int check_versions(struct db_context *c, const struct edits *d)
{
	struct message row[DB_BATCH], *list[DB_BATCH];
	size_t n = 0;
	struct err e;
	for (size_t i = 0; i < d->n; i++)
		if (rest_is_conditional(d->request[i])) {
			row[n] = (struct message){.id = d->request[i]->segment};
			list[n] = &row[n];
			n++;
		}
	if (n && c->store->get(c->store, list, n, &c->mem, &e) < 0) {
		all_unavailable(d, &e);
		return -1;
	}
	n = 0;
	for (size_t i = 0; i < d->n; i++) {
		struct request *r = d->request[i];
		if (!rest_is_conditional(r))
			continue;
		const struct message *there = &row[n++];
		if (there->fate != MESSAGE_FOUND)
			not_found(r);
		else if (rest_condition(r, there->version))
			d->row[i]->only_version = any_version(r) ? 0 : there->version;
	}
	return 0;
}

/* Drops the requests that are answered already. */
static void keep_open(struct edits *d)
{
	size_t n = 0;
	for (size_t i = 0; i < d->n; i++)
		if (!request_answered(d->request[i])) {
			d->m[n] = d->m[i];
			d->request[n++] = d->request[i];
		}
	d->n = n;
}

/* After the answer the client must not find the old row. */
static void invalidate(struct db_context *c, const struct edits *d)
{
	struct change change[DB_BATCH];
	size_t n = 0;
	struct err ignored; /* the outbox has the change too, and its follower retries */
	for (size_t i = 0; i < d->n; i++)
		if (d->m[i].fate == MESSAGE_FOUND)
			change[n++] = (struct change){.id = d->request[i]->segment,
			    .version = d->m[i].remove ? 0 : d->m[i].version,
			    .op = d->m[i].remove ? CHANGE_DELETE : CHANGE_UPDATE};
	if (c->cache && n && c->cache->invalidate(c->cache, change, n, &ignored) < 0)
		return;
}

static void answer_edit(struct db_context *c, struct request *r, const struct message *m)
{
	if (m->fate == MESSAGE_CHANGED) {
		rest_changed(r, m->version);
	} else if (m->fate != MESSAGE_FOUND) {
		not_found(r);
	} else if (m->remove) {
		request_answer(r, 204, NULL);
	} else if (message_write(m, &r->out, &c->scan) < 0) {
		request_problem(r, 500, "broken_row", "the message's columns sentiment and extra are not JSON objects");
	} else {
		rest_set_tag(r, m->version);
		buf_char(&r->out, '\n');
		request_answer(r, 200, MEDIA_JSON);
	}
}

/* PATCH has a label in the request's state, DELETE none. All of them are one transaction. */
static void edit_all(struct db_context *c, struct request *const *r, size_t n, void *app)
{
	struct edits d = {.n = n};
	struct err e;
	(void)app;
	for (size_t i = 0; i < n; i++) {
		const struct str *label = r[i]->state;
		d.m[i] = (struct message){.id = r[i]->segment, .label = label ? *label : STR_NONE, .remove = !label};
		d.row[i] = &d.m[i];
		d.request[i] = r[i];
	}
	if (check_versions(c, &d) < 0)
		return;
	keep_open(&d);
	if (c->store->edit(c->store, d.row, d.n, &c->mem, &e) < 0) {
		all_unavailable(&d, &e);
		return;
	}
	invalidate(c, &d);
	for (size_t i = 0; i < d.n; i++)
		answer_edit(c, d.request[i], &d.m[i]);
}

/* The label that the body {"label":...} names, or STR_NONE with the request answered. */
static struct str read_label(struct request *r, struct arena *mem)
{
	struct json_scan s = {0};
	struct str label = STR_NONE;
	enum label known;
	size_t n = r->body.n;
	json_pad(&r->body);
	if (json_scan(&s, (struct str){r->body.p, n}) < 0) {
		const char *code = code_of_json(s.error);
		request_problem(r, rest_status_of(code), code, "the body is not a JSON object: %s at byte %zu",
		    s.message, s.column);
	} else {
		const struct json_member *m = json_find(&s, STR("label"));
		if (m && m->type == JSON_STRING)
			label = json_decode(m, mem);
		if (s.n != 1 || !label.p || label_parse(label, &known) < 0) {
			label = STR_NONE;
			request_problem(r, 422, CODE_BAD_LABEL,
			    "the body is {\"label\":\"positive\"}, or neutral, or negative; nothing else can be "
			    "changed");
		} else {
			label = str_of(label_name(known));
		}
	}
	json_scan_free(&s);
	return label;
}

void message_patch_begin(struct request *r, void *app)
{
	(void)app;
	enum media_kind kind = media_kind(r->media);
	if (kind == MEDIA_KIND_JSON || kind == MEDIA_KIND_PATCH)
		return;
	request_set(r, "Accept-Patch", "%s, %s", MEDIA_PATCH, MEDIA_JSON);
	request_problem(r, 415, "unsupported_media_type", "send the change as %s or %s, not as '%s'", MEDIA_JSON,
	    MEDIA_PATCH, r->media);
}

void message_patch(struct request *r, void *app)
{
	const struct messages_conf *conf = app;
	struct thread_context *t = thread_context_get(conf->threads);
	batch_reset(&t->batch);
	struct str label = read_label(r, &t->batch.mem);
	if (!label.p)
		return;
	struct str *kept = xmalloc(sizeof *kept);
	*kept = label;
	r->state = kept;
	r->drop = free;
	db_pool_do(conf->pool, r, edit_all);
}

void message_delete(struct request *r, void *app)
{
	db_pool_do(((const struct messages_conf *)app)->pool, r, edit_all);
}
