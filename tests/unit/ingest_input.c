/* What is in a file, whatever the pieces in which its bytes come: UTF-16, arrays of JSON, compressed data; and lines in
 * other encodings, and HTML's entities. */
#include "lib/ingest/elements.h"
#include "lib/ingest/encoding.h"
#include "lib/ingest/entities.h"
#include "lib/ingest/unpack.h"
#include "lib/ingest/wide.h"
#include "tests/unit/tap.h"

/* Bytes in memory, in pieces, with a wait before each. */
struct pieces {
	struct bytes port;
	struct str in;
	size_t size;
	bool waited;
};

static ssize_t pieces_read(struct bytes *port, char *to, size_t n, struct err *e)
{
	struct pieces *p = (struct pieces *)port;
	(void)e;
	p->waited = !p->waited;
	if (p->waited && p->in.n)
		return BYTES_LATER;
	size_t some = p->in.n < p->size ? p->in.n : p->size;
	some = some < n ? some : n;
	memcpy(to, p->in.p, some);
	p->in = (struct str){p->in.p + some, p->in.n - some};
	return (ssize_t)some;
}

static bool pieces_pending(const struct bytes *port)
{
	(void)port;
	return false;
}

static bool pieces_plain(const struct bytes *port)
{
	(void)port;
	return true;
}

static void pieces_close(struct bytes *port)
{
	free(port);
}

static struct bytes *pieces(struct str in, size_t size)
{
	struct pieces *p = xcalloc(1, sizeof *p);
	*p = (struct pieces){
	    .port = {.read = pieces_read, .pending = pieces_pending, .plain = pieces_plain, .close = pieces_close},
	    .in = in,
	    .size = size};
	return &p->port;
}

enum what { ARRAY, ANY_ARRAY, MARKED, UTF_16, PACKED };

static struct bytes *around(enum what what, struct bytes *from)
{
	switch (what) {
	case ARRAY:
	case ANY_ARRAY:
		return elements(from, what == ANY_ARRAY, "x");
	case MARKED:
	case UTF_16:
		return wide_utf8(from, what == MARKED ? WIDE_BY_MARK : WIDE_16LE);
	case PACKED:
		return unpack(from, "x");
	}
	return NULL;
}

/* All that comes, in pieces of this size; after an error "!" and its message. */
static void read_all(enum what what, struct str in, size_t size, struct buf *out)
{
	struct bytes *b = around(what, pieces(in, size));
	struct err e;
	char to[64];
	ssize_t n;
	buf_clear(out);
	while ((n = b->read(b, to, size < BYTES_ROOM ? BYTES_ROOM : sizeof to, &e)) > 0 || n == BYTES_LATER)
		buf_add(out, to, n > 0 ? (size_t)n : 0);
	if (n < 0) {
		struct err again = {0};
		ok(b->read(b, to, sizeof to, &again) == -1 && strcmp(e.msg, again.msg) == 0, "an error stays: %s",
		    e.msg);
		buf_printf(out, "!%s", e.msg);
	}
	b->close(b);
	buf_reserve(out, 1);
}

static void gives(enum what what, struct str in, struct str want, const char *name)
{
	struct buf out = {0};
	for (size_t size = 1; size < 8; size++) {
		read_all(what, in, size < 7 ? size : 1000, &out);
		is_str(buf_view(&out), want, "%s, in pieces of %zu", name, size);
	}
	buf_free(&out);
}

static void test_elements(void)
{
	gives(ARRAY, STR("[{\"a\":1},{\"b\":\"[,]\\\"\"}]\n"), STR("{\"a\":1}\n{\"b\":\"[,]\\\"\"}\n"), "an array");
	gives(ARRAY, STR(" \n[\n  {\n    \"a\": [1,\n2],\n\t\"b\" :\t2\n  } ,\n {}\n]\n\n"),
	    STR("{ \"a\": [1, 2], \"b\" :\t2 }\n{}\n"), "an array over lines");
	gives(ARRAY, STR("[{}][{}]"), STR("{}\n{}\n"), "two arrays");
	gives(ARRAY, STR("[{},,1 2,\"a\nb\",]"), STR("{}\n,\n1 2\n\"a\rb\"\n,\n"), "what is not JSON stays so");
	gives(ARRAY, STR("[{}] {\"x\":1}\n"), STR("{}\n{\"x\":1}\n"), "lines after it");
	gives(ARRAY, STR("[{}},{}]"), STR("{}}\n{}\n"), "a brace too many");
	gives(ARRAY, STR("{\"a\":1}\n[1]\n"), STR("{\"a\":1}\n[1]\n"), "lines that are not one");
	gives(ARRAY, STR("[2024] error\n"), STR("[2024] error\n"), "a line of a log");
	gives(ARRAY, STR("[]\n"), STR("[]\n"), "an empty array may be anything");
	gives(ANY_ARRAY, STR(" [ ]\n"), STR(""), "but not where JSON is meant");
	gives(ARRAY, STR("[ "), STR("[ "), "a bracket alone");
	gives(ARRAY, STR(""), STR(""), "nothing");
	gives(ARRAY, STR("[{\"a\":1},{\"b\":"),
	    STR("{\"a\":1}\n{\"b\":\n!cannot read 'x': its JSON array ends too early"), "an array that ends too early");
	gives(ARRAY, STR("[{},"), STR("{}\n!cannot read 'x': its JSON array ends too early"), "also after a comma");
	gives(ARRAY, STR("[{}"), STR("{}\n!cannot read 'x': its JSON array ends too early"), "also before one");
}

static void test_wide(void)
{
	gives(MARKED,
	    STR("\xff\xfe"
		"a\0\xe4\0\x3d\xd8\x00\xde\n\0"),
	    STR("a\xc3\xa4\xf0\x9f\x98\x80\n"), "UTF-16LE");
	gives(MARKED, STR("\xfe\xff\0a\0\xe4\xd8\x3d\xde\0\0\n"), STR("a\xc3\xa4\xf0\x9f\x98\x80\n"), "UTF-16BE");
	gives(MARKED, STR("\xff\xfe\0\0a\0\0\0\0\xf6\x01\0"), STR("a\xf0\x9f\x98\x80"), "UTF-32LE");
	gives(MARKED, STR("\0\0\xfe\xff\0\0\0a\0\x01\xf6\0"), STR("a\xf0\x9f\x98\x80"), "UTF-32BE");
	gives(MARKED,
	    STR("\xff\xfe\x3d\xd8"
		"a\0\0\xdc"),
	    STR("\xed\xa0\xbd"
		"a\xed\xb0\x80"),
	    "lone surrogates");
	gives(MARKED,
	    STR("\xff\xfe"
		"a\0b"),
	    STR("a\xff"), "half a character");
	gives(MARKED, STR("\xff\xfe\x3d\xd8"), STR("\xed\xa0\xbd"), "half a pair");
	gives(MARKED, STR("\0\0\xfe\xff\0\x11\0\0"), STR("\xff"), "beyond Unicode");
	gives(MARKED, STR("\xff\xfe"), STR(""), "a mark alone");
	gives(MARKED, STR("\xff"), STR("\xff"), "half a mark");
	gives(MARKED,
	    STR("\xef\xbb\xbf"
		"a"),
	    STR("\xef\xbb\xbf"
		"a"),
	    "UTF-8 passes");
	gives(UTF_16, STR("a\0b\0"), STR("ab"), "without a mark, by name");
	gives(UTF_16, STR("\xfe\xff\0a"), STR("a"), "a mark says more than the name");
	ok(wide_named(STR("UTF-16")) == WIDE_16LE && wide_named(STR("utf16be")) == WIDE_16BE &&
		wide_named(STR("utf-32LE")) == WIDE_32LE && wide_named(STR("utf-8")) == WIDE_NONE &&
		wide_named(STR("utf-161")) == WIDE_NONE && wide_named(STR("")) == WIDE_NONE,
	    "names");
}

/* "hello\n" */
#define GZIP "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\xe7\x02\x00\x20\x30\x3a\x36\x06\x00\x00\x00"

static void test_unpack(void)
{
	gives(PACKED, STR(GZIP), STR("hello\n"), "gzip");
	gives(PACKED, STR(GZIP GZIP "\0\0\0"), STR("hello\nhello\n"), "two members, and padding");
	gives(PACKED, STR("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48"),
	    STR("h!cannot read 'x': its compressed data ends too early"), "an end too early");
	gives(PACKED, STR(GZIP "junk!"),
	    STR("hello\n!cannot read 'x': its compressed data is damaged (incorrect header check)"), "junk after it");
	gives(PACKED, STR("\x1f\x8b"), STR("\x1f\x8b"), "half a magic number");
	gives(PACKED, STR("hello\n"), STR("hello\n"), "plain bytes");
	gives(PACKED, STR("\x28\xb5\x2f\xfd\x04\x58\x31\x00\x00hello\n\x53\x88\xbd\x91"), STR("hello\n"), "Zstandard");
}

static void encoded(const char *names, struct str in, struct str want)
{
	struct err e;
	struct encoding *c = encoding_new(names, &e);
	for (int twice = 0; twice < 2; twice++)
		is_str(encoding_utf8(c, in), want, "%s", names);
	encoding_free(c);
}

static void test_encodings(void)
{
	struct err e;
	encoded("windows-1252", STR("\x80 \xe4\r\n"), STR("\xe2\x82\xac \xc3\xa4\r\n"));
	encoded("utf-8,windows-1252", STR("\xc3\xa4"), STR("\xc3\xa4"));
	encoded("utf-8,windows-1252", STR("\xe4"), STR("\xc3\xa4"));
	encoded("utf8, windows-1252", STR("\x81\n"), STR("\x81\n"));
	encoded("latin1", STR("\x81"), STR("\xc2\x81"));
	encoded("shift_jis", STR("\x83\x5c,a\n"), STR("\xe3\x82\xbd,a\n"));
	encoded("iso-2022-jp", STR("\x1b$B$\"\x1b(B,a\n"), STR("\xe3\x81\x82,a\n"));
	encoded("ascii", STR("\xc3\xa4\r\n"), STR("\xc3\xa4\xff\r\n"));
	encoded("ascii", STR("plain\n"), STR("plain\n"));
	static const char *const bad[] = {
	    "nonsense", "", "utf-8,", "latin1//TRANSLIT", "utf-8,a,b,c,d", "utf-8,utf8,utf8,utf8,utf8"};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		ok(!encoding_new(bad[i], &e) && e.kind == ERR_USAGE, "'%s' is not an encoding: %s", bad[i], e.msg);
}

static void test_entities(void)
{
	static const char *const pair[][2] = {
	    {"plain", "plain"},
	    {"don&#39;t &amp; won&apos;t", "don't & won't"},
	    {"&lt;b&gt;&quot;&nbsp;&hellip;", "<b>\"\xc2\xa0\xe2\x80\xa6"},
	    {"&#x27;&#X41;&#65", "'AA"},
	    {"&#128;&#150;&#x81;", "\xe2\x82\xac\xe2\x80\x93\xc2\x81"},
	    {"&#0;&#xD800;&#x110000;&#99999999999;", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
	    {"a&#1;&#xfffe;&#x1ffff;&#xfdd0;&#x7f;b", "ab"},
	    {"&amp;amp;", "&amp;"},
	    {"&ampere &notit; &copy2024", "&ere \xc2\xacit; \xc2\xa9"
					  "2024"},
	    {"& &; &# &#x; &#xg; &unknown; AT&T &", "& &; &# &#x; &#xg; &unknown; AT&T &"},
	    {"&Tab;&NewLine;&bsol;", "\t\n\\"},
	    {"&NotEqualTilde;&acE;", "\xe2\x89\x82\xcc\xb8\xe2\x88\xbe\xcc\xb3"},
	    {"&AElig;&zwnj;", "\xc3\x86\xe2\x80\x8c"},
	    {"&am\xc3\xa4; &\xc3\xa4", "&am\xc3\xa4; &\xc3\xa4"},
	    {"&CounterClockwiseContourIntegral;", "\xe2\x88\xb3"},
	};
	struct buf out = {0};
	for (size_t i = 0; i < COUNT_OF(pair); i++)
		is_str(entities_unescape(str_of(pair[i][0]), &out), str_of(pair[i][1]), "%s", pair[i][0]);
	struct buf fresh = {0};
	is_str(entities_unescape(STR("&#1"), &fresh), STR(""), "a text that becomes empty is there");
	buf_free(&fresh);
	buf_free(&out);
}

int main(void)
{
	test_elements();
	test_wide();
	test_unpack();
	test_encodings();
	test_entities();
	return tap_done();
}
