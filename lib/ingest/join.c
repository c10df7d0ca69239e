/* join.c - records of several lines: joins the lines of a record before its format reads them.
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
	struct groups *begin;
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

static void *join_open(const struct ingest *conf, struct record_builder *builder, struct err *e)
{
	struct join *j = xcalloc(1, sizeof *j);
	j->inner = conf->format;
	j->begin = groups_finder(conf->join, e);
	if (j->begin && (j->ctx = j->inner->open(conf, builder, e)))
		return j;
	join_close(j);
	return NULL;
}

static int put_record(struct join *j, struct batch_room *room, struct str raw, struct err *e)
{
	struct batch *b = room->b;
	size_t before = b->n;
	if (!builder_check(b, raw, (struct line_place){.line = j->first}))
		return 0;
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
	bool begins = groups_found(j->begin, content);
	if (j->raw.n && (begins || j->raw.n > room->limits->max_record + PIECE_MORE) && give(j, room, e) < 0)
		return -1;
	if (begins)
		j->torn = false;
	if (!j->raw.n)
		j->first = number;
	else
		buf_char(&j->text, '\n');
	buf_str(&j->raw, line);
	buf_str(&j->text, content);
	if (!line_blank(line))
		j->said = j->text.n;
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
		j->torn = !j->raw.n || !groups_found(j->begin, too_long->line);
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
