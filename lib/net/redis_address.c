/* redis_address.c - parses the address of a Redis. */
#include "lib/base/url.h"
#include "lib/net/redis_link.h"

enum { REDIS_PORT = 6379, MOST_DB = 1000000, MOST_TIMEOUT_MS = 600000 };

static char *take(char **from)
{
	char *s = *from;
	*from = NULL;
	if (s && !*s) {
		free(s);
		return NULL;
	}
	return s;
}

static int parse_db(struct redis_address *a, const char *s, struct err *e)
{
	if (!s || !*s)
		return 0;
	if (str_u64(str_of(s), &a->db) < 0 || a->db > MOST_DB)
		return err_set(
		    e, ERR_USAGE, "the database of a Redis address is a number as in redis://host/1, not '%s'", s);
	return 0;
}

static int parse_timeout(struct redis_address *a, const char *s, struct err *e)
{
	uint64_t ms;
	if (str_u64(str_of(s), &ms) < 0 || ms < 1 || ms > MOST_TIMEOUT_MS)
		return err_set(e, ERR_USAGE, "the timeout of a Redis address is in milliseconds, not '%s'", s);
	a->timeout_ms = (int64_t)ms;
	return 0;
}

static int by_tcp(struct redis_address *a, struct url *u, struct err *e)
{
	for (size_t i = 0; i < u->nargs; i++) {
		if (strcmp(u->arg[i].name, "timeout") != 0)
			return err_set(e, ERR_USAGE,
			    "a Redis address takes no arguments but timeout=MILLISECONDS, not '%s'", u->arg[i].name);
		if (parse_timeout(a, u->arg[i].value, e) < 0)
			return -1;
	}
	a->host = take(&u->host);
	a->host = a->host ? a->host : xstrdup("127.0.0.1");
	a->user = take(&u->user);
	a->password = take(&u->password);
	a->port = u->port ? u->port : REDIS_PORT;
	return parse_db(a, u->path, e);
}

static int by_socket(struct redis_address *a, struct url *u, struct err *e)
{
	for (size_t i = 0; i < u->nargs; i++) {
		const char *name = u->arg[i].name;
		int rc = 0;
		if (strcmp(name, "user") == 0 && !a->user)
			a->user = take(&u->arg[i].value);
		else if (strcmp(name, "db") == 0)
			rc = parse_db(a, u->arg[i].value, e);
		else if (strcmp(name, "timeout") == 0)
			rc = parse_timeout(a, u->arg[i].value, e);
		else
			rc = err_set(e, ERR_USAGE,
			    "the arguments of unix:PATH are user=NAME, db=NUMBER and timeout=MILLISECONDS, not '%s'",
			    name);
		if (rc < 0)
			return -1;
	}
	a->path = take(&u->path);
	return a->path
		   ? 0
		   : err_set(e, ERR_USAGE, "unix: needs the path of Redis' socket, as in unix:/run/redis/redis.sock");
}

static void show(struct redis_address *a)
{
	struct buf b = {0};
	if (a->path)
		buf_printf(&b, "unix:%s", a->path);
	else
		buf_printf(&b, strchr(a->host, ':') ? "redis://[%s]:%u" : "redis://%s:%u", a->host, a->port);
	if (a->db)
		buf_printf(&b, a->path ? "?db=%llu" : "/%llu", (unsigned long long)a->db);
	buf_char(&b, 0);
	a->shown = b.p;
}

int redis_address_parse(struct redis_address *a, const char *address, struct err *e)
{
	struct url u;
	*a = (struct redis_address){0};
	if (url_parse(&u, address, e) < 0)
		return -1;
	int rc;
	if (strcmp(u.scheme, "redis") == 0)
		rc = by_tcp(a, &u, e);
	else if (strcmp(u.scheme, "unix") == 0)
		rc = by_socket(a, &u, e);
	else if (strcmp(u.scheme, "rediss") == 0)
		rc = err_set(e, ERR_USAGE,
		    "rediss: this build's hiredis has no TLS; run stunnel and name its local end, as in "
		    "redis://127.0.0.1:6380 (senti-cache(1) shows how)");
	else
		rc = err_set(
		    e, ERR_USAGE, "'%s:' is not a Redis address; there are redis://host and unix:PATH", u.scheme);
	url_free(&u);
	if (rc < 0) {
		redis_address_free(a);
		return -1;
	}
	const char *secret = env_get("REDISCLI_AUTH");
	if (!a->password && secret)
		a->password = xstrdup(secret);
	if (a->user && !a->password) {
		redis_address_free(a);
		return err_set(
		    e, ERR_USAGE, "the Redis address has a user but no password, which may be in REDISCLI_AUTH");
	}
	show(a);
	return 0;
}

void redis_address_free(struct redis_address *a)
{
	free(a->host);
	free(a->path);
	free(a->user);
	if (a->password)
		explicit_bzero(a->password, strlen(a->password));
	free(a->password);
	free(a->shown);
	*a = (struct redis_address){0};
}
