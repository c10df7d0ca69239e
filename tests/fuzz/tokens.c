/* tokens.c - the file of tokens: any bytes are refused with the file and the line, or give tokens that allow
 * something, none of which is the file's own text; nor is that a ticket. And what --new-token makes of any name and
 * scopes can be read, and lets its token in. */
#include "lib/serve/tokens.h"
#include "tests/fuzz/lib/check.h"

static void check_file(struct str text)
{
	struct err e = {0};
	unsigned char hash[TOKEN_HASH];
	char name[TOKEN_NAME + 1], *path = fuzz_file("tokens", text);
	struct tokens *t = tokens_open(path, &e);
	CHECK(t ? tokens_count(t) > 0 : strstr(e.msg, path) != NULL);
	if (t) {
		CHECK(tokens_find(t, text, name, hash) == SCOPE_NONE && !name[0]);
		CHECK(tokens_find_ticket(t, text, 0, name, hash) == TICKET_BAD && !name[0]);
		CHECK(tokens_reload(t, &e) == 0);
		tokens_free(t);
	}
	free(path);
}

static void check_new(const char *wanted)
{
	struct err e = {0};
	struct buf token = {0}, line = {0};
	unsigned char hash[TOKEN_HASH];
	char name[TOKEN_NAME + 1];
	if (tokens_make(wanted, &token, &line, &e) == 0) {
		char *path = fuzz_file("made", buf_view(&line));
		struct tokens *t = tokens_open(path, &e);
		CHECK(t && tokens_count(t) == 1);
		CHECK(tokens_find(t, buf_view(&token), name, hash) != SCOPE_NONE);
		CHECK(strncmp(wanted, name, strlen(name)) == 0 && wanted[strlen(name)] == ':');
		tokens_free(t);
		free(path);
	} else {
		CHECK(e.msg[0]);
	}
	buf_free(&token);
	buf_free(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = fuzz_input(data, size);
	char *wanted = fuzz_cstr(in);
	check_file(in);
	if (wanted)
		check_new(wanted);
	free(wanted);
	return 0;
}
