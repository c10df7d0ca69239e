/* test_set.c - reads a test set, and judges a model on it. */
#include "lib/learn/test_set.h"

#include <math.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/io.h"
#include "lib/flow/stdio.h"
#include "lib/score/model.h"

enum { MOST_RECORD = 64 << 20 };

struct test_reading {
	struct test_set *set;
	const struct label_conf *label;
	const struct rec_form *form;
	struct json_scan scan, nested;
	struct buf scratch;
};

/* 0, or -1 and the record is rejected. */
static int take(struct test_reading *g, struct batch *b, struct rec *r)
{
	struct test_set *t = g->set;
	struct gold gold;
	if (r->fate != FATE_OUT || rec_scan(b, r, &g->scan, g->form) < 0 ||
	    label_read(g->label, b, r, &g->scan, &g->nested, &gold) < 0)
		return -1;
	if (!gold.has_class)
		return rec_reject(b, r, CODE_BAD_LABEL, "the label is a number (--map gives it a class)");
	t->example = xgrow(t->example, t->n, &t->cap, 1024, sizeof *t->example);
	struct example *x = &t->example[t->n++];
	*x = (struct example){json_padded(&t->mem, r->text), gold.label, text_key(r->text, &g->scratch)};
	t->duplicates += text_set_add(&t->texts, x->key, &(unsigned){0});
	return 0;
}

static int take_all(struct test_reading *g, struct source *from, const char *path, struct err *e)
{
	struct limits limits = {.records = 1000, .bytes = 1 << 20, .max_record = MOST_RECORD};
	struct batch b = {0};
	enum next next;
	int rc = 0;
	while (rc == 0 && (next = from->next(from, &b, &limits, -1, e)) == NEXT_BATCH) {
		for (struct rec *r = b.rec; r < b.rec + b.n && rc == 0; r++)
			if (take(g, &b, r) < 0)
				rc = err_set(e, ERR_ENV, "--test '%s', line %llu: %.*s", path,
				    (unsigned long long)r->lineno, STR_FMT(r->why));
		batch_reset(&b);
	}
	if (rc == 0 && next == NEXT_ERROR)
		rc = -1;
	batch_free(&b);
	return rc;
}

int test_set_read(
    struct test_set *t, const char *path, const struct label_conf *label, const struct rec_form *form, struct err *e)
{
	struct test_reading g = {.set = t, .label = label, .form = form};
	struct err ignored;
	struct source *from = source_lines(&(struct lines_conf){.path = &path, .npaths = 1});
	int rc = take_all(&g, from, path, e);
	if (from->close(from, rc == 0 ? e : &ignored) < 0)
		rc = -1;
	json_scan_free(&g.scan);
	json_scan_free(&g.nested);
	buf_free(&g.scratch);
	return rc == 0 && t->n == 0 ? err_set(e, ERR_ENV, "--test '%s' has no records", path) : rc;
}

void test_set_free(struct test_set *t)
{
	free(t->example);
	text_set_free(&t->texts);
	arena_free(&t->mem);
}

static struct model *load(const struct buf *image, struct err *e)
{
	char path[40];
	int fd = memfd_create("senti-model", MFD_CLOEXEC);
	if (fd < 0) {
		err_sys(e, "cannot make a file in memory");
		return NULL;
	}
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	struct model *m = io_write(fd, image->p, image->n, "memory", e) < 0
			      ? NULL
			      : model_load(&(struct model_conf){.spec = path}, e);
	close(fd);
	return m;
}

static double probability(const struct result *r)
{
	return r->label == LABEL_NEGATIVE ? r->neg : r->label == LABEL_NEUTRAL ? r->neu : r->pos;
}

int test_set_judge(const struct test_set *t, const struct buf *image, uint64_t seed, struct accuracy *out,
    struct intervals *interval, struct err *e)
{
	struct model *m = load(image, e);
	if (!m)
		return -1;
	struct scratch *s = scratch_new(m);
	struct bootstrap *replicates = xcalloc(1, sizeof *replicates);
	for (const struct example *x = t->example; x < t->example + t->n; x++) {
		struct result r;
		uint8_t weight[REPLICATES];
		m->engine->score(m, s, x->text, &r, NULL);
		accuracy_add(out, &(struct gold){.has_class = true, .label = x->label},
		    &(struct estimate){r.label, r.score, r.has_shares ? probability(&r) : NAN});
		bootstrap_draw(seed, x->key, weight);
		bootstrap_add(replicates, weight, x->label, r.label);
	}
	*interval = bootstrap_intervals(replicates);
	free(replicates);
	m->engine->scratch_free(s);
	model_free(m);
	return 0;
}
