/* windows_text.c - open windows and keys as the lines of a state, and back.
 *
 *     {"time":[GREATEST,WATERMARK,EMITTED]}
 *     {"of":KEY,"ewm":[N,SUM,AT,UNTIL],"alerted":0}           N and SUM as C's %a
 *     {"in":KEY,"at":[START,END,FIRST,LAST],"exact":{...}}     of a session FIRST and LAST are 0
 */
#include <math.h>

#include "lib/base/clock.h"
#include "lib/json/write.h"
#include "lib/window/windows_internal.h"

static int put_line(struct buf *line, const struct windows_writer *to, struct err *e)
{
	int rc = to->line(to->arg, buf_view(line), e);
	buf_clear(line);
	return rc;
}

static int save_key(const struct window_series *s, struct buf *b, const struct windows_writer *to, struct err *e)
{
	buf_str(b, STR("{\"of\":"));
	json_put_string(b, s->key);
	buf_printf(b, ",\"ewm\":[\"%a\",\"%a\",%lld,%lld],\"alerted\":%d}", s->ewm.n, s->ewm.sum, (long long)s->ewm.at,
	    (long long)s->ewm.until, s->alerted);
	return put_line(b, to, e);
}

static int save_pane(const struct pane *p, struct buf *b, const struct windows_writer *to, struct err *e)
{
	const struct window_slot *s = p->slot;
	buf_str(b, STR("{\"in\":"));
	json_put_string(b, p->series->key);
	buf_printf(b, ",\"at\":[%lld,%lld,%lld,%lld],\"exact\":", (long long)(s ? s->start : p->start),
	    (long long)(s ? s->end : p->end), (long long)(s ? s->first : 0), (long long)(s ? s->last : 0));
	aggregate_put_exact(&p->a, b);
	buf_char(b, '}');
	return put_line(b, to, e);
}

static int save_series(const struct windows *w, struct buf *b, const struct windows_writer *to, struct err *e)
{
	for (size_t i = 0; i < w->series.cap; i++)
		if (w->series.slot[i].key.p && save_key(w->series.slot[i].v.ptr, b, to, e) < 0)
			return -1;
	return 0;
}

static int save_slot(const struct window_slot *s, struct buf *b, const struct windows_writer *to, struct err *e)
{
	for (size_t i = 0; i < s->pane.cap; i++)
		if (s->pane.slot[i].key.p && save_pane(s->pane.slot[i].v.ptr, b, to, e) < 0)
			return -1;
	return 0;
}

int windows_save(struct windows *w, const struct windows_writer *to, struct err *e)
{
	struct buf b = {0};
	buf_printf(
	    &b, "{\"time\":[%lld,%lld,%lld]}", (long long)w->greatest, (long long)w->watermark, (long long)w->emitted);
	int rc = put_line(&b, to, e);
	if (rc == 0)
		rc = save_series(w, &b, to, e);
	for (size_t i = 0; rc == 0 && i < w->slots; i++)
		rc = save_slot(w->slot[i], &b, to, e);
	for (size_t i = 0; rc == 0 && i < w->heap.n; i++)
		if (!w->heap.pane[i]->dead)
			rc = save_pane(w->heap.pane[i], &b, to, e);
	buf_free(&b);
	return rc;
}

/* ---- in ---- */

/* So far from 1970 are times of a state at most, or they are INT64_MIN or INT64_MAX: nothing here overflows. */
#define FAR_TIME ((int64_t)1 << 58)

static int times(const struct str *item, int64_t *t, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int128 v;
		if (number_whole(item[i], (uint128)1 << 63, &v) < 0 || v > INT64_MAX)
			return -1;
		t[i] = (int64_t)v;
		if ((t[i] > FAR_TIME && t[i] != INT64_MAX) || (t[i] < -FAR_TIME && t[i] != INT64_MIN))
			return -1;
	}
	return 0;
}

static struct str value(const struct json_scan *s, struct str name)
{
	const struct json_member *m = json_find(s, name);
	return m ? m->value : STR_NONE;
}

static int restore_key(struct windows *w, struct str key, const struct json_scan *s)
{
	struct str item[4];
	int64_t t[2];
	if (number_items(value(s, STR("ewm")), item, 4) < 0 || item[0].n < 3 || item[1].n < 3 ||
	    times(item + 2, t, 2) < 0)
		return -1;
	struct tally_over_time ewm = {strtod(item[0].p + 1, NULL), strtod(item[1].p + 1, NULL), t[0], t[1]};
	bool begun = ewm.until != INT64_MIN;
	if (!isfinite(ewm.n) || !isfinite(ewm.sum) || ewm.n < 0 || (begun && (t[0] == INT64_MIN || t[0] == INT64_MAX)))
		return -1;
	struct window_series *series = windows_series(w, key);
	series->ewm = ewm;
	series->alerted = str_eq(value(s, STR("alerted")), STR("1"));
	return 0;
}

/* A span that these windows have. */
static bool fits(const struct windows_conf *c, const int64_t t[4])
{
	int64_t start = t[0], end = t[1], first = t[2], last = t[3];
	if (!time_in_range(start) || !time_in_range(end) || start >= end)
		return false;
	if (c->shape == SHAPE_SESSIONS)
		return first == 0 && last == 0;
	if (c->shape != SHAPE_STEPS)
		return first == end && last == end;
	return end - start == c->every_ms && last - start == c->of_ms && first > start && first <= last &&
	       (first - start) % c->every_ms == 0 && time_in_range(last) && time_in_range(first - c->of_ms);
}

static int restore_pane(struct windows *w, struct str key, struct json_scan *s, struct arena *mem)
{
	struct str item[4], exact = value(s, STR("exact"));
	int64_t t[4];
	const char *why;
	if (number_items(value(s, STR("at")), item, 4) < 0 || times(item, t, 4) < 0 || !exact.p || !fits(w->conf, t))
		return -1;
	struct aggregate a = {0};
	int rc = aggregate_read(&a, &w->conf->aggregate, exact, s, mem, &why);
	struct pane *p = rc == 0 ? windows_adopt(w, key, &(struct window_slot){t[0], t[1], t[2], t[3], {0}}) : NULL;
	if (!p) {
		aggregate_free(&a, &w->conf->aggregate);
		return -1;
	}
	p->a = a;
	w->used += aggregate_bytes(&a);
	return 0;
}

static int restore_times(struct windows *w, struct str array)
{
	struct str item[3];
	int64_t t[3];
	if (number_items(array, item, 3) < 0 || times(item, t, 3) < 0)
		return -1;
	w->greatest = t[0];
	w->watermark = t[1];
	w->emitted = t[2];
	return 0;
}

int windows_restore(struct windows *w, struct str line, struct json_scan *s, struct arena *mem)
{
	if (json_scan(s, line) < 0)
		return -1;
	if (json_find(s, STR("time")))
		return restore_times(w, value(s, STR("time")));
	const struct json_member *of = json_find(s, STR("of")), *in = json_find(s, STR("in"));
	const struct json_member *key = of ? of : in;
	if (!key || key->type != JSON_STRING)
		return -1;
	struct str decoded = json_decode(key, mem);
	return of ? restore_key(w, decoded, s) : restore_pane(w, decoded, s, mem);
}
