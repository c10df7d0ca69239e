/* url.h - parses addresses such as amqp://user:secret@host:5672/vhost?queue=texts. */
#ifndef SENTI_URL_H
#define SENTI_URL_H

#include "lib/base/err.h"

struct url_arg {
	char *name, *value;
};

/* All parts are percent-decoded; absent ones are NULL (port: 0). "unix:/path" and "sqlite:PATH" have no authority:
 * everything after the colon, up to '?', is `path`. In scheme://host/path the path has no leading '/'. */
struct url {
	char *scheme, *user, *password, *host, *path;
	uint16_t port;
	struct url_arg *arg;
	size_t nargs;
};

/* True if s begins with "scheme:", where the scheme has at least two letters (C:\x is a path). */
bool url_has_scheme(const char *s);
/* Fills *u; free it with url_free. No message contains a password. */
MUST_USE int url_parse(struct url *u, const char *s, struct err *e);
/* Returns the value of an argument, or NULL. Lent. */
const char *url_arg(const struct url *u, const char *name);
void url_free(struct url *u);
/* New: the address with only host `nth` of its list (scheme://user@host,host:port/...); NULL if there are fewer. An
 * address without an authority has one. */
char *url_with_host(const char *s, size_t nth);

#endif
