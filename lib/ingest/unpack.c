/* unpack.c - decides by the first bytes. */
#include "lib/ingest/unpack.h"

#include "lib/base/expand.h"

struct unpack {
	const char *name;
	bool decided;
	struct expander *expander; /* NULL: it passes as it is */
};

/* False: there must be more of it first. */
static bool decide(struct str in, bool end, enum coding *c)
{
	static const struct {
		enum coding coding;
		struct str magic;
	} known[] = {{CODING_GZIP, STR("\x1f\x8b\x08")}, {CODING_ZSTD, STR("\x28\xb5\x2f\xfd")}};
	*c = CODING_NONE;
	for (size_t i = 0; i < COUNT_OF(known); i++) {
		struct str m = known[i].magic;
		if (memcmp(in.p, m.p, in.n < m.n ? in.n : m.n) != 0)
			continue;
		if (in.n >= m.n)
			*c = known[i].coding;
		return in.n >= m.n || end;
	}
	return true;
}

static int begin(struct unpack *u, struct str in, bool end, struct err *e)
{
	enum coding c;
	struct err why = {0};
	u->decided = in.n && decide(in, end, &c);
	if (!u->decided || c == CODING_NONE || (u->expander = expander_new(c, false, &why)))
		return 0;
	return err_set(e, ERR_ENV, "cannot read '%s': %s", u->name, why.msg);
}

static ssize_t unpack_run(void *ctx, struct str *in, char *out, size_t max, bool end, struct err *e)
{
	struct unpack *u = ctx;
	if (!u->decided && begin(u, *in, end, e) < 0)
		return -1;
	if (!u->decided)
		return 0;
	if (!u->expander) {
		size_t n = in->n < max ? in->n : max;
		memcpy(out, in->p, n);
		*in = (struct str){in->p + n, in->n - n};
		return (ssize_t)n;
	}
	size_t made = expander_next(u->expander, in, out, max);
	const char *damage = expander_damage(u->expander);
	if (made) /* before what is wrong with the rest */
		return (ssize_t)made;
	if (damage)
		return err_set(e, ERR_ENV, "cannot read '%s': its compressed data is damaged (%s)", u->name, damage);
	if (end && !expander_whole(u->expander))
		return err_set(e, ERR_ENV, "cannot read '%s': its compressed data ends too early", u->name);
	return 0;
}

static bool unpack_plain(const void *ctx)
{
	const struct unpack *u = ctx;
	return u->decided && !u->expander;
}

static void unpack_free(void *ctx)
{
	struct unpack *u = ctx;
	expander_free(u->expander);
	free(u);
}

struct bytes *unpack(struct bytes *from, const char *name)
{
	static const struct byte_filter filter = {unpack_run, unpack_plain, unpack_free};
	struct unpack *u = xcalloc(1, sizeof *u);
	u->name = name;
	return bytes_filter(from, &filter, u);
}
