/* redis_address.c - parses the address of a Redis. */
#include "lib/net/redis_address.h"

#include "lib/base/buf.h"
#include "lib/base/url.h"

enum { REDIS_PORT = 6379, SENTINEL_PORT = 26379, MOST_DB = 1000000, MOST_TIMEOUT_MS = 600000 };

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

static char *from_env(const char *variable)
{
	const char *s = env_get(variable);
	return s && *s ? xstrdup(s) : NULL;
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

static int take_argument(struct redis_address *a, struct url_arg *arg, struct err *e)
{
	const struct {
		const char *name;
		char **to;
	} file[] = {{"cacertfile", &a->cacert}, {"certfile", &a->cert}, {"keyfile", &a->certkey}};
	if (strcmp(arg->name, "timeout") == 0)
		return parse_timeout(a, arg->value, e);
	for (size_t i = 0; i < COUNT_OF(file); i++) {
		if (strcmp(arg->name, file[i].name) != 0)
			continue;
		if (!a->tls)
			return err_set(e, ERR_USAGE, "%s belongs to a Redis address with TLS: rediss://", arg->name);
		free(*file[i].to);
		*file[i].to = take(&arg->value);
		return 0;
	}
	return err_set(e, ERR_USAGE, "a Redis address takes no arguments but timeout=MILLISECONDS%s, not '%s'",
	    a->tls ? ", cacertfile, certfile and keyfile" : "", arg->name);
}

static int take_files(struct redis_address *a, struct err *e)
{
	a->cacert = a->cacert ? a->cacert : from_env("SENTI_REDIS_CACERT");
	a->cert = a->cert ? a->cert : from_env("SENTI_REDIS_CERT");
	a->certkey = a->certkey ? a->certkey : from_env("SENTI_REDIS_KEY");
	if (!a->cert == !a->certkey)
		return 0;
	return err_set(
	    e, ERR_USAGE, "a client certificate needs both certfile and keyfile (SENTI_REDIS_CERT, SENTI_REDIS_KEY)");
}

static int add_host(struct redis_address *a, struct url *u, uint16_t port, struct err *e)
{
	if (u->host && strlen(u->host) > REDIS_MOST_HOST)
		return err_set(e, ERR_USAGE, "the host of a Redis address has at most %d bytes", REDIS_MOST_HOST);
	a->host = xreallocarray(a->host, a->nhosts + 1, sizeof *a->host);
	a->host[a->nhosts++] = (struct redis_host){.name = take(&u->host), .port = u->port ? u->port : port};
	return 0;
}

/* What all addresses by TCP have; `u` is the address with the first of its hosts. */
static int by_tcp(struct redis_address *a, struct url *u, struct err *e)
{
	for (size_t i = 0; i < u->nargs; i++)
		if (take_argument(a, &u->arg[i], e) < 0)
			return -1;
	a->user = take(&u->user);
	a->password = take(&u->password);
	return a->tls ? take_files(a, e) : 0;
}

static int by_name(struct redis_address *a, struct url *u, struct err *e)
{
	if (by_tcp(a, u, e) < 0 || add_host(a, u, REDIS_PORT, e) < 0)
		return -1;
	a->host->name = a->host->name ? a->host->name : xstrdup("127.0.0.1");
	return parse_db(a, u->path, e);
}

static int add_sentinels(struct redis_address *a, const char *address, struct err *e)
{
	char *one;
	for (size_t i = 0; (one = url_with_host(address, i)); i++) {
		struct url u;
		int rc = url_parse(&u, one, e);
		free(one);
		if (rc < 0)
			return -1;
		if (!u.host)
			rc = err_set(e, ERR_USAGE, "a host of the Redis address is empty");
		else if (i == REDIS_MOST_SENTINELS)
			rc = err_set(e, ERR_USAGE, "a Redis address names at most %d Sentinels", REDIS_MOST_SENTINELS);
		else
			rc = add_host(a, &u, SENTINEL_PORT, e);
		url_free(&u);
		if (rc < 0)
			return -1;
	}
	return 0;
}

static void take_sentinel_auth(struct redis_address *a)
{
	const char *auth = env_get("SENTI_SENTINEL_AUTH");
	if (!auth || !*auth)
		return;
	const char *colon = strchr(auth, ':');
	if (colon && colon > auth)
		a->sentinel_user = str_dup((struct str){auth, (size_t)(colon - auth)});
	a->sentinel_password = xstrdup(colon ? colon + 1 : auth);
}

static int by_sentinel(struct redis_address *a, struct url *u, const char *address, struct err *e)
{
	const char *path = u->path ? u->path : "", *db = strchr(path, '/');
	size_t n = strcspn(path, "/");
	if (by_tcp(a, u, e) < 0 || add_sentinels(a, address, e) < 0)
		return -1;
	if (n == 0 || strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != n)
		return err_set(e, ERR_USAGE,
		    "an address of Sentinels ends with the name of their primary, as in "
		    "redis+sentinel://host,host,host/NAME");
	a->primary = str_dup((struct str){path, n});
	take_sentinel_auth(a);
	return parse_db(a, db ? db + 1 : NULL, e);
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
		buf_printf(&b, "redis%s%s://", a->tls ? "s" : "", a->primary ? "+sentinel" : "");
	for (size_t i = 0; i < a->nhosts; i++) {
		const struct redis_host *h = &a->host[i];
		buf_printf(&b, strchr(h->name, ':') ? "%s[%s]:%u" : "%s%s:%u", i ? "," : "", h->name, h->port);
	}
	if (a->primary)
		buf_printf(&b, "/%s", a->primary);
	if (a->db)
		buf_printf(&b, a->path ? "?db=%llu" : "/%llu", (unsigned long long)a->db);
	buf_char(&b, 0);
	a->shown = b.p;
}

static int parse(struct redis_address *a, struct url *u, const char *address, struct err *e)
{
	const char *scheme = u->scheme;
	if (strcmp(scheme, "unix") == 0)
		return by_socket(a, u, e);
	a->tls = strncmp(scheme, "rediss", 6) == 0;
	if (strcmp(scheme, a->tls ? "rediss" : "redis") == 0)
		return by_name(a, u, e);
	if (strcmp(scheme, a->tls ? "rediss+sentinel" : "redis+sentinel") == 0)
		return by_sentinel(a, u, address, e);
	return err_set(e, ERR_USAGE,
	    "'%s:' is not a Redis address; there are redis://host, rediss://host, redis+sentinel://host,host/NAME "
	    "and unix:PATH",
	    scheme);
}

static int take_password(struct redis_address *a, struct err *e)
{
	a->password = a->password ? a->password : from_env("REDISCLI_AUTH");
	if (!a->user || a->password)
		return 0;
	return err_set(e, ERR_USAGE, "the Redis address has a user but no password, which may be in REDISCLI_AUTH");
}

int redis_address_parse(struct redis_address *a, const char *address, struct err *e)
{
	struct url u;
	*a = (struct redis_address){0};
	/* A list of hosts stands only before Sentinels' name. */
	char *one = strstr(address, "+sentinel://") ? url_with_host(address, 0) : xstrdup(address);
	int rc = url_parse(&u, one, e);
	free(one);
	if (rc < 0)
		return -1;
	rc = parse(a, &u, address, e) < 0 ? -1 : take_password(a, e);
	url_free(&u);
	if (rc < 0)
		redis_address_free(a);
	else
		show(a);
	return rc;
}

static void free_secret(char *s)
{
	if (s)
		explicit_bzero(s, strlen(s));
	free(s);
}

void redis_address_free(struct redis_address *a)
{
	for (size_t i = 0; i < a->nhosts; i++)
		free(a->host[i].name);
	char *const plain[] = {
	    a->path, a->primary, a->user, a->sentinel_user, a->cacert, a->cert, a->certkey, a->shown};
	for (size_t i = 0; i < COUNT_OF(plain); i++)
		free(plain[i]);
	free(a->host);
	free_secret(a->password);
	free_secret(a->sentinel_password);
	*a = (struct redis_address){0};
}
