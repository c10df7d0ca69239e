/* engine.c - what all engines share. */
#include "lib/score/engine.h"

#include "lib/text/hash.h"

void model_set_name(struct model *m, const char *what, const struct str *sum, size_t n, struct str layer)
{
	struct str data[4];
	char hash[HASH_HEX];
	memcpy(data, sum, n * sizeof *data);
	data[n] = layer;
	hash_list(data, n + 1, hash);
	snprintf(m->name, sizeof m->name, "%s@%.*s", what, MODEL_HASH, hash);
}

/* Equal names promise equal results, including labels, so a user's neutral band becomes part of the hash. */
static void name_band(struct model *m)
{
	char band[80], hash[HASH_HEX], *at = strrchr(m->name, '@');
	snprintf(band, sizeof band, "neutral %.17g,%.17g", m->conf.neutral_from, m->conf.neutral_to);
	const struct str field[] = {str_of(m->name), str_of(band)};
	hash_list(field, COUNT_OF(field), hash);
	if (at)
		snprintf(at + 1, sizeof m->name - (size_t)(at + 1 - m->name), "%.*s", MODEL_HASH, hash);
}

struct model *engine_load(const struct engine *en, const struct model_conf *conf, struct err *e)
{
	struct model *m = en->load(conf, e);
	if (!m)
		return NULL;
	m->engine = en;
	if (conf->has_neutral)
		name_band(m);
	return m;
}

void model_free(struct model *m)
{
	if (m)
		m->engine->free(m);
}

struct scratch *scratch_new(const struct model *m)
{
	return m->engine->scratch ? m->engine->scratch(m) : xcalloc(1, m->engine->scratch_size);
}

enum label engine_label(const struct model *m, double score, double negative_to, double positive_from)
{
	const struct model_conf *c = &m->conf;
	if (c->has_neutral) {
		negative_to = c->neutral_from;
		positive_from = c->neutral_to;
	}
	return score >= positive_from ? LABEL_POSITIVE : score <= negative_to ? LABEL_NEGATIVE : LABEL_NEUTRAL;
}

/* Adds up all further contributions in one: the sum stays right, and explaining a text of a million words does not take
 * a hundred megabytes. */
static void add_to_rest(struct reason *rest, size_t from, size_t to, double value)
{
	rest->from = from < rest->from ? from : rest->from;
	rest->to = to > rest->to ? to : rest->to;
	rest->value += value;
	rest->rule = "more";
}

void why_add(struct why *w, size_t from, size_t to, double value, const char *rule)
{
	if (w->n == WHY_MOST) {
		add_to_rest(&w->reason[w->n - 1], from, to, value);
		return;
	}
	if (w->n == w->cap) {
		size_t cap = w->cap ? w->cap * 2 : 16;
		struct reason *more = arena_alloc(w->mem, cap * sizeof *more);
		if (w->n)
			memcpy(more, w->reason, w->n * sizeof *more);
		w->reason = more;
		w->cap = cap;
	}
	w->reason[w->n++] = (struct reason){from, to, value, rule};
}
