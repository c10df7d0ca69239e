/* amqp.c - what of the queues needs no broker: addresses, bodies, the window of confirms, packs. */
#include "lib/net/amqp.h"

#include "lib/net/amqp_address.h"
#include "lib/net/body.h"
#include "lib/net/outgoing.h"
#include "tests/unit/tap.h"

static void shown(const char *end, const char *broker, const char *want, const char *queue)
{
	struct amqp_address a;
	struct err e = {0};
	if (!ok(amqp_address_parse(&a, end, broker, &e) == 0, "%s: %s", end, e.msg))
		return;
	is_str(str_of(a.at.shown), str_of(want), "%s on %s", end, broker ? broker : "no broker");
	is_str(str_of(a.queue), str_of(queue), "its queue");
	amqp_address_free(&a);
}

static void in_turn(const char *end, const char *broker, unsigned heartbeat_s, const char *want)
{
	struct amqp_address a;
	struct err e = {0};
	struct buf got = {0};
	if (!ok(amqp_address_parse(&a, end, broker, &e) == 0, "%s: %s", end, e.msg))
		return;
	for (int i = 0; i < 7; i++, amqp_address_turn(&a))
		buf_printf(&got, strchr(a.at.host, ':') ? "[%s]:%u " : "%s:%u ", a.at.host, a.at.port);
	is_str(buf_view(&got), str_of(want), "the hosts of %s in turn", broker ? broker : end);
	ok(a.heartbeat_s == heartbeat_s, "its heartbeat");
	buf_free(&got);
	amqp_address_free(&a);
}

static void refused(const char *end, const char *broker, const char *part)
{
	struct amqp_address a;
	struct err e = {0};
	ok(amqp_address_parse(&a, end, broker, &e) < 0 && e.kind == ERR_USAGE, "%s is refused", end);
	ok(strstr(e.msg, part) && !strstr(e.msg, "secret"), "with a word on it: %s", e.msg);
}

static void dead_end(const char *end, const char *want)
{
	char *got = amqp_dead_end(end);
	is_str(str_of(got), str_of(want), "dead letters of %s", end);
	free(got);
}

static void addresses(void)
{
	shown("amqp:texts", NULL, "amqp://guest@localhost:5672/", "texts");
	shown("amqp:a%2Fb", "amqp://u:p@h:99/v", "amqp://u@h:99/v", "a/b");
	shown("amqp:q", "amqps://u:p@h", "amqps://u@h:5671/", "q");
	shown("amqp://u:secret@h/%2f?queue=q", "amqp://other", "amqp://u@h:5672/", "q");
	shown("amqp://u@h/?queue=q", NULL, "amqp://u@h:5672/", "q");
	shown("amqp://u:p@[::1]:7/v%20w?queue=q", NULL, "amqp://u@[::1]:7/v w", "q");
	refused("amqp:", NULL, "name of a queue");
	shown("amqp:a,b", "amqp://u:p@h:1,i,[::2]:3/v", "amqp://u@h:1/v", "a,b");
	in_turn("amqp:q", "amqp://u:p@h:1,i,[::2]:3/v?heartbeat=7", 7, "h:1 i:5672 [::2]:3 h:1 i:5672 [::2]:3 h:1 ");
	in_turn("amqps://a,b:secret@h,i/v?queue=q", NULL, 30, "h:5671 i:5671 h:5671 i:5671 h:5671 i:5671 h:5671 ");
	in_turn("amqp://h/?queue=q&heartbeat=3600", "amqp://i/?heartbeat=2", 3600,
	    "h:5672 h:5672 h:5672 h:5672 h:5672 h:5672 h:5672 ");
	refused("amqp://u:secret@h,,i/?queue=q", NULL, "empty");
	refused("amqp://u:secret@h,/?queue=q", NULL, "empty");
	refused("amqp://u:secret@h,i:70000/?queue=q", NULL, "port");
	refused("amqp:q?heartbeat=0", NULL, "heartbeat=0");
	refused("amqp:q", "amqp://u:secret@h/?heartbeat=2s", "heartbeat=2s");
	refused("amqp:q?heartbeat=3601", NULL, "1 to 3600");
	refused("amqp://u:secret@h/v", NULL, "?queue=NAME");
	refused("amqp://u:secret@h/v?queue=q&exchange=e", NULL, "not both");
	refused("amqp:q", "redis://u:secret@h", "SENTI_AMQP");
	refused("amqps:q", "amqp://u:secret@h", "TLS");
	refused("amqps://u:secret@h/?queue=q&certfile=c", NULL, "keyfile");
	dead_end("amqp:texts", "amqp:texts.dead");
	dead_end("amqp:texts.dead", NULL);
	dead_end("amqp://u:p@h/v?queue=t&cacertfile=x", "amqp://u:p@h/v?queue=t.dead&cacertfile=x");
	dead_end("amqp://u:p@h/v?myqueue=1&queue=t", "amqp://u:p@h/v?myqueue=1&queue=t.dead");
	dead_end("amqp://u:p@h/v?queue=t.dead", NULL);
	dead_end("amqp://u:p@h/v?exchange=e", NULL);
}

static void bodies(void)
{
	struct arena mem = {0};
	static const struct {
		struct str body, line;
	} cases[] = {
	    {STR("{\"a\":1}"), STR("{\"a\":1}")},
	    {STR("\xef\xbb\xbf{}\r\n"), STR("{}")},
	    {STR(" \n{\n \"a\":\r\n1}\n"), STR("{  \"a\":  1}")},
	    {STR("{\"a\":\"x\ny\"}"), STR("{\"a\":\"x\ny\"}")},
	    {STR("{\"a\":\"\\\"\ny\",\n\"b\":1}"), STR("{\"a\":\"\\\"\ny\", \"b\":1}")},
	    {STR("{\"a\":\"\\"), STR("{\"a\":\"\\")},
	    {STR("\n\"\n\\"), STR("\"\n\\")},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		is_str(body_line(&mem, json_padded(&mem, cases[i].body)), cases[i].line, "body %zu as a line", i);
	ok(body_line(&mem, json_padded(&mem, STR(" \r\n"))).n == 0, "a blank body is an empty line");
	ok(body_is_lines(STR("application/x-ndjson")) && body_is_lines(STR("Application/X-NDJSON; charset=utf-8")) &&
		!body_is_lines(STR("application/json")) && !body_is_lines(STR("application/x-ndjsonx")) &&
		!body_is_lines(STR("")),
	    "types");
	struct str left = STR("\r\n\n{1}\r\n  \n{2}\n{3}"), line;
	for (int i = 1; i <= 3; i++)
		ok(body_next(&left, &line) && line.n == 3 && line.p[1] == '0' + i, "line %d", i);
	ok(!body_next(&left, &line), "and no more");
	arena_free(&mem);
}

static struct str with_id(struct batch *b, struct json_scan *s, const char *line, const char *id, size_t nth)
{
	struct rec *r = batch_add(b);
	r->line = json_padded(&b->mem, str_of(line));
	body_id(b, r, s, str_of(id), nth);
	return r->line;
}

static void ids(void)
{
	struct batch b = {0};
	struct json_scan s = {0};
	is_str(with_id(&b, &s, "{\"text\":\"x\"}", "m", 0), STR("{\"id\":\"m\",\"text\":\"x\"}"), "message_id");
	is_str(with_id(&b, &s, "{}", "m\"", 0), STR("{\"id\":\"m\\\"\"}"), "into an empty object, escaped");
	is_str(with_id(&b, &s, "{\"id\":7}", "m", 0), STR("{\"id\":7}"), "an id of any type stays");
	is_str(with_id(&b, &s, "[1]", "m", 0), STR("[1]"), "no object stays");
	is_str(with_id(&b, &s, "{bad", "m", 0), STR("{bad"), "no JSON stays");
	struct str x = with_id(&b, &s, "{\"a\":1}", "", 0), y = with_id(&b, &s, "{\"a\":1}", "", 0),
		   z = with_id(&b, &s, "{\"a\":2}", "", 0), p = with_id(&b, &s, "{\"a\":1}", "", 1),
		   q = with_id(&b, &s, "{\"a\":1}", "", 2);
	ok(str_eq(x, y) && !str_eq(x, z) && !str_eq(x, p) && !str_eq(p, q),
	    "hashes of the bytes, and of the place in a pack");
	json_scan_free(&s);
	batch_free(&b);
}

static void send_all(struct window *w)
{
	while (w->sent < w->n)
		window_sent(w);
}

static void windows(void)
{
	struct window w = {.base = 1};
	for (int i = 0; i < 5; i++)
		window_add(&w)->tries = i;
	window_sent(&w);
	window_settle(&w, 3, true, true);
	ok(w.open == 1, "a confirm of what was not sent means nothing");
	window_settle(&w, 0, true, true);
	ok(w.open == 1, "nor has 0 a meaning");
	send_all(&w);
	window_settle(&w, 4, false, true);
	ok(w.open == 4 && w.first == 0, "one alone");
	window_settle(&w, 4, false, false);
	ok(w.open == 4 && !w.refused, "its second confirm changes nothing");
	window_settle(&w, 2, true, true);
	ok(w.open == 2 && w.first == 2, "all up to one");
	window_settle(&w, 5, true, false);
	ok(w.open == 0 && w.refused && w.first == 5, "the rest is refused");
	window_again(&w, w.base + w.sent);
	ok(w.n == 2 && w.outgoing[0].tries == 2 && w.outgoing[1].tries == 4 && w.base == 6 && !w.sent && !w.refused,
	    "and alone is sent again, in its order");
	send_all(&w);
	window_settle(&w, 5, true, true);
	ok(w.open == 2, "a number of before means nothing");
	window_settle(&w, 7, true, true);
	ok(w.open == 0 && !w.refused, "all done");
	window_clear(&w);
	window_add(&w);
	send_all(&w);
	window_settle(&w, 8, false, true);
	ok(w.open == 0, "numbers go on");
	window_free(&w);
}

static void packs(void)
{
	struct batch b = {0};
	struct window w = {.base = 1};
	struct packer k = {.most = 2};
	struct envelope one = {.trace = STR("t1")}, two = {.trace = STR("t2")};
	const char *line[] = {"{\"id\":\"a\"}", "{\"id\":\"b\"}", "bad", "{\"id\":\"c\"}", "{}"};
	for (size_t i = 0; i < COUNT_OF(line); i++) {
		struct rec *r = batch_add(&b);
		r->line = json_padded(&b.mem, str_of(line[i]));
		r->fate = i == 2 ? FATE_REJECTED : FATE_OUT;
		r->code = CODE_BAD_JSON;
		r->why = STR("a \"reason\"\n\xff");
		r->envelope = i < 2 ? &one : i < 4 ? &two : NULL;
	}
	ok(pack_records(&k, &w, &b) == 0 && w.n == 2, "four records in two messages");
	is_str(window_str(&w, w.outgoing[0].body), STR("{\"id\":\"a\"}\n{\"id\":\"b\"}\n"), "the first");
	is_str(window_str(&w, w.outgoing[0].id), STR("a"), "its id");
	is_str(window_str(&w, w.outgoing[0].trace), STR("t1"), "its trace, which is that of all");
	is_str(window_str(&w, w.outgoing[1].body), STR("{\"id\":\"c\"}\n{}\n"), "the second leaves out the reject");
	is_str(window_str(&w, w.outgoing[1].trace), STR(""), "traces that differ are nobody's");
	struct err e;
	window_clear(&w);
	b.rec[2].envelope = &(struct envelope){.body = STR("bad"), .id = STR("m"), .trace = STR(""), .tries = 3};
	ok(pack_rejects(&k, &w, &b, "tool", NULL, &e) == 0 && w.n == 1, "one reject");
	is_str(window_str(&w, w.outgoing[0].body), STR("bad"), "with the original bytes");
	is_str(window_str(&w, w.outgoing[0].why), STR("a \"reason\"\n\xef\xbf\xbd"), "and a reason in UTF-8");
	b.rec[2].envelope = NULL;
	window_clear(&w);
	ok(pack_rejects(&k, &w, &b, "tool", NULL, &e) == 0 && w.n == 1 && !w.outgoing[0].code.n, "without an envelope");
	ok(strstr(window_str(&w, w.outgoing[0].body).p, "\"input\":\"bad\"") != NULL, "a reject object");
	packer_free(&k);
	window_free(&w);
	batch_free(&b);
}

int main(void)
{
	addresses();
	bodies();
	ids();
	windows();
	packs();
	return tap_done();
}
