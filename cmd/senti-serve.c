/* senti-serve - the same stages over HTTP. */
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "cmd/caches.h"
#include "cmd/opt.h"
#include "cmd/stores.h"
#include "lib/base/log.h"
#include "lib/base/sig.h"
#include "lib/serve/backend.h"
#include "lib/serve/news.h"
#include "lib/serve/submit.h"

enum { OPT_MAX_BODY = OPT_OWN, OPT_MAX_ITEMS, OPT_ACCESS_LOG, OPT_LEXICON, OPT_QUEUE, OPT_MAX_WAITING };

enum { BACKEND_THREADS = 2, RETRY_MS = 2000 };

static const struct opt_def own[] = {
    {'l', "listen", "ADDRESS", "HOST:PORT, :PORT for all addresses, or unix:PATH (default 127.0.0.1:8080)"},
    {'m', "model", "MODEL", "score with MODEL where a request names none (default $SENTI_MODEL, else vader)"},
    {OPT_LEXICON, "lexicon", "+FILE", "layer FILE (word TAB value a line) over the model's lexicon"},
    {OPT_QUEUE, "queue", "QUEUE", "messages go to amqp:QUEUE, for workers to score (default: scored here)"},
    {OPT_MAX_WAITING, "max-waiting", "N", "refuse messages while N are under way (default 100000)"},
    {OPT_MAX_BODY, "max-body", "BYTES", "refuse longer bodies; K, M, G are understood (default 64M)"},
    {OPT_MAX_ITEMS, "max-items", "N", "refuse longer arrays (default 10000)"},
    {OPT_ACCESS_LOG, "access-log", NULL, "log each request"},
    {0},
};

static const char examples[] =
    "  senti-serve &\n"
    "  curl -s localhost:8080/v1/sentiment -H 'Content-Type: application/json' -d '{\"text\":\"I love it\"}'\n"
    "  curl -s localhost:8080/v1/sentiment -H 'Content-Type: application/x-ndjson' --data-binary @texts.jsonl\n";

struct options {
	struct http_conf http;
	struct model_conf model;
	const char *queue;
	uint64_t max_items, max_waiting;
	struct tool *tool;
	struct service service;
};

static int on_option(void *arg, int letter, const char *value, struct err *e)
{
	struct options *o = arg;
	uint64_t n;
	switch (letter) {
	case 'l':
		o->http.listen = value;
		return 0;
	case 'm':
		o->model.spec = value;
		return 0;
	case OPT_LEXICON:
		if (value[0] != '+' || !value[1])
			return err_set(
			    e, ERR_USAGE, "--lexicon takes +FILE (layered over the model's own), not '%s'", value);
		o->model.lexicon = value + 1;
		return 0;
	case OPT_MAX_BODY:
		if (opt_size(value, "max-body", 1, (uint64_t)1 << 40, &n, e) < 0)
			return -1;
		o->http.max_body = n;
		return 0;
	case OPT_MAX_ITEMS:
		return opt_number(value, "max-items", 1, 1000000, &o->max_items, e);
	case OPT_MAX_WAITING:
		return opt_number(value, "max-waiting", 1, 10000000, &o->max_waiting, e);
	case OPT_QUEUE:
		o->queue = value;
		return 0;
	case OPT_ACCESS_LOG:
		o->http.access_log = true;
		return 0;
	}
	return -1;
}

/* ---- what each thread opens for itself ---- */

static struct store *open_store(void *arg, struct err *e)
{
	const struct options *o = arg;
	struct tool impatient = *o->tool; /* clients are waiting: they are told, and send again */
	impatient.retry_ms = RETRY_MS;
	return store_open(&impatient, STORE_CREATE, e);
}

static struct cache *open_cache(void *arg, struct err *e)
{
	const struct options *o = arg;
	return o->service.local ? o->service.local : caches_open(o->tool->cache, o->tool->ttl_ms, e);
}

static struct sink *open_queue(void *arg, struct err *e)
{
	struct options *o = arg;
	struct end_conf conf = tool_ends(o->tool);
	conf.retry_ms = RETRY_MS;
	return end_sink(o->queue, LANE_OUT, &conf, e);
}

/* ---- the life of the server ---- */

static int start(struct options *o, struct err *e)
{
	struct service *s = &o->service;
	s->models = models_new(&o->model, e);
	if (!s->models)
		return -1;
	if (strncmp(o->tool->cache, "memory:", 7) == 0 && !(s->local = caches_open(o->tool->cache, o->tool->ttl_ms, e)))
		return -1;
	s->ends =
	    (struct ends){.arg = o, .store = open_store, .cache = open_cache, .queue = o->queue ? open_queue : NULL};
	s->limits = o->tool->limits;
	s->max_items = o->max_items;
	s->max_waiting = o->max_waiting;
	service_init(s);
	s->news = news_start(s, e); /* first, so that it misses nothing that is stored here */
	s->submit = s->news ? submit_start(s, post_done, e) : NULL;
	return s->submit && backend_start(s, BACKEND_THREADS, e) ? 0 : -1;
}

/* Answers what has been asked, and only then goes. sig.h's alarm ends it after --drain. */
static void drain(struct service *s, struct http *h)
{
	atomic_store(&s->draining, true);
	http_quiesce(h);
	news_end_streams(s->news);
	while (http_busy(h))
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	http_stop(h);
}

static void stop(struct service *s)
{
	if (s->submit)
		submit_stop(s->submit);
	if (s->backend)
		backend_stop(s->backend);
	if (s->news)
		news_stop(s->news);
	if (s->local)
		s->local->close(s->local);
	service_release(s);
}

static const char *env(const char *name, const char *otherwise)
{
	const char *v = getenv(name);
	return v && *v ? v : otherwise;
}

int main(int argc, char **argv)
{
	struct tool t = {
	    .name = "senti-serve",
	    .usage = "[-l ADDRESS] [--store STORE] [--cache CACHE] [--queue QUEUE] [OPTION...]",
	    .summary = "Serves the toolkit over HTTP: scores texts, takes messages, and answers with what is stored.",
	    .examples = examples,
	    .own = own,
	    .shared = OPT_SERVE | OPT_JOBS | OPT_STORE | OPT_CACHE,
	    .on_option = on_option,
	};
	struct options o = {
	    .http = {.listen = "127.0.0.1:8080",
		.socket = -1,
		.route = service_routes,
		.max_body = (size_t)64 << 20,
		.max_header = (size_t)16 << 10,
		.max_held = (uint64_t)512 << 20,
		.header_s = 10,
		.body_s = 60,
		.idle_s = 60},
	    .model.spec = env("SENTI_MODEL", "vader"),
	    .max_items = 10000,
	    .max_waiting = 100000,
	    .tool = &t,
	};
	struct err e;
	t.arg = &o;
	tool_options(&t, argc, argv);
	if (!t.cache)
		t.cache = "memory:64M";
	o.http.threads = t.jobs;
	o.http.app = &o.service;
	struct http *h = start(&o, &e) == 0 ? http_start(&o.http, &e) : NULL;
	if (!h) {
		stop(&o.service);
		return tool_fail(&t, &e);
	}
	log_info("listening", "address", http_address(h), NULL);
	while (!sig_stopping())
		poll(&(struct pollfd){.fd = sig_fd(), .events = POLLIN}, 1, -1);
	drain(&o.service, h);
	stop(&o.service);
	return STATUS_OK;
}
