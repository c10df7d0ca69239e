/* hash.c - XXH3 in its canonical (big-endian) spelling, and UUIDs. */
#include "lib/text/hash.h"

#include <time.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static const char hex_digit[] = "0123456789abcdef";

static void put_hex(const XXH128_hash_t *hash, char out[HASH_HEX])
{
	XXH128_canonical_t bytes;
	XXH128_canonicalFromHash(&bytes, *hash);
	for (size_t i = 0; i < sizeof bytes.digest; i++) {
		out[2 * i] = hex_digit[bytes.digest[i] >> 4];
		out[2 * i + 1] = hex_digit[bytes.digest[i] & 15];
	}
}

void hash_text(struct str text, char out[HASH_HEX])
{
	XXH128_hash_t hash = XXH3_128bits(text.p, text.n);
	put_hex(&hash, out);
}

/* Before each field stands its length, least byte first on every machine; an absent field has the length that no field
 * can have. */
void hash_list(const struct str *field, size_t n, char out[HASH_HEX])
{
	XXH3_state_t state;
	XXH3_INITSTATE(&state);
	XXH3_128bits_reset(&state);
	for (size_t i = 0; i < n; i++) {
		uint64_t length = field[i].p ? field[i].n : UINT64_MAX;
		unsigned char prefix[8];
		for (size_t k = 0; k < sizeof prefix; k++)
			prefix[k] = (unsigned char)(length >> 8 * k);
		XXH3_128bits_update(&state, prefix, sizeof prefix);
		if (field[i].p)
			XXH3_128bits_update(&state, field[i].p, field[i].n);
	}
	XXH128_hash_t hash = XXH3_128bits_digest(&state);
	put_hex(&hash, out);
}

static void random_bytes(unsigned char *b, size_t n)
{
	if (getentropy(b, n) < 0)
		abort(); /* only a kernel without getrandom(2) fails here, and a guessable id would be worse */
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

/* 48 bits of milliseconds, 12 of what is left of a millisecond, and the rest at random. */
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
