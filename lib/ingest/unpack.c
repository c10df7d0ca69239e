/* unpack.c - decompresses what begins as gzip or Zstandard does. */
#include "lib/ingest/unpack.h"

#include <zlib.h>

#include "lib/base/optional_lib.h"

/* The streaming interface of libzstd, which has not changed since 1.0: so little that building needs no header. */
struct zstd_in {
	const void *p;
	size_t n, at;
};
struct zstd_out {
	void *p;
	size_t n, at;
};

static struct {
	int (*init)(z_streamp, int, const char *, int);
	int (*inflate)(z_streamp, int);
	int (*reset)(z_streamp);
	int (*end)(z_streamp);
} gz;

static struct {
	void *(*create)(void);
	size_t (*decompress)(void *, struct zstd_out *, struct zstd_in *);
	unsigned (*is_error)(size_t);
	const char *(*error)(size_t);
	size_t (*free)(void *);
} zstd;

static int load_zlib(struct err *e)
{
	static const char *const names[] = {"inflateInit2_", "inflate", "inflateReset", "inflateEnd"};
	static struct optional_lib lib = {.file = "libz.so.1",
	    .needed = "gzip files need zlib (Debian: zlib1g)",
	    .old = "version 1.2 or later is needed",
	    .name = names,
	    .n = COUNT_OF(names),
	    .call = &gz};
	return optional_lib_open(&lib, e);
}

static int load_zstd(struct err *e)
{
	static const char *const names[] = {
	    "ZSTD_createDStream", "ZSTD_decompressStream", "ZSTD_isError", "ZSTD_getErrorName", "ZSTD_freeDStream"};
	static struct optional_lib lib = {.file = "libzstd.so.1",
	    .needed = "Zstandard files need libzstd (Debian: libzstd1)",
	    .old = "version 1.3 or later is needed",
	    .name = names,
	    .n = COUNT_OF(names),
	    .call = &zstd};
	return optional_lib_open(&lib, e);
}

enum packed { UNDECIDED, PLAIN, GZIP, ZSTD };

struct unpack {
	enum packed packed;
	const char *name;
	bool whole;   /* no member or frame is open */
	char why[80]; /* what is wrong with the data; empty: nothing */
	z_stream z;
	void *frames;
};

static const struct {
	enum packed packed;
	struct str magic;
} known[] = {{GZIP, STR("\x1f\x8b\x08")}, {ZSTD, STR("\x28\xb5\x2f\xfd")}};

static enum packed decide(struct str in, bool end)
{
	for (size_t i = 0; i < COUNT_OF(known); i++) {
		struct str m = known[i].magic;
		if (memcmp(in.p, m.p, in.n < m.n ? in.n : m.n) == 0)
			return in.n >= m.n ? known[i].packed : end ? PLAIN : UNDECIDED;
	}
	return PLAIN;
}

static int open_stream(struct unpack *u, struct err *e)
{
	enum { WINDOW_BITS = 15, WITH_GZIP_HEADER = 16 };
	u->whole = true;
	if (u->packed == GZIP) {
		if (load_zlib(e) < 0)
			return -1;
		if (gz.init(&u->z, WINDOW_BITS + WITH_GZIP_HEADER, ZLIB_VERSION, sizeof u->z) == Z_OK)
			return 0;
	} else {
		if (load_zstd(e) < 0)
			return -1;
		u->frames = zstd.create();
		if (u->frames)
			return 0;
	}
	u->packed = PLAIN; /* there is nothing to free */
	return err_set(e, ERR_ENV, "cannot read '%s': out of memory", u->name);
}

static size_t run_gzip(struct unpack *u, struct str *in, char *out, size_t max)
{
	z_stream *z = &u->z;
	z->next_out = (unsigned char *)out;
	z->avail_out = (uInt)max;
	z->next_in = (unsigned char *)(uintptr_t)in->p;
	z->avail_in = (uInt)in->n;
	for (int rc = Z_OK; rc != Z_BUF_ERROR && z->avail_out && !*u->why;) {
		while (u->whole && z->avail_in && *z->next_in == 0) { /* padding */
			z->next_in++;
			z->avail_in--;
		}
		if (u->whole && !z->avail_in)
			break;
		if (u->whole)
			gz.reset(z);
		u->whole = false;
		rc = gz.inflate(z, Z_NO_FLUSH);
		u->whole = rc == Z_STREAM_END;
		if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
			snprintf(u->why, sizeof u->why, "%s", z->msg ? z->msg : "no reason given");
	}
	*in = (struct str){(const char *)z->next_in, z->avail_in};
	return max - z->avail_out;
}

static size_t run_zstd(struct unpack *u, struct str *in, char *out, size_t max)
{
	struct zstd_in from = {in->p, in->n, 0};
	struct zstd_out to = {out, max, 0};
	while (to.at < to.n) {
		size_t taken = from.at, made = to.at;
		if (u->whole && from.at == from.n)
			break;
		size_t rc = zstd.decompress(u->frames, &to, &from);
		if (zstd.is_error(rc)) {
			snprintf(u->why, sizeof u->why, "%s", zstd.error(rc));
			break;
		}
		u->whole = rc == 0;
		if (from.at == taken && to.at == made)
			break;
	}
	*in = (struct str){in->p + from.at, in->n - from.at};
	return to.at;
}

static ssize_t unpack_run(void *ctx, struct str *in, char *out, size_t max, bool end, struct err *e)
{
	struct unpack *u = ctx;
	if (u->packed == UNDECIDED && in->n) {
		u->packed = decide(*in, end);
		if (u->packed > PLAIN && open_stream(u, e) < 0)
			return -1;
	}
	if (u->packed == UNDECIDED)
		return 0;
	if (u->packed == PLAIN) {
		size_t n = in->n < max ? in->n : max;
		memcpy(out, in->p, n);
		*in = (struct str){in->p + n, in->n - n};
		return (ssize_t)n;
	}
	size_t made = 0;
	if (!*u->why)
		made = u->packed == GZIP ? run_gzip(u, in, out, max) : run_zstd(u, in, out, max);
	if (made) /* before what is wrong with the rest */
		return (ssize_t)made;
	if (*u->why)
		return err_set(e, ERR_ENV, "cannot read '%s': its compressed data is damaged (%s)", u->name, u->why);
	if (end && !u->whole)
		return err_set(e, ERR_ENV, "cannot read '%s': its compressed data ends too early", u->name);
	return 0;
}

static bool unpack_plain(const void *ctx)
{
	const struct unpack *u = ctx;
	return u->packed == PLAIN;
}

static void unpack_free(void *ctx)
{
	struct unpack *u = ctx;
	if (u->packed == GZIP)
		gz.end(&u->z);
	if (u->packed == ZSTD)
		zstd.free(u->frames);
	free(u);
}

struct bytes *unpack(struct bytes *from, const char *name)
{
	static const struct byte_filter filter = {unpack_run, unpack_plain, unpack_free};
	struct unpack *u = xcalloc(1, sizeof *u);
	u->name = name;
	return bytes_filter(from, &filter, u);
}
