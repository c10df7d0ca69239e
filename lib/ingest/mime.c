/* mime.c - calls GMime 3, so few functions of it that building needs no header. */
#include "lib/ingest/mime.h"

#include "lib/base/buf.h"
#include "lib/base/optional_lib.h"
#include "lib/ingest/encoding.h"
#include "lib/ingest/format.h"

/* GLib's GByteArray. */
struct byte_array {
	unsigned char *data;
	unsigned n;
};

/* Objects are pointers to GObjects; a gboolean is an int. */
static struct {
	void (*init)(void);
	void (*unref)(void *);
	void *(*memory_of)(const char *, size_t);
	void *(*memory)(void);
	struct byte_array *(*bytes)(void *);
	void *(*parser)(void *);
	void *(*parse)(void *, void *);
	const char *(*header)(void *, const char *);
	void *(*parts)(void *);
	void *(*part)(void *);
	int (*next)(void *);
	void (*parts_free)(void *);
	void *(*type)(void *);
	int (*is_type)(void *, const char *, const char *);
	const char *(*parameter)(void *, const char *);
	int (*is_attachment)(void *);
	void *(*content)(void *);
	ssize_t (*decode)(void *, void *);
} gmime;

static const char *const names[] = {"g_mime_init", "g_object_unref", "g_mime_stream_mem_new_with_buffer",
    "g_mime_stream_mem_new", "g_mime_stream_mem_get_byte_array", "g_mime_parser_new_with_stream",
    "g_mime_parser_construct_part", "g_mime_object_get_header", "g_mime_part_iter_new", "g_mime_part_iter_get_current",
    "g_mime_part_iter_next", "g_mime_part_iter_free", "g_mime_object_get_content_type", "g_mime_content_type_is_type",
    "g_mime_object_get_content_type_parameter", "g_mime_part_is_attachment", "g_mime_part_get_content",
    "g_mime_data_wrapper_write_to_stream"};

static struct optional_lib lib = {.file = "libgmime-3.0.so.0",
    .needed = "mail needs GMime (Debian: libgmime-3.0-0)",
    .old = "version 3 is needed",
    .name = names,
    .n = COUNT_OF(names),
    .call = &gmime};

struct mime {
	void *message; /* it lends the headers */
	struct buf text;
	struct encoding *encoding;
	struct buf charset; /* of `encoding` */
};

struct mime *mime_new(struct err *e)
{
	bool first = !lib.handle;
	if (optional_lib_open(&lib, e) < 0)
		return NULL;
	if (first)
		gmime.init();
	return xcalloc(1, sizeof(struct mime));
}

static void forget(struct mime *m)
{
	if (m->message)
		gmime.unref(m->message);
	m->message = NULL;
}

void mime_free(struct mime *m)
{
	if (!m)
		return;
	forget(m);
	encoding_free(m->encoding);
	buf_free(&m->text);
	buf_free(&m->charset);
	free(m);
}

/* As a part: a message would have its addresses taken apart. */
static void *parse(struct str message)
{
	void *stream = gmime.memory_of(message.p, message.n), *parser = gmime.parser(stream);
	void *parsed = gmime.parse(parser, NULL);
	gmime.unref(parser);
	gmime.unref(stream);
	return parsed;
}

/* A name that encoding_new takes for one name. */
static bool is_name(struct str s)
{
	static const char others[] = "-_.:+()";
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool known = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!known && !memchr(others, c, sizeof others - 1))
			return false;
	}
	return s.n > 0 && s.n < 64;
}

/* Many messages of one charset follow each other. */
static struct encoding *encoding_of(struct mime *m, void *part)
{
	static const char rest[] = "utf-8,windows-1252";
	const char *said = gmime.parameter(part, "charset");
	struct str name = said && is_name(str_of(said)) ? str_of(said) : STR("");
	struct err e;
	if (m->encoding && str_eq(name, buf_view(&m->charset)))
		return m->encoding;
	encoding_free(m->encoding);
	buf_clear(&m->charset);
	buf_printf(&m->charset, "%.*s,%s%c", STR_FMT(name), rest, 0);
	m->encoding = encoding_new(m->charset.p + (name.n ? 0 : 1), &e);
	if (!m->encoding) /* iconv does not know it */
		m->encoding = encoding_new(rest, &e);
	m->charset.n = name.n;
	return m->encoding;
}

/* Without CR before LF, and without the end of the last line. */
static void put_lines(struct buf *out, struct str text)
{
	for (const char *at = text.p, *end = text.p + text.n, *nl; at < end; at = nl + 1) {
		nl = memchr(at, '\n', (size_t)(end - at));
		nl = nl ? nl : end;
		size_t n = (size_t)(nl - at);
		buf_add(out, at, n && nl < end && at[n - 1] == '\r' ? n - 1 : n);
		if (nl < end)
			buf_char(out, '\n');
	}
	while (out->n && (out->p[out->n - 1] == '\n' || out->p[out->n - 1] == '\r'))
		out->n--;
}

/* The decoded text of a part into m->text. */
static struct str read_text(struct mime *m, void *part)
{
	void *content = gmime.content(part), *to = gmime.memory();
	buf_clear(&m->text);
	if (content && gmime.decode(content, to) >= 0) {
		const struct byte_array *bytes = gmime.bytes(to);
		const struct str raw = {bytes->n ? (const char *)bytes->data : "", bytes->n};
		put_lines(&m->text, encoding_utf8(encoding_of(m, part), raw));
	}
	gmime.unref(to);
	return (struct str){m->text.n ? m->text.p : "", m->text.n};
}

static bool is_text(void *part, const char *subtype)
{
	void *type = gmime.type(part);
	return type && gmime.is_type(type, "text", subtype) && !gmime.is_attachment(part);
}

/* The first part of the type that is not blank, or a blank one: *out. False if it is blank, or there is none. */
static bool find_text(struct mime *m, void *body, const char *subtype, const char *type, struct mail *out)
{
	void *parts = gmime.parts(body);
	bool found = false;
	do {
		void *part = gmime.part(parts);
		if (!part || !is_text(part, subtype))
			continue;
		struct str text = read_text(m, part);
		found = !line_blank(text);
		if (!found && out->text.p)
			continue;
		out->text = found ? text : STR("");
		out->type = type;
	} while (!found && gmime.next(parts));
	gmime.parts_free(parts);
	return found;
}

static struct str header(void *message, const char *name)
{
	const char *value = gmime.header(message, name);
	return value ? str_trim(str_of(value)) : STR_NONE;
}

bool mime_read(struct mime *m, struct str message, struct mail *out)
{
	*out = (struct mail){.text = STR_NONE};
	forget(m);
	void *parsed = m->message = parse(message);
	if (!parsed)
		return false;
	out->from = header(parsed, "From");
	out->to = header(parsed, "To");
	out->subject = header(parsed, "Subject");
	out->date = header(parsed, "Date");
	out->id = header(parsed, "Message-ID");
	if (!find_text(m, parsed, "plain", "text/plain", out))
		find_text(m, parsed, "html", "text/html", out);
	return true;
}
