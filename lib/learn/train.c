/* train.c - training as a stage. */
#include "lib/learn/train.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/json/write.h"
#include "lib/text/hash.h"

struct train_context {
	const struct train_conf *conf;
	struct json_scan scan, nested;
	struct arena texts;
	struct example *example;
	size_t n, cap;
	struct test_set test;
	uint64_t in_test;    /* records left out because the test set has their text */
	uint64_t duplicates; /* records whose text an earlier one has */
	uint64_t conflicts;  /* ... and another label than the first of them */
	struct buf scratch;
	int64_t newest;	  /* the latest time of any record; 0: none had one */
	uint64_t first;	  /* first batch held outside the checkpoint */
	uint64_t resumed; /* records from the checkpoint */
};

static void train_close(void *ctx)
{
	struct train_context *c = ctx;
	json_scan_free(&c->scan);
	json_scan_free(&c->nested);
	arena_free(&c->texts);
	test_set_free(&c->test);
	buf_free(&c->scratch);
	free(c->example);
	free(c);
}

static void see_time(struct train_context *c, struct batch *b)
{
	const struct json_member *m = json_find(&c->scan, STR("time"));
	int64_t ms;
	if (m && m->type == JSON_STRING && time_parse(json_decode(m, &b->mem), &ms) == 0 && ms > c->newest)
		c->newest = ms;
}

/* A checkpoint_take. */
static int take(void *ctx, struct batch *b, struct rec *r)
{
	struct train_context *c = ctx;
	struct gold gold;
	if (rec_scan(b, r, &c->scan, &c->conf->form) < 0 ||
	    label_read(&c->conf->label, b, r, &c->scan, &c->nested, &gold) < 0)
		return -1;
	if (!gold.has_class)
		return rec_reject(b, r, CODE_BAD_LABEL,
		    "the label is the number %g, which has no class (--map gives it one)", gold.number);
	if (checkpoint_repeats(c->conf->checkpoint, r))
		return CHECKPOINT_REPEATED;
	see_time(c, b);
	c->example = xgrow(c->example, c->n, &c->cap, 4096, sizeof *c->example);
	c->example[c->n++] =
	    (struct example){json_padded(&c->texts, r->text), gold.label, text_key(r->text, &c->scratch)};
	return 0;
}

static int train_run(void *ctx, struct batch *b, struct err *e)
{
	struct train_context *c = ctx;
	return checkpoint_run(c->conf->checkpoint, b, take, c, &c->first, e);
}

static void *train_open(const void *conf, struct err *e)
{
	struct train_context *c = xcalloc(1, sizeof *c);
	c->conf = conf;
	c->first = HOLDS_NOTHING;
	const struct train_conf *f = c->conf;
	if ((!f->test_path || test_set_read(&c->test, f->test_path, &f->label, &f->form, e) == 0) &&
	    (!f->checkpoint || checkpoint_replay(f->checkpoint, take, c, &c->resumed, e) == 0))
		return c;
	train_close(c);
	return NULL;
}

static uint64_t train_held_from(void *ctx)
{
	return ((struct train_context *)ctx)->first;
}

/* --- metadata --- */

static void put_data(struct buf *b, const struct example *example, size_t n)
{
	char hash[HASH_HEX];
	struct str *field = xcalloc(n * 2, sizeof *field);
	for (size_t i = 0; i < n; i++) {
		field[2 * i] = example[i].text;
		field[2 * i + 1] = str_of(label_name(example[i].label));
	}
	hash_list_xxh3(field, n * 2, hash);
	free(field);
	json_put_name(b, STR("data"));
	json_put_string(b, (struct str){hash, HASH_HEX});
}

/* The clock would make equal data and seeds give different files. */
static int64_t date_of(const struct train_context *c)
{
	const char *epoch = env_get("SOURCE_DATE_EPOCH");
	uint64_t s;
	if (epoch && str_u64(str_of(epoch), &s) == 0 && s < 253402300800)
		return (int64_t)s * 1000;
	return c->newest;
}

static void put_number(struct buf *b, struct str name, double v)
{
	json_put_name(b, name);
	json_put_double(b, v);
}

static void put_features(struct buf *b, const struct feature_conf *f)
{
	json_put_name(b, STR("features"));
	buf_char(b, '{');
	put_number(b, STR("bits"), f->bits);
	put_number(b, STR("words"), f->pairs ? 2 : 1);
	put_number(b, STR("letters_min"), f->char_max ? f->char_min : 0);
	put_number(b, STR("letters_max"), f->char_max);
	json_put_name(b, STR("negation"));
	buf_str(b, f->negation ? STR("true") : STR("false"));
	json_put_name(b, STR("lexicon"));
	buf_str(b, f->lexicon ? STR("true") : STR("false"));
	buf_char(b, '}');
}

static void put_settings(struct buf *b, const struct fit_conf *f)
{
	put_features(b, &f->features);
	json_put_name(b, STR("lexicon"));
	json_put_string(b, str_of(f->lexicon->name));
	put_number(b, STR("cost"), f->cost);
	put_number(b, STR("lexicon_gain"), f->figure_gain);
	put_number(b, STR("min_texts"), f->min_texts);
	json_put_name(b, STR("class_weights"));
	json_put_string(b, f->balanced ? STR("balanced") : STR("none"));
	json_put_name(b, STR("seed"));
	buf_u64(b, f->seed);
	put_number(b, STR("folds"), f->folds);
}

static void put_count(struct buf *b, struct str name, uint64_t n)
{
	json_put_name(b, name);
	buf_u64(b, n);
}

static int put_test(const struct train_context *c, const struct buf *image, struct buf *b, struct err *e)
{
	struct accuracy accuracy = {0};
	struct intervals interval;
	if (test_set_judge(&c->test, image, c->conf->fit.seed, &accuracy, &interval, e) < 0)
		return -1;
	json_put_name(b, STR("test"));
	buf_char(b, '{');
	put_data(b, c->test.example, c->test.n);
	put_count(b, STR("left_out"), c->in_test);
	put_count(b, STR("duplicates"), c->test.duplicates);
	accuracy_json(&accuracy, &interval, b);
	buf_char(b, '}');
	return 0;
}

static void put_meta(const struct train_context *c, const struct fit *fit, struct buf *b)
{
	char time[TIME_LEN];
	size_t count[LABELS] = {0};
	for (size_t i = 0; i < c->n; i++)
		count[c->example[i].label]++;
	buf_str(b, STR("{\"format\":"));
	buf_u64(b, LINEAR_VERSION);
	json_put_name(b, STR("senti"));
	json_put_string(b, str_of(SENTI_VERSION));
	if (date_of(c)) {
		time_format(date_of(c), time);
		json_put_name(b, STR("date"));
		json_put_string(b, (struct str){time, TIME_LEN});
	}
	put_data(b, c->example, c->n);
	json_put_name(b, STR("classes"));
	buf_char(b, '{');
	for (size_t l = 0; l < LABELS; l++)
		if (count[l])
			put_number(b, str_of(label_name((enum label)l)), (double)count[l]);
	buf_char(b, '}');
	put_count(b, STR("duplicates"), c->duplicates);
	put_count(b, STR("conflicts"), c->conflicts);
	if (c->conf->dedupe)
		buf_str(b, STR(",\"dedupe\":true"));
	put_settings(b, &c->conf->fit);
	json_put_name(b, STR("held_out"));
	buf_char(b, '{');
	accuracy_json(&fit->held_out, &fit->interval, b);
	buf_char(b, '}');
}

/* --- the file --- */

/* Replaces a regular file atomically; writes into a pipe or device. */
static int write_model(const char *path, const struct buf *image, struct err *e)
{
	struct stat st;
	struct err ignored;
	if (stat(path, &st) < 0 || S_ISREG(st.st_mode))
		return io_replace_file(path, image->p, image->n, 0666, e);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "cannot open '%s'", path);
	int rc = io_write(fd, image->p, image->n, path, e);
	return io_close(fd, path, rc == 0 ? e : &ignored) < 0 ? -1 : rc;
}

static int compare(const void *a, const void *b)
{
	const struct example *x = a, *y = b;
	int order = str_cmp(x->text, y->text);
	return order ? order : (x->label > y->label) - (x->label < y->label);
}

/* Says what was found, as far as anything was. */
static void tell(const struct train_context *c, uint64_t records)
{
	char duplicates[24], conflicts[24], all[24], left[24];
	snprintf(duplicates, sizeof duplicates, "%llu", (unsigned long long)c->duplicates);
	snprintf(conflicts, sizeof conflicts, "%llu", (unsigned long long)c->conflicts);
	snprintf(all, sizeof all, "%llu", (unsigned long long)records);
	snprintf(left, sizeof left, "%llu", (unsigned long long)c->in_test);
	if (c->duplicates)
		log_warn(c->conf->dedupe ? "records are left out: an earlier one has the same text"
					 : "records have the text of an earlier one (--dedupe leaves them out)",
		    "records", duplicates, "of", all, "with_another_label", conflicts, NULL);
	if (c->in_test)
		log_warn("records are left out: the test set has their text", "records", left, "of", all, NULL);
}

/* Leaves out the texts of the test set, and counts or leaves out copies. */
static void sift(struct train_context *c)
{
	struct text_set seen = {0};
	size_t kept = 0, all = c->n;
	for (size_t i = 0; i < all; i++) {
		const struct example *x = &c->example[i];
		unsigned first = x->label;
		if (text_set_has(&c->test.texts, x->key)) {
			c->in_test++;
			continue;
		}
		bool copy = text_set_add(&seen, x->key, &first);
		c->duplicates += copy;
		c->conflicts += copy && first != x->label;
		if (!copy || !c->conf->dedupe)
			c->example[kept++] = *x;
	}
	c->n = kept;
	text_set_free(&seen);
	tell(c, all);
}

/* Makes the model file, and its metadata. */
static int make_image(const struct train_context *c, struct buf *meta, struct buf *image, struct err *e)
{
	struct fit fit;
	int rc = 0;
	if (fit_model(&c->conf->fit, c->example, c->n, &fit, e) < 0)
		return -1;
	put_meta(c, &fit, meta);
	if (c->test.n) {
		linear_write(&fit.head, fit.cell, fit.seen, STR("{}"), image);
		rc = put_test(c, image, meta, e);
		buf_clear(image);
	}
	buf_char(meta, '}');
	linear_write(&fit.head, fit.cell, fit.seen, buf_view(meta), image);
	fit_free(&fit);
	return rc;
}

static int train_end(void *ctx, struct batch *b, struct err *e)
{
	struct train_context *c = ctx;
	if (stop_raised(c->conf->stop))
		return err_set(e, ERR_ENV, "stopped before the end of the input: no model is written");
	if (c->n == 0)
		return err_set(e, ERR_ENV, "no usable training record: each needs a text and a label");
	if (c->conf->checkpoint) /* a queue's order is arbitrary, and the model depends on the order */
		sort(c->example, c->n, sizeof *c->example, compare);
	sift(c);
	if (c->n == 0)
		return err_set(e, ERR_ENV, "no training record is left: the test set has all their texts");
	struct buf meta = {0}, image = {0};
	int rc = make_image(c, &meta, &image, e);
	if (rc == 0)
		rc = write_model(c->conf->path, &image, e);
	c->first = HOLDS_NOTHING;
	b->counter[COUNTER_RESUMED] += c->resumed;
	if (rc == 0)
		batch_add(b)->line = arena_str(&b->mem, buf_view(&meta));
	buf_free(&meta);
	buf_free(&image);
	return rc;
}

const struct stage train_stage = {
    .name = "train",
    .open = train_open,
    .run = train_run,
    .held_from = train_held_from,
    .end = train_end,
    .close = train_close,
};
