/* admit.c - is this request allowed what it asks for? */
#include <strings.h>

#include "lib/serve/service.h"
#include "lib/serve/tokens.h"

#define CHALLENGE "Bearer realm=\"senti\""

static void refuse(struct request *x, const char *challenge, const char *kind, const char *why)
{
	request_set(x, "WWW-Authenticate", "%s", challenge);
	request_problem(x, 401, kind, "%s", why);
}

void service_admit(struct request *x, void *app)
{
	struct tokens *tokens = ((struct service *)app)->tokens;
	enum scope needed = x->route->scope, has;
	static const char scheme[] = "Bearer ";
	if (!tokens || needed == SCOPE_NONE)
		return;
	const char *given = request_header(x, "Authorization");
	if (!given || strncasecmp(given, scheme, sizeof scheme - 1) != 0) {
		refuse(x, CHALLENGE, "no_token", "this needs a token: send it as 'Authorization: Bearer TOKEN'");
		return;
	}
	given += sizeof scheme - 1;
	given += strspn(given, " ");
	has = tokens_find(tokens, str_of(given), x->caller);
	if (has == SCOPE_NONE) {
		refuse(
		    x, CHALLENGE ", error=\"invalid_token\"", "bad_token", "this token is not known, or not any more");
	} else if (has < needed) {
		request_set(x, "WWW-Authenticate", CHALLENGE ", error=\"insufficient_scope\", scope=\"%s\"",
		    scope_name(needed));
		request_problem(x, 403, "scope_missing", "this needs a token with the scope '%s'", scope_name(needed));
	}
}
