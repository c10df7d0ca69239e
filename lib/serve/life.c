/* life.c - a server from being ready to having drained. */
#include "lib/serve/life.h"

#include <poll.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/sig.h"
#include "lib/base/systemd.h"
#include "lib/serve/news.h"
#include "lib/serve/observe.h"
#include "lib/serve/tokens.h"

enum { DRAIN_POLL_MS = 10 };

/* The manager hears from the thread that would stop the server. */
static void tick(int64_t every_ms, int64_t *next)
{
	int64_t now = clock_mono_ms();
	if (every_ms && now >= *next) {
		systemd_notify("WATCHDOG=1");
		*next = now + every_ms / 2;
	}
}

static void doze(int64_t watchdog_ms, int64_t *next)
{
	nanosleep(&(struct timespec){.tv_nsec = DRAIN_POLL_MS * 1000000L}, NULL);
	tick(watchdog_ms, next);
}

static void drain(struct service *s, struct http *h, unsigned delay_s, int64_t watchdog_ms)
{
	int64_t next = 0;
	int64_t until = clock_mono_ms() + (int64_t)delay_s * 1000;
	systemd_notify("STOPPING=1\nSTATUS=answering what has been asked");
	atomic_store(&s->draining, true);
	news_end_streams(s->news);
	while (clock_mono_ms() < until)
		doze(watchdog_ms, &next);
	http_quiesce(h);
	news_end_waits(s->news);
	while (http_busy(h))
		doze(watchdog_ms, &next);
	observe_server(s->observe, NULL);
	http_stop(h);
}

/* A file that cannot be read or is wrong leaves all as it was. */
static void reload(struct service *s)
{
	struct err e;
	char n[24];
	if (!s->tokens) {
		log_info("nothing to read again: there is no --tokens", NULL);
	} else if (tokens_reload(s->tokens, &e) < 0) {
		log_error(e.msg, "tokens", "as before", NULL);
	} else {
		snprintf(n, sizeof n, "%zu", tokens_count(s->tokens));
		log_info("tokens read again", "tokens", n, NULL);
	}
}

void life_run(struct service *s, struct http *h, unsigned drain_delay_s, int hup)
{
	int64_t watchdog_ms = systemd_watchdog_ms(), next = 0;
	char state[256];
	snprintf(state, sizeof state, "READY=1\nSTATUS=listening on %s", http_address(h));
	log_info("listening", "address", http_address(h), NULL);
	systemd_notify(state);
	while (!sig_stopping()) {
		struct pollfd p[2] = {{.fd = sig_fd(), .events = POLLIN}, {.fd = hup, .events = POLLIN}};
		tick(watchdog_ms, &next);
		poll(p, COUNT_OF(p),
		    watchdog_ms ? (int)(watchdog_ms / 4 + 1 < INT32_MAX ? watchdog_ms / 4 + 1 : INT32_MAX) : -1);
		if (sig_hup_taken(hup))
			reload(s);
	}
	drain(s, h, drain_delay_s, watchdog_ms);
}
