/* main.c - runs a fuzz target on files and on all files of folders, for compilers without libFuzzer and for the replay
 * of seeds.
 *
 *     NAME tests/fuzz/seeds/NAME
 *
 * A find aborts, after the file's name was printed.
 */
#include <dirent.h>
#include <sys/stat.h>

#include "lib/base/io.h"
#include "tests/fuzz/fuzz.h"

static int replay(const char *path)
{
	struct buf b = {0};
	struct err e;
	printf("# %s\n", path);
	fflush(stdout);
	if (io_read_file(path, (size_t)64 << 20, &b, &e) < 0) {
		fprintf(stderr, "%s\n", e.msg);
		return -1;
	}
	LLVMFuzzerTestOneInput((const uint8_t *)(b.p ? b.p : ""), b.n);
	buf_free(&b);
	return 1;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* How many files were run, or -1. */
static int replay_folder(const char *path)
{
	struct dirent **entry;
	int n = scandir(path, &entry, NULL, by_name), done = 0;
	if (n < 0) {
		perror(path);
		return -1;
	}
	for (int i = 0; i < n; i++) {
		char file[4096];
		if (entry[i]->d_name[0] != '.' && done >= 0) {
			snprintf(file, sizeof file, "%s/%s", path, entry[i]->d_name);
			done = replay(file) < 0 ? -1 : done + 1;
		}
		free(entry[i]);
	}
	free(entry);
	return done;
}

int main(int argc, char **argv)
{
	int total = 0;
	for (int i = 1; i < argc; i++) {
		struct stat st;
		bool folder = stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode);
		int n = folder ? replay_folder(argv[i]) : replay(argv[i]);
		if (n < 0)
			return 1;
		total += n;
	}
	printf("%s 1 - %d inputs replayed\n1..1\n", total ? "ok" : "not ok", total);
	return total == 0;
}
