/* follow.c - the state of a followed file: any bytes are refused with the file and the line, or lead to a place from
 * which reading goes on, and what is then saved can be read again. In the input PATH, INODE, BIRTH, HASH and LIFE
 * stand for what a true state says of the file. */
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/ingest/follow.h"
#include "lib/json/scan.h"
#include "tests/fuzz/lib/check.h"

static char *file, *state;
static int woken; /* readable, so that nothing waits for the file to grow */

/* Reads on from the state and saves it: how many records came, or -1. */
static int read_on(struct err *e)
{
	static const struct limits limits = {.records = 100, .bytes = 1 << 20, .max_record = 1 << 10};
	const char *const path[] = {file};
	const struct follow_conf conf = {.path = path, .npaths = 1};
	struct source *s = source_follow_records(&conf, state, e);
	struct batch b = {0};
	if (!s)
		return -1;
	enum next next = s->next(s, &b, &limits, woken, e);
	CHECK(next == NEXT_BATCH || next == NEXT_WOKEN || (next == NEXT_ERROR && e->msg[0]));
	for (size_t i = 0; i < b.n; i++)
		CHECK(b.rec[i].fate == FATE_OUT && b.rec[i].origin && b.rec[i].line.n && follow_identity(&b.rec[i]).n);
	int n = (int)b.n;
	if (next == NEXT_BATCH)
		CHECK(s->accept(s, &b, e) == 0);
	CHECK(s->close(s, e) == 0);
	batch_free(&b);
	return n;
}

struct word {
	struct str name, means;
};
static struct word words[] = {
    {STR("PATH"), {0}}, {STR("INODE"), {0}}, {STR("BIRTH"), {0}}, {STR("HASH"), {0}}, {STR("LIFE"), {0}}};

/* Notes what a state that the source itself has saved says of the file. */
static void learn(void)
{
	static const char *const member[] = {"\"path\":\"", "\"inode\":", "\"birth\":\"", "\"hash\":\"", "\"life\":\""};
	static struct buf saved;
	struct err e;
	CHECK(io_read_file(state, 1 << 16, &saved, &e) == 0);
	buf_char(&saved, 0);
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		const char *at = strstr(saved.p, member[i]);
		CHECK(at);
		at += strlen(member[i]);
		words[i].means = (struct str){at, strcspn(at, ",\"}")};
	}
}

static void begin(void)
{
	struct err e;
	log_init("fuzz", LOG_ERROR, LOG_PLAIN);
	woken = eventfd(1, EFD_CLOEXEC);
	file = fuzz_file("followed", STR("{\"text\":\"one\"}\n\n{\"text\":\"two\"}\n{\"text\":\"three\"}\n"));
	state = fuzz_file("state", STR(""));
	CHECK(unlink(state) == 0 && read_on(&e) == 3);
	learn();
}

static void put_with_words(struct str in, struct buf *out)
{
	while (in.n) {
		const struct word *w = words, *end = words + COUNT_OF(words);
		while (w < end && (in.n < w->name.n || memcmp(in.p, w->name.p, w->name.n) != 0))
			w++;
		if (w < end)
			buf_str(out, w->means);
		buf_str(out, w < end ? STR("") : (struct str){in.p, 1});
		fuzz_cut(&in, w < end ? w->name.n : 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = {0};
	struct buf text = {0};
	if (!file)
		begin();
	put_with_words(fuzz_input(data, size), &text);
	free(fuzz_file("state", buf_view(&text)));
	if (read_on(&e) < 0)
		CHECK(strstr(e.msg, state));
	else
		CHECK(read_on(&e) >= 0);
	buf_free(&text);
	return 0;
}
