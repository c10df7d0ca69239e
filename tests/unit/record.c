/* Records: what is scanned, spliced, cut and rejected. */
#include "lib/flow/record.h"
#include "tests/unit/tap.h"

static const struct rec_form form = {.text_name = {"text", 4}, .result_name = {"sentiment", 9}, .needs_text = true};

struct fixture {
	struct batch b;
	struct json_scan s;
	struct buf out;
};

static struct rec *scan(struct fixture *f, const char *line, const struct rec_form *rf)
{
	batch_reset(&f->b);
	struct rec *r = batch_add(&f->b);
	size_t n = strlen(line);
	char *p = arena_alloc(&f->b.mem, n + JSON_PAD);
	memset(p, 0, n + JSON_PAD);
	memcpy(p, line, n);
	r->line = (struct str){p, n};
	rec_scan(&f->b, r, &f->s, rf);
	return r;
}

static struct str put(struct fixture *f, const struct rec *r)
{
	buf_clear(&f->out);
	rec_put(&f->out, r);
	return buf_view(&f->out);
}

static void set(struct fixture *f, const char *line, const char *name, const char *value, const char *want)
{
	struct rec *r = scan(f, line, &form);
	rec_set(&f->b, r, &f->s, str_of(name), str_of(value));
	is_str(put(f, r), str_of(want), "set %s in %s", name, line);
}

static void refuse(struct fixture *f, const char *line, const char *code, size_t column)
{
	struct rec *r = scan(f, line, &form);
	ok(r->fate == FATE_REJECTED && r->code && strcmp(r->code, code) == 0, "%s: %s", code, line);
	is_u64(r->column, column, "its column");
}

int main(void)
{
	struct fixture f = {0};
	struct rec *r = scan(&f, "{\"id\":\"7\",\"text\":\"a\\u0062c\",\"n\":1.50}", &form);
	ok(r->fate == FATE_OUT, "a record is accepted");
	is_str(r->text, STR("abc"), "text is decoded");
	is_str(r->id, STR("7"), "id is found");
	ok(!r->has_old && !r->result.p, "no result yet");
	is_str(
	    put(&f, r), STR("{\"id\":\"7\",\"text\":\"a\\u0062c\",\"n\":1.50}"), "untouched, it passes byte for byte");
	r->add = STR(",\"x\":1");
	is_str(
	    put(&f, r), STR("{\"id\":\"7\",\"text\":\"a\\u0062c\",\"n\":1.50,\"x\":1}"), "what is added stands last");
	r = scan(&f, "{\"text\":\"a\"}  ", &form);
	r->add = STR(",\"x\":1");
	is_str(put(&f, r), STR("{\"text\":\"a\",\"x\":1}"), "blanks behind the object do not matter");
	r = scan(&f, "{\"text\":\"a\",\"text\":\"b\"}", &form);
	is_str(r->text, STR("b"), "of two members of a name the last wins");
	r = scan(&f, "{\"te\\u0078t\":\"a\"}", &form);
	is_str(r->text, STR("a"), "an escaped name is the same name");
	r = scan(&f, "{\"text\":\"a\",\"id\":5}", &form);
	ok(r->fate == FATE_OUT && !r->id.p, "an id that is not a string is not an id");
	struct rec_form with_id = form;
	with_id.needs_id = true;
	r = scan(&f, "{\"text\":\"a\",\"id\":5}", &with_id);
	ok(r->fate == FATE_REJECTED && strcmp(r->code, CODE_NO_ID) == 0, "unless one is needed");
	r = scan(&f, "{\"text\":\"a\",\"sentiment\":{\"score\":1}}", &form);
	is_str(r->result, STR("{\"score\":1}"), "an old result is found");

	refuse(&f, "{\"text\":\"a\"", "bad_json", 12);
	refuse(&f, "[1]", "not_object", 1);
	refuse(&f, "{\"id\":\"1\"}", "no_text", 0);
	refuse(&f, "{\"text\": 5}", "bad_text", 10);
	refuse(&f, "{\"text\":\"\\ud800\"}", "lone_surrogate", 10);
	refuse(&f, "{\"text\":\"\\u0000\"}", "nul", 10);
	refuse(&f, "{\"text\":\"\xff\"}", "bad_utf8", 10);

	set(&f, "{\"text\":\"a\"}", "v", "1", "{\"text\":\"a\",\"v\":1}");
	set(&f, "{\"v\":0,\"text\":\"a\"}", "v", "1", "{\"text\":\"a\",\"v\":1}");
	set(&f, "{\"text\":\"a\" , \"v\" : 0 , \"w\":2}", "v", "1", "{\"text\":\"a\" , \"w\":2,\"v\":1}");
	set(&f, "{ \"v\":0, \"v\":[3,{}] ,\"text\":\"a\",\"v\":2 }", "v", "1", "{ \"text\":\"a\" ,\"v\":1}");
	set(&f, "{\"text\":\"a\",\"\\u0076\":9}", "v", "1", "{\"text\":\"a\",\"v\":1}");
	set(&f, "{\"text\":\"a\"}", "a\"b", "null", "{\"text\":\"a\",\"a\\\"b\":null}");
	struct rec_form any = {.text_name = STR("text"), .result_name = STR("sentiment")};
	r = scan(&f, "{ }", &any);
	rec_set(&f.b, r, &f.s, STR("v"), STR("1"));
	is_str(put(&f, r), STR("{ \"v\":1}"), "an empty object takes a first member");
	r = scan(&f, "{\"v\":0}", &any);
	rec_set(&f.b, r, &f.s, STR("v"), STR("1"));
	is_str(put(&f, r), STR("{\"v\":1}"), "an only member is replaced");
	rec_set(&f.b, r, &f.s, STR("w"), STR("2"));
	rec_set(&f.b, r, &f.s, STR("v"), STR("3"));
	is_str(put(&f, r), STR("{\"w\":2,\"v\":3}"), "what was added before is replaced too");

	r = scan(&f, "{\"id\":\"1\"}", &form);
	r->lineno = 3;
	r->origin = "in.jsonl";
	buf_clear(&f.out);
	rec_put_reject(&f.out, r, "t");
	is_str(buf_view(&f.out),
	    STR("{\"error\":{\"code\":\"no_text\",\"message\":\"no member 'text' (-f names "
		"another)\",\"tool\":\"t\",\"line\":3,"
		"\"file\":\"in.jsonl\"},\"input\":\"{\\\"id\\\":\\\"1\\\"}\"}"),
	    "a reject carries code, message, tool, place and input");
	r->line = STR("\xff\xfe");
	buf_clear(&f.out);
	rec_put_reject(&f.out, r, "t");
	ok(f.out.n > 25 && memcmp(f.out.p + f.out.n - 24, "\"input_base64\":\"//4=\"}", 22) != 0 &&
		memmem(f.out.p, f.out.n, "\"input_base64\":\"//4=\"}", 22),
	    "input that is not UTF-8 is kept in base64");

	batch_free(&f.b);
	json_scan_free(&f.s);
	buf_free(&f.out);
	return tap_done();
}
