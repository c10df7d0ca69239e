/* process.c - figures of the process, under Prometheus' conventional names. */
#include "lib/metrics/process.h"

#include <dirent.h>
#include <math.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/io.h"

static double seconds(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Field `nth` (from 1) of a line of numbers; 0 if absent. */
static uint64_t field(const char *text, unsigned nth)
{
	while (--nth && (text = strchr(text, ' ')))
		text++;
	return text ? strtoull(text, NULL, 10) : 0;
}

static bool read_text(const char *path, struct buf *out)
{
	struct err ignored;
	buf_clear(out);
	bool good = io_read_file(path, 1 << 16, out, &ignored) == 0;
	buf_char(out, 0);
	return good;
}

/* When the process began: ticks since boot, in field 22. The name in field 2 may hold anything, even ") ". */
static double started(struct buf *scratch)
{
	if (!read_text("/proc/self/stat", scratch))
		return 0;
	const char *after = strrchr(scratch->p, ')');
	double ticks = after ? (double)field(after + 1 + (after[1] == ' '), 20) : 0;
	return seconds(CLOCK_REALTIME) - seconds(CLOCK_BOOTTIME) + ticks / (double)sysconf(_SC_CLK_TCK);
}

static uint64_t open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	uint64_t n = 0;
	for (const struct dirent *at; d && (at = readdir(d));)
		n += at->d_name[0] != '.';
	if (d)
		closedir(d);
	return n ? n - 1 : 0; /* that of the folder */
}

void process_build_info(struct registry *r, const char *tool)
{
	static const struct family_def build = {.kind = METRIC_GAUGE,
	    .name = "senti_build_info",
	    .help = "1, with the version and the tool's name as labels.",
	    .label = {"version", "tool"}};
	struct family *f = registry_family(r, &build);
	series_set(family_series(f, (struct str[]){STR(SENTI_VERSION), str_of(tool)}), 1);
}

void process_write(void *arg, struct buf *out)
{
	(void)arg;
	struct buf text = {0};
	struct rlimit files = {0};
	double page = (double)sysconf(_SC_PAGESIZE);
	exposition_gauge(
	    out, "process_start_time_seconds", "When the process started, in seconds since 1970.", started(&text));
	exposition_family(out, METRIC_COUNTER, "process_cpu_seconds_total", "Processor time spent, in seconds.");
	exposition_value(out, "process_cpu_seconds_total", STR(""), seconds(CLOCK_PROCESS_CPUTIME_ID));
	if (read_text("/proc/self/statm", &text)) {
		exposition_gauge(
		    out, "process_virtual_memory_bytes", "Virtual memory, in bytes.", (double)field(text.p, 1) * page);
		exposition_gauge(out, "process_resident_memory_bytes", "Resident memory, in bytes.",
		    (double)field(text.p, 2) * page);
	}
	exposition_gauge(out, "process_open_fds", "Open file descriptors.", (double)open_fds());
	getrlimit(RLIMIT_NOFILE, &files);
	exposition_gauge(out, "process_max_fds", "The most file descriptors that may be open.",
	    files.rlim_cur == RLIM_INFINITY ? INFINITY : (double)files.rlim_cur);
	buf_free(&text);
}
