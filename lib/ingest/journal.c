/* journal.c - the preset journal: systemd's journal as exported by `journalctl -o json`.
 *
 * A field is a string. Bytes that are not text come as an array of numbers; a repeated field comes as an array of
 * values. __CURSOR identifies an entry permanently, so an entry without another id gets one derived from it, whatever
 * stream it comes in.
 */
#include "lib/ingest/format.h"
#include "lib/ingest/record_builder.h"
#include "lib/json/items.h"
#include "lib/text/hash.h"

enum { MAX_FIELDS = 8 };

struct journal {
	struct record_builder *builder;
	struct layout layout;
	struct str name[MAX_FIELDS];
	size_t n;
	bool own_id; /* an option names one */
	struct json_scan scan;
	struct buf bytes;
};

static void add_name(struct journal *j, const char *name)
{
	for (size_t i = 0; name && i <= j->n; i++) {
		if (i == j->n) {
			j->name[j->n++] = str_of(name);
			return;
		}
		if (str_eq(j->name[i], str_of(name)))
			return;
	}
}

static void journal_close(void *ctx)
{
	struct journal *j = ctx;
	layout_free(&j->layout);
	json_scan_free(&j->scan);
	buf_free(&j->bytes);
	free(j);
}

static void *journal_open(const struct ingest *conf, struct record_builder *builder, struct err *e)
{
	static const char *const fields[] = {
	    "MESSAGE", "__REALTIME_TIMESTAMP", "_HOSTNAME", "SYSLOG_IDENTIFIER", "_SYSTEMD_UNIT", "PRIORITY"};
	static const char *const text[] = {"MESSAGE", NULL};
	const struct defaults defaults = {.text = text, .time = "__REALTIME_TIMESTAMP", .strict_time = true};
	struct ingest named = *conf;
	struct journal *j = xcalloc(1, sizeof *j);
	j->builder = builder;
	j->own_id = conf->id != NULL;
	named.id = j->own_id ? conf->id : "__CURSOR";
	for (size_t i = 0; i < COUNT_OF(fields); i++)
		add_name(j, fields[i]);
	/* Options may choose any other field. */
	add_name(j, conf->text);
	add_name(j, conf->time);
	add_name(j, named.id);
	if (j->n > MAX_FIELDS || layout_init(&j->layout, j->name, j->n, &named, &defaults, "field", "journal", e) < 0) {
		journal_close(j);
		return NULL;
	}
	return j;
}

/* Decodes [72,105] as bytes; false if it is not an array of bytes. */
static bool read_bytes(struct journal *j, struct str array, struct arena *mem, struct str *out)
{
	struct json_items it = json_items(array);
	struct str item;
	uint64_t v;
	buf_clear(&j->bytes);
	while (json_items_next(&it, &item) > 0) {
		if (str_u64(item, &v) < 0 || v > 255)
			return false;
		buf_char(&j->bytes, (char)v);
	}
	*out = arena_str(mem, buf_view(&j->bytes));
	return true;
}

/* Reads a field; false if its value is not text or bytes. Absent and null fields are absent. */
static bool read_field(struct journal *j, struct str name, struct arena *mem, struct str *out)
{
	const struct json_member *m = json_find(&j->scan, name);
	*out = STR_NONE;
	if (!m || m->type == JSON_NULL)
		return true;
	if (m->type == JSON_STRING)
		*out = json_decode(m, mem);
	else if (m->type == JSON_ARRAY)
		return read_bytes(j, m->value, mem, out);
	else
		*out = m->value;
	return true;
}

/* Reads all fields of the entry, or rejects it. */
static int read_fields(struct journal *j, struct batch *b, struct rec *r, struct str *field)
{
	size_t column;
	for (size_t i = 0; i < j->n; i++) {
		bool is_text = (ptrdiff_t)i == j->layout.text;
		if (!read_field(j, j->name[i], &b->mem, &field[i])) {
			if (is_text)
				return rec_reject(b, r, CODE_BAD_TEXT, "field '%.*s' is neither a string nor bytes",
				    STR_FMT(j->name[i]));
			field[i] = json_find(&j->scan, j->name[i])->value; /* several values: as spelled */
		}
		if (is_text && !field[i].p)
			return rec_reject(
			    b, r, CODE_NO_TEXT, "no field '%.*s' (--text names another)", STR_FMT(j->name[i]));
		const char *code = field[i].p ? builder_fault(field[i], &column) : NULL;
		if (code)
			return rec_reject(
			    b, r, code, "field '%.*s' is not text: byte %zu", STR_FMT(j->name[i]), column);
	}
	return 0;
}

static int journal_line(void *ctx, struct batch_room *room, struct str line, uint64_t number, struct err *e)
{
	struct journal *j = ctx;
	struct batch *b = room->b;
	struct str content = line_content(line), field[MAX_FIELDS];
	const struct rec_form any = {.text_name = STR("MESSAGE"), .result_name = STR("sentiment")};
	char id[HASH_HEX];
	(void)e;
	struct rec *r = builder_add(b, content, (struct line_place){.line = number});
	if (rec_scan(b, r, &j->scan, &any) < 0 || read_fields(j, b, r, field) < 0)
		return 0;
	b->n--; /* replaces the placeholder record, which was there to be rejected */
	struct str *cursor = &field[j->n - 1];
	if (!j->own_id && cursor->p) {
		const struct str of[] = {STR("journal"), *cursor};
		hash_list(of, COUNT_OF(of), id);
		*cursor = (struct str){id, sizeof id};
	}
	builder_put(j->builder, b, &j->layout, field, content, (struct line_place){.line = number});
	return 0;
}

const struct format format_journal = {
    .name = "journal", .open = journal_open, .line = journal_line, .close = journal_close};
