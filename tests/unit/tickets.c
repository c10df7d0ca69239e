/* Tickets: what is made is read and signed, nothing else is, each is good once and for its time, and not without its
 * token. */
#include "lib/serve/tickets.h"

#include <sys/stat.h>
#include <unistd.h>

#include "lib/serve/tokens.h"
#include "tests/unit/tap.h"

enum { LEN = 91 };
static const int64_t now = 1790000000000, life = (int64_t)TICKET_S * 1000, skew = (int64_t)TICKET_SKEW_S * 1000;
static const unsigned char one[TICKET_HASH] = "one token's hash, of 32 bytes..", other[TICKET_HASH] = "other";

static struct str make(struct buf *b, const unsigned char *hash, int64_t at)
{
	struct err e;
	buf_clear(b);
	if (ticket_make(b, hash, at, &e) < 0)
		abort();
	return buf_view(b);
}

static void test_form(void)
{
	struct buf a = {0}, b = {0};
	struct ticket t;
	struct str text = make(&a, one, now), second = make(&b, one, now);
	is_u64(text.n, LEN, "its length");
	ok(ticket_read(text, &t) && t.expires_ms == now + life && memcmp(t.holder, one, TICKET_HOLDER) == 0,
	    "is read as it was made");
	ok(ticket_is_of(&t, one) && !ticket_is_of(&t, other), "is of its token alone");
	ok(!str_eq(text, second) && !str_eq(ticket_name(text), ticket_name(second)), "no two are the same");
	ok(ticket_name(text).n == TICKET_NAME && memmem(text.p, text.n, one, TICKET_HOLDER + 1) == NULL,
	    "has a name, and not the hash");
	size_t lengths = 0;
	for (size_t n = 0; n < 2 * LEN; n++) {
		struct buf cut = {0};
		for (size_t i = 0; i < n; i++)
			buf_char(&cut, text.p[i % LEN]);
		lengths += ticket_read(buf_view(&cut), &t);
		buf_free(&cut);
	}
	is_u64(lengths, 1, "no other length is read");
	ok(!ticket_read(STR_NONE, &t) && !ticket_read(STR(""), &t), "nothing is no ticket");
	buf_free(&a);
	buf_free(&b);
}

/* Each character is changed into each byte: nothing of it passes but what was made. */
static void test_forged(void)
{
	struct buf b = {0};
	struct ticket t;
	size_t read = 0, passed = 0;
	make(&b, one, now);
	for (size_t i = 0; i < LEN; i++) {
		char was = b.p[i];
		for (int c = 0; c < 256; c++) {
			b.p[i] = (char)c;
			bool good = ticket_read(buf_view(&b), &t);
			read += good;
			passed += good && ticket_is_of(&t, one);
		}
		b.p[i] = was;
	}
	is_u64(read, 7 + 84 * 64, "one byte changed: only its own alphabet is read");
	is_u64(passed, LEN, "and only what was made is signed");
	buf_free(&b);
}

static void test_time(void)
{
	struct buf b = {0};
	struct ticket t;
	ticket_read(make(&b, one, now), &t);
	static const struct {
		int64_t after;
		enum ticket_fate fate;
		const char *what;
	} cases[] = {
	    {0, TICKET_GOOD, "at once"},
	    {life - 1, TICKET_GOOD, "to its last millisecond"},
	    {life, TICKET_EXPIRED, "and no longer"},
	    {1000 * life, TICKET_EXPIRED, "never again"},
	    {-skew, TICKET_GOOD, "from a clock that is a little ahead"},
	    {-skew - 1, TICKET_EARLY, "not from one that is more than that"},
	    {-now, TICKET_EARLY, "nor on a machine that does not know the time"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		ok(ticket_time(&t, now + cases[i].after) == cases[i].fate, "%s", cases[i].what);
	buf_free(&b);
}

static void test_used(void)
{
	struct buf b = {0};
	struct ticket a, c, late;
	struct used_tickets *u = used_tickets_new(now + life);
	ticket_read(make(&b, one, now - 1), &a);
	ok(used_tickets_take(u, &a, now) == TICKET_EXPIRED, "one from before the start may be used already");
	ticket_read(make(&b, one, now), &a);
	ticket_read(make(&b, one, now + 1), &c);
	ticket_read(make(&b, other, now + life), &late);
	ok(used_tickets_take(u, &a, now) == TICKET_GOOD, "is taken once");
	ok(used_tickets_take(u, &a, now) == TICKET_USED && used_tickets_take(u, &a, now + life - 1) == TICKET_USED,
	    "and not again");
	ok(used_tickets_take(u, &c, now) == TICKET_GOOD, "another is");
	ok(used_tickets_take(u, &a, now + life) == TICKET_EXPIRED && used_tickets_take(u, &a, now) != TICKET_GOOD &&
		used_tickets_take(u, &c, now) != TICKET_GOOD,
	    "nor when the clock is set back");
	ok(used_tickets_take(u, &late, now + life) == TICKET_GOOD, "while new ones are taken");
	used_tickets_free(u);
	used_tickets_free(NULL);
	buf_free(&b);
}

static void test_crowd(void)
{
	struct used_tickets *u = used_tickets_new(0);
	struct ticket t = {.expires_ms = now + life};
	size_t good = 0;
	enum ticket_fate fate = TICKET_GOOD;
	for (uint32_t i = 0; fate == TICKET_GOOD && i < 100000; i++, good += fate == TICKET_GOOD) {
		memcpy(t.nonce, &i, sizeof i);
		fate = used_tickets_take(u, &t, now);
	}
	ok(fate == TICKET_CROWDED && good == 65536, "remembers so many, and refuses more: %zu", good);
	ok(used_tickets_take(u, &t, now) == TICKET_CROWDED, "again and again");
	t.expires_ms += life;
	ok(used_tickets_take(u, &t, now + life) == TICKET_GOOD, "until they have expired");
	used_tickets_free(u);
}

/* ---- with a file of tokens ---- */

static void write_file(const char *path, const struct buf *a, const struct buf *b)
{
	FILE *f = fopen(path, "w");
	if (!f || (a && fwrite(a->p, 1, a->n, f) != a->n) || (b && fwrite(b->p, 1, b->n, f) != b->n) || fclose(f) != 0)
		abort();
}

static void test_tokens(void)
{
	char path[] = "/tmp/senti-unit-tokens-XXXXXX", name[TOKEN_NAME + 1] = "";
	struct buf token[2] = {0}, line[2] = {0}, b = {0};
	unsigned char hash[2][TOKEN_HASH], found[TOKEN_HASH];
	struct err e;
	int fd = mkstemp(path);
	if (fd < 0 || fchmod(fd, 0600) < 0 || close(fd) < 0 || tokens_make("page:read", &token[0], &line[0], &e) < 0 ||
	    tokens_make("page:admin", &token[1], &line[1], &e) < 0)
		abort();
	write_file(path, &line[0], &line[1]);
	struct tokens *t = tokens_open(path, &e);
	for (int i = 0; i < 2; i++)
		tokens_find(t, buf_view(&token[i]), name, hash[i]);
	struct str text = make(&b, hash[1], now);
	ok(tokens_find_ticket(t, text, now, name, found) == TICKET_GOOD && strcmp(name, "page") == 0 &&
		memcmp(found, hash[1], sizeof found) == 0,
	    "a ticket is of the token that signed it");
	ok(tokens_find_ticket(t, text, now + life, name, found) == TICKET_EXPIRED, "for its time");
	ok(tokens_find(t, text, name, found) == SCOPE_NONE, "and is no token");
	ok(tokens_find_ticket(t, buf_view(&token[1]), now, name, found) == TICKET_BAD, "nor is a token a ticket");
	write_file(path, &line[0], NULL);
	ok(tokens_reload(t, &e) == 0 && tokens_find_ticket(t, text, now, name, found) == TICKET_BAD && !name[0],
	    "without its token it is worth nothing");
	ok(tokens_find_ticket(t, make(&b, hash[0], now), now, name, found) == TICKET_GOOD, "those of others stay");
	memcpy(hash[1], hash[0], TICKET_HOLDER);
	ok(tokens_find_ticket(t, make(&b, hash[1], now), now, name, found) == TICKET_BAD,
	    "the holder alone proves nothing");
	buf_clear(&line[0]);
	buf_printf(&line[0], "page ticket sha256:%064d\n", 0);
	write_file(path, &line[0], NULL);
	ok(tokens_reload(t, &e) < 0, "there is no scope for tickets in the file");
	tokens_free(t);
	unlink(path);
	for (int i = 0; i < 2; i++) {
		buf_free(&token[i]);
		buf_free(&line[i]);
	}
	buf_free(&b);
}

int main(void)
{
	test_form();
	test_forged();
	test_time();
	test_used();
	test_crowd();
	test_tokens();
	return tap_done();
}
