/* text_key.h - which texts are the same: a dataset often has one text many times, and copies are not evidence.
 *
 * Texts are the same if they differ in nothing but case (Unicode's lower-case forms) and white space.
 */
#ifndef SENTI_LEARN_TEXT_KEY_H
#define SENTI_LEARN_TEXT_KEY_H

#include "lib/base/buf.h"

/* A cryptographic hash of the text's form without case and white space, the same on every machine. */
struct text_key {
	uint64_t w[2];
};

struct text_key text_key(struct str text, struct buf *scratch);

static inline bool text_key_eq(struct text_key a, struct text_key b)
{
	return a.w[0] == b.w[0] && a.w[1] == b.w[1];
}

/* Mixes a number (splitmix64): equal numbers give equal ones, others look random. */
static inline uint64_t mix64(uint64_t z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* Texts with a small number each, 0 to 3. 22 to 43 bytes of memory per text. A zeroed struct is an empty set. */
struct text_set {
	struct text_key *slot;
	size_t n, cap;
};

/* Adds a text: false. True if it was there: then *note becomes the number that it was added with. */
bool text_set_add(struct text_set *s, struct text_key key, unsigned *note);
bool text_set_has(const struct text_set *s, struct text_key key);
void text_set_free(struct text_set *s);

#endif
