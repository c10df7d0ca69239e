/* models.c - the models that a server offers. */
#include "lib/serve/models.h"

#include <pthread.h>

#include "lib/base/buf.h"
#include "lib/json/write.h"
#include "lib/score/model.h"

enum { MOST = 16 }; /* the registry's models and the server's own */

struct models {
	pthread_mutex_t lock;
	struct model *model[MOST]; /* the first is the server's own */
	char *spec[MOST];
	size_t n;
};

struct models *models_new(const struct model_conf *conf, struct err *e)
{
	struct model *own = model_load(conf, e);
	if (!own)
		return NULL;
	struct models *m = xcalloc(1, sizeof *m);
	pthread_mutex_init(&m->lock, NULL);
	m->model[0] = own;
	m->spec[0] = xstrdup(conf->spec);
	m->n = 1;
	return m;
}

const struct model *models_default(const struct models *m)
{
	return m->model[0];
}

static struct model *load(struct models *m, struct str name, struct err *e)
{
	char *spec = str_dup(name);
	struct model *new = NULL;
	if (!engine_is_named(spec))
		err_set(e, ERR_USAGE, "there is no model '%.64s'; /v1/models lists what there is", spec);
	else if (m->n == MOST)
		err_set(e, ERR_USAGE, "too many models have been asked for; /v1/models lists them");
	else
		new = model_load(&(struct model_conf){.spec = spec}, e);
	if (!new) {
		free(spec);
		return NULL;
	}
	m->spec[m->n] = spec;
	m->model[m->n++] = new;
	return new;
}

const struct model *models_find(struct models *m, struct str spec, struct err *e)
{
	const struct model *found = NULL;
	pthread_mutex_lock(&m->lock);
	for (size_t i = 0; i < m->n && !found; i++)
		if (str_eq(spec, str_of(m->spec[i])) || str_eq(spec, str_of(m->model[i]->name)))
			found = m->model[i];
	if (!found)
		found = load(m, spec, e);
	pthread_mutex_unlock(&m->lock);
	return found;
}

const struct model *models_for(struct models *m, struct str name)
{
	struct err ignored;
	const struct model *found = name.p ? models_find(m, name, &ignored) : NULL;
	return found ? found : models_default(m);
}

/* The parts of NAME-VERSION@HASH; a trained model may have no version. */
struct parts {
	struct str name, version, hash;
};

static struct parts parts_of(const struct model *model)
{
	const char *at = strrchr(model->name, '@'), *end = at ? at : model->name + strlen(model->name), *dash = end;
	while (dash > model->name && *dash != '-')
		dash--;
	if (dash == model->name)
		dash = end;
	struct str version = {dash, (size_t)(end - dash)};
	if (version.n)
		version = (struct str){version.p + 1, version.n - 1};
	return (struct parts){{model->name, (size_t)(dash - model->name)}, version, str_of(at ? at + 1 : "")};
}

static void put_one(struct buf *out, const struct model *model, bool own)
{
	struct parts p = parts_of(model);
	buf_str(out, STR("{\"name\":"));
	json_put_string(out, p.name);
	buf_str(out, STR(",\"version\":"));
	json_put_string(out, p.version);
	buf_str(out, STR(",\"hash\":"));
	json_put_string(out, p.hash);
	buf_str(out, STR(",\"model\":"));
	json_put_string(out, str_of(model->name));
	buf_str(out, own ? STR(",\"default\":true}") : STR(",\"default\":false}"));
}

static void load_all(struct models *m)
{
	static const char *const more[] = {"afinn:da"}; /* further models of engines */
	struct err ignored; /* a model that does not load by name alone is listed once a request has loaded it */
	for (const struct engine *const *en = engines; *en; en++)
		models_find(m, str_of((*en)->name), &ignored);
	for (size_t i = 0; i < COUNT_OF(more); i++)
		models_find(m, str_of(more[i]), &ignored);
}

/* Two specs may name the same model ("afinn", "afinn:en"). */
static bool is_first(const struct models *m, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (strcmp(m->model[j]->name, m->model[i]->name) == 0)
			return false;
	return true;
}

void models_put(struct models *m, struct buf *out)
{
	load_all(m);
	buf_char(out, '[');
	pthread_mutex_lock(&m->lock);
	for (size_t i = 0; i < m->n; i++) {
		if (!is_first(m, i))
			continue;
		if (i)
			buf_char(out, ',');
		put_one(out, m->model[i], i == 0);
	}
	pthread_mutex_unlock(&m->lock);
	buf_char(out, ']');
}

void models_put_names(struct models *m, struct buf *out)
{
	load_all(m);
	pthread_mutex_lock(&m->lock);
	for (size_t i = 0; i < m->n; i++) {
		if (!is_first(m, i))
			continue;
		if (i)
			buf_char(out, ',');
		if (engine_is_named(m->spec[i])) {
			json_put_string(out, parts_of(m->model[i]).name);
			buf_char(out, ',');
		}
		json_put_string(out, str_of(m->model[i]->name));
	}
	pthread_mutex_unlock(&m->lock);
}

void models_free(struct models *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n; i++) {
		model_free(m->model[i]);
		free(m->spec[i]);
	}
	pthread_mutex_destroy(&m->lock);
	free(m);
}
