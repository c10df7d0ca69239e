/* items.c - the items of a JSON array. */
#include "lib/json/items.h"

/* The quote that ends the string whose content begins at p, or `end`. */
static const char *string_end(const char *p, const char *end)
{
	const char *quote = NULL;
	for (;;) {
		if (p >= end)
			return end;
		if (!quote || quote < p)
			quote = memchr(p, '"', (size_t)(end - p));
		if (!quote)
			return end;
		const char *escape = memchr(p, '\\', (size_t)(quote - p));
		if (!escape)
			return quote;
		p = escape + 2;
	}
}

/* Finds the end of the value at p by its brackets and quotes alone. */
static const char *value_end(const char *p, const char *end)
{
	size_t depth = 0;
	for (; p < end; p++) {
		if (*p == '"') {
			p = string_end(p + 1, end);
			if (p == end)
				return end;
		} else if (*p == '{' || *p == '[') {
			depth++;
		} else if (*p == '}' || *p == ']') {
			if (depth == 0)
				return p;
			depth--;
		} else if (*p == ',' && depth == 0) {
			return p;
		}
	}
	return end;
}

struct json_items json_items(struct str text)
{
	struct json_items it = {.p = text.p + 1, .end = text.p + text.n};
	it.p = json_skip_blanks(it.p, it.end);
	it.more = it.p < it.end && *it.p != ']';
	return it;
}

int json_items_next(struct json_items *it, struct str *item)
{
	if (!it->more) {
		if (it->p < it->end && *it->p == ']') {
			it->p++;
			return 0;
		}
		it->message = it->p == it->end ? "the array is not closed" : "expected ',' or ']'";
		return -1;
	}
	const char *from = json_skip_blanks(it->p, it->end), *to = value_end(from, it->end), *last = to;
	while (last > from && json_is_blank(last[-1]))
		last--;
	*item = (struct str){from, (size_t)(last - from)};
	it->more = to < it->end && *to == ',';
	it->p = to + it->more;
	return 1;
}
