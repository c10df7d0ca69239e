/* logs.c - the format log: splits a line into the named groups of a pattern, a preset or the user's. */
#include "lib/ingest/logs.h"

#include "lib/ingest/format.h"
#include "lib/ingest/record_builder.h"
#include "lib/ingest/groups.h"

/* Apache's %h %l %u %t "%r" %>s %b; in quoted parts a backslash escapes a quote. Possessive quantifiers prevent slow
 * lines. */
#define COMMON                                                                                                         \
	"^(?<host>\\S++) (?<ident>\\S++) (?<user>\\S++) \\[(?<time>[^\\]]++)\\] "                                      \
	"\"(?<request>(?:[^\"\\\\]++|\\\\.)*+)\" (?<status>\\d{3}|-) (?<bytes>\\d++|-)"

static const char *const request[] = {"request", NULL};
static const char *const plain[] = {"text", "message", "msg", NULL};

static const struct logs_preset presets[] = {
    {"common", COMMON "$", request},
    {"combined",
	COMMON " \"(?<referer>(?:[^\"\\\\]++|\\\\.)*+)\" \"(?<agent>(?:[^\"\\\\]++|\\\\.)*+)\"(?: (?<extra>.++))?$",
	request},
    /* RFC 3164 as syslogd writes it, with its own or an RFC 3339 time, and RFC 5424. */
    {"syslog",
	"^(?:<(?<priority>\\d{1,3})>)?"
	"(?|1 (?:(?<time>\\d{4}-\\S++)|-) (?<host>\\S++) (?<program>\\S++) (?<pid>\\S++) (?<msgid>\\S++) "
	"(?<data>-|(?:\\[(?:[^\\]\\\\]++|\\\\.)*+\\])++)(?: (?<text>.*+))?"
	"|(?<time>[A-Z][a-z]{2} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d(?:\\.\\d++)?|\\d{4}-\\d\\d-\\d\\dT\\S++) (?<host>\\S++) "
	"(?:(?<program>[^\\s:\\[]++)(?:\\[(?<pid>[^\\]]*+)\\])?: ?)?(?:()()){0}(?<text>.*+))$",
	plain},
};

static const struct logs_preset *logs_preset(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(presets); i++)
		if (strcmp(presets[i].name, name) == 0)
			return &presets[i];
	return NULL;
}

const struct logs_preset *logs_guess(struct str line)
{
	struct str group[16];
	struct err e;
	for (size_t i = 0; i < COUNT_OF(presets); i++) {
		struct groups *p = groups_new(presets[i].expression, &e);
		const char *why;
		bool fits = p && groups_match(p, line, group, &why);
		groups_free(p);
		if (fits)
			return &presets[i];
	}
	return NULL;
}

struct logs {
	struct record_builder *builder;
	struct groups *pattern;
	struct layout layout;
	struct str *group;
};

static void logs_close(void *ctx)
{
	struct logs *l = ctx;
	groups_free(l->pattern);
	layout_free(&l->layout);
	free(l->group);
	free(l);
}

static void *logs_open(const struct ingest *conf, struct record_builder *builder, struct err *e)
{
	const struct logs_preset *preset = logs_preset(conf->pattern);
	const struct defaults defaults = {.text = preset ? preset->text : plain, .strict_time = preset != NULL};
	struct logs *l = xcalloc(1, sizeof *l);
	const struct str *name;
	l->builder = builder;
	l->pattern = (conf->join ? groups_new_lines : groups_new)(preset ? preset->expression : conf->pattern, e);
	if (!l->pattern)
		goto fail;
	size_t n = groups_names(l->pattern, &name);
	l->group = xcalloc(n, sizeof *l->group);
	if (layout_init(&l->layout, name, n, conf, &defaults, "group", "--pattern", e) == 0)
		return l;
fail:
	logs_close(l);
	return NULL;
}

static int logs_line(void *ctx, struct batch_room *room, struct str line, uint64_t number, struct err *e)
{
	struct logs *l = ctx;
	struct str content = line_content(line);
	struct line_place at = {.line = number};
	const char *why;
	(void)e;
	if (!builder_check(room->b, content, at))
		return 0;
	if (!groups_match(l->pattern, content, l->group, &why))
		builder_reject(room->b, content, at, CODE_NO_MATCH, "%s", why);
	else if (!l->group[l->layout.text].p)
		builder_reject(
		    room->b, content, at, CODE_NO_TEXT, "the line matches, but the group of its text does not");
	else
		builder_put(l->builder, room->b, &l->layout, l->group, content, at);
	return 0;
}

const struct format format_log = {.name = "log", .open = logs_open, .line = logs_line, .close = logs_close};
