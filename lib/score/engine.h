/* engine.h - the contract of all engines: text in, result out.
 *
 * A model is loaded once and shared by all threads; each thread has a scratch for what an engine needs while scoring.
 * Scoring cannot fail: any UTF-8 text has a result, in time linear in its length.
 */
#ifndef SENTI_ENGINE_H
#define SENTI_ENGINE_H

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/flow/label.h"

struct result {
	enum label label;
	double score;	      /* [-1, 1] */
	double neg, neu, pos; /* shares or probabilities, valid if has_shares */
	double subjectivity;  /* [0, 1], valid if has_subjectivity */
	bool has_shares, has_subjectivity;
	bool exact; /* write doubles so that they read back the same (TextBlob), instead of the decimals below */
	int score_digits, share_digits; /* number of decimals (VADER: 4 and 3) */
};

/* One contribution to a result. The values of a VADER result add up to its raw score. */
struct reason {
	size_t from, to; /* bytes of the decoded text */
	double value;
	const char *rule; /* constant: "lexicon", "booster", "punctuation", ... */
};

struct why {
	struct reason *reason; /* in the arena */
	size_t n, cap;
	struct arena *mem;
	double raw; /* the sum of the values, if the engine has one */
};

/* Contributions beyond this number are added up in the last one: its rule is "more" and its span covers them. */
#define WHY_MOST 4096
void why_add(struct why *w, size_t from, size_t to, double value, const char *rule);

struct model;
struct scratch;

struct model_conf {
	const char *spec;    /* as -m takes it: "vader", "afinn:en", a path */
	const char *lexicon; /* --lexicon +FILE, without the '+'; NULL: none */
	bool has_neutral;    /* --neutral A,B: scores strictly between A and B are neutral */
	double neutral_from, neutral_to;
};

struct engine {
	const char *name; /* as in -m, before any ':' */
	const char *about;
	bool variants; /* its models include "NAME:VARIANT"; other engines take no suffix */
	/* New model, or NULL and *e. */
	struct model *(*load)(const struct model_conf *conf, struct err *e);
	void (*free)(struct model *m);
	size_t scratch_size;				   /* of a zeroed scratch, if `scratch` is NULL */
	struct scratch *(*scratch)(const struct model *m); /* new */
	void (*scratch_free)(struct scratch *s);
	/* text has JSON_PAD readable bytes after it. `why` may be NULL. */
	void (*score)(const struct model *m, struct scratch *s, struct str text, struct result *out, struct why *why);
};

/* MODEL_NAME: the size of a name with its NUL. MODEL_HASH: the number of digits after its '@'. */
enum { MODEL_NAME = 64, MODEL_HASH = 16 };

/* Every model begins with this. */
struct model {
	const struct engine *engine;
	char name[MODEL_NAME];	      /* "vader-3.3.2@1f3a9c2e5b07d684": engine, version, hash of its data */
	char former_name[MODEL_NAME]; /* its name before hashes had 16 digits, if files may still use it; else empty */
	struct model_conf conf;
};

/* Names a model after `what` ("vader-3.3.2") and everything that decides its results: the checksums of its lexicons
 * (EMBED of lexicons/NAME.sum, which the build makes) and the user's own words (absent: none). */
void model_set_name(struct model *m, const char *what, const struct str *sum, size_t n, struct str layer);

/* The engines, one per file. model.h finds them by name. */
extern const struct engine vader_engine, textblob_engine, nltk_engine, plus_engine, afinn_engine, linear_engine;

/* Loads a new model of this engine, or returns NULL with *e. */
struct model *engine_load(const struct engine *en, const struct model_conf *conf, struct err *e);
/* m may be NULL. */
void model_free(struct model *m);
/* New: what a thread needs to score with m; for m->engine->scratch_free. */
struct scratch *scratch_new(const struct model *m);

/* For engines: the label of a score, positive from `positive_from` up and negative from `negative_to` down, unless
 * --neutral overrides it. */
enum label engine_label(const struct model *m, double score, double negative_to, double positive_from);

/* result.c is the only writer of results. Reasons quote their bytes of `text`. */
struct buf;
void result_put(struct buf *b, const struct model *m, const struct result *r, const struct why *why, struct str text);

#endif
