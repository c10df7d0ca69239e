/* status.c - GET /v1/status: how the server does, and what waits and is stored behind it. */
#include "lib/base/clock.h"
#include "lib/json/write.h"
#include "lib/serve/db_context.h"
#include "lib/serve/feed.h"
#include "lib/serve/health.h"
#include "lib/serve/models.h"
#include "lib/serve/routes/routes.h"
#include "lib/serve/subscribers.h"

enum { RATE_DIGITS = 6 };

/* The answer, and the reasons for what is missing in it. */
struct state {
	struct buf *out;
	struct buf reasons;
};

static void put_number(struct buf *out, const char *name, uint64_t n)
{
	json_put_name(out, str_of(name));
	buf_u64(out, n);
}

static void put_missing(struct state *s, const char *part, const char *why)
{
	json_put_name(s->out, str_of(part));
	buf_str(s->out, STR("null"));
	if (!why)
		return;
	buf_char(&s->reasons, s->reasons.n ? ',' : '{');
	json_put_string(&s->reasons, str_of(part));
	buf_char(&s->reasons, ':');
	json_put_lossy(&s->reasons, str_of(why));
}

static void put_health(struct state *s, struct health *h)
{
	struct buf checks = {0};
	bool ready = health_put(h, &checks) && !health_draining(h);
	json_put_name(s->out, STR("ready"));
	buf_str(s->out, ready ? STR("true") : STR("false"));
	json_put_name(s->out, STR("dependencies"));
	buf_str(s->out, buf_view(&checks));
	buf_free(&checks);
}

static void put_store(struct state *s, struct db_context *c)
{
	struct store_stats n;
	struct err e;
	if (c->store->stats(c->store, &n, &e) < 0) {
		bool late = c->interrupt.why == INTERRUPT_DEADLINE;
		put_missing(s, "store", late ? "counting its rows takes too long" : e.msg);
		return;
	}
	json_put_name(s->out, STR("store"));
	buf_char(s->out, '{');
	put_number(s->out, "messages", n.messages);
	put_number(s->out, "positive", n.positive);
	put_number(s->out, "neutral", n.neutral);
	put_number(s->out, "negative", n.negative);
	put_number(s->out, "unscored", n.unscored);
	put_number(s->out, "corrected", n.corrected);
	put_number(s->out, "version", n.version);
	buf_char(s->out, '}');
}

static void put_feed(struct state *s, const struct status_conf *conf)
{
	json_put_name(s->out, STR("feed"));
	buf_char(s->out, '{');
	put_number(s->out, "lag_ms", (uint64_t)feed_lag_ms(conf->feed));
	put_number(s->out, "listeners", subscribers_count(conf->subscribers));
	buf_char(s->out, '}');
}

static void put_queue(struct state *s, struct health *h)
{
	struct queue_depth depth;
	struct err e;
	if (health_state(h, HEALTH_QUEUE) == HEALTH_NONE) {
		put_missing(s, "queue", NULL);
	} else if (health_queue(h, &depth, &e) < 0) {
		put_missing(s, "queue", e.msg);
	} else {
		json_put_name(s->out, STR("queue"));
		buf_char(s->out, '{');
		put_number(s->out, "depth", (uint64_t)depth.messages);
		json_put_name(s->out, STR("dead_letters"));
		if (depth.dead < 0)
			buf_str(s->out, STR("null"));
		else
			buf_u64(s->out, (uint64_t)depth.dead);
		buf_char(s->out, '}');
	}
}

/* The figures are this server's, so they are there even while the cache is not. */
static void put_cache(struct state *s, const struct status_conf *conf)
{
	if (health_state(conf->health, HEALTH_CACHE) == HEALTH_NONE) {
		put_missing(s, "cache", NULL);
		return;
	}
	uint64_t n[CACHE_ANSWERS];
	for (size_t i = 0; i < CACHE_ANSWERS; i++)
		n[i] = series_total(conf->answers[i]);
	uint64_t asked = n[CACHE_HIT] + n[CACHE_ABSENT] + n[CACHE_MISS];
	json_put_name(s->out, STR("cache"));
	buf_char(s->out, '{');
	put_number(s->out, "hits", n[CACHE_HIT]);
	put_number(s->out, "misses", n[CACHE_MISS]);
	put_number(s->out, "absent", n[CACHE_ABSENT]);
	put_number(s->out, "skipped", n[CACHE_SKIPPED]);
	json_put_name(s->out, STR("rate"));
	if (asked)
		json_put_fixed(s->out, (double)n[CACHE_HIT] / (double)asked, RATE_DIGITS);
	else
		buf_str(s->out, STR("null"));
	buf_char(s->out, '}');
}

static void answer(struct db_context *c, struct request *r, const struct status_conf *conf)
{
	struct state s = {.out = &r->out};
	buf_str(s.out, STR("{\"version\":\"" SENTI_VERSION "\""));
	put_number(s.out, "uptime_ms", (uint64_t)(clock_mono_ms() - conf->began_ms));
	put_health(&s, conf->health);
	put_store(&s, c);
	put_feed(&s, conf);
	put_queue(&s, conf->health);
	put_cache(&s, conf);
	json_put_name(s.out, STR("models"));
	models_put(conf->models, s.out);
	json_put_name(s.out, STR("unavailable"));
	buf_str(s.out, s.reasons.n ? buf_view(&s.reasons) : STR("{"));
	buf_str(s.out, STR("}}\n"));
	buf_free(&s.reasons);
	request_set(r, "Cache-Control", "no-store");
	request_answer(r, 200, MEDIA_JSON);
}

static void answer_all(struct db_context *c, struct request *const *r, size_t n, void *app)
{
	for (size_t i = 0; i < n; i++)
		answer(c, r[i], app);
}

void status_get(struct request *r, void *app)
{
	db_pool_do(((const struct status_conf *)app)->scans, r, answer_all);
}
