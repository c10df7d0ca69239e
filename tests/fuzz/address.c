/* address.c - addresses and times as people type them. The first byte chooses what the rest is; an address of AMQP
 * may be followed by a line with that of the usual broker. What is shown of an address holds no password, and a time
 * that is read is written as one that reads the same. */
#include "lib/base/clock.h"
#include "lib/base/redact.h"
#include "lib/base/url.h"
#include "lib/ingest/timeparse.h"
#include "lib/net/amqp.h"
#include "lib/net/amqp_address.h"
#include "lib/net/redis_link.h"
#include "tests/fuzz/lib/check.h"

/* Long enough not to stand elsewhere by chance, and not the same as another part. */
static bool is_telling(const char *password, const char *address)
{
	const char *first = password && strlen(password) > 8 ? strstr(address, password) : NULL;
	return first && !strstr(first + 1, password);
}

static void check_url(const char *s)
{
	struct url u;
	struct err e = {0};
	char *shown = redact(s);
	CHECK(shown);
	if (url_parse(&u, s, &e) == 0) {
		if (is_telling(u.password, s))
			CHECK(!strstr(shown, u.password));
		for (size_t i = 0; i < u.nargs; i++)
			CHECK(url_arg(&u, u.arg[i].name));
		url_free(&u);
	} else {
		CHECK(e.msg[0]);
	}
	free(shown);
}

static void check_amqp(struct str in)
{
	struct amqp_address a;
	struct err e = {0};
	char *end = str_dup(fuzz_line(&in)), *broker = in.n ? str_dup(in) : NULL, *dead = amqp_dead_end(end);
	if (amqp_address_parse(&a, end, broker, &e) == 0) {
		CHECK(!a.queue == !!a.exchange && a.heartbeat_s >= 1);
		for (size_t i = 0; i <= a.nothers; i++) {
			CHECK(a.at.host && a.at.port);
			if (is_telling(a.password, strstr(end, "://") ? end : broker ? broker : ""))
				CHECK(!strstr(a.at.shown, a.password));
			amqp_address_turn(&a);
		}
		amqp_address_free(&a);
	} else {
		CHECK(e.msg[0]);
	}
	free(dead);
	free(broker);
	free(end);
}

static void check_redis(const char *s)
{
	struct redis_address a;
	struct err e = {0};
	if (redis_address_parse(&a, s, &e) < 0) {
		CHECK(e.msg[0]);
		return;
	}
	CHECK(a.shown && !a.nhosts == !!a.path && (!a.primary || a.nhosts));
	if (is_telling(a.password, s))
		CHECK(!strstr(a.shown, a.password));
	redis_address_free(&a);
}

static void check_time(struct str s)
{
	enum { NOW_MS = 1700000000 };
	char out[TIME_LEN];
	int64_t ms, again;
	if (time_parse(s, &ms) == 0) {
		time_format(ms, out);
		CHECK(time_parse((struct str){out, TIME_LEN}, &again) == 0 && again == ms);
	}
	if (timeparse_read(s, NOW_MS * INT64_C(1000), out) == TIMEPARSE_WRITTEN)
		CHECK(time_parse((struct str){out, TIME_LEN}, &again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = fuzz_input(data, size);
	uint8_t kind = fuzz_byte(&in);
	char *s = fuzz_cstr(in);
	if (!s)
		return 0;
	switch (kind % 4) {
	case 0:
		check_url(s);
		break;
	case 1:
		check_amqp((struct str){s, in.n});
		break;
	case 2:
		check_redis(s);
		break;
	default:
		check_time((struct str){s, in.n});
	}
	free(s);
	return 0;
}
