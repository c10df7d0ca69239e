/* checkpoint.c - what an aggregate of a queue has taken in, through every way in which its file can end. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/learn/checkpoint.h"
#include "tests/unit/tap.h"

static char path[64];
static struct err e;

/* The aggregate: the texts, one after the other. */
struct sink_of_texts {
	struct checkpoint *checkpoint;
	struct buf texts;
	struct json_scan scan;
};

static int take(void *ctx, struct batch *b, struct rec *r)
{
	static const struct rec_form form = {
	    .text_name = {"text", 4}, .result_name = {"sentiment", 9}, .needs_text = true};
	struct sink_of_texts *c = ctx;
	if (rec_scan(b, r, &c->scan, &form) < 0)
		return -1;
	if (checkpoint_repeats(c->checkpoint, r))
		return CHECKPOINT_REPEATED;
	buf_str(&c->texts, r->text);
	buf_char(&c->texts, ' ');
	return 0;
}

static struct rec *add(struct batch *b, const char *line)
{
	struct rec *r = batch_add(b);
	r->line = json_padded(&b->mem, str_of(line));
	return r;
}

static struct checkpoint *open_checkpoint(void)
{
	return checkpoint_open(path, "test amqp://host?queue=q", &e);
}

/* What a new run finds: its texts, and how many records; SIZE_MAX: an error. */
static uint64_t find(struct buf *texts)
{
	struct sink_of_texts c = {.checkpoint = open_checkpoint()};
	uint64_t n = UINT64_MAX;
	buf_clear(texts);
	if (!c.checkpoint)
		return n;
	if (checkpoint_replay(c.checkpoint, take, &c, &n, &e) < 0)
		n = UINT64_MAX;
	buf_str(texts, buf_view(&c.texts));
	checkpoint_close(c.checkpoint, false);
	buf_free(&c.texts);
	json_scan_free(&c.scan);
	return n;
}

/* Two batches of records; one is rejected, one comes twice. */
static void write_two(void)
{
	struct sink_of_texts c = {.checkpoint = open_checkpoint()};
	struct batch b = {0};
	uint64_t first = HOLDS_NOTHING;
	struct envelope nameless = {.body = STR_NONE};
	b.number = 1;
	add(&b, "{\"id\":\"1\",\"text\":\"a\"}");
	add(&b, "{\"id\":\"2\"}");
	add(&b, "{\"id\":\"1\",\"text\":\"again\"}");
	nameless.body = json_padded(&b.mem, STR("{\"text\":\"b\"}"));
	add(&b, "{\"id\":\"made of its bytes\",\"text\":\"b\"}")->envelope = &nameless;
	add(&b, "{\"id\":\"made of its bytes\",\"text\":\"b\"}")->envelope = &nameless;
	ok(checkpoint_run(c.checkpoint, &b, take, &c, &first, &e) == 0 && first == HOLDS_NOTHING,
	    "a batch is on disk, so it is not held");
	ok(b.rec[0].fate == FATE_HELD && b.rec[1].fate == FATE_REJECTED && b.rec[2].fate == FATE_HELD, "fates");
	is_u64(b.counter[COUNTER_DUPLICATES], 1, "one was there by its id; of those without one, both count");
	batch_reset(&b);
	b.number = 2;
	add(&b, "{\"id\":\"3\",\"text\":\"c\"}");
	add(&b, "{\"id\":\"=\\u000a\",\"text\":\"= d\"}");
	ok(checkpoint_run(c.checkpoint, &b, take, &c, &first, &e) == 0, "and another");
	is_str(buf_view(&c.texts), STR("a b b c = d "), "all were taken in");
	checkpoint_close(c.checkpoint, false);
	batch_free(&b);
	buf_free(&c.texts);
	json_scan_free(&c.scan);
}

static void append(const char *text)
{
	int fd = open(path, O_WRONLY | O_APPEND);
	ok(io_write(fd, text, strlen(text), path, &e) == 0, "something is added to the file");
	close(fd);
}

static void test_ends(void)
{
	struct buf texts = {0}, whole = {0};
	struct stat st;
	write_two();
	ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600, "nobody else may read it");
	ok(find(&texts) == 5 && str_eq(buf_view(&texts), STR("a b b c = d ")), "the next run finds all of it");
	ok(io_read_file(path, 1 << 20, &whole, &e) == 0, "the file");
	size_t second = (size_t)((char *)memmem(whole.p, whole.n, "+{\"id\":\"3\"", 10) - whole.p), wrong = 0;
	for (size_t n = 0; n < whole.n; n++) {
		int fd = open(path, O_WRONLY | O_TRUNC);
		wrong += io_write(fd, whole.p, n, path, &e) < 0;
		close(fd);
		size_t head = (size_t)((char *)memchr(whole.p, '\n', whole.n) - whole.p) + 1;
		const struct str wanted = n >= second ? STR("a b b ") : STR("");
		uint64_t found = find(&texts);
		wrong += found != (n >= second ? 3 : 0) || !str_eq(buf_view(&texts), wanted);
		/* What holds nothing has gone, but for a beginning that was not even ours. */
		wrong += (access(path, F_OK) == 0) != (n >= second) && n >= head;
		if (access(path, F_OK) != 0)
			close(open(path, O_WRONLY | O_CREAT | O_EXCL, 0600));
	}
	is_u64(wrong, 0, "cut at any byte, what was committed is there, and what was not is gone");
	unlink(path);
	buf_free(&texts);
	buf_free(&whole);
}

static void test_damage(void)
{
	struct buf texts = {0};
	write_two();
	append("+{\"id\":\"4\",\"text\":\"x\"}\n=00000000000000000000000000000000\n");
	ok(find(&texts) == 5, "a last batch whose hash is wrong was not on disk");
	append("+{\"id\":\"4\",\"text\":\"x\"}\n=00000000000000000000000000000000\n+");
	ok(find(&texts) == UINT64_MAX, "one in the middle is damage: %s", e.msg);
	unlink(path);
	write_two();
	ok(!checkpoint_open(path, "test amqp://host?queue=other", &e), "a state of another queue: %s", e.msg);
	struct checkpoint *s = open_checkpoint();
	ok(s && !open_checkpoint(), "a state in use: %s", e.msg);
	checkpoint_close(s, true);
	ok(access(path, F_OK) < 0, "once the result is out it is gone");
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	ok(io_write(fd, "something else\n", 15, path, &e) == 0, "another file");
	close(fd);
	ok(!open_checkpoint() && access(path, F_OK) == 0, "is refused and stays: %s", e.msg);
	unlink(path);
	ok(symlink("/tmp/senti-nowhere", path) == 0 && !open_checkpoint(), "so is a symbolic link: %s", e.msg);
	unlink(path);
	buf_free(&texts);
}

/* Options of another run may refuse what the first one took. */
static int refuse(void *ctx, struct batch *b, struct rec *r)
{
	(void)ctx;
	return rec_reject(b, r, CODE_BAD_LABEL, "no longer");
}

static void test_replay(void)
{
	uint64_t n, first = HOLDS_NOTHING;
	write_two();
	struct checkpoint *s = open_checkpoint();
	ok(checkpoint_replay(s, refuse, NULL, &n, &e) < 0, "a record that is rejected now: %s", e.msg);
	checkpoint_close(s, true);
	struct sink_of_texts c = {0};
	struct batch b = {.number = 7};
	add(&b, "{\"text\":\"a\"}");
	ok(checkpoint_run(NULL, &b, take, &c, &first, &e) == 0 && first == 7, "without a checkpoint the batch is held");
	batch_free(&b);
	buf_free(&c.texts);
	json_scan_free(&c.scan);
}

int main(void)
{
	char dir[] = "/tmp/senti-checkpoint-XXXXXX";
	if (!mkdtemp(dir))
		return 1;
	log_init("test", LOG_ERROR, LOG_PLAIN);
	snprintf(path, sizeof path, "%s/state", dir);
	test_ends();
	test_damage();
	test_replay();
	rmdir(dir);
	return tap_done();
}
