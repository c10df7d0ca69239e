/* engine.h - the one contract of all engines: text in, result out.
 *
 * A model is loaded once and then shared by all threads; what an engine needs while it scores lies in a scratch of each
 * thread. Scoring cannot fail: any UTF-8 text has a result, in time linear in its length.
 */
#ifndef SENTI_ENGINE_H
#define SENTI_ENGINE_H

#include "lib/base/arena.h"
#include "lib/base/err.h"

enum label { LABEL_NEGATIVE, LABEL_NEUTRAL, LABEL_POSITIVE };

struct result {
	enum label label;
	double score;	      /* [-1, 1] */
	double neg, neu, pos; /* shares or probabilities, if has_shares */
	double subjectivity;  /* [0, 1], if has_subjectivity */
	bool has_shares, has_subjectivity;
	bool exact; /* TextBlob's doubles are written so that they read back the same; else decimals below */
	int score_digits, share_digits; /* decimals that the engine rounds to (VADER: 4 and 3) */
};

/* One contribution to a result. The values of a VADER result sum up to its raw score. */
struct reason {
	size_t from, to; /* bytes of the decoded text */
	double value;
	const char *rule; /* constant: "lexicon", "booster", "punctuation", ... */
};

struct why {
	struct reason *reason; /* in the arena */
	size_t n, cap;
	struct arena *mem;
	double raw; /* what the values sum up to, where the engine has such a thing */
};

/* Parts beyond so many are added up in the last one, whose rule is then "more" and whose span covers them. */
#define WHY_MOST 4096
void why_add(struct why *w, size_t from, size_t to, double value, const char *rule);

struct model;
struct scratch;

struct model_conf {
	const char *spec;    /* "vader", "afinn:en", a path */
	const char *lexicon; /* --lexicon +FILE, without the '+'; NULL: none */
	bool has_neutral;    /* --neutral A,B: scores strictly between A and B are neutral */
	double neutral_from, neutral_to;
};

struct engine {
	const char *name; /* what -m takes, before any ':' */
	const char *about;
	bool variants; /* "NAME:VARIANT" is one of its models; other engines take no suffix */
	/* New model, or NULL and *e. */
	struct model *(*load)(const struct model_conf *conf, struct err *e);
	void (*free)(struct model *m);
	struct scratch *(*scratch)(const struct model *m); /* new */
	void (*scratch_free)(struct scratch *s);
	/* text has JSON_PAD readable bytes after it. `why` may be NULL. */
	void (*score)(const struct model *m, struct scratch *s, struct str text, struct result *out, struct why *why);
};

/* MODEL_NAME: room for a name with its NUL. MODEL_HASH: the digits after its '@'. */
enum { MODEL_NAME = 64, MODEL_HASH = 16 };

/* What every model begins with. */
struct model {
	const struct engine *engine;
	char name[MODEL_NAME];	      /* "vader-3.3.2@1f3a9c2e5b07d684": engine, version, hash of its data */
	char former_name[MODEL_NAME]; /* what versions before 16 digits called it, where files may say so; else empty */
	struct model_conf conf;
};

/* Names a model after `what` ("vader-3.3.2") and all that decides its results: the sums of its lexicons (EMBED of
 * lexicons/NAME.sum, which the build makes) and the user's own words (absent: none). */
void model_set_name(struct model *m, const char *what, const struct str *sum, size_t n, struct str layer);

/* The engines, a file each; model.h finds them by name. */
extern const struct engine vader_engine, textblob_engine, nltk_engine, plus_engine, afinn_engine, linear_engine;

/* A new model of this engine, or NULL with *e. */
struct model *engine_load(const struct engine *en, const struct model_conf *conf, struct err *e);
/* NULL is fine. */
void model_free(struct model *m);

/* For engines: the label of a score, positive from `positive_from` on and negative to `negative_to`, or by
 * --neutral. */
enum label engine_label(const struct model *m, double score, double negative_to, double positive_from);

/* result.c: the sole writer of a result. `word` bytes of reasons are cut from `text`. */
struct buf;
void result_put(struct buf *b, const struct model *m, const struct result *r, const struct why *why, struct str text);
const char *label_name(enum label l);
/* 0 and *l, or -1. */
int label_parse(struct str s, enum label *l);

#endif
