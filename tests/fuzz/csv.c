/* csv.c - rows lose nothing: the raw bytes of all rows, whole or broken, with the blank lines between them, are the
 * input; and where libcsv itself finds no fault with the whole input, it finds the same fields. The first byte
 * chooses CSV or TSV and the limit. */
#include <csv.h>

#include "lib/base/buf.h"
#include "lib/ingest/row.h"
#include "tests/fuzz/fuzz.h"

static void find(const char *what)
{
	fprintf(stderr, "find: %s\n", what);
	abort();
}

#define CHECK(good) ((good) ? (void)0 : find(#good))

static int no_space(unsigned char c)
{
	(void)c;
	return 0;
}

static void on_field(void *p, size_t n, void *arg)
{
	buf_add(arg, p, n);
	buf_add(arg, "\x1f", 1);
}

static void on_row(int c, void *arg)
{
	(void)c;
	buf_add(arg, "\x1e", 1);
}

/* All fields by libcsv alone; false where it complains. */
static bool reference(struct str in, char delimiter, struct buf *out)
{
	struct csv_parser p;
	csv_init(&p, CSV_STRICT | CSV_STRICT_FINI);
	csv_set_delim(&p, (unsigned char)delimiter);
	csv_set_space_func(&p, no_space);
	bool good =
	    csv_parse(&p, in.p, in.n, on_field, on_row, out) == in.n && csv_fini(&p, on_field, on_row, out) == 0;
	csv_free(&p);
	return good;
}

/* Moves *at behind the blank lines that no row holds. */
static void skip_blank(struct str in, size_t *at)
{
	while (*at < in.n && (in.p[*at] == '\n' || in.p[*at] == '\r'))
		++*at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	bool tsv = data[0] & 1;
	size_t max = data[0] & 2 ? 16 : SIZE_MAX;
	char delimiter = tsv ? '\t' : ',';
	struct str in = {(const char *)data + 1, size - 1};
	struct rows *rows = rows_new(delimiter, tsv);
	struct buf ours = {0}, theirs = {0};
	struct row row;
	size_t at = 0, fed = 0;
	uint64_t number = 0, last = 0;
	bool broken = false;
	for (bool more = true; more;) {
		const char *nl = fed < in.n ? memchr(in.p + fed, '\n', in.n - fed) : NULL;
		size_t n = nl ? (size_t)(nl - in.p) + 1 - fed : in.n - fed;
		more = n > 0;
		if (more)
			rows_feed(rows, (struct str){in.p + fed, n}, ++number);
		else
			rows_cut(rows);
		fed += n;
		for (enum row_got got; (got = rows_next(rows, 0, max, &row)) != ROW_NONE;) {
			broken |= got == ROW_BROKEN;
			skip_blank(in, &at);
			CHECK(row.raw.n > 0 && at + row.raw.n <= in.n && memcmp(in.p + at, row.raw.p, row.raw.n) == 0);
			at += row.raw.n;
			CHECK(row.line >= last && row.line <= number);
			last = row.line;
			for (size_t i = 0; i < row.n; i++)
				on_field((void *)(uintptr_t)row.cell[i].p, row.cell[i].n, &ours);
			on_row(0, &ours);
		}
	}
	skip_blank(in, &at);
	CHECK(at == in.n && rows_held(rows) == 0);
	if (!tsv && max == SIZE_MAX && reference(in, delimiter, &theirs))
		CHECK(!broken && ours.n == theirs.n && (!ours.n || memcmp(ours.p, theirs.p, ours.n) == 0));
	rows_free(rows);
	buf_free(&ours);
	buf_free(&theirs);
	return 0;
}
