/* tickets.c - makes, reads and checks tickets, and remembers those that were used. */
#include "lib/serve/tickets.h"

#include <nettle/base64.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <pthread.h>
#include <sys/random.h>

#define PREFIX "ticket_"
#define PURPOSE "senti event ticket"

enum {
	TIME = 8,
	SIGNED = TICKET_NONCE + TICKET_HOLDER + TIME,
	BYTES = SIGNED + TICKET_SIGNATURE,
	CHARS = BYTES / 3 * 4,
	CHAINS = 1024,
	MOST_USED = 65536,
};

_Static_assert(BYTES % 3 == 0, "no padding: a ticket is spelt in one way");
_Static_assert(TICKET_NONCE % 3 == 0 && TICKET_NAME == TICKET_NONCE / 3 * 4, "the nonce has its own characters");
_Static_assert(TICKET_SIGNATURE == SHA256_DIGEST_SIZE, "HMAC-SHA-256");

/* ---- a ticket; pure but for the nonce ---- */

static void pack(const struct ticket *t, uint8_t out[BYTES])
{
	memcpy(out, t->nonce, TICKET_NONCE);
	memcpy(out + TICKET_NONCE, t->holder, TICKET_HOLDER);
	for (int i = 0; i < TIME; i++)
		out[TICKET_NONCE + TICKET_HOLDER + i] = (uint8_t)((uint64_t)t->expires_ms >> (8 * (TIME - 1 - i)));
	memcpy(out + SIGNED, t->signature, TICKET_SIGNATURE);
}

/* The hash itself signs nothing, so that no other use of it can be taken for a ticket. */
static void sign(const struct ticket *t, const unsigned char hash[TICKET_HASH], uint8_t out[TICKET_SIGNATURE])
{
	struct hmac_sha256_ctx c;
	uint8_t bytes[BYTES], key[SHA256_DIGEST_SIZE];
	hmac_sha256_set_key(&c, TICKET_HASH, hash);
	hmac_sha256_update(&c, sizeof PURPOSE - 1, (const uint8_t *)PURPOSE);
	hmac_sha256_digest(&c, sizeof key, key);
	pack(t, bytes);
	hmac_sha256_set_key(&c, sizeof key, key);
	hmac_sha256_update(&c, SIGNED, bytes);
	hmac_sha256_digest(&c, TICKET_SIGNATURE, out);
	explicit_bzero(key, sizeof key);
	explicit_bzero(&c, sizeof c);
}

int ticket_make(struct buf *out, const unsigned char hash[TICKET_HASH], int64_t now_ms, struct err *e)
{
	struct ticket t = {.expires_ms = now_ms + (int64_t)TICKET_S * 1000};
	uint8_t bytes[BYTES];
	if (getrandom(t.nonce, sizeof t.nonce, 0) != (ssize_t)sizeof t.nonce)
		return err_sys(e, "cannot get random bytes");
	memcpy(t.holder, hash, TICKET_HOLDER);
	sign(&t, hash, t.signature);
	pack(&t, bytes);
	struct base64_encode_ctx c;
	buf_str(out, STR(PREFIX));
	base64url_encode_init(&c);
	out->n += base64_encode_update(&c, buf_reserve(out, CHARS + BASE64_ENCODE_FINAL_LENGTH), BYTES, bytes);
	return 0;
}

/* nettle's decoder skips white space, so the alphabet is checked before. */
bool ticket_read(struct str text, struct ticket *t)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	struct base64_decode_ctx c;
	uint8_t bytes[BASE64_DECODE_LENGTH(CHARS)];
	size_t n = sizeof bytes, prefix = sizeof PREFIX - 1;
	if (text.n != prefix + CHARS || memcmp(text.p, PREFIX, prefix) != 0)
		return false;
	for (size_t i = prefix; i < text.n; i++)
		if (!text.p[i] || !strchr(alphabet, text.p[i]))
			return false;
	base64url_decode_init(&c);
	if (!base64_decode_update(&c, &n, bytes, CHARS, text.p + prefix) || n != BYTES)
		return false;
	uint64_t expires = 0;
	memcpy(t->nonce, bytes, TICKET_NONCE);
	memcpy(t->holder, bytes + TICKET_NONCE, TICKET_HOLDER);
	for (int i = 0; i < TIME; i++)
		expires = expires << 8 | bytes[TICKET_NONCE + TICKET_HOLDER + i];
	t->expires_ms = (int64_t)expires;
	memcpy(t->signature, bytes + SIGNED, TICKET_SIGNATURE);
	return true;
}

struct str ticket_name(struct str text)
{
	return (struct str){text.p + sizeof PREFIX - 1, TICKET_NAME};
}

bool ticket_is_of(const struct ticket *t, const unsigned char hash[TICKET_HASH])
{
	uint8_t good[TICKET_SIGNATURE];
	sign(t, hash, good);
	return memeql_sec(good, t->signature, sizeof good);
}

enum ticket_fate ticket_time(const struct ticket *t, int64_t now_ms)
{
	return t->expires_ms <= now_ms						     ? TICKET_EXPIRED
	       : t->expires_ms - now_ms > (int64_t)(TICKET_S + TICKET_SKEW_S) * 1000 ? TICKET_EARLY
										     : TICKET_GOOD;
}

/* ---- the tickets that this process has taken ---- */

struct used {
	struct used *next;
	int64_t expires_ms;
	unsigned char nonce[TICKET_NONCE];
};

struct used_tickets {
	pthread_mutex_t lock;
	int64_t floor_ms; /* what expires before may have been forgotten */
	size_t n;
	struct used *chain[CHAINS];
};

struct used_tickets *used_tickets_new(int64_t since_ms)
{
	struct used_tickets *u = xcalloc(1, sizeof *u);
	pthread_mutex_init(&u->lock, NULL);
	u->floor_ms = since_ms;
	return u;
}

static void forget(struct used_tickets *u, struct used **link)
{
	struct used *gone = *link;
	*link = gone->next;
	if (u->floor_ms <= gone->expires_ms)
		u->floor_ms = gone->expires_ms + 1;
	u->n--;
	free(gone);
}

static void forget_expired(struct used_tickets *u, struct used **link, int64_t now_ms)
{
	while (*link)
		if ((*link)->expires_ms <= now_ms)
			forget(u, link);
		else
			link = &(*link)->next;
}

void used_tickets_free(struct used_tickets *u)
{
	if (!u)
		return;
	for (size_t i = 0; i < CHAINS; i++)
		while (u->chain[i])
			forget(u, &u->chain[i]);
	pthread_mutex_destroy(&u->lock);
	free(u);
}

/* A nonce is random, so it is its own hash. The lock is held. */
static enum ticket_fate take(struct used_tickets *u, const struct ticket *t, int64_t now_ms)
{
	struct used **chain = &u->chain[(t->nonce[0] << 8 | t->nonce[1]) % CHAINS];
	forget_expired(u, chain, now_ms);
	for (size_t i = 0; u->n == MOST_USED && i < CHAINS; i++)
		forget_expired(u, &u->chain[i], now_ms);
	if (t->expires_ms <= now_ms || t->expires_ms < u->floor_ms)
		return TICKET_EXPIRED;
	for (const struct used *one = *chain; one; one = one->next)
		if (memcmp(one->nonce, t->nonce, sizeof t->nonce) == 0)
			return TICKET_USED;
	if (u->n == MOST_USED)
		return TICKET_CROWDED;
	struct used *one = xmalloc(sizeof *one);
	*one = (struct used){.next = *chain, .expires_ms = t->expires_ms};
	memcpy(one->nonce, t->nonce, sizeof one->nonce);
	*chain = one;
	u->n++;
	return TICKET_GOOD;
}

enum ticket_fate used_tickets_take(struct used_tickets *u, const struct ticket *t, int64_t now_ms)
{
	pthread_mutex_lock(&u->lock);
	enum ticket_fate fate = take(u, t, now_ms);
	pthread_mutex_unlock(&u->lock);
	return fate;
}
