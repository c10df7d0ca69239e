/* replay.c - the format reject: turns reject objects back into what was rejected, byte for byte. Rows of a table come
 * after their header. */
#include "lib/ingest/format.h"
#include "lib/ingest/record_builder.h"

struct replay {
	struct record_builder *builder;
	struct json_scan scan;
	struct buf bytes;
};

#define CODE_NOT_REJECT "not_reject"

static void *replay_open(const struct ingest *conf, struct record_builder *builder, struct err *e)
{
	if (conf->text || conf->id || conf->time || conf->times.n || conf->source.p) {
		err_set(e, ERR_USAGE,
		    "-F reject restores the lines unchanged: --text, --id, --time, --time-format and --source have no "
		    "use");
		return NULL;
	}
	struct replay *p = xcalloc(1, sizeof *p);
	p->builder = builder;
	return p;
}

static int value_of(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;
	return at ? (int)(at - digits) : -1;
}

/* RFC 4648 with padding. */
static int decode_base64(struct str s, struct buf *out)
{
	if (s.n % 4)
		return -1;
	size_t pad = s.n && s.p[s.n - 1] == '=' ? 1 + (s.p[s.n - 2] == '=') : 0;
	uint32_t bits = 0;
	for (size_t i = 0; i < s.n; i++) {
		int v = i >= s.n - pad ? 0 : value_of(s.p[i]);
		if (v < 0)
			return -1;
		bits = bits << 6 | (uint32_t)v;
		if (i % 4 == 3) {
			const char three[] = {(char)(bits >> 16), (char)(bits >> 8), (char)bits};
			buf_add(out, three, i + 1 == s.n ? 3 - pad : 3);
		}
	}
	return 0;
}

static bool is_reject(const struct json_scan *s)
{
	const struct json_member *error = json_find(s, STR("error"));
	return error && error->type == JSON_OBJECT && (json_find(s, STR("input")) || json_find(s, STR("input_base64")));
}

/* Decodes the rejected line into *bytes; or rejects r. */
static int restore(struct replay *p, struct batch *b, struct rec *r)
{
	const struct json_member *text = json_find(&p->scan, STR("input")),
				 *coded = json_find(&p->scan, STR("input_base64")),
				 *truncated = json_find(&p->scan, STR("truncated"));
	buf_clear(&p->bytes);
	if (truncated && truncated->type == JSON_TRUE)
		return rec_reject(b, r, CODE_TOO_LONG, "only the beginning of the line was kept");
	if (text && text->type == JSON_STRING)
		buf_str(&p->bytes, json_decode(text, &b->mem));
	else if (!coded || coded->type != JSON_STRING || decode_base64(json_decode(coded, &b->mem), &p->bytes) < 0)
		return rec_reject(b, r, CODE_NOT_REJECT, "the line that was rejected cannot be decoded");
	return 0;
}

/* Puts the header before the first row: a stream of rows has one. */
static int put_header(struct replay *p, struct batch *b, struct rec *r)
{
	const struct json_member *m = json_find(&p->scan, STR("header"));
	struct buf *before = p->builder->replayed;
	if (!m || m->type != JSON_STRING)
		return 0;
	struct str header = json_decode(m, &b->mem);
	if (before->n && !str_eq(header, buf_view(before)))
		return rec_reject(
		    b, r, CODE_BAD_ROW, "the row has another header than those before it; replay its table by itself");
	if (before->n || !header.n)
		return 0;
	buf_str(before, header);
	struct str row = arena_str(&b->mem, buf_view(&p->bytes));
	buf_clear(&p->bytes);
	buf_str(&p->bytes, header);
	buf_char(&p->bytes, '\n');
	buf_str(&p->bytes, row);
	return 0;
}

static int check(struct batch *b, struct rec *r, struct str line)
{
	return line_blank(line) ? rec_reject(b, r, CODE_BAD_ROW, "the rejected line is blank") : 0;
}

static int replay_line(void *ctx, struct batch_room *room, struct str line, uint64_t number, struct err *e)
{
	struct replay *p = ctx;
	struct batch *b = room->b;
	const struct rec_form any = {.text_name = STR("text"), .result_name = STR("sentiment")};
	(void)e;
	struct rec *r = builder_add(b, line_content(line), (struct line_place){.line = number});
	if (rec_scan(b, r, &p->scan, &any) < 0)
		return 0;
	if (!is_reject(&p->scan)) {
		rec_reject(b, r, CODE_NOT_REJECT, "not a reject object: no 'error' with 'input' or 'input_base64'");
		return 0;
	}
	if (restore(p, b, r) < 0 || check(b, r, buf_view(&p->bytes)) < 0 || put_header(p, b, r) < 0)
		return 0;
	r->line = arena_str(&b->mem, buf_view(&p->bytes));
	return 0;
}

static void replay_close(void *ctx)
{
	struct replay *p = ctx;
	json_scan_free(&p->scan);
	buf_free(&p->bytes);
	free(p);
}

const struct format format_reject = {.name = "reject", .open = replay_open, .line = replay_line, .close = replay_close};
