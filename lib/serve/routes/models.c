/* models.c - GET /v1/models: which models a request can name. */
#include "lib/serve/models.h"
#include "lib/serve/routes/routes.h"

void models_get(struct request *r, void *models)
{
	buf_str(&r->out, STR("{\"items\":"));
	models_put(models, &r->out);
	buf_str(&r->out, STR("}\n"));
	request_answer(r, 200, MEDIA_JSON);
}
