/* sniff.c - detects formats; when in doubt it chooses plain text, which loses nothing, unless it is plainly something
 * else. */
#include "lib/ingest/sniff.h"

#include <strings.h>

#include "lib/ingest/logs.h"
#include "lib/ingest/record_builder.h"
#include "lib/ingest/row.h"

static bool ends_with(struct str s, const char *ending)
{
	size_t n = strlen(ending);
	return s.n > n && memcmp(s.p + s.n - n, ending, n) == 0;
}

const struct format *sniff_name(const char *path)
{
	static const struct {
		const char *ending;
		const struct format *format;
	} known[] = {{".csv", &format_csv}, {".tsv", &format_tsv}, {".tab", &format_tsv}, {".txt", &format_text},
	    {".text", &format_text}, {".json", &format_json}, {".jsonl", &format_json}, {".ndjson", &format_json},
	    {".dead", &format_reject}, {".mbox", &format_mbox}};
	static const char *const packed[] = {".gz", ".zst"};
	struct str name = str_of(path);
	for (size_t i = 0; i < COUNT_OF(packed); i++)
		if (ends_with(name, packed[i])) {
			name.n -= strlen(packed[i]);
			break;
		}
	for (size_t i = 0; i < COUNT_OF(known); i++)
		if (ends_with(name, known[i].ending))
			return known[i].format;
	return NULL;
}

static bool begins_object(struct str s)
{
	while (s.n && (*s.p == ' ' || *s.p == '\t')) {
		s.p++;
		s.n--;
	}
	return s.n && *s.p == '{';
}

/* The format of a line that is a JSON object. */
static const struct format *json_kind(struct str line)
{
	struct json_scan s = {0};
	struct buf padded = {0};
	const struct format *f = &format_json;
	buf_str(&padded, line);
	json_pad(&padded);
	if (json_scan(&s, buf_view(&padded)) == 0) {
		const struct json_member *error = json_find(&s, STR("error"));
		if (error && error->type == JSON_OBJECT &&
		    (json_find(&s, STR("input")) || json_find(&s, STR("input_base64"))))
			f = &format_reject;
		else if (json_find(&s, STR("__REALTIME_TIMESTAMP")) && !json_find(&s, STR("text")))
			f = &format_journal;
	}
	json_scan_free(&s);
	buf_free(&padded);
	return f;
}

/* True if the line is a header with several columns, including the text's. */
static bool is_header(const struct ingest *conf, struct str line, char delimiter, bool tsv)
{
	struct rows *rows = rows_new(delimiter, tsv);
	struct row row;
	bool found = false;
	rows_feed(rows, line, 1);
	if (rows_next(rows, 0, SIZE_MAX, &row) == ROW_READY)
		for (size_t i = 0; row.n > 1 && i < row.n; i++)
			found |= str_eq(row.cell[i], str_of(conf->text ? conf->text : "text"));
	rows_free(rows);
	return found;
}

/* What begins so is not lines of text. What it is, and the remedy, are for messages. */
static const struct {
	struct str magic;
	const char *what, *remedy;
} others[] = {
    {STR("\x1f\x8b"), "compressed", "--follow cannot read it; zcat it into senti-ingest"},
    {STR("\x28\xb5\x2f\xfd"), "compressed", "--follow cannot read it; zstdcat it into senti-ingest"},
    {STR("BZh91AY&SY"), "compressed by bzip2", "bzcat it into senti-ingest"},
    {STR("\xfd"
	 "7zXZ"),
	"compressed by xz", "xzcat it into senti-ingest"},
    {STR("PK\x03\x04"), "a zip archive (perhaps a spreadsheet)", "unzip it, or export it as CSV"},
    {STR("7z\xbc\xaf"), "a 7z archive", "extract it first"},
    {STR("\xd0\xcf\x11\xe0"), "a document of Microsoft Office", "export it as CSV"},
    {STR("%PDF-"), "a PDF", "convert it to text first"},
    {STR("SQLite format 3"), "an SQLite database", "export a table as CSV (sqlite3 -csv -header)"},
    {STR("Obj\x01"), "an Avro file", "export it as JSON lines"},
    {STR("\x7f"
	 "ELF"),
	"a program", "name the file that was meant"},
    {STR("\x89PNG"), "an image", "name the file that was meant"},
    {STR("\xff\xd8\xff"), "an image", "name the file that was meant"},
    {STR("\xff\xfe"), "UTF-16", "convert it first: iconv -f UTF-16 -t UTF-8"},
    {STR("\xfe\xff"), "UTF-16", "convert it first: iconv -f UTF-16 -t UTF-8"},
};

static int refuse(const char *path, const char *what, const char *remedy, struct err *e)
{
	return err_set(e, ERR_USAGE, "'%s' is %s: %s", path ? path : "stdin", what, remedy);
}

static int refuse_binary(struct str line, const char *path, struct err *e)
{
	for (size_t i = 0; i < COUNT_OF(others); i++)
		if (line.n >= others[i].magic.n && memcmp(line.p, others[i].magic.p, others[i].magic.n) == 0)
			return refuse(path, others[i].what, others[i].remedy, e);
	return 0;
}

static bool begins(struct str s, const char *with)
{
	size_t n = strlen(with);
	return s.n >= n && strncasecmp(s.p, with, n) == 0;
}

/* Plain text is the last guess, and each line becomes a record: not those of what is plainly something else. */
static int refuse_other_text(struct str line, const char *path, struct err *e)
{
	size_t column;
	if (begins(line, "<?xml") || begins(line, "<!doctype") || begins(line, "<html"))
		return refuse(path, "XML or HTML", "take the texts out of it first, or say -F text for its lines", e);
	const char *code = builder_fault(line, &column);
	if (code && strcmp(code, CODE_NUL) == 0)
		return refuse(path, "not text", "name its format (-F) if it is", e);
	if (code)
		return refuse(path, "not UTF-8", "name its encoding (--encoding windows-1252), or its format (-F)", e);
	return 0;
}

int sniff(const struct ingest *conf, const char *path, struct str line, struct sniffed *out, struct err *e)
{
	const struct format *named = sniff_name(path);
	struct str content = line_content(line);
	*out = (struct sniffed){.format = &format_text};
	if (refuse_binary(line, path, e) < 0)
		return -1;
	if (conf->pattern) {
		bool journal = strcmp(conf->pattern, "journal") == 0;
		*out = (struct sniffed){.format = journal ? &format_journal : &format_log, .pattern = conf->pattern};
	} else if (named && named != &format_json) {
		out->format = named;
	} else if (conf->delimiter || conf->no_header) {
		out->format = &format_csv;
	} else if (named || begins_object(content)) {
		out->format = json_kind(content);
	} else {
		const struct logs_preset *preset = logs_guess(content);
		if (mbox_begins(content))
			out->format = &format_mbox;
		else if (preset)
			*out = (struct sniffed){.format = &format_log, .pattern = preset->name};
		else if (is_header(conf, line, '\t', true))
			out->format = &format_tsv;
		else if (is_header(conf, line, ',', false) || row_separator(content) || conf->text || conf->id ||
			 conf->time)
			out->format = &format_csv;
		else
			return refuse_other_text(content, path, e);
	}
	return 0;
}
