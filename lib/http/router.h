/* router.h - a table of routes, and which of them takes a request. Pure: no request is needed to ask. */
#ifndef SENTI_ROUTER_H
#define SENTI_ROUTER_H

#include "lib/base/buf.h"

struct request;

struct route {
	const char *method; /* "GET" answers HEAD as well */
	const char *path;   /* "/v1/messages/{id}": braces stand for one segment that is not empty */
	unsigned access;    /* for http_conf.admit, which alone knows what it means */
	/* Called once the headers are in. It may answer, and then the body is not read. May be NULL. */
	void (*begin)(struct request *r, void *app);
	/* Takes the body piece by piece as it arrives; false, or NULL: the piece is collected in r->body. */
	bool (*piece)(struct request *r, void *app, struct str piece);
	/* Called once the body is in: answers or defers. */
	void (*end)(struct request *r, void *app);
	void *app; /* for the three above; lent */
	/* Web pages of other origins may not even GET this: each of its requests may do something. Routes of other
	 * methods are always guarded. */
	bool guarded;
};

enum routing { ROUTE_FOUND, ROUTE_NO_PATH, ROUTE_NO_METHOD };

/* Finds the route for this method and path (without a query) in a table that ends with a route without a path. *segment
 * is what stands in the place of the braces, still percent-encoded and lent by the path; p is NULL if the route has
 * none. */
enum routing route_find(
    const struct route *table, const char *method, const char *path, const struct route **found, struct str *segment);
/* Appends the methods of all routes at this path, as the header Allow lists them: "GET, HEAD, OPTIONS". */
void route_methods(const struct route *table, const char *path, struct buf *out);

#endif
