/* senti-ingest - files and streams of any kind in, records out. */
#include "cmd/ingest_source.h"
#include "cmd/run.h"
#include "lib/base/timezone.h"
#include "lib/base/utf8.h"
#include "lib/ingest/follow.h"

enum { MOST_PREFIX = 64 };

static int read_format(void *to, const char *value, struct err *e)
{
	const struct format **format = to;
	*format = format_named(value);
	if (!*format && strcmp(value, "auto") != 0)
		return option_bad("format", value, "csv, tsv, text, json, log, mbox, maildir, reject or auto", e);
	return 0;
}

static int read_delimiter(void *to, const char *value, struct err *e)
{
	char *delimiter = to;
	bool tab = strcmp(value, "tab") == 0 || strcmp(value, "\\t") == 0;
	*delimiter = tab ? '\t' : value[0];
	if (!tab && (!value[0] || value[1] || strchr("\"\n\r", value[0])))
		return option_bad("delimiter", value, "one character (a byte, no quote) or tab", e);
	return 0;
}

static int read_encoding(void *to, const char *value, struct err *e)
{
	struct ingest *i = to;
	i->wide = wide_named(str_of(value));
	if (i->wide != WIDE_NONE)
		return 0;
	i->wide = WIDE_BY_MARK;
	encoding_free(i->encoding);
	i->encoding = encoding_new(value, e);
	return i->encoding ? 0 : -1;
}

static int read_time_format(void *to, const char *value, struct err *e)
{
	struct err wanted;
	return time_formats_add(to, value, &wanted) == 0 ? 0 : option_bad("time-format", value, wanted.msg, e);
}

static int read_prefix(void *to, const char *value, struct err *e)
{
	const char **prefix = to;
	struct str s = str_of(value);
	*prefix = value;
	return utf8_valid_prefix(s) == s.n && s.n <= MOST_PREFIX
		   ? 0
		   : option_bad("id-prefix", value, "UTF-8 of at most 64 bytes", e);
}

static int read_rate(void *to, const char *value, struct err *e)
{
	return rate_parse(value, to, e);
}

#define OPTIONS struct ingest_options
static const struct option_def own[] = {
    {'F', "format", "FORMAT",
	"csv, tsv, text, json, log, mbox, maildir, reject or auto (default):\nby the file's name, else by its first "
	"line",
	OPT_CALL(ingest.format, read_format)},
    {0, "text", "COL", "the column (group, member) that becomes the text (default: text, or the only one)",
	OPT_STRING(ingest.text)},
    {0, "id", "COL", "the column that becomes the id (default: id, else derived from source, path, line, time, text)",
	OPT_STRING(ingest.id)},
    {0, "time", "COL", "the column that becomes the time, rewritten as RFC 3339 (default: time)",
	OPT_STRING(ingest.time)},
    {0, "time-format", "FORMAT",
	"how times are spelled: as for strptime(3), such as '%m/%d/%Y', or epoch, epoch-ms,\nepoch-us, epoch-ns; if "
	"given repeatedly, the first that fits",
	OPT_CALL(ingest.times, read_time_format)},
    {0, "source", "NAME", "where the records come from (default: the file's name)", OPT_SLICE(ingest.source)},
    {0, "id-by", "HOW",
	"position (default), or content: derive ids from source, time, text and how\noften these occurred before",
	OPT_CHOICE(id_by, "position", "content")},
    {0, "id-path", "NAME", "use NAME instead of the file's path in ids by position", OPT_NAME(ingest.ids.path)},
    {0, "id-prefix", "TEXT", "begin all ids with TEXT, to keep sources apart",
	OPT_CALL(ingest.ids.prefix, read_prefix)},
    {0, "id-scheme", "N", "2 (default), or 1: ids as in senti 0.1, supported for one more version",
	OPT_NUMBER(ingest.ids.scheme, 1, 2)},
    {0, "no-header", NULL, "the first row is data; columns are c1, c2, ...", OPT_FLAG(ingest.no_header)},
    {0, "delimiter", "C", "the field separator: one character, or tab", OPT_CALL(ingest.delimiter, read_delimiter)},
    {0, "encoding", "NAME[,NAME]",
	"the encoding of the files, such as windows-1252, or several for mixed\nones: each line is in the first that "
	"fits",
	OPT_CALL(ingest, read_encoding)},
    {0, "unescape", "WHAT", "html: replace the entities of HTML in the text, such as &#39;",
	OPT_CHOICE(ingest.unescape, "html"), .min = 1},
    {0, "pattern", "NAME|REGEX",
	"for logs: common, combined, syslog, journal, or a regular expression\nwith named groups, one of them text",
	OPT_STRING(ingest.pattern)},
    {0, "join", "REGEX", "for text and logs: join lines to records, each of which begins with\na line that matches",
	OPT_STRING(ingest.join)},
    {0, "follow", NULL, "read files as they grow, through rotation and truncation, until stopped", OPT_FLAG(follow)},
    {0, "rotate-wait", "TIME",
	"with --follow: wait so long for more in a renamed file before its\nsuccessor is read (default: half a second; "
	"0s: don't wait)",
	OPT_DURATION(rotate_wait_ms, 0)},
    {0, "rate", "N[/s]", "at most N records per second (/m: per minute, /h: per hour)", OPT_CALL(rate, read_rate)},
    {0},
};

static int check_zone(struct err *e)
{
	const char *zone = env_get("TZ");
	/* Unset, the C library looks at the file once for each time that it converts. */
	if (!zone)
		setenv("TZ", ":/etc/localtime", 1);
	else if (!timezone_known(zone))
		return err_set(e, ERR_USAGE, "TZ='%s' is not a time zone; an example is Europe/Berlin", zone);
	return 0;
}

int main(int argc, char **argv)
{
	struct ingest_options o = {.rotate_wait_ms = FOLLOW_ROTATE_WAIT_MS};
	struct err e;
	struct tool t = {
	    .name = "senti-ingest",
	    .usage = "[-F FORMAT] [--text COL] [--id COL] [--time COL] [--source NAME] [FILE...]\n"
		     "-F log --pattern NAME|REGEX [--follow] [FILE...]\n"
		     "-F reject [FILE...]",
	    .summary = "Turns files and streams into records, one JSON object per line.",
	    .examples = "  senti-ingest --text review reviews.csv | senti-score\n"
			"  senti-ingest -F tsv --no-header --id 1 --text 3 ratings.txt\n"
			"  senti-ingest --follow -F log --pattern syslog /var/log/syslog\n"
			"  senti-ingest -F log --pattern '^(?<time>\\S+) (?<level>\\w+) (?<text>.*)' app.log\n"
			"  journalctl -o json -u shop | senti-ingest --pattern journal\n"
			"  senti-ingest -F reject rejected.jsonl | senti-score\n",
	    .own = own,
	    .options = &o,
	    .shared = SHARED_FILTER | SHARED_OUT,
	};
	tool_options(&t, argc, argv);
	if (check_zone(&e) < 0)
		return tool_fail(&t, &e);
	int status = ingest_source(&o, &t, &e) < 0 ? tool_fail(&t, &e) : tool_run(&t, NULL, 0);
	encoding_free(o.ingest.encoding);
	maildir_free(&o.files);
	return status;
}
