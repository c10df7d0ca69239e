/* join.c - records of several lines: joins the lines of a record before its format reads them. So do mailboxes, whose
 * messages begin with a line "From " after a blank one, and Maildirs, whose files are one message each.
 *
 *     raw    first line\r\n second line\r\n \r\n     as read: what a reject gives back
 *     text   first line\nsecond line                 what the format gets
 *
 * A record that is too long is rejected in pieces, so that memory is bounded; none of its lines becomes a record.
 */
#include "lib/base/base.h"
#include "lib/ingest/format.h"
#include "lib/ingest/groups.h"
#include "lib/ingest/record_builder.h"

/* A reject may be so much longer than --max-record, so that one piece is mostly enough. */
enum { PIECE_MORE = 1 << 20 };

struct join {
	const struct format *inner;
	void *ctx;
	struct groups *begin; /* NULL: mail */
	bool mbox, blank;     /* blank: the line before was, or there is none */
	struct buf raw, text;
	size_t said;	/* the end, in `text`, of the last line that is not blank */
	uint64_t first; /* the line at which `raw` begins */
	bool torn;	/* a part of this record has been rejected as too long */
	bool cut;
};

static void join_close(void *ctx)
{
	struct join *j = ctx;
	if (j->ctx)
		j->inner->close(j->ctx);
	groups_free(j->begin);
	buf_free(&j->raw);
	buf_free(&j->text);
	free(j);
}

static void *open_inner(struct join *j, const struct ingest *conf, struct record_builder *builder, struct err *e)
{
	j->ctx = j->inner->open(conf, builder, e);
	if (j->ctx)
		return j;
	join_close(j);
	return NULL;
}

static void *join_open(const struct ingest *conf, struct record_builder *builder, struct err *e)
{
	struct join *j = xcalloc(1, sizeof *j);
	j->inner = conf->format;
	j->begin = groups_finder(conf->join, e);
	if (j->begin)
		return open_inner(j, conf, builder, e);
	join_close(j);
	return NULL;
}

static void *open_mail(bool mbox, const struct ingest *conf, struct record_builder *builder, struct err *e)
{
	if (conf->encoding) {
		err_set(e, ERR_USAGE, "--encoding is not for mail: each message names its own");
		return NULL;
	}
	struct join *j = xcalloc(1, sizeof *j);
	j->inner = &format_message;
	j->mbox = j->blank = mbox;
	return open_inner(j, conf, builder, e);
}

static void *mbox_open(const struct ingest *conf, struct record_builder *builder, struct err *e)
{
	return open_mail(true, conf, builder, e);
}

static void *maildir_open(const struct ingest *conf, struct record_builder *builder, struct err *e)
{
	return open_mail(false, conf, builder, e);
}

static bool begins(struct join *j, struct str line)
{
	return j->begin ? groups_found(j->begin, line) : j->blank && mbox_begins(line);
}

/* In an mbox, a line that would begin a message has ">" before it, and one with ">" another one. */
static struct str unquoted(const struct join *j, struct str line)
{
	size_t n = 0;
	while (j->mbox && n < line.n && line.p[n] == '>')
		n++;
	bool quoted = n && line.n - n >= 5 && memcmp(line.p + n, "From ", 5) == 0;
	return quoted ? (struct str){line.p + 1, line.n - 1} : line;
}

static int put_record(struct join *j, struct batch_room *room, struct str raw, struct err *e)
{
	struct batch *b = room->b;
	size_t before = b->n;
	struct line_place at = {.line = j->first};
	if (j->begin && !builder_check(b, raw, at))
		return 0;
	if (j->mbox && !mbox_begins(raw)) {
		builder_reject(b, raw, at, CODE_BAD_MAIL, "no line 'From ' begins a message here");
		return 0;
	}
	if (j->inner->line(j->ctx, room, (struct str){j->text.p, j->said}, j->first, e) < 0)
		return -1;
	if (b->n > before && b->rec[before].fate == FATE_REJECTED)
		b->rec[before].line = json_padded(&b->mem, raw);
	return 0;
}

/* Makes a record of the lines taken, or a reject. */
static int give(struct join *j, struct batch_room *room, struct err *e)
{
	struct str raw = line_content(buf_view(&j->raw));
	size_t max = room->limits->max_record;
	int rc = 0;
	j->torn |= raw.n > max;
	if (j->said && j->torn)
		builder_reject(room->b, raw, (struct line_place){.line = j->first}, CODE_TOO_LONG,
		    "the lines of the record are longer than %zu bytes (--max-record)", max);
	else if (j->said)
		rc = put_record(j, room, raw, e);
	buf_clear(&j->raw);
	buf_clear(&j->text);
	j->said = 0;
	return rc;
}

static int join_line(void *ctx, struct batch_room *room, struct str line, uint64_t number, struct err *e)
{
	struct join *j = ctx;
	struct str content = line_content(line);
	bool first = begins(j, content);
	if (j->raw.n && (first || j->raw.n > room->limits->max_record + PIECE_MORE) && give(j, room, e) < 0)
		return -1;
	if (first)
		j->torn = false;
	if (!j->raw.n)
		j->first = number;
	else
		buf_char(&j->text, '\n');
	buf_str(&j->raw, line);
	buf_str(&j->text, unquoted(j, content));
	if (!line_blank(line))
		j->said = j->text.n;
	j->blank = j->mbox && !content.n;
	j->cut = false;
	return 0;
}

static int join_work(void *ctx, struct batch_room *room, struct err *e)
{
	struct join *j = ctx;
	return j->cut && j->raw.n ? give(j, room, e) : 0;
}

static void join_cut(void *ctx, const struct rec *too_long)
{
	struct join *j = ctx;
	j->cut = true;
	if (too_long)
		j->torn = !j->raw.n || !begins(j, too_long->line);
	if (!j->raw.n)
		j->blank = false;
}

static uint64_t join_held(const void *ctx)
{
	const struct join *j = ctx;
	return j->raw.n ? j->first : 0;
}

const struct format format_join = {.name = "join",
    .blanks = true,
    .open = join_open,
    .line = join_line,
    .work = join_work,
    .cut = join_cut,
    .held = join_held,
    .close = join_close};

const struct format format_mbox = {.name = "mbox",
    .blanks = true,
    .open = mbox_open,
    .line = join_line,
    .work = join_work,
    .cut = join_cut,
    .held = join_held,
    .close = join_close};

const struct format format_maildir = {.name = "maildir",
    .blanks = true,
    .open = maildir_open,
    .line = join_line,
    .work = join_work,
    .cut = join_cut,
    .held = join_held,
    .close = join_close};
