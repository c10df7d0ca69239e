/* windows_text.c - open windows and keys as the lines of a state, and back.
 *
 *     {"time":[GREATEST,WATERMARK,EMITTED]}
 *     {"of":KEY,"ewm":[N,SUM,AT,UNTIL],"alerted":0}           N and SUM as C's %a
 *     {"in":KEY,"at":[START,END,FIRST,LAST],"exact":{...}}     of a session FIRST and LAST are 0
 */
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

static int times(struct str array, int64_t *t, size_t n)
{
	struct str item[4];
	if (number_items(array, item, n) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		int128 v;
		if (number_whole(item[i], (uint128)1 << 63, &v) < 0 || v > INT64_MAX)
			return -1;
		t[i] = (int64_t)v;
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
	int128 at, until;
	const uint128 most = (uint128)1 << 63;
	if (number_items(value(s, STR("ewm")), item, 4) < 0 || item[0].n < 3 || item[1].n < 3 ||
	    number_whole(item[2], most, &at) < 0 || number_whole(item[3], most, &until) < 0 || at > INT64_MAX ||
	    until > INT64_MAX)
		return -1;
	struct window_series *series = windows_series(w, key);
	series->ewm = (struct tally_over_time){.n = strtod(item[0].p + 1, NULL),
	    .sum = strtod(item[1].p + 1, NULL),
	    .at = (int64_t)at,
	    .until = (int64_t)until};
	series->alerted = str_eq(value(s, STR("alerted")), STR("1"));
	return 0;
}

static int restore_pane(struct windows *w, struct str key, struct json_scan *s, struct arena *mem)
{
	int64_t t[4];
	const char *why;
	struct str exact = value(s, STR("exact"));
	if (times(value(s, STR("at")), t, 4) < 0 || !exact.p || t[0] >= t[1] || t[2] > t[3])
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

int windows_restore(struct windows *w, struct str line, struct json_scan *s, struct arena *mem)
{
	int64_t t[3];
	if (json_scan(s, line) < 0)
		return -1;
	if (json_find(s, STR("time"))) {
		if (times(value(s, STR("time")), t, 3) < 0)
			return -1;
		w->greatest = t[0];
		w->watermark = t[1];
		w->emitted = t[2];
		return 0;
	}
	const struct json_member *of = json_find(s, STR("of")), *in = json_find(s, STR("in"));
	const struct json_member *key = of ? of : in;
	if (!key || key->type != JSON_STRING)
		return -1;
	struct str decoded = json_decode(key, mem);
	return of ? restore_key(w, decoded, s) : restore_pane(w, decoded, s, mem);
}
