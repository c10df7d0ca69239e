/* expand.c - one contract for zlib and libzstd. */
#include "lib/base/expand.h"

#include <pthread.h>
#include <strings.h>
#include <zlib.h>

#include "lib/base/optional_lib.h"

/* The streaming interface of libzstd, which has not changed since 1.4: so little that building needs no header. */
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
	size_t (*set)(void *, int, int);
} zstd;

static const char *const gz_names[] = {"inflateInit2_", "inflate", "inflateReset", "inflateEnd"};
static const char *const zstd_names[] = {"ZSTD_createDStream", "ZSTD_decompressStream", "ZSTD_isError",
    "ZSTD_getErrorName", "ZSTD_freeDStream", "ZSTD_DCtx_setParameter"};

static struct {
	const char *name;
	size_t memory; /* zlib's state and window; libzstd's with a window of 8 MiB */
	struct optional_lib lib;
} codings[] = {[CODING_NONE] = {.name = "identity"},
    [CODING_GZIP] = {"gzip", 48 << 10,
	{.file = "libz.so.1",
	    .needed = "gzip needs zlib (Debian: zlib1g)",
	    .old = "version 1.2 or later is needed",
	    .name = gz_names,
	    .n = COUNT_OF(gz_names),
	    .call = &gz}},
    [CODING_ZSTD] = {"zstd", (8 << 20) + (512 << 10),
	{.file = "libzstd.so.1",
	    .needed = "Zstandard needs libzstd (Debian: libzstd1)",
	    .old = "version 1.4 or later is needed",
	    .name = zstd_names,
	    .n = COUNT_OF(zstd_names),
	    .call = &zstd}}};

enum coding coding_named(struct str name)
{
	static const struct {
		struct str name;
		enum coding coding;
	} names[] = {{STR("gzip"), CODING_GZIP}, {STR("x-gzip"), CODING_GZIP}, {STR("zstd"), CODING_ZSTD}};
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (name.n == names[i].name.n && strncasecmp(name.p, names[i].name.p, name.n) == 0)
			return names[i].coding;
	return CODING_NONE;
}

const char *coding_name(enum coding c)
{
	return codings[c].name;
}

int coding_load(enum coding c, struct err *e)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_lock(&lock);
	int rc = optional_lib_open(&codings[c].lib, e);
	pthread_mutex_unlock(&lock);
	return rc;
}

size_t coding_memory(enum coding c)
{
	return codings[c].memory;
}

struct expander {
	enum coding coding;
	bool whole;   /* no member or frame is open */
	char why[80]; /* what is wrong with the data; empty: nothing */
	z_stream z;
	void *frames;
};

static bool begin(struct expander *x, bool messages)
{
	enum { WINDOW_BITS = 15, WITH_GZIP_HEADER = 16 };
	enum { WINDOW_LOG_MAX = 100, LOG_OF_8_MIB = 23 };
	if (x->coding == CODING_GZIP)
		return gz.init(&x->z, WINDOW_BITS + WITH_GZIP_HEADER, ZLIB_VERSION, sizeof x->z) == Z_OK;
	x->frames = zstd.create();
	return x->frames && (!messages || !zstd.is_error(zstd.set(x->frames, WINDOW_LOG_MAX, LOG_OF_8_MIB)));
}

struct expander *expander_new(enum coding c, bool messages, struct err *e)
{
	if (coding_load(c, e) < 0)
		return NULL;
	struct expander *x = xcalloc(1, sizeof *x);
	x->coding = c;
	x->whole = true;
	if (begin(x, messages))
		return x;
	err_set(e, ERR_ENV, "out of memory");
	if (x->frames)
		zstd.free(x->frames);
	free(x);
	return NULL;
}

void expander_free(struct expander *x)
{
	if (!x)
		return;
	if (x->coding == CODING_GZIP)
		gz.end(&x->z);
	else
		zstd.free(x->frames);
	free(x);
}

static size_t run_gzip(struct expander *x, struct str *in, char *out, size_t max)
{
	z_stream *z = &x->z;
	z->next_out = (unsigned char *)out;
	z->avail_out = (uInt)max;
	z->next_in = (unsigned char *)(uintptr_t)in->p;
	uInt given = in->n < UINT32_MAX ? (uInt)in->n : UINT32_MAX;
	z->avail_in = given;
	for (int rc = Z_OK; rc != Z_BUF_ERROR && z->avail_out && !*x->why;) {
		while (x->whole && z->avail_in && *z->next_in == 0) { /* padding */
			z->next_in++;
			z->avail_in--;
		}
		if (x->whole && !z->avail_in)
			break;
		if (x->whole)
			gz.reset(z);
		x->whole = false;
		rc = gz.inflate(z, Z_NO_FLUSH);
		x->whole = rc == Z_STREAM_END;
		if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
			snprintf(x->why, sizeof x->why, "%s", z->msg ? z->msg : "no reason given");
	}
	given -= z->avail_in;
	*in = (struct str){in->p + given, in->n - given};
	return max - z->avail_out;
}

static size_t run_zstd(struct expander *x, struct str *in, char *out, size_t max)
{
	struct zstd_in from = {in->p, in->n, 0};
	struct zstd_out to = {out, max, 0};
	while (to.at < to.n) {
		size_t taken = from.at, made = to.at;
		if (x->whole && from.at == from.n)
			break;
		size_t rc = zstd.decompress(x->frames, &to, &from);
		if (zstd.is_error(rc)) {
			snprintf(x->why, sizeof x->why, "%s", zstd.error(rc));
			break;
		}
		x->whole = rc == 0;
		if (from.at == taken && to.at == made)
			break;
	}
	*in = (struct str){in->p + from.at, in->n - from.at};
	return to.at;
}

size_t expander_next(struct expander *x, struct str *in, char *out, size_t max)
{
	if (*x->why)
		return 0;
	return x->coding == CODING_GZIP ? run_gzip(x, in, out, max) : run_zstd(x, in, out, max);
}

const char *expander_damage(const struct expander *x)
{
	return *x->why ? x->why : NULL;
}

bool expander_whole(const struct expander *x)
{
	return x->whole;
}
