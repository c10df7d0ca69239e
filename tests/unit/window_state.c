/* The file of a state through every way in which it can end, ids, and the lines that a restart passes over. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/window/places.h"
#include "lib/window/recent.h"
#include "lib/window/saved.h"
#include "tests/unit/tap.h"

static char path[64];
static struct err e;

static int collect(void *arg, size_t group, size_t groups, struct str line, struct err *err)
{
	(void)err;
	(void)groups;
	if (line.p)
		buf_printf(arg, "%zu:%.*s ", group, STR_FMT(line));
	return 0;
}

/* What is in the file: "GROUP:LINE GROUP:LINE ", or "-" if it is refused. */
static void is_file(const char *want, const char *name)
{
	struct buf got = {0};
	struct saved *s = saved_open(path, "us", &e);
	if (!s)
		buf_char(&got, '-');
	else if (saved_read(s, collect, &got, &e) < 0)
		buf_char(&got, '!');
	is_str(got.n ? buf_view(&got) : STR(""), str_of(want), "%s", name);
	saved_close(s, false);
	buf_free(&got);
}

static void commit(struct saved *s, const char *line)
{
	saved_add(s, str_of(line));
	ok(saved_commit(s, &e) == 0, "%s is on disk", line);
}

static int put_snapshot(void *arg, struct err *err)
{
	return saved_snapshot_line(arg, STR("all"), err) < 0 || saved_snapshot_line(arg, STR("of it"), err) < 0 ? -1
														: 0;
}

static int put_nothing(void *arg, struct err *err)
{
	(void)arg;
	return err_set(err, ERR_ENV, "told to fail");
}

static void test_file(void)
{
	struct saved *s = saved_open(path, "us", &e);
	ok(s && !saved_found(s), "a new state is empty");
	ok(!saved_open(path, "us", &e) && strstr(e.msg, "in use"), "nobody else may have it: %s", e.msg);
	ok(saved_commit(s, &e) == 0, "nothing is committed");
	commit(s, "one");
	commit(s, "two");
	saved_add(s, STR("never committed"));
	saved_close(s, false);
	is_file("1:one 2:two ", "what was committed is there");
	s = saved_open(path, "us", &e);
	ok(s && saved_found(s) && !saved_is_large(s), "it is found");
	ok(saved_replace(s, put_nothing, s, &e) < 0, "a snapshot that fails");
	ok(saved_replace(s, put_snapshot, s, &e) == 0, "and one that does not");
	ok(!saved_open(path, "us", &e) && strstr(e.msg, "in use"), "the new file is ours too");
	commit(s, "three");
	saved_close(s, false);
	is_file("0:all 0:of it 1:three ", "a snapshot takes the place of what was before");
	ok(!saved_open(path, "them", &e) && strstr(e.msg, "belongs to"), "others are refused: %s", e.msg);
	struct stat st;
	ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600, "it is its owner's alone");
}

/* The file cut after each of its bytes: what is left is what was committed before. */
static void test_cuts(void)
{
	struct buf all = {0};
	if (io_read_file(path, 1 << 20, &all, &e) < 0)
		return;
	bool good = true;
	const char *first = memmem(all.p, all.n, "of it\n=", 7), *third = memmem(all.p, all.n, "three", 5);
	size_t snapshot = (size_t)(third - all.p), group = (size_t)((char *)memchr(first + 7, '\n', 99) - all.p) + 1;
	ok(group == snapshot, "the snapshot ends where the journal begins");
	for (size_t n = 0; n < all.n; n++) {
		struct buf got = {0};
		int fd = open(path, O_WRONLY | O_TRUNC);
		good &= io_write(fd, all.p, n, path, &e) == 0;
		close(fd);
		struct saved *s = saved_open(path, "us", &e);
		good &= s && saved_read(s, collect, &got, &e) == 0;
		good &= str_eq(buf_view(&got), n < snapshot ? STR("") : STR("0:all 0:of it "));
		commit(s, "more");
		saved_close(s, false);
		buf_free(&got);
	}
	ok(good, "a file that was cut has what was committed before, and takes more");
	int fd = open(path, O_WRONLY | O_TRUNC);
	all.p[snapshot - 3] ^= 1;
	ok(io_write(fd, all.p, all.n, path, &e) == 0, "a damaged file");
	close(fd);
	is_file("-", "is refused");
	ok(strstr(e.msg, "damaged"), "%s", e.msg);
	buf_free(&all);
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	ok(io_write(fd, "precious\n", 9, path, &e) == 0, "a file of another kind");
	close(fd);
	is_file("-", "is refused");
	unlink(path);
}

static void test_large(void)
{
	struct saved *s = saved_open(path, "us", &e);
	struct buf line = {0};
	for (size_t i = 0; i < 100000; i++)
		buf_char(&line, 'x');
	for (int i = 0; i < 11; i++) {
		saved_add(s, buf_view(&line));
		if (saved_commit(s, &e) < 0)
			ok(false, "%s", e.msg);
	}
	ok(saved_is_large(s), "a journal of more than a MiB is large");
	ok(saved_replace(s, put_snapshot, s, &e) == 0 && !saved_is_large(s), "until it is replaced");
	saved_close(s, true);
	ok(access(path, F_OK) < 0, "what is done is gone");
	buf_free(&line);
}

static struct recent_id id(size_t i)
{
	char text[24];
	int n = snprintf(text, sizeof text, "%zu", i);
	return recent_of((struct str){text, (size_t)n});
}

static void test_recent(size_t most)
{
	struct recent r = {.most = most};
	bool good = true;
	for (size_t i = 0; i < 5000; i++) {
		good &= !recent_has(&r, id(i));
		recent_add(&r, id(i));
		good &= recent_has(&r, id(i)) == (most > 0);
		good &= i < most || !most || !recent_has(&r, id(i - most));
		good &= most < 2 || i < most - 1 || recent_has(&r, id(i - most + 1));
	}
	for (size_t i = 0; i < r.n; i++)
		good &= recent_at(&r, i).part[0] == id(5000 - r.n + i).part[0];
	ok(good && r.n == most, "the last %zu ids are known, and in order", most);
	ok(recent_bytes(&r) <= 48 * (most + 256), "their memory is bounded");
	recent_free(&r);
}

static struct rec line_of(const char *origin, uint64_t lineno, const char *text)
{
	return (struct rec){.origin = origin, .lineno = lineno, .line = str_of(text)};
}

static void test_places(void)
{
	struct places p = {0};
	unsigned verdict;
	char hash[HASH_HEX];
	struct rec r = line_of(path, 1, "one");
	ok(places_of_record(&p, &(struct rec){.origin = "/dev/null", .lineno = 1}) == NULL,
	    "lines of a device mean nothing");
	close(open(path, O_WRONLY | O_CREAT, 0600));
	hash_text(STR("five"), hash);
	struct input_place *at = places_of(&p, str_of(path));
	place_set(at, 3, (struct str){hash, HASH_HEX}, true);
	place_judge(at, 4, 7);
	place_set(at, 5, (struct str){hash, HASH_HEX}, false);
	at = places_of_record(&p, &r);
	ok(at && place_passes(at, &r, &verdict, &e) == 1 && verdict == 0, "what was done is passed over");
	ok(!places_settled(&p), "the last batch is not passed yet");
	r = line_of(path, 4, "four");
	ok(place_passes(at, &r, &verdict, &e) == 1 && verdict == 7, "a line of the last batch has its verdict");
	ok(places_check(&p, &e) < 0, "a file that ends there is another one: %s", e.msg);
	r = line_of(path, 5, "other");
	ok(place_passes(at, &r, &verdict, &e) < 0, "and so is one with another line: %s", e.msg);
	r = line_of(path, 6, "six");
	ok(place_passes(at, &r, &verdict, &e) < 0, "or without it: %s", e.msg);
	r = line_of(path, 5, "five");
	ok(place_passes(at, &r, &verdict, &e) == 0, "one without a verdict comes again");
	ok(places_settled(&p) && places_check(&p, &e) == 0, "then the file is known");
	r = line_of(path, 6, "six");
	ok(place_passes(at, &r, &verdict, &e) == 0, "and what follows is new");
	place_reach(at, &r);
	ok(at->last == 6, "its place moves on");
	places_free(&p);
	unlink(path);
}

int main(void)
{
	log_init("test", LOG_ERROR, LOG_PLAIN);
	char dir[] = "/tmp/senti-test-XXXXXX";
	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof path, "%s/state", dir);
	test_file();
	test_cuts();
	test_large();
	test_recent(0);
	test_recent(1);
	test_recent(300);
	test_recent(4096);
	test_places();
	rmdir(dir);
	return tap_done();
}
