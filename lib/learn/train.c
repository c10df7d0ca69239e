/* train.c - training as a stage. */
#include "lib/learn/train.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/json/write.h"
#include "lib/text/hash.h"

struct train_context {
	const struct train_conf *conf;
	struct json_scan scan, nested;
	struct arena texts;
	struct example *example;
	size_t n, cap;
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
	c->example[c->n++] = (struct example){json_padded(&c->texts, r->text), gold.label};
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
	if (!c->conf->checkpoint || checkpoint_replay(c->conf->checkpoint, take, c, &c->resumed, e) == 0)
		return c;
	train_close(c);
	return NULL;
}

static uint64_t train_held_from(void *ctx)
{
	return ((struct train_context *)ctx)->first;
}

/* --- metadata --- */

static void data_hash(const struct train_context *c, char out[HASH_HEX])
{
	struct str *field = xcalloc(c->n * 2, sizeof *field);
	for (size_t i = 0; i < c->n; i++) {
		field[2 * i] = c->example[i].text;
		field[2 * i + 1] = str_of(label_name(c->example[i].label));
	}
	hash_list_xxh3(field, c->n * 2, out);
	free(field);
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

static void put_meta(const struct train_context *c, const struct fit *fit, struct buf *b)
{
	const struct fit_conf *f = &c->conf->fit;
	char hash[HASH_HEX], time[TIME_LEN];
	size_t count[LABELS] = {0};
	for (size_t i = 0; i < c->n; i++)
		count[c->example[i].label]++;
	data_hash(c, hash);
	buf_str(b, STR("{\"format\":"));
	buf_u64(b, LINEAR_VERSION);
	json_put_name(b, STR("senti"));
	json_put_string(b, str_of(SENTI_VERSION));
	if (date_of(c)) {
		time_format(date_of(c), time);
		json_put_name(b, STR("date"));
		json_put_string(b, (struct str){time, TIME_LEN});
	}
	json_put_name(b, STR("data"));
	json_put_string(b, (struct str){hash, HASH_HEX});
	json_put_name(b, STR("classes"));
	buf_char(b, '{');
	for (size_t l = 0; l < LABELS; l++)
		if (count[l])
			put_number(b, str_of(label_name((enum label)l)), (double)count[l]);
	buf_char(b, '}');
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
	json_put_name(b, STR("held_out"));
	buf_char(b, '{');
	accuracy_json(&fit->held_out, b);
	buf_str(b, STR("}}"));
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

static int train_end(void *ctx, struct batch *b, struct err *e)
{
	struct train_context *c = ctx;
	struct fit fit;
	if (stop_raised(c->conf->stop))
		return err_set(e, ERR_ENV, "stopped before the end of the input: no model is written");
	if (c->n == 0)
		return err_set(e, ERR_ENV, "no usable training record: each needs a text and a label");
	if (c->conf->checkpoint) /* a queue's order is arbitrary, and the model depends on the order */
		qsort(c->example, c->n, sizeof *c->example, compare);
	if (fit_model(&c->conf->fit, c->example, c->n, &fit, e) < 0)
		return -1;
	struct buf meta = {0}, image = {0};
	put_meta(c, &fit, &meta);
	linear_write(&fit.head, fit.cell, fit.seen, buf_view(&meta), &image);
	int rc = write_model(c->conf->path, &image, e);
	c->first = HOLDS_NOTHING;
	b->counter[COUNTER_RESUMED] += c->resumed;
	if (rc == 0)
		batch_add(b)->line = arena_str(&b->mem, buf_view(&meta));
	buf_free(&meta);
	buf_free(&image);
	fit_free(&fit);
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
