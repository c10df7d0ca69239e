/* redis.c - what a Redis may answer: whatever the bytes, each call ends with a state for each entry, or with a
 * reason, and reads no reply that is not there. The first byte chooses the call; with bit 6 a good greeting comes
 * before the rest, and with bit 7 a Sentinel is asked first. Connecting, sending and receiving are played here. */
#include <errno.h>
#include <hiredis/hiredis.h>
#include <sys/socket.h>

#include "lib/base/log.h"
#include "lib/json/scan.h"
#include "lib/net/redis.h"
#include "tests/fuzz/lib/check.h"

enum { GREETED = 64, BY_SENTINEL = 128, PIECE = 17 };

static struct str coming[3]; /* what a Sentinel says, the greeting, the input, as far as they have not been received */

redisContext *redisConnectUnixWithTimeout(const char *path, const struct timeval t)
{
	(void)path, (void)t;
	return redisConnectFd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

redisContext *redisConnectWithTimeout(const char *host, int port, const struct timeval t)
{
	(void)host, (void)port, (void)t;
	return redisConnectFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

ssize_t send(int fd, const void *p, size_t n, int flags)
{
	(void)fd, (void)p, (void)flags;
	return (ssize_t)n;
}

ssize_t recv(int fd, void *p, size_t n, int flags)
{
	(void)fd;
	if (flags & MSG_PEEK) {
		errno = EAGAIN;
		return -1;
	}
	size_t part = 0;
	while (part + 1 < COUNT_OF(coming) && !coming[part].n)
		part++;
	struct str piece = fuzz_cut(&coming[part], n < PIECE ? n : PIECE);
	memcpy(p, piece.p, piece.n);
	return (ssize_t)piece.n;
}

static void get(struct cache *c)
{
	struct entry entry[] = {{.kind = ENTRY_MESSAGE, .key = STR("senti:m:1")},
	    {.kind = ENTRY_RESULT, .key = STR("senti:s:x")}, {.kind = ENTRY_MESSAGE, .key = STR("senti:m:2")}};
	struct entry *const list[] = {&entry[0], &entry[1], &entry[2]};
	struct arena mem = {0};
	struct err e;
	CHECK(c->get(c, list, COUNT_OF(list), &mem, &e) == 0);
	for (size_t i = 0; i < COUNT_OF(entry); i++) {
		const struct entry *en = &entry[i];
		CHECK(en->state == ENTRY_HIT || en->state == ENTRY_MISS || en->state == ENTRY_ABSENT ||
		      en->state == ENTRY_SKIPPED);
		CHECK(en->state != ENTRY_HIT || (en->value.p && en->value.p[en->value.n + JSON_PAD - 1] == 0));
		CHECK(en->read_at >= (en->state == ENTRY_SKIPPED ? -1 : 0));
	}
	arena_free(&mem);
}

static void put(struct cache *c)
{
	struct entry entry[] = {{.kind = ENTRY_MESSAGE,
				    .key = STR("senti:m:3"),
				    .value = STR("{\"id\":\"3\"}"),
				    .version = 4,
				    .read_at = 5},
	    {.kind = ENTRY_RESULT, .key = STR("senti:s:y"), .value = STR("{}")},
	    {.kind = ENTRY_MESSAGE, .key = STR("senti:m:4")}};
	struct entry *const list[] = {&entry[0], &entry[1], &entry[2]};
	struct err e;
	CHECK(c->put(c, list, COUNT_OF(list), &e) == 0);
	for (size_t i = 0; i < COUNT_OF(entry); i++)
		CHECK(entry[i].state == ENTRY_STORED || entry[i].state == ENTRY_REFUSED ||
		      entry[i].state == ENTRY_SKIPPED);
}

static void invalidate(struct cache *c)
{
	static const struct change change[] = {
	    {.id = STR("1"), .version = 3}, {.id = STR("2"), .version = 0}, {.id = STR("3"), .version = UINT64_MAX}};
	struct err e = {0};
	CHECK(c->invalidate(c, change, COUNT_OF(change), &e) == 0 || e.msg[0]);
}

static void sample(struct cache *c)
{
	enum { MOST = 50 };
	struct str id[MOST];
	struct arena mem = {0};
	struct err e = {0};
	int n = c->sample(c, id, MOST, &mem, &e);
	CHECK(n >= 0 ? n <= MOST : e.msg[0]);
	for (int i = 0; i < n; i++)
		CHECK(id[i].p && id[i].p[id[i].n] == 0);
	arena_free(&mem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
#define TIME_REPLY "*2\r\n$10\r\n1700000000\r\n$6\r\n123456\r\n"
	static const struct str
	    greeting = STR(TIME_REPLY "$20\r\n# Memory\nmaxmemory:0\r\n$12\r\nrun_id:abcde\r\n"),
	    of_primary =
		STR(TIME_REPLY "$55\r\nrun_id:abcdef0123\nmaster_replid:0123456789\nrole:master\n\r\n*1\r\n$-1\r\n"),
	    of_sentinel = STR("*2\r\n$9\r\n127.0.0.1\r\n$4\r\n6379\r\n*2\r\n$12\r\nconfig-epoch\r\n$1\r\n1\r\n");
	static bool quiet;
	struct str in = fuzz_input(data, size);
	struct err e = {0};
	struct cache_stats stats;
	uint8_t call = fuzz_byte(&in);
	if (!quiet)
		log_init("fuzz", LOG_ERROR, LOG_PLAIN);
	quiet = true;
	bool greeted = call & GREETED, by_sentinel = call & BY_SENTINEL;
	coming[0] = greeted && by_sentinel ? of_sentinel : STR("");
	coming[1] = !greeted ? STR("") : by_sentinel ? of_primary : greeting;
	coming[2] = in;
	struct cache *c =
	    redis_cache(by_sentinel ? "redis+sentinel://h/senti?timeout=60000" : "unix:/redis.sock", NULL, &e);
	CHECK(c);
	switch (call % 6) {
	case 0:
		get(c);
		break;
	case 1:
		put(c);
		break;
	case 2:
		invalidate(c);
		break;
	case 3:
		CHECK(c->stats(c, &stats, &e) == 0 || e.msg[0]);
		break;
	case 4:
		sample(c);
		break;
	default:
		CHECK(c->clock(c) >= -1);
		get(c);
	}
	CHECK(!coming[1].n); /* else the greeting was not good, or the Sentinel's answer was refused */
	c->close(c);
	return 0;
}
