/* sha256.c - the published examples, and the processor's instructions against the portable code at every length. */
#include "lib/text/sha256.h"

#include "tests/unit/tap.h"

static void digest(const char *p, size_t n, size_t cut, char hex[65])
{
	unsigned char d[SHA256_BYTES];
	struct sha256 s;
	sha256_init(&s);
	sha256_add(&s, p, cut);
	sha256_add(&s, p + cut, n - cut);
	sha256_end(&s, d);
	for (size_t i = 0; i < sizeof d; i++)
		snprintf(hex + 2 * i, 3, "%02x", d[i]);
}

static void test_known(const char *how)
{
	static char million[1000000];
	static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	char hex[65];
	digest("", 0, 0, hex);
	is_str(str_of(hex), STR("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"), how);
	digest("abc", 3, 1, hex);
	is_str(str_of(hex), STR("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"), how);
	digest(two_blocks, sizeof two_blocks - 1, 0, hex);
	is_str(str_of(hex), STR("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"), how);
	memset(million, 'a', sizeof million);
	digest(million, sizeof million, 12345, hex);
	is_str(str_of(hex), STR("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"), how);
}

int main(void)
{
	char text[300], fast[65], portable[65];
	size_t different = 0;
	sha256_use_instructions(false);
	test_known("portable");
	sha256_use_instructions(true);
	test_known("by the processor's instructions, if it has them");
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (char)(i * 131 + 7);
	for (size_t n = 0; n <= sizeof text; n++)
		for (size_t cut = 0; cut <= n; cut += n / 7 + 1) {
			sha256_use_instructions(true);
			digest(text, n, cut, fast);
			sha256_use_instructions(false);
			digest(text, n, 0, portable);
			different += strcmp(fast, portable) != 0;
		}
	ok(different == 0, "both agree at every length, in one piece or two");
	return tap_done();
}
