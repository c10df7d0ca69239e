/* serve_run.c - opens stores, caches and queues for the server's threads, and runs the server. */
#include "cmd/serve_run.h"

#include <malloc.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#include "cmd/run.h"
#include "cmd/schemes.h"
#include "lib/net/sqlite.h"
#include "lib/serve/tokens.h"
#include "lib/stage/follow.h"

enum { RETRY_MS = 2000, STORE_PAGES = 12 << 20 };

/* ---- handles for threads ---- */

static struct store *open_store(void *arg, struct err *e)
{
	const struct serve_options *o = arg;
	struct tool impatient = o->tool; /* clients are waiting: they get an error soon, and retry */
	impatient.retry_ms = RETRY_MS;
	/* Made once, when the server starts. A store that is away later is being restored, and an empty one in its
	 * place would spoil that: SQLite deletes the log beside an empty file. */
	static atomic_bool made;
	const enum store_mode first = o->server.read_only ? STORE_READ : STORE_CREATE;
	struct store *s =
	    store_open(&impatient, atomic_load(&made) && first == STORE_CREATE ? STORE_EXISTING : first, e);
	if (s)
		atomic_store(&made, true);
	return s;
}

static struct cache *open_cache(void *arg, struct err *e)
{
	const struct serve_options *o = arg;
	return cache_open(
	    o->tool.cache, &(struct cache_conf){.ttl_ms = o->tool.ttl_ms, .pending_ms = o->pending_ms}, e);
}

static struct sink *open_queue(void *arg, struct counts *c, struct err *e)
{
	struct serve_options *o = arg;
	struct end_conf conf = tool_ends(&o->tool);
	conf.retry_ms = RETRY_MS;
	conf.counts = c;
	conf.impatient = true;
	return end_sink(o->queue, LANE_OUT, &conf, e);
}

/* stdout gets the line for the file, stderr the token, which is stored nowhere. */
static int make_token(const struct tool *t, const char *wanted)
{
	struct buf token = {0}, line = {0};
	struct err e;
	if (tokens_make(wanted, &token, &line, &e) < 0)
		return tool_fail(t, &e);
	bool good = fwrite(line.p, 1, line.n, stdout) == line.n && fflush(stdout) == 0;
	if (good) {
		fprintf(stderr, "%.*s\n", (int)token.n, token.p);
	} else {
		err_sys(&e, "cannot write to stdout");
	}
	buf_free(&token);
	buf_free(&line);
	return good ? STATUS_OK : tool_fail(t, &e);
}

/* Returns what large requests took to the system: large blocks are always mapped individually, and threads share heaps.
 */
static void keep_heap_small(void)
{
	mallopt(M_MMAP_THRESHOLD, 128 << 10);
	mallopt(M_TRIM_THRESHOLD, 1 << 20);
	mallopt(M_ARENA_MAX, 4);
	sqlite_share_memory(STORE_PAGES);
}

/* The cache gets a quarter of the memory. */
static const char *default_cache(uint64_t memory)
{
	static char name[40];
	snprintf(name, sizeof name, "memory:%llu", (unsigned long long)memory / 4);
	return name;
}

/* Those that this process may use: `taskset` and a container's cpuset leave it some. */
static unsigned processors(void)
{
	cpu_set_t usable;
	long n = sched_getaffinity(0, sizeof usable, &usable) == 0 ? CPU_COUNT(&usable) : sysconf(_SC_NPROCESSORS_ONLN);
	return n < 1 ? 1 : n > 256 ? 256 : (unsigned)n;
}

/* A server that only reads takes no messages, and its store may be a replica, which is behind what others know. */
static int check_store(const struct serve_options *o, struct err *e)
{
	if (store_in_memory(o->tool.store))
		return err_set(e, ERR_USAGE,
		    "each of the server's threads would have a store in memory of its own; name a file, as in --store "
		    "sqlite:/tmp/senti.db");
	if (!o->server.read_only)
		return 0;
	if (o->queue)
		return err_set(e, ERR_USAGE, "--read-only takes no messages: it and --queue exclude each other");
	if (strncmp(o->tool.cache, "memory:", strlen("memory:")) != 0)
		return err_set(e, ERR_USAGE,
		    "--read-only needs a cache of its own, since a replica may be older than what a shared one holds: "
		    "leave out --cache and unset SENTI_REDIS");
	return 0;
}

int serve_run(struct serve_options *o)
{
	struct tool *t = &o->tool;
	if (!t->cache)
		t->cache = default_cache(o->server.memory);
	if (o->new_token)
		return make_token(t, o->new_token);
	struct err e;
	if (check_store(o, &e) < 0)
		return tool_fail(t, &e);
	char *reader = follow_reader(t->cache);
	struct server_conf *c = &o->server;
	c->ends =
	    (struct ends){.arg = o, .store = open_store, .cache = open_cache, .queue = o->queue ? open_queue : NULL};
	if (!c->cache_reader)
		c->cache_reader = reader;
	if (!c->jobs)
		c->jobs = processors();
	/* On one processor a second thread only delays the first, by whole time slices. */
	if (!c->http.threads)
		c->http.threads = processors() > 1 ? 2 : 1;
	c->limits = t->limits;
	c->drain_delay_s = t->drain_delay_s;
	if (o->cors[0])
		c->http.cors = o->cors;
	if (o->hosts[0])
		c->http.hosts = o->hosts;
	keep_heap_small();
	int rc = server_run(c, &e);
	free(reader);
	return rc < 0 ? tool_fail(t, &e) : STATUS_OK;
}
