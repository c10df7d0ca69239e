/* A tree has all that the text says, in its order, and members are found. */
#include "lib/json/tree.h"

#include "lib/json/write.h"
#include "tests/unit/tap.h"

/* The tree as JSON. */
static void put(struct buf *out, const struct json_node *n)
{
	static const char *const words[] = {
	    [JSON_NULL] = "null", [JSON_FALSE] = "false", [JSON_TRUE] = "true", [JSON_NUMBER] = ""};
	bool object = n->type == JSON_OBJECT;
	size_t count = 0;
	if (n->type == JSON_STRING) {
		json_put_string(out, n->text);
	} else if (n->type < JSON_STRING) {
		buf_str(out, n->type == JSON_NUMBER ? n->text : str_of(words[n->type]));
	} else {
		buf_char(out, object ? '{' : '[');
		for (const struct json_node *m = n->first; m; m = m->next, count++) {
			if (object)
				json_put_name(out, m->name);
			else if (count)
				buf_char(out, ',');
			put(out, m);
		}
		buf_char(out, object ? '}' : ']');
		ok(count == n->n, "%zu of them", count);
	}
}

static const char *const texts[][2] = {
    {"{}", "{}"},
    {" [ ] ", "[]"},
    {"\"\"", "\"\""},
    {"-1.5e+3", "-1.5e+3"},
    {"{ \"a\" : [ 1 , true,false , null ] , \"b\":{\"c\":[[],{}]}}",
	"{\"a\":[1,true,false,null],\"b\":{\"c\":[[],{}]}}"},
    {"[\"a\\\"b\\\\\", \"\\\\\", \"\\u00e9\\ud83d\\ude00\", \"],}\"]",
	"[\"a\\\"b\\\\\",\"\\\\\",\"\xc3\xa9\xf0\x9f\x98\x80\",\"],}\"]"},
    {"{\"\\u0061\\\"\": 0, \"a\": 1, \"a\": \"2\"}", "{\"a\\\"\":0,\"a\":1,\"a\":\"2\"}"},
};

static void deep(struct arena *mem)
{
	char text[2 * JSON_MAX_DEPTH + 1];
	struct json_scan s = {0};
	memset(text, '[', JSON_MAX_DEPTH);
	memset(text + JSON_MAX_DEPTH, ']', JSON_MAX_DEPTH);
	text[2 * JSON_MAX_DEPTH] = 0;
	struct str padded = json_padded(mem, str_of(text));
	size_t depth = 0;
	ok(json_check(&s, padded) == 0, "as deep as can be");
	for (const struct json_node *n = json_tree(padded, mem); n; n = n->first)
		depth++;
	is_u64(depth, JSON_MAX_DEPTH, "has all levels");
}

int main(void)
{
	struct arena mem = {0};
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct json_scan s = {0};
		struct buf out = {0};
		struct str text = json_padded(&mem, str_of(texts[i][0]));
		ok(json_check(&s, text) == 0, "%s", texts[i][0]);
		put(&out, json_tree(text, &mem));
		is_str(buf_view(&out), str_of(texts[i][1]), "is %s", texts[i][1]);
		buf_free(&out);
	}
	const struct json_node *last = json_tree(json_padded(&mem, str_of(texts[COUNT_OF(texts) - 1][0])), &mem);
	const struct json_node *found = json_tree_member(last, STR("a"));
	ok(found && found->type == JSON_STRING, "of several members of one name the last");
	ok(json_tree_member(last, STR("a\"")) && !json_tree_member(last, STR("b")), "by what a name means");
	deep(&mem);
	arena_free(&mem);
	return tap_done();
}
