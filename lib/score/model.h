/* model.h - the registry of engines: from the argument of -m to a loaded model. */
#ifndef SENTI_MODEL_H
#define SENTI_MODEL_H

#include "lib/score/engine.h"

/* All engines, ended by NULL. */
extern const struct engine *const engines[];
/* True if a spec names an engine rather than a file. Its variant may still be unknown. */
bool engine_is_named(const char *spec);
/* Finds the engine of conf->spec and loads a new model; free it with model_free. NULL with *e on failure. */
struct model *model_load(const struct model_conf *conf, struct err *e);

#endif
