/* record_builder.c - makes records of fields. */
#include "lib/ingest/record_builder.h"

#include <stdarg.h>

#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/ingest/entities.h"
#include "lib/ingest/timeparse.h"
#include "lib/json/write.h"
#include "lib/base/utf8.h"

void builder_free(struct record_builder *builder)
{
	buf_free(&builder->line);
	buf_free(&builder->text);
}

struct rec *builder_add(struct batch *b, struct str line, struct line_place at)
{
	struct rec *r = batch_add(b);
	r->line = json_padded(&b->mem, line);
	r->lineno = at.line;
	return r;
}

void builder_reject(struct batch *b, struct str raw, struct line_place at, const char *code, const char *fmt, ...)
{
	char why[480];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	rec_reject(b, builder_add(b, raw, at), code, "%s", why);
}

const char *builder_fault(struct str raw, size_t *column)
{
	size_t good = utf8_valid_prefix(raw);
	const char *nul = good ? memchr(raw.p, 0, good) : NULL;
	*column = (nul ? (size_t)(nul - raw.p) : good) + 1;
	return nul ? CODE_NUL : good < raw.n ? CODE_BAD_UTF8 : NULL;
}

bool builder_check(struct batch *b, struct str raw, struct line_place at)
{
	size_t column;
	const char *code = builder_fault(raw, &column);
	if (code)
		builder_reject(b, raw, at, code, "%s at column %zu",
		    strcmp(code, CODE_NUL) == 0 ? "a NUL byte" : "invalid UTF-8", column);
	return !code;
}

struct str builder_id(struct record_builder *builder, struct str own, struct line_place at, struct str time,
    struct str text, struct arena *mem)
{
	const char *prefix = builder->ids->conf->prefix ? builder->ids->conf->prefix : "";
	char hash[ID_LEN];
	if (own.n && !*prefix)
		return own;
	if (!own.n) {
		ids_make(builder->ids, &builder->origin, at, time, text, hash);
		own = (struct str){hash, sizeof hash};
	}
	struct str id = {arena_alloc(mem, strlen(prefix) + own.n), strlen(prefix) + own.n};
	memcpy((char *)id.p, prefix, strlen(prefix));
	memcpy((char *)id.p + strlen(prefix), own.p, own.n);
	return id;
}

void builder_begin(struct record_builder *builder)
{
	builder->order = DATES_UNKNOWN;
	builder->looked = builder->timed = builder->failed = false;
}

/* A guess would silently turn March into April. */
static void fail_order(struct record_builder *builder, struct str s)
{
	const char *why = builder->looked
			      ? "and no date of the file tells"
			      : "and a stream or a file that grows cannot be searched for a date that tells";
	builder->failed = true;
	err_set(&builder->error, ERR_USAGE,
	    "%s: dates such as '%.*s' are month/day or day/month, %s: say which with --time-format '%%m/%%d/%%Y' or "
	    "'%%d/%%m/%%Y'",
	    builder->origin.name, (int)(s.n > 40 ? 40 : s.n), s.p, why);
}

static enum timeparse read_date(struct record_builder *builder, struct str s, enum date_order says, char out[TIME_LEN])
{
	if (builder->probe) {
		*builder->probe = says;
		builder->failed = says != DATES_UNKNOWN;
		err_set(&builder->error, ERR_USAGE, "the order of the dates is known");
		return TIMEPARSE_BAD;
	}
	if (!builder->order && builder->find_order) {
		builder->order = builder->find_order(builder);
		builder->looked = true;
	}
	if (builder->order)
		return timeparse_numeric(s, builder->order, out);
	if (builder->looked || !builder->timed)
		fail_order(builder, s);
	return TIMEPARSE_BAD;
}

enum timeparse builder_time(struct record_builder *builder, struct str s, bool asked, char out[TIME_LEN])
{
	enum date_order says;
	enum timeparse w = TIMEPARSE_BAD;
	if (builder->times && builder->times->n)
		w = time_formats_read(builder->times, s, clock_wall_ms(), out);
	else if (asked && timeparse_order(s, &says))
		w = read_date(builder, s, says, out);
	else if (!builder->probe)
		w = timeparse_read(s, clock_wall_ms(), out);
	builder->timed |= w != TIMEPARSE_BAD;
	return w;
}

const char *builder_time_hint(const struct record_builder *builder, struct str s)
{
	enum date_order says;
	if ((builder->times && builder->times->n) || !timeparse_order(s, &says) || (says && says == builder->order))
		return "";
	return builder->order == DATES_MONTH_FIRST
		   ? ": the first date of the file that tells is month/day (--time-format)"
	       : builder->order == DATES_DAY_FIRST
		   ? ": the first date of the file that tells is day/month (--time-format)"
		   : ": is it month/day or day/month (--time-format)?";
}

/* Normalizes a time in *value; false if it is unreadable. An empty one gives no member. */
static bool normal_time(struct record_builder *builder, struct str *value, bool asked, char out[TIME_LEN])
{
	if (!value->n) {
		*value = STR_NONE;
		return true;
	}
	enum timeparse w = builder_time(builder, *value, asked, out);
	if (w == TIMEPARSE_WRITTEN)
		*value = (struct str){out, TIME_LEN};
	return w != TIMEPARSE_BAD;
}

static void put_member(struct buf *line, struct str name, struct str value)
{
	if (!value.p)
		return;
	buf_str(line, name);
	json_put_string(line, value);
}

static struct str field_of(const struct str *field, ptrdiff_t i)
{
	return i < 0 ? STR_NONE : field[i];
}

void builder_put(struct record_builder *builder, struct batch *b, const struct layout *l, const struct str *field,
    struct str raw, struct line_place at)
{
	char written[TIME_LEN];
	struct str id = field_of(field, l->id), text = field_of(field, l->text), time = field_of(field, l->time),
		   source = field_of(field, l->source), spelled = time;
	bool readable = !builder->failed && normal_time(builder, &time, l->strict_time, written);
	if (builder->failed || builder->probe)
		return;
	if (!readable && l->strict_time) {
		builder_reject(b, raw, at, CODE_BAD_TIME, "cannot read the time '%.*s'%s",
		    STR_FMT(((struct str){spelled.p, spelled.n > 80 ? 80 : spelled.n})),
		    builder_time_hint(builder, spelled));
		return;
	}
	id = builder_id(builder, id, at, spelled, text, &b->mem);
	if (builder->unescape)
		text = entities_unescape(text, &builder->text);
	struct buf *line = &builder->line;
	buf_clear(line);
	put_member(line, STR("{\"id\":"), id);
	put_member(line, STR(",\"text\":"), text);
	put_member(line, STR(",\"time\":"), time);
	put_member(line, STR(",\"source\":"), source.n ? source : builder->origin.source);
	for (size_t i = 0; i < l->n; i++)
		if (l->role[i] == ROLE_OTHER)
			put_member(line, buf_view(&l->name[i]), field[i]);
	buf_char(line, '}');
	builder_add(b, buf_view(line), at);
}

/* --- layouts --- */

static ptrdiff_t find_name(const struct str *name, size_t n, const char *wanted)
{
	for (size_t i = 0; wanted && i < n; i++)
		if (str_eq(name[i], str_of(wanted)))
			return (ptrdiff_t)i;
	return -1;
}

/* The column that an option names, by name or else by number. */
static ptrdiff_t find_wanted(const struct str *name, size_t n, const char *wanted)
{
	ptrdiff_t i = find_name(name, n, wanted);
	uint64_t number;
	if (i < 0 && str_u64(str_of(wanted), &number) == 0 && number >= 1 && number <= n)
		i = (ptrdiff_t)number - 1;
	return i;
}

/* "id, review, stars" for messages, truncated if long. */
static void list_names(const struct str *name, size_t n, char *out, size_t size)
{
	size_t used = 0;
	out[0] = 0;
	for (size_t i = 0; i < n && used < size; i++) {
		int len = name[i].n > 60 ? 60 : (int)name[i].n;
		used += (size_t)snprintf(out + used, size - used, "%s%.*s", i ? ", " : "", len, name[i].p);
	}
}

static int no_column(const char *option, const char *wanted, const struct str *name, size_t n, const char *what,
    const char *where, struct err *e)
{
	char names[300];
	list_names(name, n, names, sizeof names);
	if (wanted)
		return err_set(
		    e, ERR_USAGE, "%s: no %s '%s' for --%s; the %ss are: %s", where, what, wanted, option, what, names);
	return err_set(
	    e, ERR_USAGE, "%s: which %s is the text? Name it with --text; the %ss are: %s", where, what, what, names);
}

static int find_text(struct layout *l, const struct str *name, const struct ingest *conf, const struct defaults *d,
    const char *what, const char *where, struct err *e)
{
	if (conf->text) {
		l->text = find_wanted(name, l->n, conf->text);
	} else {
		for (const char *const *t = d->text; *t && l->text < 0; t++)
			l->text = find_name(name, l->n, *t);
		if (l->text < 0 && l->n == 1)
			l->text = 0;
	}
	return l->text < 0 ? no_column("text", conf->text, name, l->n, what, where, e) : 0;
}

static int find_roles(struct layout *l, const struct str *name, const struct ingest *conf, const struct defaults *d,
    const char *what, const char *where, struct err *e)
{
	if (find_text(l, name, conf, d, what, where, e) < 0)
		return -1;
	l->id = conf->id ? find_wanted(name, l->n, conf->id) : find_name(name, l->n, "id");
	if (conf->id && l->id < 0)
		return no_column("id", conf->id, name, l->n, what, where, e);
	l->time = conf->time ? find_wanted(name, l->n, conf->time) : find_name(name, l->n, d->time ? d->time : "time");
	if (conf->time && l->time < 0)
		return no_column("time", conf->time, name, l->n, what, where, e);
	l->source = conf->source.p ? -1 : find_name(name, l->n, "source");
	/* A column chosen by an option keeps that role; a role guessed by name alone yields. */
	if (l->id == l->text && !conf->id)
		l->id = -1;
	if ((l->time == l->text || l->time == l->id) && !conf->time)
		l->time = -1;
	if (l->source == l->text || l->source == l->id || l->source == l->time)
		l->source = -1;
	if (l->text == l->id || l->text == l->time || (l->id >= 0 && l->id == l->time))
		return err_set(e, ERR_USAGE, "%s: one %s cannot be two of --text, --id and --time", where, what);
	l->strict_time = conf->time || conf->times.n || d->strict_time;
	return 0;
}

static bool is_taken(struct str name)
{
	return str_eq(name, STR("id")) || str_eq(name, STR("text")) || str_eq(name, STR("time")) ||
	       str_eq(name, STR("source"));
}

/* True if no earlier column and no derived member has that name. */
static bool is_free(struct str wanted, const struct map *seen)
{
	return wanted.n && !is_taken(wanted) && !map_get(seen, wanted);
}

static int name_others(struct layout *l, const struct str *name, const char *what, const char *where, struct err *e)
{
	struct map all = {0}, used = {0};
	char *number = xcalloc(l->n, 24);
	int rc = 0;
	for (size_t i = 0; i < l->n; i++)
		map_put(&all, name[i], NULL);
	for (size_t i = 0; i < l->n && rc == 0; i++) {
		struct str n = name[i];
		if (l->role[i] != ROLE_OTHER)
			continue;
		if (!is_free(n, &used)) {
			char *c = number + i * 24;
			n = (struct str){c, (size_t)snprintf(c, 24, "c%zu", i + 1)};
			if (map_get(&all, n)) {
				rc = err_set(e, ERR_USAGE,
				    "%s: %s %zu needs another name than '%.*s', and %s is taken; rename it", where,
				    what, i + 1, (int)(name[i].n > 60 ? 60 : name[i].n), name[i].p, c);
				break;
			}
			char *was = str_dup(name[i]);
			log_info("a column is renamed", "where", where, "name", was, "to", c, NULL);
			free(was);
		}
		map_put(&used, n, NULL);
		buf_char(&l->name[i], ',');
		json_put_string(&l->name[i], n);
		buf_char(&l->name[i], ':');
	}
	map_free(&all);
	map_free(&used);
	free(number);
	return rc;
}

int layout_init(struct layout *l, const struct str *name, size_t n, const struct ingest *conf, const struct defaults *d,
    const char *what, const char *where, struct err *e)
{
	*l = (struct layout){.n = n, .text = -1, .id = -1, .time = -1, .source = -1};
	l->role = xcalloc(n, sizeof *l->role);
	l->name = xcalloc(n, sizeof *l->name);
	if (find_roles(l, name, conf, d, what, where, e) < 0)
		goto fail;
	l->role[l->text] = ROLE_TEXT;
	if (l->id >= 0)
		l->role[l->id] = ROLE_ID;
	if (l->time >= 0)
		l->role[l->time] = ROLE_TIME;
	if (l->source >= 0)
		l->role[l->source] = ROLE_SOURCE;
	if (name_others(l, name, what, where, e) == 0)
		return 0;
fail:
	layout_free(l);
	return -1;
}

void layout_free(struct layout *l)
{
	for (size_t i = 0; i < l->n; i++)
		buf_free(&l->name[i]);
	free(l->name);
	free(l->role);
	*l = (struct layout){0};
}
