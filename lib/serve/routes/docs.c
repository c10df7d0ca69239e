/* docs.c - GET /openapi.json, and GET /docs, which shows that as a page. */
#include "lib/base/embed.h"
#include "lib/serve/models.h"
#include "lib/serve/routes/routes.h"
#include "lib/text/hash.h"

EMBED(description, "lib/serve/openapi.json")
EMBED(page, "lib/serve/docs.html")

#define MEDIA_HTML "text/html; charset=utf-8"

/* Appends the text with each `mark` replaced by `value`. */
static void put_filled(struct buf *out, struct str text, struct str mark, struct str value)
{
	for (const char *at; (at = memmem(text.p, text.n, mark.p, mark.n));) {
		size_t before = (size_t)(at - text.p);
		buf_add(out, text.p, before);
		buf_str(out, value);
		text = (struct str){at + mark.n, text.n - before - mark.n};
	}
	buf_str(out, text);
}

void openapi_get(struct request *r, void *models)
{
	struct buf names = {0}, filled = {0};
	models_put_names(models, &names);
	put_filled(&filled, description(), STR("\"@MODELS@\""), buf_view(&names));
	put_filled(&r->out, buf_view(&filled), STR("@VERSION@"), str_of(SENTI_VERSION));
	buf_free(&names);
	buf_free(&filled);
	request_answer(r, 200, MEDIA_JSON);
}

/* An unpredictable nonce lets only the page's own script and style run. */
void docs_get(struct request *r, void *app)
{
	char nonce[UUID_LEN];
	(void)app;
	uuid_new(nonce);
	request_set(r, "Content-Security-Policy",
	    "default-src 'none'; script-src 'nonce-%.*s'; style-src 'nonce-%.*s'; connect-src 'self'; img-src data:; "
	    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	    UUID_LEN, nonce, UUID_LEN, nonce);
	request_set(r, "X-Content-Type-Options", "nosniff");
	request_set(r, "Referrer-Policy", "no-referrer");
	request_set(r, "Cache-Control", "no-store");
	put_filled(&r->out, page(), STR("@NONCE@"), (struct str){nonce, UUID_LEN});
	request_answer(r, 200, MEDIA_HTML);
}
