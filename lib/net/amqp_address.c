/* amqp_address.c - parses an end: a queue on the default broker, or a whole address. */
#include "lib/net/amqp_address.h"

#include "lib/base/url.h"
#include "lib/net/amqp.h"

enum { NAME_MAX_BYTES = 255 - 5 /* ".dead" */, HEARTBEAT_S = 30, HEARTBEAT_MOST_S = 3600 };

bool amqp_is_dead(const char *queue)
{
	size_t n = strlen(queue);
	return n > 5 && strcmp(queue + n - 5, ".dead") == 0;
}

char *amqp_dead_end(const char *end)
{
	static const char suffix[] = ".dead";
	size_t at;
	if (strstr(end, "://")) {
		const char *args = strchr(end, '?'), *queue = args ? strstr(args + 1, "queue=") : NULL;
		while (queue && queue[-1] != '?' && queue[-1] != '&')
			queue = strstr(queue + 1, "queue=");
		if (!queue)
			return NULL;
		at = (size_t)(queue - end) + strcspn(queue, "&");
	} else {
		at = strcspn(end, "?");
	}
	if (at >= 5 && strncmp(end + at - 5, suffix, 5) == 0)
		return NULL;
	size_t n = strlen(end) + sizeof suffix;
	char *out = xmalloc(n);
	snprintf(out, n, "%.*s%s%s", (int)at, end, suffix, end + at);
	return out;
}

static char *dup_or(const char *s, const char *otherwise)
{
	s = s && *s ? s : otherwise;
	return s ? xstrdup(s) : NULL;
}

static char *file_of(const struct url *end, const struct url *broker, const char *arg, const char *variable)
{
	const char *s = url_arg(end, arg);
	return dup_or(s ? s : url_arg(broker, arg), env_get(variable));
}

static bool is_amqp(const struct url *u)
{
	return strcmp(u->scheme, "amqp") == 0 || strcmp(u->scheme, "amqps") == 0;
}

static struct amqp_host take_host(const struct amqp_address *a, const struct url *u)
{
	struct amqp_host h = {.host = dup_or(u->host, "localhost"), .port = u->port ? u->port : a->tls ? 5671 : 5672};
	bool six = strchr(h.host, ':') != NULL;
	size_t n = strlen(h.host) + strlen(a->user) + strlen(a->vhost) + 32;
	h.shown = xmalloc(n);
	snprintf(h.shown, n, "%s://%s@%s%s%s:%u/%s", u->scheme, a->user, six ? "[" : "", h.host, six ? "]" : "", h.port,
	    strcmp(a->vhost, "/") == 0 ? "" : a->vhost);
	return h;
}

/* `u` is the address with the first host of `list`. */
static int take_broker(struct amqp_address *a, const struct url *u, const char *list, struct err *e)
{
	a->tls = strcmp(u->scheme, "amqps") == 0;
	a->user = dup_or(u->user, "guest");
	a->password = dup_or(u->password, u->user ? "" : "guest");
	a->vhost = dup_or(u->path, "/");
	a->at = take_host(a, u);
	char *one;
	for (size_t i = 1; (one = url_with_host(list, i)); i++) {
		struct url v;
		int rc = url_parse(&v, one, e);
		free(one);
		if (rc < 0)
			return -1;
		if (!u->host || !v.host)
			rc = err_set(e, ERR_USAGE, "a host of the amqp address is empty");
		else {
			a->other = xreallocarray(a->other, a->nothers + 1, sizeof *a->other);
			a->other[a->nothers++] = take_host(a, &v);
		}
		url_free(&v);
		if (rc < 0)
			return -1;
	}
	return 0;
}

void amqp_address_turn(struct amqp_address *a)
{
	if (!a->nothers)
		return;
	struct amqp_host h = a->at;
	a->at = a->other[a->turn];
	a->other[a->turn] = h;
	a->turn = (a->turn + 1) % a->nothers;
}

static int parse(struct url *u, const char *s, struct err *e)
{
	char *one = url_with_host(s, 0);
	int rc = url_parse(u, one, e);
	free(one);
	return rc;
}

static int take_heartbeat(struct amqp_address *a, const struct url *end, const struct url *broker, struct err *e)
{
	const char *s = url_arg(end, "heartbeat");
	s = s ? s : url_arg(broker, "heartbeat");
	a->heartbeat_s = HEARTBEAT_S;
	if (!s)
		return 0;
	size_t digits = strspn(s, "0123456789");
	long n = digits && !s[digits] && digits < 6 ? strtol(s, NULL, 10) : 0;
	if (n < 1 || n > HEARTBEAT_MOST_S)
		return err_set(e, ERR_USAGE, "heartbeat=%s of the amqp address is not a number of seconds from 1 to %d",
		    s, HEARTBEAT_MOST_S);
	a->heartbeat_s = (unsigned)n;
	return 0;
}

/* amqp://HOST..., not amqp:NAME; the address has a scheme. */
static bool has_authority(const char *address)
{
	return strncmp(strchr(address, ':'), "://", 3) == 0;
}

/* Where a name was expected somebody wrote an address, as in amqp:user:password@host: it must not become a queue that
 * everybody sees. */
static bool is_address(const char *name)
{
	const char *colon = strchr(name, ':');
	return colon && (strncmp(colon, "://", 3) == 0 || strchr(colon, '@'));
}

static int take_target(struct amqp_address *a, const struct url *u, bool whole, struct err *e)
{
	const char *queue = whole ? url_arg(u, "queue") : u->path;
	const char *exchange = url_arg(u, "exchange"), *key = url_arg(u, "key");
	if (whole && (exchange || key)) {
		if (queue)
			return err_set(e, ERR_USAGE, "an amqp address names a queue or an exchange, not both");
		a->exchange = xstrdup(exchange ? exchange : "");
		a->key = xstrdup(key ? key : "");
		return 0;
	}
	if (!queue || !*queue)
		return err_set(e, ERR_USAGE,
		    whole ? "the amqp address names no queue; add ?queue=NAME"
			  : "'amqp:' needs the name of a queue: amqp:NAME");
	if (strlen(queue) > NAME_MAX_BYTES)
		return err_set(e, ERR_USAGE, "the name of a queue has at most %d bytes", NAME_MAX_BYTES);
	a->queue = xstrdup(queue);
	return 0;
}

int amqp_address_parse(struct amqp_address *a, const char *end, const char *broker, struct err *e)
{
	struct url u = {0}, b = {0};
	int rc = -1;
	*a = (struct amqp_address){0};
	if (parse(&u, end, e) < 0)
		return -1;
	bool whole = has_authority(end);
	const char *usual = broker && *broker		     ? broker
			    : strcmp(u.scheme, "amqps") == 0 ? "amqps://localhost"
							     : "amqp://localhost";
	if (!whole && parse(&b, usual, e) < 0)
		goto out;
	const struct url *server = whole ? &u : &b;
	if (!is_amqp(server) || !has_authority(whole ? end : usual)) {
		err_set(e, ERR_USAGE, "SENTI_AMQP is not an address such as amqp://user:password@host:5672/vhost");
		goto out;
	}
	if (!whole && strcmp(u.scheme, "amqps") == 0 && strcmp(b.scheme, "amqps") != 0) {
		err_set(
		    e, ERR_USAGE, "amqps:%s needs TLS, and SENTI_AMQP names a broker without it", u.path ? u.path : "");
		goto out;
	}
	if (!whole && is_address(strchr(end, ':') + 1)) {
		err_set(e, ERR_USAGE,
		    "'%s' does not name a queue: an address is amqp://user:password@host/?queue=NAME, and in a name "
		    "':' "
		    "is %%3A",
		    end);
		goto out;
	}
	if (take_broker(a, server, whole ? end : usual, e) < 0)
		goto out;
	a->cacert = file_of(&u, &b, "cacertfile", "SENTI_AMQP_CACERT");
	a->cert = file_of(&u, &b, "certfile", "SENTI_AMQP_CERT");
	a->certkey = file_of(&u, &b, "keyfile", "SENTI_AMQP_KEY");
	if (!a->cert != !a->certkey) {
		err_set(e, ERR_USAGE,
		    "a client certificate needs both certfile and keyfile (SENTI_AMQP_CERT, SENTI_AMQP_KEY)");
		goto out;
	}
	rc = take_heartbeat(a, &u, &b, e) < 0 ? -1 : take_target(a, &u, whole, e);
out:
	url_free(&u);
	url_free(&b);
	if (rc < 0)
		amqp_address_free(a);
	return rc;
}

void amqp_address_free(struct amqp_address *a)
{
	char **s[] = {&a->at.host, &a->at.shown, &a->user, &a->password, &a->vhost, &a->queue, &a->exchange, &a->key,
	    &a->cacert, &a->cert, &a->certkey};
	for (size_t i = 0; i < a->nothers; i++) {
		free(a->other[i].host);
		free(a->other[i].shown);
	}
	free(a->other);
	for (size_t i = 0; i < COUNT_OF(s); i++)
		free(*s[i]);
	*a = (struct amqp_address){0};
}
