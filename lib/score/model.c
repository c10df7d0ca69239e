/* model.c - the registry of engines. */
#include "lib/score/model.h"

#include "lib/base/guess.h"
#include "lib/score/linear.h"

const struct engine *const engines[] = {
    &vader_engine, &textblob_engine, &nltk_engine, &plus_engine, &afinn_engine, &linear_engine, NULL};

static bool names(const struct engine *en, const char *spec)
{
	size_t n = strlen(en->name);
	return strncmp(spec, en->name, n) == 0 && (spec[n] == 0 || (spec[n] == ':' && en->variants));
}

bool engine_is_named(const char *spec)
{
	const struct engine *const *en = engines;
	while (*en && !names(*en, spec))
		en++;
	return *en;
}

static const struct engine *engine_find(const char *spec, struct err *e)
{
	char known[256] = "";
	struct guess g = {.word = spec};
	for (const struct engine *const *en = engines; *en; en++) {
		if (names(*en, spec))
			return *en;
		guess_try(&g, (*en)->name);
		size_t n = strlen(known);
		snprintf(known + n, sizeof known - n, "%s%s", n ? ", " : "", (*en)->name);
	}
	if (linear_is_path(spec))
		return &linear_engine;
	err_set(e, ERR_USAGE, "unknown model '%s'; known are: %s, and the path of a model file%s", spec, known,
	    guess_hint(&g, ""));
	return NULL;
}

struct model *model_load(const struct model_conf *conf, struct err *e)
{
	const struct engine *en = engine_find(conf->spec, e);
	return en ? engine_load(en, conf, e) : NULL;
}
