/* options.h - typed tables of options, and the one reader of them.
 *
 * An option is one entry of a table: its letter and name, its argument's name, its help, then its target and type. The
 * tables are constant: a target is a member of a struct, which the reader gets.
 *
 *     struct options { const char *model; bool plain; uint64_t limit; };
 *     #define OPTIONS struct options
 *     static const struct option_def own[] = {
 *         {'m', "model", "MODEL", "score with MODEL", OPT_STRING(model)},
 *         {'t', "text", NULL, "input lines are plain texts", OPT_FLAG(plain)},
 *         {0, "limit", "N", "at most N messages", OPT_NUMBER(limit, 1, UINT32_MAX)},
 *         {0},
 *     };
 *     struct option_list list = {0};
 *     options_add(&list, own, &o, ALL_OPTIONS);
 *     if (options_read(&list, argv, &noperands, &e) < 0) ...
 */
#ifndef SENTI_OPTIONS_H
#define SENTI_OPTIONS_H

#include "lib/base/err.h"

enum option_type {
	OPTION_SET,	 /* a constant: flags and their negations */
	OPTION_COUNT,	 /* counts how often it is given */
	OPTION_NUMBER,	 /* whole, from min to max; stored times scale */
	OPTION_SIZE,	 /* the same, with a suffix K, M or G (powers of 1024) */
	OPTION_DURATION, /* such as 90s, 30m, 12h or 7d, of at least min of its unit; stored as milliseconds */
	OPTION_DECIMAL,	 /* from low to high */
	OPTION_STRING,	 /* at least min bytes; lent by argv */
	OPTION_SLICE,	 /* UTF-8, as a struct str; lent by argv */
	OPTION_CHOICE,	 /* one of the words of choices; stores min + its index */
	OPTION_LIST,	 /* each value is added to a struct option_words */
	OPTION_CALL,	 /* read by a function of the tool */
};

/* 0, or -1 with *e (a usage error). `to` is the target. */
typedef int option_call(void *to, const char *value, struct err *e);

struct option_def {
	char letter; /* 0: none */
	const char *name;
	const char *arg;  /* its argument's name; NULL: takes none */
	const char *help; /* a sentence fragment; "\n" starts another line */
	enum option_type type;
	size_t at, size; /* offset and size of the target */
	uint64_t min, max, scale;
	double low, high;
	const char *const *choices; /* ended by NULL */
	option_call *call;
	unsigned only; /* who takes it, as bits of groups of tools or of verbs; 0: all */
};

struct option_words {
	const char **word; /* the array is new, the words are lent by argv */
	size_t n;
};

/* The target, a member of OPTIONS (which the table's file defines: #define OPTIONS struct options), and its type. A
 * member of the wrong type does not compile; numbers may have any integer type. */
#define OPT_MEMBER(m) .at = offsetof(OPTIONS, m), .size = sizeof(((OPTIONS *)0)->m)
#define OPT_TYPED(t, m) .at = offsetof(OPTIONS, m) + _Generic(((OPTIONS *)0)->m, t : 0), .size = sizeof(t)

#define OPT_SET(m, value) .type = OPTION_SET, OPT_MEMBER(m), .min = (uint64_t)(value)
#define OPT_FLAG(m) .type = OPTION_SET, OPT_TYPED(bool, m), .min = true
#define OPT_UNFLAG(m) .type = OPTION_SET, OPT_TYPED(bool, m), .min = false
#define OPT_COUNT(m) .type = OPTION_COUNT, OPT_TYPED(int, m)
#define OPT_NUMBER(m, from, to) .type = OPTION_NUMBER, OPT_MEMBER(m), .min = (from), .max = (to)
#define OPT_SECONDS(m, from, to) OPT_NUMBER(m, from, to), .scale = 1000 /* stored as milliseconds */
#define OPT_SIZE(m, from, to) .type = OPTION_SIZE, OPT_MEMBER(m), .min = (from), .max = (to)
#define OPT_DURATION(m, from) .type = OPTION_DURATION, OPT_TYPED(int64_t, m), .min = (from)
#define OPT_DECIMAL(m, from, to) .type = OPTION_DECIMAL, OPT_TYPED(double, m), .low = (from), .high = (to)
#define OPT_STRING(m) .type = OPTION_STRING, OPT_TYPED(const char *, m)
#define OPT_NAME(m) OPT_STRING(m), .min = 1 /* not empty */
#define OPT_SLICE(m) .type = OPTION_SLICE, OPT_TYPED(struct str, m)
#define OPT_CHOICE(m, ...)                                                                                             \
	.type = OPTION_CHOICE, OPT_MEMBER(m), .choices = (const char *const[])                                         \
	{                                                                                                              \
		__VA_ARGS__, NULL                                                                                      \
	}
#define OPT_LIST(m) .type = OPTION_LIST, OPT_TYPED(struct option_words, m)
#define OPT_CALL(m, function) .type = OPTION_CALL, OPT_MEMBER(m), .call = (function)

enum { MOST_OPTIONS = 64 };

struct option_list {
	struct option_entry {
		const struct option_def *def;
		void *base;
		char letter; /* 0 if an earlier entry has it */
		bool given;
	} entry[MOST_OPTIONS];
	size_t n;
};

#define ALL_OPTIONS (~0u)

/* Adds the entries of a table (ended by {0}) whose `only` is 0 or shares a bit with `mask`; targets are members of
 * *base. Earlier entries win: an entry whose letter is taken loses it if it is for all, else it is left out. */
void options_add(struct option_list *l, const struct option_def *table, void *base, unsigned mask);
/* Reads argv: values go to their targets, operands to the front (argv[1] on, ended by NULL). Long names may be
 * abbreviated. 0, or -1 with *e. */
MUST_USE int options_read(struct option_list *l, char **argv, size_t *noperands, struct err *e);
/* True if the option was given. */
bool options_given(const struct option_list *l, const char *name);
/* Prints the entries from number `from` to below `to` as --help does. */
void options_help(const struct option_list *l, size_t from, size_t to);

/* Reads a value into `to` as this option would. */
MUST_USE int option_value(const struct option_def *d, void *to, const char *value, struct err *e);
/* -1, with "--name takes wanted, not 'value'" in *e. */
int option_bad(const char *name, const char *value, const char *wanted, struct err *e);

#endif
