/* serve.h - two whole senti-serves without sockets: requests go in as words, answers come out as bytes. Only
 * libmicrohttpd is played; intake, database threads, feed and SQLite are the real ones.
 *
 *     FUZZ_OPEN      no tokens; what is posted is scored and stored
 *     FUZZ_GUARDED   tokens (those below), CORS, and a queue in memory in which what is posted stays
 *
 * Both have the same store, which holds FUZZ_ROWS messages before each request.
 */
#ifndef SENTI_FUZZ_SERVE_H
#define SENTI_FUZZ_SERVE_H

#include "lib/base/buf.h"
#include "tests/fuzz/lib/check.h"

enum fuzz_server { FUZZ_OPEN, FUZZ_GUARDED, FUZZ_SERVERS };
enum { FUZZ_ROWS = 24, FUZZ_HEADERS = 32 };

#define FUZZ_READER "reads-only"
#define FUZZ_WRITER "writes-too"

struct fuzz_request {
	const char *method, *target, *version;
	struct {
		const char *name, *value;
	} header[FUZZ_HEADERS];
	size_t headers;
	struct str body;
	size_t piece; /* at most so many bytes of the body come at a time */
};

struct fuzz_answer {
	unsigned status; /* 0: the connection was closed instead */
	char media[64];
	struct buf link; /* the header of that name, NUL-terminated; empty: absent */
	struct buf body; /* decoded if it came compressed */
	bool compressed, streamed;
};

/* Sends the request and fills *a, which fuzz_answer_free clears. Whatever is asked, there is one answer, and it is
 * checked: that its headers hold no control character, that what says that it is JSON is JSON, that nobody without a
 * token gets anything from a guarded server. */
void fuzz_ask(enum fuzz_server which, const struct fuzz_request *q, struct fuzz_answer *a);
void fuzz_answer_free(struct fuzz_answer *a);

#endif
