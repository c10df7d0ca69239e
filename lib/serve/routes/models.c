/* models.c - GET /v1/models: which models a request can name. */
#include "lib/serve/models.h"
#include "lib/serve/routes/routes.h"

void models_get(struct request *x, void *models)
{
	models_put(models, &x->out);
	request_answer(x, 200, MEDIA_JSON);
}
