/* Groups of rows (lib/data/stats.h) over every store: by what, in which periods of which zone, page by page; and drawn
 * rows against what a plain program makes of them. */
#include "tests/unit/stores.h"

#include <math.h>

#include "lib/base/clock.h"
#include "lib/window/calendar.h"

enum { MOST = 4096, ROWS = 700 };

static struct stats_group group[MOST];

static void write_group(struct buf *out, const struct stats_question *q, const struct stats_group *g)
{
	for (size_t i = 0; i < q->nby; i++) {
		char start[TIME_LEN];
		bool period = q->by[i].key >= STATS_TIME;
		if (period)
			time_format(g->start, start);
		struct str key = period ? (struct str){start, TIME_LEN} : g->key[i].p ? g->key[i] : STR("-");
		buf_printf(out, "%.*s%s", STR_FMT(key), i + 1 < q->nby ? "|" : "");
	}
	buf_printf(out, "=%d(%d/%d/%d)", (int)g->count, (int)g->positive, (int)g->neutral, (int)g->negative);
	if (g->has_mean)
		buf_printf(out, "%.2f~%.2f", g->mean, g->stdev);
	buf_char(out, ' ');
}

/* All pages of `page` groups as "key|key=count(positive/neutral/negative)mean~stdev ". */
static struct str groups_of(struct store *s, struct stats_question q, size_t page)
{
	static struct buf out, place;
	int n;
	buf_clear(&out);
	while ((n = store_groups(s, &q, group, page, &mem, &e)) > 0) {
		for (int i = 0; i < n; i++)
			write_group(&out, &q, &group[i]);
		buf_clear(&place);
		stats_put_place(&place, &q, &group[n - 1]);
		if (!stats_read_place(&q, arena_str(&mem, buf_view(&place)), &mem)) {
			ok(false, "%.*s is a place", STR_FMT(buf_view(&place)));
			break;
		}
		if (q.nby == 0)
			break;
	}
	if (n < 0)
		buf_printf(&out, "(%s)", e.msg);
	buf_reserve(&out, 1);
	return buf_view(&out);
}

static struct stats_question by(const struct filter *f, const char *list)
{
	struct stats_question q = {.filter = f};
	if (*list && stats_by(&q, str_of(list), &e) < 0)
		ok(false, "by %s: %s", list, e.msg);
	return q;
}

static void are_groups(struct store *s, const struct filter *f, const char *list, const char *want, const char *what)
{
	for (size_t page = 1; page <= 16; page *= 4)
		is_str(groups_of(s, by(f, list), page), str_of(want), "%s, %zu a page", what, page);
}

static void put_at(struct store *s, const char *id, const char *label, const char *time, const char *source)
{
	struct message m = label ? scored(id, "x", label, "m-1@1") : message(id, "x");
	m.score = label && strcmp(label, "negative") == 0 ? -1 : 0.5;
	m.has_time = time && time_parse(str_of(time), &m.time) == 0;
	m.source = str_of(source);
	if (put_one(s, &m) < 0)
		ok(false, "put %s: %s", id, e.msg);
}

static void test_keys(struct store *s)
{
	struct filter all = {0}, only = {.source = STR("x")}, since = {.has_since = true};
	put_at(s, "1", "positive", "2026-01-01T00:10:00Z", "x");
	put_at(s, "2", "positive", "2026-01-01T00:50:00.999Z", "y");
	put_at(s, "3", "negative", "2026-01-01T01:00:00Z", "x");
	put_at(s, "4", NULL, "1969-12-31T23:59:59.5Z", "x");
	put_at(s, "5", "positive", NULL, NULL);
	are_groups(s, &all, "", "=5(3/0/1)0.12~0.65 ", "all of them");
	are_groups(s, &all, "label", "positive=3(3/0/0)0.50~0.00 negative=1(0/0/1)-1.00~0.00 -=1(0/0/0) ",
	    "by label, the largest first");
	are_groups(s, &only, "model", "m-1@1=2(1/0/1)-0.25~0.75 -=1(0/0/0) ", "by model, of one source");
	are_groups(s, &all, "time",
	    "1969-12-31T23:00:00.000Z=1(0/0/0) 2026-01-01T00:00:00.000Z=2(2/0/0)0.50~0.00 "
	    "2026-01-01T01:00:00.000Z=1(0/0/1)-1.00~0.00 ",
	    "by hours, in their order, also before 1970; without those that have no time");
	(void)!time_parse(STR("2026-01-01T00:50:00.999Z"), &since.since);
	are_groups(s, &since, "day", "2026-01-01T00:00:00.000Z=2(1/0/1)-0.25~0.75 ", "by days, since a moment");
	are_groups(s, &all, "source,label",
	    "x|negative=1(0/0/1)-1.00~0.00 x|positive=1(1/0/0)0.50~0.00 x|-=1(0/0/0) y|positive=1(1/0/0)0.50~0.00 "
	    "-|positive=1(1/0/0)0.50~0.00 ",
	    "by two, equal ones in the order of their keys, without one last");
	are_groups(s, &all, "source,month",
	    "x|1969-12-01T00:00:00.000Z=1(0/0/0) x|2026-01-01T00:00:00.000Z=2(1/0/1)-0.25~0.75 "
	    "y|2026-01-01T00:00:00.000Z=1(1/0/0)0.50~0.00 ",
	    "by source and month, months first");
}

static void test_members(struct store *s)
{
	static const char *const extra[] = {"{\"product\":\"a\"}", "{\"product\":\"b,\\\"\\\\ü\"}",
	    "{\"product\":1.50}", "{\"product\":true}", "{\"product\":null}", "{\"product\":{\"x\":1}}",
	    "{\"other\":\"a\"}", NULL, "{\"product\":\"a\",\"label\":\"own\"}", "{\"product\":\"\"}"};
	struct filter all = {0}, some = {.text = STR("Row N")}, none = {.text = STR("row no")};
	for (size_t i = 0; i < COUNT_OF(extra); i++) {
		char id[8];
		snprintf(id, sizeof id, "m%zu", i);
		struct message m = message(id, i % 2 ? "a ROW n" : "another");
		if (extra[i])
			m.extra = json(extra[i]);
		ok(put_one(s, &m) == 0, "stored (%s)", e.msg);
	}
	are_groups(s, &all, "product", "-=4(0/0/0) a=2(0/0/0) =1(0/0/0) 1.50=1(0/0/0) b,\"\\ü=1(0/0/0) true=1(0/0/0) ",
	    "by a member: text, numbers and truth as spelled, nothing else");
	are_groups(s, &all, "member:label", "-=9(0/0/0) own=1(0/0/0) ", "by a member with the name of a column");
	are_groups(
	    s, &some, "product", "-=2(0/0/0) =1(0/0/0) b,\"\\ü=1(0/0/0) true=1(0/0/0) ", "of messages with a text");
	are_groups(s, &none, "product", "", "of none");
	char many[300];
	memset(many, 'a', sizeof many);
	struct message m = {.id = STR("long"), .text = {many, sizeof many}};
	ok(put_one(s, &m) == 0, "a long text");
	struct filter longer = {.text = {many, sizeof many}};
	are_groups(s, &longer, "label", "-=1(0/0/0) ", "of messages with a long text");
	many[299] = 'b';
	are_groups(s, &longer, "label", "", "which is looked at to its end");
}

/* A product whose name is too long for an address. */
static void put_long(struct store *s, size_t nth, size_t begins_as, size_t bytes)
{
	char id[16];
	struct buf extra = {0};
	snprintf(id, sizeof id, "long%zu", nth);
	struct message m = message(id, "x");
	buf_printf(&extra, "{\"product\":\"%zu", begins_as);
	while (extra.n < bytes)
		buf_str(&extra, STR("ü"));
	buf_printf(&extra, "%zu\",\"kind\":\"%zu\"}", nth, nth * 3 % 5);
	m.extra = json(arena_str(&mem, buf_view(&extra)).p);
	ok(put_one(s, &m) == 0, "stored (%s)", e.msg);
	buf_free(&extra);
}

static void test_long_keys(struct store *s)
{
	enum { LONG = 250 };
	struct filter all = {0};
	struct buf place = {0};
	for (size_t i = 0; i < LONG; i++)
		put_long(s, i, i / 120, i % 5 ? 3000 : 0);
	static const char *const lists[] = {"kind,product", "product,kind"};
	struct stats_question q;
	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		q = by(&all, lists[i]);
		struct str whole = arena_str(&mem, groups_of(s, q, MOST));
		is_str(groups_of(s, q, 1), whole, "long keys, one a page");
		is_str(groups_of(s, q, 7), whole, "long keys, seven a page");
	}
	ok(s->aggregate(s, &q, group, MOST, &mem, &e) == LONG, "each is a group");
	stats_put_place(&place, &q, &group[LONG - 2]);
	ok(place.n < 2048, "a place is short: %zu bytes", place.n);
	struct message last = {.id = STR("none")}, *gone = &last;
	struct str end = group[LONG - 1].key[0];
	size_t nth = (size_t)strtoul(group[LONG - 2].key[0].p + group[LONG - 2].key[0].n - 3, NULL, 10);
	last.id = arena_printf(&mem, "long%zu", nth);
	ok(remove_rows(s, &gone, 1) == 0, "that group goes");
	ok(stats_read_place(&q, arena_str(&mem, buf_view(&place)), &mem), "its place is read");
	int n = store_groups(s, &q, group, MOST, &mem, &e);
	ok(n > 1 && str_eq(group[n - 1].key[0], end), "those that begin alike come again: %d", n);
	buf_free(&place);
}

/* ---- what a plain program makes of them ---- */

static uint32_t random_state;

static uint32_t draw(uint32_t below)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % below;
}

static struct message row[ROWS];

static void draw_rows(struct store *s)
{
	static const char *const source[] = {"web", "app", "shop, \"x\"", "Ä", NULL},
				 *const extra[] = {"{\"p\":\"1\"}", "{\"p\":1}", "{\"p\":\"Z\"}", "{\"p\":\"a\"}",
				     NULL},
				 *const label[] = {"positive", "neutral", "negative"};
	/* Around changes of clocks, and far off. */
	static const int64_t at[] = {1711846800, 1729990800, 1541300400, 1699160400, 1712415600, 1325203200, 0,
	    -5000000000, 32503680000, 95617584000, -60000000000};
	random_state = 7;
	struct message *list[ROWS];
	for (size_t i = 0; i < ROWS; i++) {
		char id[8];
		snprintf(id, sizeof id, "r%zu", i);
		struct message m = scored("", "x", label[draw(3)], draw(2) ? "m@1" : "m@2");
		m.id = arena_printf(&mem, "%s", id);
		m.score = (double)draw(2049) / 1024 - 1; /* so that sums are exact in any order */
		m.source = str_of(source[draw(5)]);
		const char *more = extra[draw(5)];
		m.extra = more ? json(more) : STR_NONE;
		m.has_time = draw(10) > 0;
		m.time = at[draw(COUNT_OF(at))] * 1000 + ((int64_t)draw(4000000) - 2000000) * 90 + draw(1000);
		row[i] = m;
		list[i] = &row[i];
	}
	ok(store_put(s, list, ROWS, &mem, &e) == 0, "%d rows are stored (%s)", ROWS, e.msg);
}

static struct str key_of(const struct message *m, const struct stats_by *b)
{
	struct json_scan scan = {0};
	struct str key = b->key == STATS_LABEL	  ? m->label
			 : b->key == STATS_SOURCE ? m->source
			 : b->key == STATS_MODEL  ? m->model
			 : m->extra.p		  ? message_member(m->extra, b->member, &scan, &mem)
						  : STR_NONE;
	json_scan_free(&scan);
	return key;
}

static const struct stats_question *sorted_by;

static int compare(const void *a, const void *b)
{
	const struct stats_group *x = a, *y = b;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	for (size_t i = 0; i < sorted_by->nby; i++) {
		int c = !x->key[i].p || !y->key[i].p ? (!x->key[i].p) - (!y->key[i].p) : str_cmp(x->key[i], y->key[i]);
		if (c)
			return c;
	}
	return 0;
}

static bool same_group(const struct stats_group *x, const struct stats_group *y, size_t nby)
{
	bool same = x->start == y->start;
	for (size_t i = 0; i < nby && same; i++)
		same = !x->key[i].p == !y->key[i].p && (!x->key[i].p || str_eq(x->key[i], y->key[i]));
	return same;
}

/* The group's figures, with sums in place of means. */
static void add_row(struct stats_group *all, size_t *n, const struct stats_question *q, const struct message *m)
{
	struct stats_group g = {.count = 1, .has_mean = true};
	size_t period = stats_period(q), i = 0;
	if (period < q->nby) {
		if (!m->has_time)
			return;
		g.start = stats_period_start(q, stats_period_at(q, m->time));
	}
	for (size_t k = 0; k < q->nby; k++)
		if (k != period)
			g.key[k] = key_of(m, &q->by[k]);
	while (i < *n && !same_group(&all[i], &g, q->nby))
		i++;
	if (i == *n)
		all[(*n)++] = (struct stats_group){.start = g.start, .has_mean = true};
	memcpy(all[i].key, g.key, sizeof g.key);
	all[i].count++;
	all[i].mean += m->score;
	all[i].stdev += m->score * m->score;
	all[i].positive += str_eq(m->label, STR("positive"));
	all[i].neutral += str_eq(m->label, STR("neutral"));
	all[i].negative += str_eq(m->label, STR("negative"));
}

static struct str expected(const struct stats_question *q)
{
	static struct stats_group all[MOST];
	static struct buf out;
	size_t n = 0;
	for (size_t i = 0; i < ROWS; i++)
		add_row(all, &n, q, &row[i]);
	sorted_by = q;
	qsort(all, n, sizeof *all, compare);
	buf_clear(&out);
	for (size_t i = 0; i < n; i++) {
		all[i].mean /= (double)all[i].count;
		double variance = all[i].stdev / (double)all[i].count - all[i].mean * all[i].mean;
		all[i].stdev = variance > 0 ? sqrt(variance) : 0;
		write_group(&out, q, &all[i]);
	}
	buf_reserve(&out, 1);
	return buf_view(&out);
}

static const char *const zones[] = {"UTC", "Europe/Berlin", "America/Sao_Paulo", "America/Havana",
    "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kolkata", "NZST-12NZDT,M9.5.0,M4.1.0/3"};

static void test_drawn(struct store *s)
{
	static const char *const lists[] = {"hour", "day", "week", "month", "time", "source,p", "month,source",
	    "p,week,label", "model,label,source,p", "day,p,model,source,label"};
	struct filter all = {0};
	draw_rows(s);
	for (size_t z = 0; z < COUNT_OF(zones); z += 2) {
		struct zone *zone = zone_open(str_of(zones[z]), &e);
		for (size_t i = 0; i < COUNT_OF(lists); i++) {
			struct stats_question q = by(&all, lists[i]);
			q.zone = zone;
			q.step_ms = 7 * 3600000 + 1000;
			is_str(
			    groups_of(s, q, z ? MOST : 40), expected(&q), "drawn rows by %s in %s", lists[i], zones[z]);
		}
		zone_free(zone);
	}
}

static void suite(const struct kind *k)
{
	static void (*const tests[])(struct store *) = {test_keys, test_members, test_long_keys, test_drawn};
	for (size_t part = 0; part < COUNT_OF(tests); part++) {
		struct store *s = k->open(k->path, STORE_CREATE, &e);
		if (!ok(s != NULL, "%s opens (%s)", k->name, e.msg))
			return;
		tests[part](s);
		/* the next suite wants it empty */
		static struct message m[MOST];
		struct message *list[MOST];
		int n = s->query(s, &(struct filter){0}, m, MOST, 1 << 20, &mem, &e);
		for (int i = 0; i < n; i++)
			list[i] = &m[i];
		ok(n > 0 && remove_rows(s, list, (size_t)n) == 0, "the rows go (%s)", e.msg);
		uint64_t ignored;
		ok(s->outbox->prune(s->outbox, clock_wall_ms() + 1000, &ignored, &e) == 0 && s->close(s, &e) == 0,
		    "emptied and closed (%s)", e.msg);
	}
}

/* ---- without a store ---- */

/* Periods begin where those of senti-window do, which asks the C library. */
static void test_periods(void)
{
	static const enum period same[] = {PERIOD_HOUR, PERIOD_DAY, PERIOD_WEEK, PERIOD_MONTH};
	static const char *const lists[] = {"hour", "day", "week", "month"};
	struct filter all = {0};
	random_state = 3;
	for (size_t z = 0; z < COUNT_OF(zones); z++) {
		struct zone *zone = zone_open(str_of(zones[z]), &e);
		int wrong = !zone || zone_use(zones[z], &e) < 0;
		for (int i = 0; i < 20000 && zone; i++) {
			size_t k = draw(COUNT_OF(same));
			int64_t ms = 86400000 * (int64_t)(800 + draw(40000)) + (int64_t)draw(16000000) * 10, start, end;
			struct stats_question q = by(&all, lists[k]);
			q.zone = zone;
			calendar_span(same[k], ms, &start, &end);
			wrong += stats_period_start(&q, stats_period_at(&q, ms)) != start;
		}
		ok(wrong == 0, "periods in %s begin where windows do (%d do not)", zones[z], wrong);
		zone_free(zone);
	}
}

static void test_lists(void)
{
	static const char *const bad[] = {"", "label,", ",label", "label,label", "p,member:p", "day,week", "id",
	    "p,text", "member:", "a,b,c,d,e,f,g,h,i"};
	struct filter all = {0};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct stats_question q = {.filter = &all};
		ok(stats_by(&q, str_of(bad[i]), &e) < 0 && e.kind == ERR_USAGE, "not by '%s': %s", bad[i], e.msg);
	}
	struct stats_question q = by(&all, "label,member:label,month");
	ok(q.nby == 3 && q.by[0].key == STATS_LABEL && q.by[1].key == STATS_MEMBER && stats_period(&q) == 2,
	    "a list of three");
	static const char *const places[] = {"", "[]", "[1]", "[1,\"a\",null]", "[1,\"a\",null,x]",
	    "[1,\"a\",null,1,2]", "[1,\"a\",null,1] ", "[1,a,null,1]", "[-1,\"a\",null,1]", "[1,\"a\",1,1]",
	    "[1,\"a\",null,999999999999999]"};
	for (size_t i = 0; i < COUNT_OF(places); i++)
		ok(!stats_read_place(&q, str_of(places[i]), &mem), "'%s' is not a place", places[i]);
	ok(stats_read_place(&q, STR("[1,\"a\",null,-1]"), &mem) && q.after.count == 1 && q.after.start == -1 &&
		str_eq(q.after.key[0], STR("a")) && !q.after.key[1].p,
	    "a place");
}

int main(void)
{
	test_periods();
	test_lists();
	stores_each(suite);
	return tap_done();
}
