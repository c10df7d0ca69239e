/* Options of each type, read by their table, and how argv is cut into options and operands. */
#include "cmd/options.h"

#include "lib/base/buf.h"
#include "tests/unit/tap.h"

enum shade { SHADE_NONE, SHADE_LIGHT, SHADE_DARK };

struct test_options {
	bool flag, plain;
	int count, level;
	unsigned number;
	uint64_t big, size;
	int64_t retry_ms, ttl_ms;
	double share;
	const char *file, *name;
	struct str word;
	enum shade shade;
	bool balanced;
	struct option_words list;
	char sign;
};

static int read_sign(void *to, const char *value, struct err *e)
{
	*(char *)to = value[0];
	return value[0] == '+' || value[0] == '-' ? 0 : option_bad("sign", value, "+ or -", e);
}

#define OPTIONS struct test_options
static const struct option_def table[] = {
    {'f', "flag", NULL, "", OPT_FLAG(flag)},
    {'P', "no-plain", NULL, "", OPT_UNFLAG(plain)},
    {'c', "count", NULL, "", OPT_COUNT(count)},
    {'q', "quiet", NULL, "", OPT_SET(level, -1)},
    {'n', "number", "N", "", OPT_NUMBER(number, 1, 256)},
    {0, "big", "N", "", OPT_NUMBER(big, 0, UINT64_MAX)},
    {'s', "size", "BYTES", "", OPT_SIZE(size, 64, 1 << 20)},
    {0, "retry", "SECONDS", "", OPT_SECONDS(retry_ms, 0, 86400)},
    {0, "ttl", "DURATION", "", OPT_DURATION(ttl_ms, 1)},
    {0, "share", "X", "", OPT_DECIMAL(share, 0, 1)},
    {0, "file", "FILE", "", OPT_STRING(file)},
    {0, "name", "NAME", "", OPT_NAME(name)},
    {'w', "word", "WORD", "", OPT_SLICE(word)},
    {0, "shade", "SHADE", "", OPT_CHOICE(shade, "light", "dark"), .min = SHADE_LIGHT},
    {0, "weights", "HOW", "", OPT_CHOICE(balanced, "none", "balanced")},
    {'l', "list", "WORD", "", OPT_LIST(list)},
    {0, "sign", "C", "", OPT_CALL(sign, read_sign)},
    {0},
};

/* Reads words between blanks ('_' stands for an empty one); what is wrong, or NULL. */
static const char *read_words(struct test_options *o, const char *words, size_t *noperands, char **argv)
{
	static struct err e;
	static char copy[256];
	struct option_list list = {0};
	size_t n = 1;
	snprintf(copy, sizeof copy, "%s", words);
	argv[0] = copy;
	for (char *rest = copy, *word; (word = strsep(&rest, " "));)
		argv[n++] = strcmp(word, "_") == 0 ? word + 1 : word;
	argv[n] = NULL;
	options_add(&list, table, o, ALL_OPTIONS);
	return options_read(&list, argv, noperands, &e) < 0 ? e.msg : NULL;
}

static void test_values(void)
{
	struct test_options o = {.plain = true, .level = 1};
	char *argv[64];
	size_t n;
	const char *wrong = read_words(&o,
	    "-fPccq -n256 --big=18446744073709551615 -s 64K --retry 86400 --ttl 7d --share 0.5 --file _ --name=x -w -f "
	    "--shade dark --weights balanced -l a --list=b --sign -",
	    &n, argv);
	ok(!wrong && n == 0, "options of all types are read%s%s", wrong ? ": " : "", wrong ? wrong : "");
	ok(o.flag && !o.plain && o.count == 2 && o.level == -1, "flags, negated flags, counts, constants");
	ok(o.number == 256 && o.big == UINT64_MAX && o.size == 64 << 10, "numbers and sizes");
	ok(o.retry_ms == 86400000 && o.ttl_ms == 7 * (int64_t)86400000 && o.share == 0.5, "times and decimals");
	ok(!*o.file && strcmp(o.name, "x") == 0, "strings");
	is_str(o.word, STR("-f"), "a value may look like an option");
	ok(o.shade == SHADE_DARK && o.balanced, "choices, into an enum and into a bool");
	ok(o.list.n == 2 && strcmp(o.list.word[1], "b") == 0, "lists");
	ok(o.sign == '-', "functions");
	free(o.list.word);
}

static void test_mistakes(void)
{
	static const struct {
		const char *words, *wrong;
	} cases[] = {
	    {"-n 0", "--number takes a number from 1 to 256, not '0'"},
	    {"-n 257", "--number takes a number from 1 to 256, not '257'"},
	    {"-n _", "--number takes a number from 1 to 256, not ''"},
	    {"-n 1x", "--number takes a number from 1 to 256, not '1x'"},
	    {"--big 18446744073709551616",
		"--big takes a number from 0 to 18446744073709551615, not '18446744073709551616'"},
	    {"-s 63", "--size takes a size from 64 to 1M, not '63'"},
	    {"-s 2M", "--size takes a size from 64 to 1M, not '2M'"},
	    {"-s 99999999999999999G", "--size takes a size from 64 to 1M, not '99999999999999999G'"},
	    {"-s 99999999999999999999", "--size takes a size in bytes such as 64K or 2M, not '99999999999999999999'"},
	    {"-s K", "--size takes a size in bytes such as 64K or 2M, not 'K'"},
	    {"-s _", "--size takes a size in bytes such as 64K or 2M, not ''"},
	    {"--ttl 0s", "--ttl takes a duration such as 90s, 30m, 12h or 7d, not '0s'"},
	    {"--ttl 36501d", "--ttl takes a duration such as 90s, 30m, 12h or 7d, not '36501d'"},
	    {"--ttl 9", "--ttl takes a duration such as 90s, 30m, 12h or 7d, not '9'"},
	    {"--share 1.1", "--share takes a number from 0 to 1, not '1.1'"},
	    {"--share nan", "--share takes a number from 0 to 1, not 'nan'"},
	    {"--share _", "--share takes a number from 0 to 1, not ''"},
	    {"--name _", "--name takes a NAME that is not empty"},
	    {"--shade grey", "--shade takes light or dark, not 'grey'"},
	    {"--shade ligh", "--shade takes light or dark, not 'ligh'"},
	    {"--sign x", "--sign takes + or -, not 'x'"},
	    {"--nmae x", "unknown option '--nmae'; did you mean '--name'?"},
	    {"--nmae=secret", "unknown option '--nmae'; did you mean '--name'?"},
	    {"--nothing-like-it", "unknown option '--nothing-like-it'"},
	    {"--=x", "unknown option '--'"},
	    {"--s", "option '--s' is ambiguous: --size, --share, --shade, --sign"},
	    {"--flag=x", "option '--flag=x' takes no argument"},
	    {"--name", "option '--name' takes an argument"},
	    {"-fn", "option '-fn' takes an argument"},
	    {"-fx", "unknown option '-x'"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct test_options o = {0};
		char *argv[64];
		size_t n;
		const char *wrong = read_words(&o, cases[i].words, &n, argv);
		is_str(str_of(wrong ? wrong : ""), str_of(cases[i].wrong), "%s", cases[i].words);
	}
}

static void test_operands(void)
{
	static const struct {
		const char *words, *operands;
		bool flag;
	} cases[] = {
	    {"a -f b", "a b", true}, {"a -- -f b", "a -f b", false},
	    {"- --fl -n 1 c", "- c", true},		  /* "-" is stdin; a name may be cut */
	    {"-- --", "--", false}, {"-l --", "", false}, /* a value, whatever it looks like */
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct test_options o = {0};
		struct buf b = {0};
		char *argv[64];
		size_t n;
		ok(!read_words(&o, cases[i].words, &n, argv) && !argv[n + 1] && o.flag == cases[i].flag, "%s",
		    cases[i].words);
		for (size_t k = 1; k <= n; k++)
			buf_printf(&b, "%s%s", k > 1 ? " " : "", argv[k]);
		buf_char(&b, 0);
		is_str(str_of(b.p), str_of(cases[i].operands), "%s: operands", cases[i].words);
		buf_free(&b);
		free(o.list.word);
	}
}

/* The second table is what tools share: `only` says to which of them. */
static void test_tables(void)
{
	static const struct option_def shared[] = {
	    {'f', "from", "SOURCE", "", OPT_STRING(file), .only = 1},
	    {'q', "quieter", NULL, "", OPT_SET(level, -2)},
	    {'x', "extra", NULL, "", OPT_SET(level, 5), .only = 2},
	    {'y', "yet", NULL, "", OPT_SET(level, 6), .only = 1 | 2},
	    {0},
	};
	struct test_options o = {0};
	struct option_list list = {0};
	options_add(&list, table, &o, ALL_OPTIONS);
	size_t own = list.n;
	options_add(&list, shared, &o, 1);
	ok(list.n == own + 2, "those of other groups, and those of a group whose letter is taken, are left out");
	ok(strcmp(list.entry[own].def->name, "quieter") == 0 && !list.entry[own].letter,
	    "what all have keeps its name and loses its letter");
	char *argv[] = {(char[]){"x"}, (char[]){"-y"}, NULL};
	struct err e;
	size_t n;
	ok(options_read(&list, argv, &n, &e) == 0 && o.level == 6, "a shared option is read");
	ok(options_given(&list, "yet") && !options_given(&list, "flag"), "and known to be given");
}

int main(void)
{
	test_values();
	test_mistakes();
	test_operands();
	test_tables();
	return tap_done();
}
