/* places.c - lines of files that a state already has. */
#include "lib/window/places.h"

#include <sys/stat.h>
#include <unistd.h>

static bool is_regular(const char *origin)
{
	struct stat st;
	return (strcmp(origin, "stdin") == 0 ? fstat(STDIN_FILENO, &st) : stat(origin, &st)) == 0 &&
	       S_ISREG(st.st_mode);
}

struct input_place *places_of(struct places *p, struct str origin)
{
	for (size_t i = 0; i < p->n; i++)
		if (str_eq(str_of(p->place[i].origin), origin))
			return &p->place[i];
	p->place = xreallocarray(p->place, p->n + 1, sizeof *p->place);
	struct input_place *made = &p->place[p->n++];
	*made = (struct input_place){.origin = str_dup(origin)};
	made->by_line = is_regular(made->origin);
	return made;
}

struct input_place *places_of_record(struct places *p, const struct rec *r)
{
	if (r->envelope || !r->lineno || !r->origin)
		return NULL;
	if (p->origin != r->origin) { /* a source keeps its names where they are */
		p->at = (size_t)(places_of(p, str_of(r->origin)) - p->place);
		p->origin = r->origin;
	}
	struct input_place *at = &p->place[p->at];
	return at->by_line ? at : NULL;
}

static int differs(const struct input_place *at, const char *how, struct err *e)
{
	return err_set(e, ERR_ENV,
	    "'%s' is not the input that the state knows: %s at line %llu (remove the state to begin anew)", at->origin,
	    how, (unsigned long long)at->last);
}

int place_passes(struct input_place *at, const struct rec *r, unsigned *verdict, struct err *e)
{
	*verdict = 0;
	at->met = true;
	if (at->proven || !at->last)
		return 0;
	if (r->lineno > at->last)
		return differs(at, "it has no record", e);
	if (r->lineno == at->last) {
		char hash[HASH_HEX];
		hash_text(r->line, hash);
		if (memcmp(hash, at->hash, sizeof hash) != 0)
			return differs(at, "it has another record", e);
		at->proven = true;
	}
	if (r->lineno <= at->done)
		return 1;
	for (size_t i = 0; i < at->verdicts; i++)
		if (at->verdict[i].lineno == r->lineno) {
			*verdict = at->verdict[i].verdict;
			return 1;
		}
	return 0;
}

void place_reach(struct input_place *at, const struct rec *r)
{
	if (at->last && !at->proven)
		return;
	at->last = r->lineno;
	hash_text(r->line, at->hash);
	at->proven = true;
}

bool places_settled(const struct places *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->place[i].verdicts && !p->place[i].proven)
			return false;
	return true;
}

void place_judge(struct input_place *at, uint64_t lineno, unsigned verdict)
{
	if (at->verdicts == at->cap) {
		at->cap = at->cap ? 2 * at->cap : 64;
		at->verdict = xreallocarray(at->verdict, at->cap, sizeof *at->verdict);
	}
	at->verdict[at->verdicts++] = (struct place_verdict){lineno, verdict};
}

void place_set(struct input_place *at, uint64_t last, struct str hash, bool done)
{
	at->last = last;
	memcpy(at->hash, hash.p, sizeof at->hash);
	if (done) {
		at->done = last;
		at->verdicts = 0;
	}
}

int places_check(const struct places *p, struct err *e)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct input_place *at = &p->place[i];
		if (at->met && at->last && !at->proven)
			return differs(at, "it ends before", e);
	}
	return 0;
}

void places_free(struct places *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->place[i].origin);
		free(p->place[i].verdict);
	}
	free(p->place);
	*p = (struct places){0};
}
