/* assets.c - the web pages and what they load: GET / (the dashboard), GET /graphiql, GET /assets/{name}. The build
 * makes them from web/ and lists them in assets.h, which is empty if it is built without them. */
#include "lib/base/embed.h"
#include "lib/http/conditions.h"
#include "lib/serve/routes/routes.h"

struct asset {
	const char *path, *media;
	struct str (*gzip)(void);
	size_t size; /* when it is expanded */
	const char *tag;
	bool lasting;	    /* other content would have another path */
	const char *policy; /* of a page; else NULL */
};

#define ASSET(name, file, ...) EMBED(name, file)
#include <assets.h>
#undef ASSET

#define ASSET(name, file, path, media, ...) {path, media, name, __VA_ARGS__},
static const struct asset assets[] = {
#include <assets.h>
    {NULL, NULL, NULL, 0, NULL, false, NULL}};

static const struct asset *asset_find(const char *path)
{
	for (const struct asset *a = assets; a->path; a++)
		if (strcmp(a->path, path) == 0)
			return a;
	return NULL;
}

static void put_headers(struct request *x, const struct asset *a)
{
	request_set(x, "ETag", "\"%s\"", a->tag);
	request_set(x, "Cache-Control", a->lasting ? "public, max-age=31536000, immutable" : "no-cache");
	request_set(x, "X-Content-Type-Options", "nosniff");
	if (a->policy) {
		request_set(x, "Content-Security-Policy", "%s", a->policy);
		request_set(x, "Referrer-Policy", "no-referrer");
	}
}

void assets_get(struct request *x, void *app)
{
	const struct asset *a = asset_find(x->path);
	(void)app;
	if (!a && assets[0].path)
		request_problem(x, 404, "no_such_path", "there is nothing at this path");
	else if (!a)
		request_problem(x, 404, "no_pages",
		    "this program was built without its web pages; with npm, make WITH_WEB=yes builds them; "
		    "/docs needs none");
	else if (tag_in_list(request_header_list(x, "If-None-Match"), str_of(a->tag), TAG_WEAK))
		request_answer_gzip(x, 304, NULL, a->gzip(), a->size);
	else
		request_answer_gzip(x, 200, a->media, a->gzip(), a->size);
	if (x->status == 200 || x->status == 304)
		put_headers(x, a);
}
