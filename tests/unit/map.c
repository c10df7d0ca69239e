/* map.c - the hash map: what is put is found, and keys that were chosen to share a slot do not. */
#include "lib/base/map.h"

#include "lib/base/buf.h"
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "tests/unit/tap.h"

enum { KEYS = 1024, LOW_BITS = 10, KEY_LEN = 18 };

/* Keys whose unseeded XXH3 ends in zeros: they all shared one slot when the table was not seeded. */
static void chosen_keys(struct buf *out)
{
	static char key[256]; /* as long as any that the inlined hash may look at */
	for (unsigned long i = 0, n = 0; n < KEYS; i++) {
		snprintf(key, sizeof key, "senti:m:%010lx", i);
		if ((XXH3_64bits(key, KEY_LEN) & ((1 << LOW_BITS) - 1)) == 0) {
			buf_add(out, key, KEY_LEN);
			n++;
		}
	}
}

static void test_flood(void)
{
	struct buf keys = {0};
	size_t low[1 << LOW_BITS] = {0}, most = 0;
	chosen_keys(&keys);
	for (size_t i = 0; i < KEYS; i++) {
		size_t *n = &low[hash_bytes((struct str){keys.p + i * KEY_LEN, KEY_LEN}) & ((1 << LOW_BITS) - 1)];
		if (++*n > most)
			most = *n;
	}
	ok(most < 16, "1,024 keys chosen against the unseeded hash spread out (most in one slot: %zu)", most);
	buf_free(&keys);
}

static void test_map(void)
{
	static char key[1000][8];
	struct map m = {0};
	bool made;
	size_t wrong = 0;
	ok(!map_get(&m, STR("a")), "an empty map has nothing");
	for (size_t i = 0; i < 1000; i++) {
		snprintf(key[i], sizeof key[i], "%zu", i);
		map_put(&m, str_of(key[i]), &made)->v.num = i;
		wrong += !made;
	}
	for (size_t i = 0; i < 1000; i++) {
		struct map_slot *s = map_get(&m, str_of(key[i]));
		wrong += !s || s->v.num != i;
	}
	map_put(&m, STR("7"), &made);
	ok(!made && wrong == 0 && m.n == 1000, "what was put is found, once");
	ok(map_put(&m, STR(""), &made) && made && map_get(&m, STR("")), "an empty key is a key");
	map_free(&m);
	ok(m.n == 0 && !map_get(&m, STR("7")), "a freed map is empty");
}

int main(void)
{
	test_map();
	test_flood();
	return tap_done();
}
