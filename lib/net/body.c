/* body.c - a message's body is one JSON text, or lines. */
#include "lib/net/body.h"

#include "lib/json/items.h"
#include "lib/json/write.h"
#include "lib/text/hash.h"

static bool same_letters(const char *p, struct str lower)
{
	for (size_t i = 0; i < lower.n; i++)
		if ((p[i] >= 'A' && p[i] <= 'Z' ? p[i] + 32 : p[i]) != lower.p[i])
			return false;
	return true;
}

bool body_is_lines(struct str type)
{
	static const struct str names[] = {STR("application/x-ndjson"), STR("application/ndjson"),
	    STR("application/jsonl"), STR("application/x-jsonlines")};
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		size_t n = names[i].n;
		if (type.n >= n && same_letters(type.p, names[i]) &&
		    (type.n == n || type.p[n] == ';' || type.p[n] == ' '))
			return true;
	}
	return false;
}

static struct str trim(struct str s)
{
	if (s.n >= 3 && memcmp(s.p, "\xef\xbb\xbf", 3) == 0)
		s = (struct str){s.p + 3, s.n - 3};
	while (s.n && json_is_blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n && json_is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

struct str body_line(struct arena *mem, struct str body)
{
	struct str s = trim(body);
	if (!s.n || (!memchr(s.p, '\n', s.n) && !memchr(s.p, '\r', s.n)))
		return s;
	char *out = arena_alloc(mem, s.n + JSON_PAD);
	bool in_string = false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		out[i] = !in_string && (c == '\n' || c == '\r') ? ' ' : c;
		if (c == '"') {
			in_string = !in_string;
		} else if (in_string && c == '\\' && i + 1 < s.n) {
			i++;
			out[i] = s.p[i];
		}
	}
	memset(out + s.n, 0, JSON_PAD);
	return (struct str){out, s.n};
}

bool body_next(struct str *left, struct str *line)
{
	while (left->n) {
		const char *nl = memchr(left->p, '\n', left->n);
		size_t n = nl ? (size_t)(nl - left->p) : left->n, used = nl ? n + 1 : n;
		*line = (struct str){left->p, n};
		*left = (struct str){left->p + used, left->n - used};
		if (line->n && line->p[line->n - 1] == '\r')
			line->n--;
		if (trim(*line).n)
			return true;
	}
	return false;
}

static struct str make_id(struct arena *mem, struct str line, struct str message_id, size_t nth)
{
	if (message_id.n)
		return message_id;
	char *hash = arena_alloc(mem, HASH_HEX), place[24];
	if (nth) {
		int n = snprintf(place, sizeof place, "%zu", nth);
		hash_list((struct str[]){line, {place, (size_t)n}}, 2, hash);
	} else {
		hash_text(line, hash);
	}
	return (struct str){hash, HASH_HEX};
}

void body_id(struct batch *b, struct rec *r, struct json_scan *s, struct str message_id, size_t nth)
{
	if (json_scan(s, r->line) < 0 || json_find(s, STR("id")))
		return;
	struct str line = r->line;
	while (line.n && json_is_blank(line.p[0])) {
		line.p++;
		line.n--;
	}
	struct buf out = {0};
	buf_str(&out, STR("{\"id\":"));
	json_put_lossy(&out, make_id(&b->mem, line, message_id, nth));
	if (s->n)
		buf_char(&out, ',');
	buf_add(&out, line.p + 1, line.n - 1);
	r->line = json_padded(&b->mem, buf_view(&out));
	buf_free(&out);
}
