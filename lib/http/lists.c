/* lists.c - header values that are lists. */
#include "lib/http/lists.h"

#include <strings.h>

enum { MOST_WEIGHT = 1000 };

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct str trim(struct str s)
{
	while (s.n && is_blank(s.p[0]))
		s = (struct str){s.p + 1, s.n - 1};
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* Cuts off the text before the first `separator` outside a quoted string, and the separator. */
static struct str cut(struct str *s, char separator)
{
	bool quoted = false;
	size_t n = 0;
	for (; n < s->n && (quoted || s->p[n] != separator); n++)
		if (s->p[n] == '"')
			quoted = !quoted;
		else if (quoted && s->p[n] == '\\' && n + 1 < s->n)
			n++;
	struct str head = {s->p, n};
	size_t taken = n + (n < s->n);
	*s = (struct str){s->p + taken, s->n - taken};
	return head;
}

static struct str unquote(struct str s)
{
	return s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"' ? (struct str){s.p + 1, s.n - 2} : s;
}

static void split(struct str s, struct str *name, struct str *value)
{
	*name = trim(cut(&s, '='));
	*value = unquote(trim(s));
}

static bool is_name(struct str s, const char *name)
{
	return s.n == strlen(name) && strncasecmp(s.p, name, s.n) == 0;
}

bool list_next(struct str *list, struct list_item *item)
{
	while (list->n) {
		item->params = cut(list, ',');
		item->value = trim(cut(&item->params, ';'));
		if (item->value.n)
			return true;
	}
	return false;
}

bool list_param(struct str *params, struct str *name, struct str *value)
{
	while (params->n) {
		split(cut(params, ';'), name, value);
		if (name->n)
			return true;
	}
	return false;
}

/* "0.5", to three digits; 0 if it is not a weight. */
static int weight_of(struct str s)
{
	int weight = 0, scale = MOST_WEIGHT;
	for (size_t i = 0; i < s.n && scale; i++) {
		if (i == 1 && s.p[i] == '.')
			continue;
		if (s.p[i] < '0' || s.p[i] > '9' || (i == 1))
			return 0;
		weight += (s.p[i] - '0') * scale;
		scale /= 10;
	}
	return weight < MOST_WEIGHT ? weight : MOST_WEIGHT;
}

static int weight_in(struct str params)
{
	struct str name, value;
	while (list_param(&params, &name, &value))
		if (is_name(name, "q"))
			return weight_of(value);
	return MOST_WEIGHT;
}

int list_weight(struct str list, const char *name)
{
	struct list_item item;
	int any = -1;
	while (list_next(&list, &item)) {
		if (is_name(item.value, name))
			return weight_in(item.params);
		if (str_eq(item.value, STR("*")))
			any = weight_in(item.params);
	}
	return any;
}

struct str list_preference(struct str list, const char *name)
{
	struct list_item item;
	struct str word, value;
	while (list_next(&list, &item)) {
		split(item.value, &word, &value);
		if (is_name(word, name))
			return value;
	}
	return STR_NONE;
}
