/* table.c - rows of score, label and text. */
#include "cmd/table.h"

#include <unistd.h>

#include "lib/base/io.h"
#include "lib/base/visible.h"
#include "lib/json/scan.h"
#include "lib/score/engine.h"

struct table {
	struct sink port;
	struct str result_name;
	bool colour;
	struct json_scan scan;
	struct arena mem;
	struct buf buf;
};

static const char *const paint[] = {
    [LABEL_NEGATIVE] = "\033[31m", [LABEL_NEUTRAL] = "\033[2m", [LABEL_POSITIVE] = "\033[32m"};

static void put_row(struct table *t, const struct rec *r)
{
	enum label label = LABEL_NEUTRAL;
	double score = 0;
	const struct json_member *m;
	if (json_scan(&t->scan, r->result) == 0) {
		if ((m = json_find(&t->scan, STR("label"))) && m->type == JSON_STRING &&
		    label_parse(json_decode(m, &t->mem), &label) < 0)
			label = LABEL_NEUTRAL;
		if ((m = json_find(&t->scan, STR("score"))) && m->type == JSON_NUMBER)
			score = strtod(m->value.p, NULL);
	}
	if (t->colour)
		buf_str(&t->buf, str_of(paint[label]));
	buf_printf(&t->buf, "%+.4f  %-8s", score, label_name(label));
	if (t->colour)
		buf_str(&t->buf, STR("\033[0m"));
	buf_str(&t->buf, STR("  "));
	visible_put(&t->buf, r->text, VISIBLE_BLANK);
	buf_char(&t->buf, '\n');
}

/* With --explain: one line for each contribution. */
static void put_reasons(struct table *t, const struct rec *r)
{
	const struct json_member *why;
	if (json_scan(&t->scan, r->result) < 0 || !(why = json_find(&t->scan, STR("why"))) || why->type != JSON_ARRAY)
		return;
	/* The array is ours: flat objects of at, word, value, rule. */
	struct str rest = {why->value.p + 1, why->value.n - 1};
	struct json_scan one = {0};
	while (rest.n && rest.p[0] == '{') {
		size_t n = 1;
		for (bool quoted = false; n < rest.n && (quoted || rest.p[n - 1] != '}'); n++) {
			if (rest.p[n] == '\\' && quoted)
				n++;
			else if (rest.p[n] == '"')
				quoted = !quoted;
		}
		const struct json_member *word, *value, *rule;
		if (json_scan(&one, (struct str){rest.p, n}) == 0 && (word = json_find(&one, STR("word"))) &&
		    (value = json_find(&one, STR("value"))) && (rule = json_find(&one, STR("rule")))) {
			buf_printf(&t->buf, "  %+8.4f  %-12.*s", strtod(value->value.p, NULL), (int)rule->value.n - 2,
			    rule->value.p + 1);
			visible_put(&t->buf, json_decode(word, &t->mem), VISIBLE_BLANK);
			buf_char(&t->buf, '\n');
		}
		n += n < rest.n && rest.p[n] == ',';
		rest = (struct str){rest.p + n, rest.n - n};
	}
	json_scan_free(&one);
}

static int table_put(struct sink *port, const struct batch *b, struct source *from, struct err *e)
{
	struct table *t = (struct table *)port;
	(void)from;
	(void)e;
	for (size_t i = 0; i < b->n; i++)
		if (b->rec[i].fate == FATE_OUT) {
			put_row(t, &b->rec[i]);
			put_reasons(t, &b->rec[i]);
		}
	arena_reset(&t->mem);
	return 0;
}

static int table_flush(struct sink *port, struct err *e)
{
	struct table *t = (struct table *)port;
	int rc = io_write(STDOUT_FILENO, t->buf.p, t->buf.n, "stdout", e);
	buf_clear(&t->buf);
	return rc;
}

static int table_close(struct sink *port, struct err *e)
{
	struct table *t = (struct table *)port;
	int rc = table_flush(port, e);
	json_scan_free(&t->scan);
	arena_free(&t->mem);
	buf_free(&t->buf);
	free(t);
	return rc;
}

struct sink *table_sink(struct str result_name, bool colour)
{
	struct table *t = xcalloc(1, sizeof *t);
	t->port = (struct sink){.put = table_put, .flush = table_flush, .close = table_close};
	t->result_name = result_name;
	t->colour = colour;
	return &t->port;
}
