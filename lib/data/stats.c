/* stats.c - what all stores share of their groups. */
#include "lib/data/stats.h"

#include <inttypes.h>

#include "lib/base/clock.h"
#include "lib/base/utf8.h"
#include "lib/json/items.h"
#include "lib/json/scan.h"
#include "lib/json/write.h"
#include "lib/text/hash.h"

enum { HOUR = 3600, DAY = 86400, WEEK_DAYS = 7, THURSDAY = 3, DIGITS = 6 };

/* ---- by what ---- */

static const char *const names[] = {[STATS_LABEL] = "label",
    [STATS_SOURCE] = "source",
    [STATS_MODEL] = "model",
    [STATS_TIME] = "time",
    [STATS_HOUR] = "hour",
    [STATS_DAY] = "day",
    [STATS_WEEK] = "week",
    [STATS_MONTH] = "month"};

int stats_add(struct stats_question *q, enum stats_key key, struct str member, struct err *e)
{
	static const char *const own[] = {"id", "text", "sentiment", "version"};
	for (size_t i = 0; i < COUNT_OF(own); i++)
		if (str_eq(member, str_of(own[i])))
			return err_set(e, ERR_USAGE, "messages are not grouped by '%s'", own[i]);
	if (q->nby == STATS_KEYS)
		return err_set(e, ERR_USAGE, "messages are grouped by at most %d things", STATS_KEYS);
	for (size_t i = 0; i < q->nby; i++)
		if (q->by[i].key == key && str_eq(q->by[i].member, member))
			return err_set(e, ERR_USAGE, "messages are grouped by one thing only once");
	if (key >= STATS_TIME && stats_period(q) < q->nby)
		return err_set(e, ERR_USAGE, "messages are grouped by one of time, hour, day, week and month");
	q->by[q->nby++] = (struct stats_by){key, member};
	return 0;
}

static int add_name(struct stats_question *q, struct str name, struct err *e)
{
	static const char prefix[] = "member:";
	size_t n = sizeof prefix - 1;
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (names[i] && str_eq(name, str_of(names[i])))
			return stats_add(q, (enum stats_key)i, STR_NONE, e);
	if (name.n >= n && memcmp(name.p, prefix, n) == 0)
		name = (struct str){name.p + n, name.n - n};
	if (!name.n)
		return err_set(e, ERR_USAGE, "what messages are grouped by has a name");
	return stats_add(q, STATS_MEMBER, name, e);
}

int stats_by(struct stats_question *q, struct str list, struct err *e)
{
	for (;;) {
		const char *comma = list.n ? memchr(list.p, ',', list.n) : NULL;
		size_t n = comma ? (size_t)(comma - list.p) : list.n;
		if (add_name(q, (struct str){list.p, n}, e) < 0)
			return -1;
		if (!comma)
			return 0;
		list = (struct str){comma + 1, list.n - n - 1};
	}
}

bool stats_step(struct str v, int64_t *ms)
{
	static const struct {
		char unit;
		int64_t seconds;
	} known[] = {{'s', 1}, {'m', 60}, {'h', HOUR}, {'d', DAY}, {'w', 7 * (int64_t)DAY}};
	uint64_t n = 0;
	for (size_t i = 0; i < COUNT_OF(known) && v.n > 1; i++)
		if (v.p[v.n - 1] == known[i].unit && str_u64((struct str){v.p, v.n - 1}, &n) == 0 && n >= 1 &&
		    n <= 100000) {
			*ms = (int64_t)n * known[i].seconds * 1000;
			return true;
		}
	return false;
}

/* ---- periods ---- */

size_t stats_period(const struct stats_question *q)
{
	size_t i = 0;
	while (i < q->nby && q->by[i].key < STATS_TIME)
		i++;
	return i;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Months since January 1970 of a day since 1970-01-01, and the first day of such a month (H. Hinnant,
 * "chrono-Compatible Low-Level Date Algorithms"). */
static int64_t month_of(int64_t day)
{
	int64_t z = day + 719468, era = floor_div(z, 146097), of_era = z - era * 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100), m = (5 * of_year + 2) / 153;
	return (year + era * 400 - 1970) * 12 + m + 2; /* its years begin in March */
}

static int64_t month_day(int64_t month)
{
	int64_t y = floor_div(month - 2, 12) + 1970, m = month - 2 - (y - 1970) * 12, era = floor_div(y, 400);
	int64_t year = y - era * 400, of_year = (153 * m + 2) / 5;
	return era * 146097 + year * 365 + year / 4 - year / 100 + of_year - 719468;
}

static int64_t hour_start(const struct stats_question *q, int64_t seconds)
{
	int64_t offset = q->zone ? zone_offset(q->zone, seconds) : 0;
	int64_t start = floor_div(seconds + offset, HOUR) * HOUR - offset;
	while (q->zone && zone_offset(q->zone, start) != offset)
		start++; /* clocks changed within the hour */
	return start;
}

int64_t stats_period_at(const struct stats_question *q, int64_t ms)
{
	int64_t seconds = floor_div(ms, 1000);
	enum stats_key key = q->by[stats_period(q)].key;
	if (key == STATS_TIME)
		return floor_div(ms, stats_step_of(q));
	if (key == STATS_HOUR)
		return hour_start(q, seconds);
	int64_t day = floor_div(seconds + (q->zone ? zone_offset(q->zone, seconds) : 0), DAY);
	return key == STATS_DAY ? day : key == STATS_WEEK ? floor_div(day + THURSDAY, WEEK_DAYS) : month_of(day);
}

static int64_t first_moment(const struct stats_question *q, int64_t number)
{
	enum stats_key key = q->by[stats_period(q)].key;
	if (key == STATS_TIME)
		return number * stats_step_of(q);
	if (key == STATS_HOUR)
		return number * 1000;
	int64_t day = key == STATS_DAY ? number : key == STATS_WEEK ? number * WEEK_DAYS - THURSDAY : month_day(number);
	return (q->zone ? zone_first(q->zone, day * DAY) : day * DAY) * 1000;
}

int64_t stats_period_start(const struct stats_question *q, int64_t number)
{
	int64_t ms = first_moment(q, number);
	return ms < TIME_FIRST ? TIME_FIRST : ms < TIME_END ? ms : TIME_END - 1;
}

/* ---- as they are shown ---- */

static void put_time(struct buf *out, int64_t ms)
{
	char time[TIME_LEN];
	time_format(ms, time);
	json_put_string(out, (struct str){time, TIME_LEN});
}

static void put_key(struct buf *out, const struct stats_question *q, const struct stats_group *g, size_t i)
{
	if (q->by[i].key >= STATS_TIME)
		put_time(out, g->start);
	else if (g->key[i].p)
		json_put_lossy(out, g->key[i]);
	else
		buf_str(out, STR("null"));
}

static void put_count(struct buf *out, struct str name, uint64_t n)
{
	json_put_name(out, name);
	buf_u64(out, n);
}

static void put_figure(struct buf *out, struct str name, bool has, double v)
{
	json_put_name(out, name);
	if (has)
		json_put_fixed(out, v, DIGITS);
	else
		buf_str(out, STR("null"));
}

static void put_figures(struct buf *out, const struct stats_group *g)
{
	put_count(out, STR("count"), g->count);
	put_figure(out, STR("mean"), g->has_mean, g->mean);
	put_figure(out, STR("stdev"), g->has_mean, g->stdev);
	put_count(out, STR("positive"), g->positive);
	put_count(out, STR("neutral"), g->neutral);
	put_count(out, STR("negative"), g->negative);
}

static void put_shares(struct buf *out, const struct stats_group *g)
{
	double all = (double)(g->positive + g->neutral + g->negative);
	json_put_name(out, STR("labels"));
	if (all == 0) {
		buf_str(out, STR("null"));
		return;
	}
	buf_char(out, '{');
	put_figure(out, STR("positive"), true, (double)g->positive / all);
	put_figure(out, STR("neutral"), true, (double)g->neutral / all);
	put_figure(out, STR("negative"), true, (double)g->negative / all);
	buf_char(out, '}');
}

void stats_put(struct buf *out, const struct stats_question *q, const struct stats_group *g)
{
	size_t period = stats_period(q);
	buf_char(out, '{');
	if (period < q->nby) {
		json_put_name(out, STR("start"));
		put_time(out, g->start);
	} else if (q->nby == 1) {
		json_put_name(out, STR("key"));
		put_key(out, q, g, 0);
	}
	json_put_name(out, STR("keys"));
	buf_char(out, '[');
	for (size_t i = 0; i < q->nby; i++) {
		if (i)
			buf_char(out, ',');
		put_key(out, q, g, i);
	}
	buf_char(out, ']');
	put_figures(out, g);
	put_shares(out, g);
	buf_char(out, '}');
}

/* The start of a period as people name it; hours and steps as moments. */
static void put_period(struct buf *out, const struct stats_question *q, enum stats_key key, int64_t ms)
{
	char time[TIME_LEN];
	int64_t local = ms + (q->zone ? zone_offset(q->zone, ms / 1000) * 1000 : 0);
	if (key < STATS_DAY || !time_in_range(local)) {
		put_time(out, ms);
		return;
	}
	time_format(local, time);
	json_put_string(out, (struct str){time, key == STATS_MONTH ? 7 : 10});
}

void stats_put_flat(struct buf *out, const struct stats_question *q, const struct stats_group *g)
{
	buf_char(out, '{');
	for (size_t i = 0; i < q->nby; i++) {
		enum stats_key key = q->by[i].key;
		json_put_name(out, key == STATS_MEMBER ? q->by[i].member : str_of(names[key]));
		if (key >= STATS_TIME)
			put_period(out, q, key, g->start);
		else
			put_key(out, q, g, i);
	}
	put_figures(out, g);
	buf_char(out, '}');
}

/* ---- places: [count, key...], a period as its first moment; a long one as its hash and [count, beginning...] ---- */

enum { PLACE_LONG = 1024, KEY_BEGINNING = 128, UTF8_MOST = 4 };

static void put_place(struct buf *out, const struct stats_question *q, const struct stats_group *g)
{
	buf_printf(out, "[%" PRIu64, g->count);
	for (size_t i = 0; i < q->nby; i++) {
		buf_char(out, ',');
		if (q->by[i].key >= STATS_TIME)
			buf_printf(out, "%" PRId64, g->start);
		else
			put_key(out, q, g, i);
	}
	buf_char(out, ']');
}

static struct str beginning(struct str key)
{
	return key.n <= KEY_BEGINNING ? key
				      : (struct str){key.p, utf8_valid_prefix((struct str){key.p, KEY_BEGINNING})};
}

static struct stats_group shortened(const struct stats_question *q, const struct stats_group *g)
{
	struct stats_group cut = *g;
	for (size_t i = 0; i < q->nby; i++)
		cut.key[i] = beginning(g->key[i]);
	return cut;
}

void stats_put_place(struct buf *out, const struct stats_question *q, const struct stats_group *g)
{
	struct buf whole = {0};
	put_place(&whole, q, g);
	if (whole.n <= PLACE_LONG) {
		buf_str(out, buf_view(&whole));
	} else {
		struct stats_group cut = shortened(q, g);
		hash_text(buf_view(&whole), buf_reserve(out, HASH_HEX));
		out->n += HASH_HEX;
		put_place(out, q, &cut);
	}
	buf_free(&whole);
}

static bool read_start(struct str item, int64_t *ms)
{
	uint64_t n;
	bool negative = item.n && item.p[0] == '-';
	if (str_u64((struct str){item.p + negative, item.n - negative}, &n) < 0 || n > (uint64_t)TIME_END)
		return false;
	*ms = negative ? -(int64_t)n : (int64_t)n;
	return time_in_range(*ms);
}

static bool read_key(struct str item, struct arena *mem, struct str *key)
{
	struct json_scan s = {0};
	*key = STR_NONE;
	if (str_eq(item, STR("null")))
		return true;
	struct str object = json_padded(mem, arena_printf(mem, "{\"k\":%.*s}", STR_FMT(item)));
	bool good = json_scan(&s, object) == 0 && s.n == 1 && s.member[0].type == JSON_STRING;
	if (good)
		*key = json_decode(&s.member[0], mem);
	json_scan_free(&s);
	return good;
}

bool stats_read_place(struct stats_question *q, struct str text, struct arena *mem)
{
	struct str item;
	size_t n = 0, hash = text.n > HASH_HEX && text.p[0] != '[' ? HASH_HEX : 0;
	q->after_hash = (struct str){text.p, hash};
	text = (struct str){text.p + hash, text.n - hash};
	if (!text.n || text.p[0] != '[')
		return false;
	struct json_items it = json_items(text);
	int rc;
	for (; (rc = json_items_next(&it, &item)) > 0 && n <= q->nby; n++) {
		bool good = n == 0			     ? str_u64(item, &q->after.count) == 0
			    : q->by[n - 1].key >= STATS_TIME ? read_start(item, &q->after.start)
							     : read_key(item, mem, &q->after.key[n - 1]);
		if (!good)
			return false;
	}
	q->has_after = rc == 0 && n == q->nby + 1 && it.p == text.p + text.n;
	return q->has_after;
}

/* True if the group's place, shortened, is the question's; *passed if no group after this one has that. */
static bool begins_alike(const struct stats_question *q, const struct stats_group *g, bool *passed)
{
	*passed = true;
	if (g->count != q->after.count || (stats_period(q) < q->nby && g->start != q->after.start))
		return false;
	for (size_t i = 0; i < q->nby; i++) {
		struct str wanted = q->after.key[i];
		if (q->by[i].key < STATS_TIME && !str_eq(beginning(g->key[i]), wanted))
			return false;
		/* Among keys that begin so, those that follow may be any. */
		*passed = *passed && wanted.n + UTF8_MOST <= KEY_BEGINNING;
	}
	return true;
}

static bool is_place_of(const struct stats_question *q, const struct stats_group *g)
{
	struct buf whole = {0};
	char hash[HASH_HEX];
	put_place(&whole, q, g);
	hash_text(buf_view(&whole), hash);
	buf_free(&whole);
	return str_eq(q->after_hash, (struct str){hash, HASH_HEX});
}

int stats_at_place(const struct stats_question *q, const struct stats_group *g)
{
	bool passed;
	if (begins_alike(q, g, &passed))
		return is_place_of(q, g);
	return passed ? -1 : 0;
}
