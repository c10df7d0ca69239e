/* url.h - the parts of an address such as amqp://user:secret@host:5672/vhost?queue=texts. */
#ifndef SENTI_URL_H
#define SENTI_URL_H

#include "lib/base/err.h"

struct url_arg {
	char *name, *value;
};

/* All parts are percent-decoded; absent ones are NULL (port: 0). "unix:/path" and "sqlite:PATH" have no
 * authority: all that follows the colon, up to '?', is `path`. In scheme://host/path the path has no leading '/'. */
struct url {
	char *scheme, *user, *password, *host, *path;
	uint16_t port;
	struct url_arg *arg;
	size_t nargs;
};

/* True if s begins with "scheme:" for one of at least two letters (so that C:\x is a path). */
bool url_has_scheme(const char *s);
/* Fills *u, which url_free clears. Never puts a password into a message. */
MUST_USE int url_parse(struct url *u, const char *s, struct err *e);
/* The value of an argument, or NULL. Lent. */
const char *url_arg(const struct url *u, const char *name);
/* New: the address for messages and logs, *** in place of the password and of each argument whose name says that it is
 * a secret. Takes whatever a user may have typed, also what url_parse refuses, and libpq's "host=h password=x". */
char *url_redact(const char *s);
void url_free(struct url *u);

#endif
