/* text.c - the format text: each line is a text. */
#include "lib/ingest/format.h"
#include "lib/ingest/record_builder.h"

struct text {
	struct record_builder *builder;
	struct layout layout;
};

static void *text_open(const struct ingest *conf, struct record_builder *builder, struct err *e)
{
	static const char *const name[] = {"text", NULL};
	const struct defaults defaults = {.text = name};
	const struct ingest plain = {.source = conf->source};
	struct text *t = xcalloc(1, sizeof *t);
	t->builder = builder;
	if (conf->text || conf->id || conf->time || conf->times.n)
		err_set(e, ERR_USAGE,
		    "a plain text has no columns: --text, --id, --time and --time-format need csv, tsv, json or log");
	else if (layout_init(&t->layout, &STR("text"), 1, &plain, &defaults, "column", "text", e) == 0)
		return t;
	free(t);
	return NULL;
}

static int text_line(void *ctx, struct batch_room *room, struct str line, uint64_t number, struct err *e)
{
	struct text *t = ctx;
	struct str content = line_content(line);
	struct line_place at = {.line = number};
	(void)e;
	if (builder_check(room->b, content, at))
		builder_put(t->builder, room->b, &t->layout, &content, content, at);
	return 0;
}

static void text_close(void *ctx)
{
	struct text *t = ctx;
	layout_free(&t->layout);
	free(t);
}

const struct format format_text = {.name = "text", .open = text_open, .line = text_line, .close = text_close};
