/* mail.c - a message of mail becomes a record: what mbox and maildir (join.c) have in common. */
#include <strings.h>

#include "lib/ingest/format.h"
#include "lib/ingest/mime.h"
#include "lib/ingest/record_builder.h"

/* GMime takes some 500 bytes for a header; and time that grows with the square of a list of addresses, for attached
 * messages. */
enum { MOST_HEADERS = 256 << 10, MOST_ADDRESSES = 10000 };

enum { ID, TEXT, TIME, FROM, TO, SUBJECT, MESSAGE_ID, CONTENT_TYPE, FIELDS };

static const struct str names[FIELDS] = {STR("id"), STR("text"), STR("time"), STR("from"), STR("to"), STR("subject"),
    STR("message_id"), STR("content_type")};

struct mail_reader {
	struct record_builder *builder;
	struct layout layout;
	struct mime *mime;
};

static void message_close(void *ctx)
{
	struct mail_reader *m = ctx;
	mime_free(m->mime);
	layout_free(&m->layout);
	free(m);
}

static void *message_open(const struct ingest *conf, struct record_builder *builder, struct err *e)
{
	static const char *const text[] = {"text", NULL};
	const struct defaults defaults = {.text = text, .strict_time = true};
	struct mail_reader *m = xcalloc(1, sizeof *m);
	m->builder = builder;
	m->mime = mime_new(e);
	if (m->mime && layout_init(&m->layout, names, FIELDS, conf, &defaults, "header", "mail", e) == 0)
		return m;
	message_close(m);
	return NULL;
}

/* Without the angle brackets. */
static struct str bare_id(struct str id)
{
	const char *end = id.n && *id.p == '<' ? memchr(id.p, '>', id.n) : NULL;
	return end ? (struct str){id.p + 1, (size_t)(end - id.p) - 1} : id;
}

static size_t headers_of(struct str message)
{
	const char *end = memmem(message.p, message.n, "\n\n", 2);
	return end ? (size_t)(end - message.p) : message.n;
}

static bool begins_addresses(struct str line)
{
	static const char *const name[] = {"to", "cc", "bcc", "from", "sender", "reply-to"};
	for (size_t i = 0; i < COUNT_OF(name); i++)
		if (line.n > strlen(name[i]) && strncasecmp(line.p, name[i], strlen(name[i])) == 0)
			return true;
	return false;
}

/* At most so many addresses are in lines that may be such headers. */
static size_t count_addresses(struct str text)
{
	size_t n = 0;
	bool inside = false;
	for (const char *at = text.p, *end = text.p + text.n, *nl; at < end; at = nl + 1) {
		nl = memchr(at, '\n', (size_t)(end - at));
		nl = nl ? nl : end;
		inside = *at == ' ' || *at == '\t' ? inside : begins_addresses((struct str){at, (size_t)(nl - at)});
		for (const char *p = at; inside && p < nl; p++)
			n += *p == ',';
	}
	return n;
}

/* True if all fields are text; else appends a reject. */
static bool check(struct batch *b, const struct str *field, struct str raw, struct line_place at)
{
	size_t column;
	for (size_t i = 0; i < FIELDS; i++) {
		const char *code = field[i].p ? builder_fault(field[i], &column) : NULL;
		if (!code)
			continue;
		builder_reject(
		    b, raw, at, code, "the %.*s of the message is not text: byte %zu", STR_FMT(names[i]), column);
		return false;
	}
	return true;
}

static void put(struct mail_reader *m, struct batch *b, const struct mail *mail, struct str raw, struct line_place at)
{
	const struct str field[FIELDS] = {[ID] = bare_id(mail->id),
	    [TEXT] = mail->text,
	    [TIME] = mail->date,
	    [FROM] = mail->from,
	    [TO] = mail->to,
	    [SUBJECT] = mail->subject,
	    [MESSAGE_ID] = bare_id(mail->id),
	    [CONTENT_TYPE] = str_of(mail->type)};
	if (!field[m->layout.text].p)
		builder_reject(b, raw, at, CODE_NO_TEXT, "the message has no %.*s", STR_FMT(names[m->layout.text]));
	else if (check(b, field, raw, at))
		builder_put(m->builder, b, &m->layout, field, raw, at);
}

/* Takes a whole message, of an mbox with its line "From ". */
static int message_line(void *ctx, struct batch_room *room, struct str raw, uint64_t number, struct err *e)
{
	struct mail_reader *m = ctx;
	struct line_place at = {.line = number};
	struct str message = raw;
	struct mail mail;
	(void)e;
	if (mbox_begins(raw)) {
		const char *nl = memchr(raw.p, '\n', raw.n);
		size_t n = nl ? (size_t)(nl - raw.p) + 1 : raw.n;
		message = (struct str){raw.p + n, raw.n - n};
	}
	size_t headers = headers_of(message);
	if (headers > MOST_HEADERS)
		builder_reject(room->b, raw, at, CODE_TOO_LONG, "the headers of the message are longer than %d bytes",
		    MOST_HEADERS);
	else if (count_addresses((struct str){message.p + headers, message.n - headers}) > MOST_ADDRESSES)
		builder_reject(
		    room->b, raw, at, CODE_TOO_LONG, "attached messages have more than %d addresses", MOST_ADDRESSES);
	else if (memchr(message.p, 0, headers))
		builder_reject(room->b, raw, at, CODE_NUL, "a NUL byte in the headers of the message");
	else if (!mime_read(m->mime, message, &mail))
		builder_reject(room->b, raw, at, CODE_BAD_MAIL, "this is not a message");
	else if (!mail.text.p)
		builder_reject(room->b, raw, at, CODE_NO_TEXT, "no part of the message is text");
	else
		put(m, room->b, &mail, raw, at);
	return 0;
}

const struct format format_message = {
    .name = "message", .open = message_open, .line = message_line, .close = message_close};
