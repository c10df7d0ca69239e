/* models.h - the models that a server offers: its own, and those of the registry, loaded on first use.
 *
 * A client can name a model of the registry, never a file. Thread-safe; models stay loaded until models_free.
 */
#ifndef SENTI_MODELS_H
#define SENTI_MODELS_H

#include "lib/score/engine.h"

struct models;
/* New, with the server's own model loaded; conf's strings are lent. NULL and *e on failure. */
struct models *models_new(const struct model_conf *conf, struct err *e);
/* The server's own. All models are lent. */
const struct model *models_default(const struct models *m);
/* By spec ("vader", "afinn:da") or whole name ("vader-3.3.2@1f3a9c2e5b07d684"); NULL and *e with ERR_USAGE if there is
 * no such model. */
const struct model *models_find(struct models *m, struct str spec, struct err *e);
/* The model by which results are asked for, or the server's own if `name` is absent or another server's. */
const struct model *models_for(struct models *m, struct str name);
/* Appends [{"name","version","hash","model","default"},...]: the server's own and those of the registry. */
void models_put(struct models *m, struct buf *out);
/* Appends the names that a client can use, as JSON strings separated by commas: those of models_put with and without
 * version and hash. */
void models_put_names(struct models *m, struct buf *out);
void models_free(struct models *m);

#endif
