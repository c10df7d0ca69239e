/* guard.c - refuses what web pages must not make a browser do. */
#include "lib/http/guard.h"

#include <arpa/inet.h>
#include <strings.h>

static bool same_name(struct str a, struct str b)
{
	return a.n == b.n && strncasecmp(a.p, b.p, a.n) == 0;
}

static struct str without_port(struct str host)
{
	size_t n = host.n;
	while (n && host.p[n - 1] >= '0' && host.p[n - 1] <= '9')
		n--;
	bool port = n && host.p[n - 1] == ':' && (host.p[0] != '[' || (n > 1 && host.p[n - 2] == ']'));
	return (struct str){host.p, port ? n - 1 : host.n};
}

enum address_kind { ADDRESS_NONE, ADDRESS_ANY, ADDRESS_LOOPBACK, ADDRESS_OTHER };

/* The kind of "127.0.0.1" or "[::1]"; NONE for a name. */
static enum address_kind address_of(struct str host)
{
	char text[64];
	struct in_addr v4;
	struct in6_addr v6;
	bool brackets = host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
	if (brackets)
		host = (struct str){host.p + 1, host.n - 2};
	if (host.n >= sizeof text)
		return ADDRESS_NONE;
	memcpy(text, host.p, host.n);
	text[host.n] = 0;
	if (brackets)
		return inet_pton(AF_INET6, text, &v6) != 1 ? ADDRESS_NONE
		       : IN6_IS_ADDR_UNSPECIFIED(&v6)	   ? ADDRESS_ANY
		       : IN6_IS_ADDR_LOOPBACK(&v6)	   ? ADDRESS_LOOPBACK
							   : ADDRESS_OTHER;
	return inet_pton(AF_INET, text, &v4) != 1	  ? ADDRESS_NONE
	       : v4.s_addr == 0				  ? ADDRESS_ANY
	       : ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET ? ADDRESS_LOOPBACK
							  : ADDRESS_OTHER;
}

bool guard_is_name(const char *s)
{
	struct str name = str_of(s);
	if (address_of(name) != ADDRESS_NONE)
		return true;
	return name.n && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") == name.n;
}

static bool is_host_of(const char *address, struct str host)
{
	return address && same_name(without_port(str_of(address)), host);
}

bool guard_knows_host(const struct guard_names *names, struct str host)
{
	host = without_port(host);
	enum address_kind address = address_of(host);
	if (host.n == 0)
		return false;
	if (address == ADDRESS_LOOPBACK || same_name(host, STR("localhost")) || is_host_of(names->listen, host) ||
	    is_host_of(names->bound, host))
		return true;
	for (const char *const *name = names->more; name && *name; name++)
		if (same_name(str_of(*name), host))
			return true;
	return address != ADDRESS_NONE && names->bound && address_of(without_port(str_of(names->bound))) == ADDRESS_ANY;
}

bool guard_is_ours(const struct guard_source *source, struct str host)
{
	const char *site = source->fetch_site, *proto = source->forwarded_proto, *origin = source->origin;
	bool same = site && strcmp(site, "same-origin") == 0;
	if (site && !same && strcmp(site, "none") != 0)
		return false;
	if (!origin)
		return true;
	bool tls = strncmp(origin, "https://", 8) == 0;
	if (tls ? !same && !(proto && strcasecmp(proto, "https") == 0) : strncmp(origin, "http://", 7) != 0)
		return false;
	return same_name(str_of(origin + (tls ? 8 : 7)), host);
}
