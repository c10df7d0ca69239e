/* tokens.c - reads the file of tokens, checks it line by line, looks tokens up by hash. */
#include "lib/serve/tokens.h"

#include <nettle/base16.h>
#include <nettle/base64.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>
#include <pthread.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/http/request.h"

enum { MOST_TOKENS = 10000, MOST_BYTES = 4 << 20, SECRET = 32 };

#define CHALLENGE "Bearer realm=\"senti\""
#define PREFIX "senti_" /* scanners for leaked secrets look for such prefixes */
#define HASH_KIND "sha256:"
#define HEX_LEN (2 * (size_t)SHA256_DIGEST_SIZE)

_Static_assert(TOKEN_HASH == SHA256_DIGEST_SIZE, "a hash of a token is its SHA-256");
_Static_assert((int)TICKET_HASH == (int)TOKEN_HASH, "which signs its tickets");

struct token {
	char name[TOKEN_NAME + 1];
	enum scope scope;
	uint8_t hash[SHA256_DIGEST_SIZE];
};

struct list {
	struct token *token;
	size_t n;
};

struct tokens {
	char *path;
	pthread_rwlock_t lock;
	struct list list;
};

static const char *const words[] = {[SCOPE_NONE] = "none",
    [SCOPE_TICKET] = "ticket",
    [SCOPE_READ] = "read",
    [SCOPE_WRITE] = "write",
    [SCOPE_ADMIN] = "admin"};

static const char *scope_name(enum scope s)
{
	return words[s];
}

static bool is_name(struct str s)
{
	static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	if (s.n == 0 || s.n > TOKEN_NAME)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!s.p[i] || !strchr(good, s.p[i]))
			return false;
	return true;
}

/* The greatest scope of the list, since each includes those below; SCOPE_NONE if one is not a scope. */
static enum scope scope_of(struct str s)
{
	enum scope most = SCOPE_NONE;
	for (;;) {
		const char *comma = s.n ? memchr(s.p, ',', s.n) : NULL;
		struct str word = {s.p, comma ? (size_t)(comma - s.p) : s.n};
		enum scope found = SCOPE_NONE;
		for (enum scope c = SCOPE_READ; c <= SCOPE_ADMIN; c++)
			if (str_eq(word, str_of(words[c])))
				found = c;
		if (found == SCOPE_NONE)
			return SCOPE_NONE;
		most = found > most ? found : most;
		if (!comma)
			return most;
		s = (struct str){comma + 1, s.n - word.n - 1};
	}
}

static bool read_hash(struct str s, uint8_t out[SHA256_DIGEST_SIZE])
{
	static const size_t kind = sizeof HASH_KIND - 1;
	struct base16_decode_ctx c;
	size_t n = SHA256_DIGEST_SIZE;
	if (s.n != kind + HEX_LEN || memcmp(s.p, HASH_KIND, kind) != 0)
		return false;
	base16_decode_init(&c);
	return base16_decode_update(&c, &n, out, HEX_LEN, s.p + kind) && base16_decode_final(&c) &&
	       n == SHA256_DIGEST_SIZE;
}

static void hash_of(struct str token, uint8_t out[SHA256_DIGEST_SIZE])
{
	struct sha256_ctx c;
	sha256_init(&c);
	sha256_update(&c, token.n, (const uint8_t *)token.p);
	sha256_digest(&c, SHA256_DIGEST_SIZE, out);
}

/* Cuts the next word off the line; empty at its end. */
static struct str next_word(struct str *line)
{
	while (line->n && (line->p[0] == ' ' || line->p[0] == '\t' || line->p[0] == '\r'))
		*line = (struct str){line->p + 1, line->n - 1};
	struct str word = {line->p, 0};
	while (word.n < line->n && word.p[word.n] != ' ' && word.p[word.n] != '\t' && word.p[word.n] != '\r')
		word.n++;
	*line = (struct str){line->p + word.n, line->n - word.n};
	return word;
}

/* The message repeats nothing of the line, which may by mistake hold a token. */
static int read_line(struct list *l, struct str line, const char *path, size_t number, struct err *e)
{
	struct token t = {0};
	struct str name = next_word(&line);
	if (name.n == 0 || name.p[0] == '#')
		return 0;
	struct str scopes = next_word(&line), hash = next_word(&line);
	const char *why = NULL;
	if (!is_name(name))
		why = "a name has up to 64 letters, digits and ._-";
	else if ((t.scope = scope_of(scopes)) == SCOPE_NONE)
		why = "after the name come its scopes: read, write or admin, separated by commas";
	else if (!read_hash(hash, t.hash))
		why = "the third word is " HASH_KIND " and 64 hexadecimal digits, as --new-token prints it";
	else if (next_word(&line).n)
		why = "more than a name, scopes and a hash";
	else if (l->n == MOST_TOKENS)
		why = "too many tokens";
	for (size_t i = 0; i < l->n && !why; i++)
		if (memcmp(l->token[i].hash, t.hash, sizeof t.hash) == 0)
			why = "this token occurs twice";
	if (why)
		return err_set(e, ERR_ENV, "%s:%zu: %s", path, number, why);
	memcpy(t.name, name.p, name.n);
	if ((l->n & (l->n - 1)) == 0) /* doubled at each power of two */
		l->token = xreallocarray(l->token, l->n ? 2 * l->n : 1, sizeof t);
	l->token[l->n++] = t;
	return 0;
}

static int read_lines(struct list *l, struct str text, const char *path, struct err *e)
{
	for (size_t number = 1; text.n; number++) {
		const char *nl = memchr(text.p, '\n', text.n);
		size_t n = nl ? (size_t)(nl - text.p) : text.n;
		if (read_line(l, (struct str){text.p, n}, path, number, e) < 0)
			return -1;
		n += nl != NULL;
		text = (struct str){text.p + n, text.n - n};
	}
	if (l->n == 0)
		return err_set(
		    e, ERR_ENV, "%s has no token; make one: senti-serve --new-token NAME:SCOPES >>%s", path, path);
	return 0;
}

/* Whoever can write the file can hand out tokens, and whoever can read it can sign tickets. */
static int read_file(struct list *l, const char *path, struct err *e)
{
	struct stat st;
	struct buf text = {0};
	if (stat(path, &st) == 0 && st.st_mode & S_IWOTH)
		return err_set(e, ERR_ENV, "everybody may write to %s: chmod o-w it", path);
	if (st.st_mode & S_IROTH)
		log_warn(
		    "everybody on this machine may read the tokens' hashes, which sign tickets: chmod o-r the file",
		    "file", path, NULL);
	int rc = io_read_file(path, MOST_BYTES, &text, e);
	if (rc == 0)
		rc = read_lines(l, buf_view(&text), path, e);
	buf_free(&text);
	return rc;
}

struct tokens *tokens_open(const char *path, struct err *e)
{
	struct tokens *t = xcalloc(1, sizeof *t);
	t->path = xstrdup(path);
	pthread_rwlock_init(&t->lock, NULL);
	if (tokens_reload(t, e) < 0) {
		tokens_free(t);
		return NULL;
	}
	return t;
}

int tokens_reload(struct tokens *t, struct err *e)
{
	struct list fresh = {0};
	int rc = read_file(&fresh, t->path, e);
	if (rc == 0) {
		pthread_rwlock_wrlock(&t->lock);
		struct list old = t->list;
		t->list = fresh;
		pthread_rwlock_unlock(&t->lock);
		fresh = old;
	}
	free(fresh.token);
	return rc;
}

void tokens_free(struct tokens *t)
{
	pthread_rwlock_destroy(&t->lock);
	free(t->list.token);
	free(t->path);
	free(t);
}

size_t tokens_count(struct tokens *t)
{
	pthread_rwlock_rdlock(&t->lock);
	size_t n = t->list.n;
	pthread_rwlock_unlock(&t->lock);
	return n;
}

enum scope tokens_find(struct tokens *t, struct str token, char name[TOKEN_NAME + 1], unsigned char hash[TOKEN_HASH])
{
	struct token found = {0};
	hash_of(token, hash);
	pthread_rwlock_rdlock(&t->lock);
	for (size_t i = 0; i < t->list.n; i++) /* all of them, so that the time tells nothing */
		if (memeql_sec(t->list.token[i].hash, hash, TOKEN_HASH))
			found = t->list.token[i];
	pthread_rwlock_unlock(&t->lock);
	memcpy(name, found.name, sizeof found.name);
	return found.scope;
}

enum ticket_fate tokens_find_ticket(
    struct tokens *t, struct str text, int64_t now_ms, char name[TOKEN_NAME + 1], unsigned char hash[TOKEN_HASH])
{
	struct ticket ticket;
	struct token found = {0};
	if (!ticket_read(text, &ticket))
		return TICKET_BAD;
	pthread_rwlock_rdlock(&t->lock);
	for (size_t i = 0; i < t->list.n && !found.scope; i++) {
		const struct token *one = &t->list.token[i];
		if (memcmp(one->hash, ticket.holder, TICKET_HOLDER) == 0 && ticket_is_of(&ticket, one->hash))
			found = *one;
	}
	pthread_rwlock_unlock(&t->lock);
	memcpy(name, found.name, sizeof found.name);
	memcpy(hash, found.hash, sizeof found.hash);
	return found.scope ? ticket_time(&ticket, now_ms) : TICKET_BAD;
}

bool tokens_know(const unsigned char hash[TOKEN_HASH], void *tokens)
{
	struct tokens *t = tokens;
	bool known = false;
	pthread_rwlock_rdlock(&t->lock);
	for (size_t i = 0; i < t->list.n; i++)
		known |= memeql_sec(t->list.token[i].hash, hash, TOKEN_HASH);
	pthread_rwlock_unlock(&t->lock);
	return known;
}

int tokens_make(const char *wanted, struct buf *token, struct buf *line, struct err *e)
{
	const char *colon = strchr(wanted, ':');
	struct str name = {wanted, colon ? (size_t)(colon - wanted) : 0};
	uint8_t secret[SECRET], hash[SHA256_DIGEST_SIZE];
	char hex[HEX_LEN];
	struct base64_encode_ctx c;
	if (!is_name(name) || scope_of(str_of(colon + 1)) == SCOPE_NONE)
		return err_set(e, ERR_USAGE,
		    "--new-token takes a name and its scopes (read, write, admin) such as shop:read,write, not '%s'",
		    wanted);
	if (getrandom(secret, sizeof secret, 0) != (ssize_t)sizeof secret)
		return err_sys(e, "cannot get random bytes");
	buf_str(token, STR(PREFIX));
	char *to = buf_reserve(token, BASE64_ENCODE_LENGTH(SECRET) + BASE64_ENCODE_FINAL_LENGTH);
	base64url_encode_init(&c);
	size_t n = base64_encode_update(&c, to, SECRET, secret);
	n += base64_encode_final(&c, to + n);
	while (to[n - 1] == '=') /* padding */
		n--;
	token->n += n;
	hash_of(buf_view(token), hash);
	base16_encode_update(hex, sizeof hash, hash);
	buf_printf(line, "%.*s %s " HASH_KIND "%.*s\n", STR_FMT(name), colon + 1, (int)HEX_LEN, hex);
	explicit_bzero(secret, sizeof secret);
	return 0;
}

/* ---- requests ---- */

static void refuse(struct request *r, const char *challenge, const char *kind, const char *why)
{
	request_set(r, "WWW-Authenticate", "%s", challenge);
	request_problem(r, 401, kind, "%s", why);
}

void tokens_refuse_ticket(struct request *r, enum ticket_fate fate)
{
	static const char *const why[] = {
	    [TICKET_BAD] = "this ticket is none of this server's, or its token is revoked",
	    [TICKET_EXPIRED] = "this ticket has expired; POST /v1/tickets gives another",
	    [TICKET_EARLY] = "this ticket is of a server whose clock is ahead of this one's",
	    [TICKET_USED] = "this ticket is used; POST /v1/tickets gives another",
	    [TICKET_CROWDED] = "too many tickets are being used; try again in a minute",
	    [TICKET_UNSURE] = "the cache does not say whether this ticket is used; try again with another",
	};
	if (fate < TICKET_CROWDED) {
		refuse(r, CHALLENGE ", error=\"invalid_token\"", "bad_ticket", why[fate]);
		return;
	}
	request_set(r, "Retry-After", fate == TICKET_CROWDED ? "60" : "1");
	if (fate == TICKET_CROWDED)
		request_problem(r, 503, "busy", "%s", why[fate]);
	else
		request_problem(r, 503, "cache_unavailable", "%s", why[fate]);
}

static void admit_ticket(struct request *r, struct tokens *tokens, struct str ticket)
{
	enum ticket_fate fate = tokens_find_ticket(tokens, ticket, clock_wall_ms(), r->caller, r->credential);
	r->granted = SCOPE_TICKET;
	if (fate != TICKET_GOOD)
		tokens_refuse_ticket(r, fate);
}

void tokens_admit(struct request *r, void *arg)
{
	struct tokens *tokens = arg;
	enum scope needed = (enum scope)r->route->access, has;
	static const char scheme[] = "Bearer ";
	r->granted = tokens ? SCOPE_NONE : SCOPE_ADMIN;
	if (!tokens || needed == SCOPE_NONE)
		return;
	const char *given = request_header(r, "Authorization");
	bool bearer = given && strncasecmp(given, scheme, sizeof scheme - 1) == 0;
	struct str ticket = !bearer && needed == SCOPE_TICKET ? request_query(r, "ticket") : STR_NONE;
	if (ticket.p) {
		admit_ticket(r, tokens, ticket);
		return;
	}
	if (!bearer) {
		refuse(r, CHALLENGE, "no_token", "this needs a token: send it as 'Authorization: Bearer TOKEN'");
		return;
	}
	given += sizeof scheme - 1;
	given += strspn(given, " ");
	has = tokens_find(tokens, str_of(given), r->caller, r->credential);
	r->granted = has;
	if (has == SCOPE_NONE) {
		refuse(r, CHALLENGE ", error=\"invalid_token\"", "bad_token", "this token is unknown or revoked");
	} else if (has < needed) {
		request_set(r, "WWW-Authenticate", CHALLENGE ", error=\"insufficient_scope\", scope=\"%s\"",
		    scope_name(needed));
		request_problem(r, 403, "scope_missing", "this needs a token with the scope '%s'", scope_name(needed));
	}
}
