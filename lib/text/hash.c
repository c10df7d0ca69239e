/* hash.c - names derived from content, and UUIDs. */
#include "lib/text/hash.h"

#include <time.h>
#include <unistd.h>

#include "lib/text/sha256.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

static const char hex_digit[] = "0123456789abcdef";

static void put_hex(const unsigned char *digest, char out[HASH_HEX])
{
	for (size_t i = 0; i < HASH_HEX / 2; i++) {
		out[2 * i] = hex_digit[digest[i] >> 4];
		out[2 * i + 1] = hex_digit[digest[i] & 15];
	}
}

/* What most texts and records have. */
enum { SHORT = 1024 };

void hash_text(struct str text, char out[HASH_HEX])
{
	unsigned char digest[SHA256_BYTES], whole[SHORT + SHA256_PADDING];
	struct sha256 s;
	if (text.n <= SHORT) {
		if (text.n)
			memcpy(whole, text.p, text.n);
		sha256_short(whole, text.n, digest);
		put_hex(digest, out);
		return;
	}
	sha256_init(&s);
	sha256_add(&s, text.p, text.n);
	sha256_end(&s, digest);
	put_hex(digest, out);
}

/* Encodes the length that precedes each field, least significant byte first on every machine. An absent field gets
 * UINT64_MAX, a length that no field can have. */
static void put_length(struct str field, unsigned char prefix[8])
{
	uint64_t length = field.p ? field.n : UINT64_MAX;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	length = __builtin_bswap64(length);
#endif
	memcpy(prefix, &length, sizeof length);
}

/* The fields and their lengths in one piece; false if they are too long for that. */
static bool sum_short(const struct str *field, size_t n, unsigned char digest[SHA256_BYTES])
{
	unsigned char whole[SHORT + SHA256_PADDING], *p = whole;
	for (size_t i = 0; i < n; i++) {
		size_t room = (size_t)(whole + SHORT - p), bytes = field[i].p ? field[i].n : 0;
		if (room < 8 || room - 8 < bytes)
			return false;
		put_length(field[i], p);
		if (bytes)
			memcpy(p + 8, field[i].p, bytes);
		p += 8 + bytes;
	}
	sha256_short(whole, (size_t)(p - whole), digest);
	return true;
}

void hash_list(const struct str *field, size_t n, char out[HASH_HEX])
{
	unsigned char prefix[8], digest[SHA256_BYTES];
	if (sum_short(field, n, digest)) {
		put_hex(digest, out);
		return;
	}
	struct sha256 s;
	sha256_init(&s);
	for (size_t i = 0; i < n; i++) {
		put_length(field[i], prefix);
		sha256_add(&s, prefix, sizeof prefix);
		if (field[i].p)
			sha256_add(&s, field[i].p, field[i].n);
	}
	sha256_end(&s, digest);
	put_hex(digest, out);
}

static void put_xxh3(XXH128_hash_t hash, char out[HASH_HEX])
{
	XXH128_canonical_t bytes;
	XXH128_canonicalFromHash(&bytes, hash);
	put_hex(bytes.digest, out);
}

void hash_text_xxh3(struct str text, char out[HASH_HEX])
{
	put_xxh3(XXH3_128bits(text.p, text.n), out);
}

void hash_list_xxh3(const struct str *field, size_t n, char out[HASH_HEX])
{
	XXH3_state_t state;
	unsigned char prefix[8];
	XXH3_INITSTATE(&state);
	XXH3_128bits_reset(&state);
	for (size_t i = 0; i < n; i++) {
		put_length(field[i], prefix);
		XXH3_128bits_update(&state, prefix, sizeof prefix);
		if (field[i].p)
			XXH3_128bits_update(&state, field[i].p, field[i].n);
	}
	put_xxh3(XXH3_128bits_digest(&state), out);
}

static void random_bytes(unsigned char *b, size_t n)
{
	if (getentropy(b, n) < 0)
		abort(); /* fails only on a kernel without getrandom(2); a guessable id would be worse */
}

static void put_uuid(unsigned char b[16], unsigned version, char out[UUID_LEN])
{
	b[6] = (unsigned char)((b[6] & 0x0f) | version << 4);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80); /* the variant of RFC 9562 */
	char *o = out;
	for (size_t i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*o++ = '-';
		*o++ = hex_digit[b[i] >> 4];
		*o++ = hex_digit[b[i] & 15];
	}
}

void uuid_new(char out[UUID_LEN])
{
	unsigned char b[16];
	random_bytes(b, sizeof b);
	put_uuid(b, 4, out);
}

/* 48 bits of milliseconds, 12 bits of the fraction of a millisecond, and the rest random. */
void uuid_ordered(char out[UUID_LEN])
{
	unsigned char b[16];
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	uint64_t ms = (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
	uint64_t part = (uint64_t)t.tv_nsec % 1000000 * 4096 / 1000000;
	for (int i = 0; i < 6; i++)
		b[i] = (unsigned char)(ms >> (40 - 8 * i));
	b[6] = (unsigned char)(part >> 8);
	b[7] = (unsigned char)part;
	random_bytes(b + 8, 8);
	put_uuid(b, 7, out);
}
