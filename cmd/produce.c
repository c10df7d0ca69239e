/* produce.c - records made by a tool itself. */
#include "cmd/produce.h"

#include <unistd.h>

#include "lib/flow/mem.h"
#include "lib/json/write.h"
#include "lib/base/utf8.h"

struct source *produce_lines(const char *const *line, size_t n)
{
	static struct mem_source lines;
	mem_source_init(&lines, line, n);
	return &lines.port;
}

struct source *produce_line(struct buf *line)
{
	static const char *one;
	buf_char(line, 0);
	one = line->p;
	return produce_lines(&one, 1);
}

int operand_check(const char *word, size_t i, struct err *e)
{
	struct str s = str_of(word);
	if (utf8_valid_prefix(s) == s.n)
		return 0;
	return err_set(e, ERR_USAGE, "operand %zu is not UTF-8, as every id and text is", i + 1);
}

struct source *produce_records(const struct tool *t, size_t per, struct err *e)
{
	size_t n = t->noperands / per;
	const char **line = xcalloc(n, sizeof *line);
	for (size_t i = 0; i < n; i++) {
		const char *const *word = t->operand + i * per;
		struct buf b = {0};
		if (operand_check(word[0], i, e) < 0)
			return NULL;
		buf_str(&b, STR("{\"id\":"));
		json_put_string(&b, str_of(word[0]));
		if (per == 2) {
			json_put_name(&b, STR("label"));
			json_put_string(&b, str_of(word[1]));
		}
		buf_add(&b, "}", 2);
		line[i] = b.p;
	}
	return produce_lines(line, n);
}

struct source *produce_figures(const struct tool *t, const struct figure *f, size_t n)
{
	static struct buf out;
	bool table = strcmp(t->to, "-") == 0 && isatty(STDOUT_FILENO);
	buf_char(&out, '{');
	for (size_t i = 0; i < n; i++) {
		json_put_name(&out, str_of(f[i].name));
		if (f[i].text)
			json_put_string(&out, str_of(f[i].text));
		else
			buf_u64(&out, f[i].n);
		if (table && f[i].text)
			printf("%-10s %14s\n", f[i].name, f[i].text);
		else if (table)
			printf("%-10s %14llu\n", f[i].name, (unsigned long long)f[i].n);
	}
	buf_char(&out, '}');
	return table ? produce_lines(NULL, 0) : produce_line(&out);
}
