/* errors.c - what is wrong with a document, and how an answer says it. */
#include <stdarg.h>

#include "lib/graphql/validate.h"
#include "lib/json/write.h"

void gql_errors_init(struct gql_errors *l, struct arena *mem, struct str text, size_t most)
{
	*l = (struct gql_errors){.mem = mem, .text = text, .most = most};
	l->last = &l->first;
}

static struct gql_error *append(struct gql_errors *l)
{
	struct gql_error *e = arena_alloc(l->mem, sizeof *e);
	*e = (struct gql_error){0};
	*l->last = e;
	l->last = &e->next;
	l->n++;
	return e;
}

struct gql_error *gql_error_add(
    struct gql_errors *l, const char *rule, const uint32_t *at, size_t nat, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	if (l->full)
		return NULL;
	if (l->n >= l->most) {
		l->full = true;
		append(l)->message = STR("Too many validation errors, error limit reached. Validation aborted.");
		return NULL;
	}
	struct gql_error *e = append(l);
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	struct str cut = {text, n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1};
	e->message = arena_str(l->mem, cut);
	e->rule = rule;
	uint32_t *places = arena_alloc(l->mem, nat * sizeof *places);
	if (nat)
		memcpy(places, at, nat * sizeof *places);
	e->at = places;
	e->nat = nat;
	return e;
}

struct located {
	uint32_t at;
	size_t i; /* which of the error's */
};

static int by_offset(const void *a, const void *b)
{
	const struct located *x = a, *y = b;
	return x->at < y->at ? -1 : x->at > y->at;
}

/* One error may have thousands of places, such as those of a long circle of fragments, so the text is gone through
 * once. */
static void put_locations(struct buf *out, const struct gql_errors *l, const struct gql_error *e)
{
	struct located *sorted = xcalloc(e->nat, sizeof *sorted);
	struct gql_place *place = xcalloc(e->nat, sizeof *place), at = {1, 1};
	for (size_t i = 0; i < e->nat; i++)
		sorted[i] = (struct located){.at = e->at[i], .i = i};
	sort(sorted, e->nat, sizeof *sorted, by_offset);
	for (size_t i = 0; i < e->nat; i++) {
		gql_place_move(&at, l->text, i ? sorted[i - 1].at : 0, sorted[i].at);
		place[sorted[i].i] = at;
	}
	for (size_t i = 0; i < e->nat; i++)
		buf_printf(
		    out, "%s{\"line\":%u,\"column\":%u}", i ? "," : ",\"locations\":[", place[i].line, place[i].column);
	buf_char(out, ']');
	free(place);
	free(sorted);
}

void gql_error_put(struct buf *out, const struct gql_errors *l, const struct gql_error *e)
{
	buf_str(out, STR("{\"message\":"));
	json_put_lossy(out, e->message);
	if (e->nat)
		put_locations(out, l, e);
	if (e->path.p) {
		buf_str(out, STR(",\"path\":"));
		buf_str(out, e->path);
	}
	if (e->code)
		buf_printf(out, ",\"extensions\":{\"code\":\"%s\"}", e->code);
	buf_char(out, '}');
}
