/* hash.c - the names of texts and records: known values, since stores and caches keep them. */
#include "lib/text/hash.h"
#include "lib/text/sha256.h"

#include <time.h>

#include "tests/unit/tap.h"

static struct str text_of(const char *s, void (*hash)(struct str, char *))
{
	static char out[HASH_HEX];
	hash(str_of(s), out);
	return (struct str){out, HASH_HEX};
}

static bool lists_differ(const struct str *a, size_t na, const struct str *b, size_t nb)
{
	char x[HASH_HEX], y[HASH_HEX];
	hash_list(a, na, x);
	hash_list(b, nb, y);
	return memcmp(x, y, HASH_HEX) != 0;
}

static void test_lists(void)
{
	struct str ab_c[] = {STR("ab"), STR("c")}, a_bc[] = {STR("a"), STR("bc")}, abc[] = {STR("abc")};
	struct str none[] = {STR_NONE}, empty[] = {STR("")}, two[] = {STR(""), STR("")};
	ok(lists_differ(ab_c, 2, a_bc, 2), "(ab, c) differs from (a, bc)");
	ok(lists_differ(ab_c, 2, abc, 1), "and from (abc)");
	ok(lists_differ(none, 1, empty, 1), "an absent field differs from an empty one");
	ok(lists_differ(empty, 1, two, 2), "one empty field differs from two");
	ok(lists_differ(none, 1, NULL, 0), "an absent field differs from no field");
	ok(!lists_differ(ab_c, 2, ab_c, 2), "the same fields have the same hash");
	static char long_text[5000];
	memset(long_text, 'x', sizeof long_text);
	struct str big[] = {{long_text, 5000}}, smaller[] = {{long_text, 4999}};
	ok(lists_differ(big, 1, smaller, 1), "long fields");
	char out[HASH_HEX];
	hash_list(ab_c, 2, out);
	is_str(((struct str){out, HASH_HEX}), STR("43ee655579de01ca739b3f95c1c2d3f4"),
	    "the hash of (ab, c) stays what it was");
	hash_list_xxh3(ab_c, 2, out);
	is_str(((struct str){out, HASH_HEX}), STR("f2eda2708bcfd51cc05c0ee4c9f60440"), "so does that by XXH3");
}

/* Short ones are summed in one piece: whatever the length, the sum is that of the stream. */
static void test_lengths(void)
{
	char text[1200], out[HASH_HEX], want[2 * SHA256_BYTES + 1];
	size_t wrong = 0;
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (char)(i * 7);
	for (size_t n = 0; n < sizeof text; n++) {
		const struct str field[] = {{text, n / 3}, STR_NONE, {text + n / 3, n - n / 3}};
		unsigned char digest[SHA256_BYTES], prefix[8] = {0};
		for (int list = 0; list < 2; list++) {
			struct sha256 s;
			sha256_init(&s);
			for (size_t i = 0; i < COUNT_OF(field); i++) {
				for (size_t k = 0; k < 8; k++)
					prefix[k] = field[i].p ? (unsigned char)(field[i].n >> 8 * k) : 0xff;
				if (list)
					sha256_add(&s, prefix, 8);
				sha256_add(&s, field[i].p ? field[i].p : "", field[i].n);
			}
			sha256_end(&s, digest);
			for (size_t i = 0; i < SHA256_BYTES; i++)
				snprintf(want + 2 * i, 3, "%02x", digest[i]);
			if (list)
				hash_list(field, COUNT_OF(field), out);
			else
				hash_text((struct str){text, n}, out);
			wrong += memcmp(out, want, HASH_HEX) != 0;
		}
	}
	is_u64(wrong, 0, "texts and lists of each length have the sum of their streams");
}

static void test_uuid(void (*make)(char *), char version, const char *name)
{
	char id[2][UUID_LEN];
	size_t wrong = 0;
	for (int i = 0; i < 1000; i++) {
		char *u = id[i % 2];
		make(u);
		for (size_t k = 0; k < UUID_LEN; k++)
			wrong +=
			    k == 8 || k == 13 || k == 18 || k == 23 ? u[k] != '-' : !strchr("0123456789abcdef", u[k]);
		wrong += u[14] != version || !strchr("89ab", u[19]) || (i && memcmp(id[0], id[1], UUID_LEN) == 0);
	}
	is_u64(wrong, 0, name);
}

static void test_order(void)
{
	char first[UUID_LEN], then[UUID_LEN], hex[13] = {0};
	struct timespec t;
	uuid_ordered(first);
	nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
	clock_gettime(CLOCK_REALTIME, &t);
	uuid_ordered(then);
	ok(memcmp(first, then, UUID_LEN) < 0, "a later UUID of version 7 sorts behind an earlier one");
	memcpy(hex, then, 8);
	memcpy(hex + 8, then + 9, 4);
	uint64_t ms = strtoull(hex, NULL, 16), now = (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
	ok(ms >= now && ms < now + 60000, "it begins with the time in milliseconds");
}

int main(void)
{
	/* the first half of SHA-256; XXH3_128bits of xxHash, seed 0, canonical form */
	is_str(text_of("", hash_text), STR("e3b0c44298fc1c149afbf4c8996fb924"), "the empty text");
	is_str(text_of("good", hash_text), STR("770e607624d689265ca6c44884d0807d"), "a short text");
	is_str(text_of("", hash_text_xxh3), STR("99aa06d3014798d86001c324468d497f"), "the empty text by XXH3");
	is_str(text_of("good", hash_text_xxh3), STR("c35c17be97b426c294505e3b981a04d7"), "a short text by XXH3");
	test_lists();
	test_lengths();
	test_uuid(uuid_new, '4', "UUIDs of version 4, each a new one");
	test_uuid(uuid_ordered, '7', "UUIDs of version 7, each a new one");
	test_order();
	return tap_done();
}
