/* redis_address.h - the address of a Redis, or of the Sentinels that know where it is.
 *
 *     redis://[user[:password]@]host[:port][/db]
 *     redis+sentinel://[user[:password]@]host[:port],host[:port],.../NAME[/db]
 *     rediss://..., rediss+sentinel://...
 *     unix:PATH[?user=USER&db=N]
 *
 * All take timeout=MILLISECONDS; those with TLS cacertfile, certfile and keyfile too, else SENTI_REDIS_CACERT, _CERT
 * and _KEY. A password that the address lacks comes from REDISCLI_AUTH, that of the Sentinels always from
 * SENTI_SENTINEL_AUTH (PASSWORD, USER:PASSWORD, or :PASSWORD if it has a colon).
 */
#ifndef SENTI_REDIS_ADDRESS_H
#define SENTI_REDIS_ADDRESS_H

#include "lib/base/err.h"

enum { REDIS_MOST_SENTINELS = 16, REDIS_MOST_HOST = 255 };

struct redis_host {
	char *name; /* of at most REDIS_MOST_HOST bytes */
	uint16_t port;
};

struct redis_address {
	char *path;		 /* of a Unix socket; NULL: the rest is by TCP */
	struct redis_host *host; /* the server, or the Sentinels if there is `primary` */
	size_t nhosts;
	char *primary;	       /* what the Sentinels call the server; NULL: no Sentinels */
	char *user, *password; /* NULL: none */
	char *sentinel_user, *sentinel_password;
	bool tls;
	char *cacert, *cert, *certkey; /* files; NULL: the system's CAs, and no certificate of our own */
	uint64_t db;
	int64_t timeout_ms; /* for connecting, and for a call; 0: not given */
	char *shown;	    /* for messages: without user and password */
};

/* Fills *a, which redis_address_free clears: 0, or -1 with *e. */
MUST_USE int redis_address_parse(struct redis_address *a, const char *address, struct err *e);
void redis_address_free(struct redis_address *a);

#endif
