/* sniff.c - detects formats; when in doubt it chooses plain text, which loses nothing. */
#include "lib/ingest/sniff.h"

#include "lib/ingest/logs.h"
#include "lib/ingest/row.h"

static const struct format *by_ending(const char *path)
{
	static const struct {
		const char *ending;
		const struct format *format;
	} known[] = {{".csv", &format_csv}, {".tsv", &format_tsv}, {".tab", &format_tsv}, {".txt", &format_text},
	    {".text", &format_text}, {".json", &format_json}, {".jsonl", &format_json}, {".ndjson", &format_json},
	    {".dead", &format_reject}};
	size_t n = path ? strlen(path) : 0;
	for (size_t i = 0; i < COUNT_OF(known); i++) {
		size_t len = strlen(known[i].ending);
		if (n > len && strcmp(path + n - len, known[i].ending) == 0)
			return known[i].format;
	}
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

static int refuse_binary(struct str line, const char *path, struct err *e)
{
	const char *name = path ? path : "stdin";
	if (line.n >= 2 && memcmp(line.p, "\x1f\x8b", 2) == 0)
		return err_set(
		    e, ERR_USAGE, "'%s' is compressed; zcat it into senti-ingest -F FORMAT --source NAME", name);
	if (line.n >= 2 && (memcmp(line.p, "\xff\xfe", 2) == 0 || memcmp(line.p, "\xfe\xff", 2) == 0))
		return err_set(e, ERR_USAGE, "'%s' is UTF-16; convert it first: iconv -f UTF-16 -t UTF-8", name);
	return 0;
}

int sniff(const struct ingest *conf, const char *path, struct str line, struct sniffed *out, struct err *e)
{
	const struct format *named = by_ending(path);
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
		if (preset)
			*out = (struct sniffed){.format = &format_log, .pattern = preset->name};
		else if (is_header(conf, line, '\t', true))
			out->format = &format_tsv;
		else if (is_header(conf, line, ',', false) || conf->text || conf->id || conf->time)
			out->format = &format_csv;
	}
	return 0;
}
