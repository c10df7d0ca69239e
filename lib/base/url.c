/* url.c - splits and percent-decodes addresses (the parts of RFC 3986 that services need). */
#include "lib/base/url.h"

#include "lib/base/buf.h"

static bool is_scheme_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
}

bool url_has_scheme(const char *s)
{
	size_t n = 0;
	while (is_scheme_char(s[n]))
		n++;
	return n >= 2 && s[0] >= 'a' && s[0] <= 'z' && s[n] == ':';
}

static int hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* New; NULL if an escape is broken or decodes to NUL. */
static char *decode(const char *p, const char *end)
{
	char *out = xmalloc((size_t)(end - p) + 1), *o = out;
	for (; p < end; p++) {
		if (*p != '%') {
			*o++ = *p;
			continue;
		}
		int high = end - p > 2 ? hex(p[1]) : -1, low = end - p > 2 ? hex(p[2]) : -1;
		if (high < 0 || low < 0 || (high | low) == 0) {
			free(out);
			return NULL;
		}
		*o++ = (char)(high << 4 | low);
		p += 2;
	}
	*o = 0;
	return out;
}

static const char *find(const char *p, const char *end, char c)
{
	const char *hit = p < end ? memchr(p, c, (size_t)(end - p)) : NULL;
	return hit ? hit : end;
}

static int part(char **out, const char *p, const char *end, const char *what, struct err *e)
{
	*out = decode(p, end);
	return *out ? 0 : err_set(e, ERR_USAGE, "bad percent-escape in the %s of the address", what);
}

static int authority(struct url *u, const char *p, const char *end, struct err *e)
{
	const char *at = NULL;
	for (const char *q = p; q < end; q++)
		if (*q == '@')
			at = q;
	if (at) {
		const char *colon = find(p, at, ':');
		if (part(&u->user, p, colon, "user", e) < 0)
			return -1;
		if (colon < at && part(&u->password, colon + 1, at, "password", e) < 0)
			return -1;
		p = at + 1;
	}
	const char *host_end;
	if (p < end && *p == '[') {
		host_end = find(p, end, ']');
		if (host_end == end)
			return err_set(e, ERR_USAGE, "no ']' after the IPv6 host of the address");
		p++;
	} else {
		host_end = find(p, end, ':');
	}
	if (host_end > p && part(&u->host, p, host_end, "host", e) < 0)
		return -1;
	p = host_end + (host_end < end && *host_end == ']');
	if (p == end)
		return 0;
	uint64_t port;
	if (*p != ':' || str_u64((struct str){p + 1, (size_t)(end - p - 1)}, &port) < 0 || port < 1 || port > 65535)
		return err_set(e, ERR_USAGE, "the port of the address is not a number from 1 to 65535");
	u->port = (uint16_t)port;
	return 0;
}

static int arguments(struct url *u, const char *p, const char *end, struct err *e)
{
	while (p < end) {
		const char *next = find(p, end, '&'), *eq = find(p, next, '=');
		u->arg = xreallocarray(u->arg, u->nargs + 1, sizeof *u->arg);
		struct url_arg *a = &u->arg[u->nargs++];
		*a = (struct url_arg){0};
		if (part(&a->name, p, eq, "arguments", e) < 0 ||
		    part(&a->value, eq < next ? eq + 1 : next, next, "arguments", e) < 0)
			return -1;
		p = next + (next < end);
	}
	return 0;
}

int url_parse(struct url *u, const char *s, struct err *e)
{
	*u = (struct url){0};
	if (!url_has_scheme(s))
		return err_set(e, ERR_USAGE, "an address begins with a scheme such as redis:");
	const char *end = s + strlen(s), *colon = strchr(s, ':');
	u->scheme = str_dup((struct str){s, (size_t)(colon - s)});
	const char *p = colon + 1, *query = find(p, end, '?');
	if (query - p >= 2 && p[0] == '/' && p[1] == '/') {
		const char *slash = find(p + 2, query, '/');
		/* user:12/34@host would else be the host "user", its port 12, and a path that messages show. */
		if (find(p + 2, slash, '@') == slash && find(p + 2, slash, ':') < slash &&
		    find(slash, query, '@') < query) {
			err_set(
			    e, ERR_USAGE, "the address has a '/' before its '@': write it as %%2F, or the '@' as %%40");
			goto fail;
		}
		if (authority(u, p + 2, slash, e) < 0)
			goto fail;
		p = slash + (slash < query);
		if (slash < query && part(&u->path, p, query, "path", e) < 0)
			goto fail;
	} else if (part(&u->path, p, query, "path", e) < 0) {
		goto fail;
	}
	if (query < end && arguments(u, query + 1, end, e) < 0)
		goto fail;
	return 0;
fail:
	url_free(u);
	return -1;
}

const char *url_arg(const struct url *u, const char *name)
{
	for (size_t i = 0; i < u->nargs; i++)
		if (strcmp(u->arg[i].name, name) == 0)
			return u->arg[i].value;
	return NULL;
}

void url_free(struct url *u)
{
	free(u->scheme);
	free(u->user);
	free(u->password);
	free(u->host);
	free(u->path);
	for (size_t i = 0; i < u->nargs; i++) {
		free(u->arg[i].name);
		free(u->arg[i].value);
	}
	free(u->arg);
	*u = (struct url){0};
}

char *url_with_host(const char *s, size_t nth)
{
	const char *start = strstr(s, "://");
	if (!start)
		return nth ? NULL : xstrdup(s);
	start += 3;
	const char *end = start + strcspn(start, "/?"), *host = start;
	for (const char *p = start; p < end; p++)
		if (*p == '@')
			host = p + 1;
	const char *from = host, *to;
	for (;; nth--) {
		to = memchr(from, ',', (size_t)(end - from));
		if (nth == 0)
			break;
		if (!to)
			return NULL;
		from = to + 1;
	}
	to = to ? to : end;
	struct buf b = {0};
	buf_str(&b, (struct str){s, (size_t)(host - s)});
	buf_str(&b, (struct str){from, (size_t)(to - from)});
	buf_str(&b, str_of(end));
	buf_char(&b, 0);
	return b.p;
}
