/* journal.c - the lines of a state of windows. */
#include "lib/window/journal.h"

#include "lib/json/write.h"
#include "lib/window/number.h"

enum { IDS_IN_LINE = 256, ID_HEX = 32 };

/* ---- out ---- */

static void add_text(struct window_journal *j)
{
	saved_add(j->saved, buf_view(&j->text));
	buf_clear(&j->text);
}

/* Names the input of what follows, if it is another one than before. */
static void name_place(struct window_journal *j, struct input_place *at)
{
	if (j->begun && j->at == at)
		return;
	j->begun = true;
	j->at = at;
	buf_char(&j->text, '@');
	json_put_lossy(&j->text, at ? str_of(at->origin) : STR(""));
	add_text(j);
}

void journal_record(struct window_journal *j, struct input_place *at, const struct rec *r, bool own_id)
{
	name_place(j, at);
	buf_printf(&j->text, "%c%llu ", own_id ? '+' : '-', (unsigned long long)r->lineno);
	buf_str(&j->text, r->line);
	add_text(j);
}

void journal_refused(struct window_journal *j, struct input_place *at, const struct rec *r, unsigned verdict)
{
	if (!at)
		return;
	name_place(j, at);
	buf_printf(&j->text, "?%llu %u", (unsigned long long)r->lineno, verdict);
	add_text(j);
}

void journal_reach(struct window_journal *j, struct input_place *at, const struct rec *r)
{
	place_reach(at, r);
	if (at->last != r->lineno)
		return;
	name_place(j, at);
	buf_printf(&j->text, ">%llu %.*s", (unsigned long long)at->last, HASH_HEX, at->hash);
	add_text(j);
}

void journal_closed(struct window_journal *j)
{
	saved_add(j->saved, STR("!"));
}

int journal_commit(struct window_journal *j, struct err *e)
{
	j->begun = false;
	return saved_commit(j->saved, e);
}

/* An empty batch: as it begins, a restart lets go of what those before it have closed. */
int journal_out(struct window_journal *j, struct err *e)
{
	if (!saved_found(j->saved))
		return 0;
	name_place(j, NULL);
	return journal_commit(j, e);
}

static int put_text(struct window_journal *j, struct err *e)
{
	int rc = saved_snapshot_line(j->saved, buf_view(&j->text), e);
	buf_clear(&j->text);
	return rc;
}

static int put_place(struct window_journal *j, const struct input_place *at, struct err *e)
{
	buf_str(&j->text, STR("{\"file\":"));
	json_put_lossy(&j->text, str_of(at->origin));
	buf_printf(&j->text, ",\"line\":%llu,\"hash\":\"%.*s\"}", (unsigned long long)at->last, HASH_HEX, at->hash);
	return put_text(j, e);
}

static int put_ids(struct window_journal *j, size_t from, struct err *e)
{
	const struct recent *r = j->recent;
	buf_str(&j->text, STR("{\"ids\":\""));
	for (size_t i = from; i < r->n && i < from + IDS_IN_LINE; i++) {
		struct recent_id id = recent_at(r, i);
		buf_printf(&j->text, "%016llx%016llx", (unsigned long long)id.part[0], (unsigned long long)id.part[1]);
	}
	buf_str(&j->text, STR("\"}"));
	return put_text(j, e);
}

static int write_line(void *arg, struct str line, struct err *e)
{
	return saved_snapshot_line(((struct window_journal *)arg)->saved, line, e);
}

static int put_all(void *arg, struct err *e)
{
	struct window_journal *j = arg;
	int rc = windows_save(j->windows, &(struct windows_writer){write_line, j}, e);
	for (size_t i = 0; rc == 0 && i < j->places->n; i++)
		if (j->places->place[i].last)
			rc = put_place(j, &j->places->place[i], e);
	for (size_t i = 0; rc == 0 && i < j->recent->n; i += IDS_IN_LINE)
		rc = put_ids(j, i, e);
	return rc;
}

int journal_snapshot(struct window_journal *j, struct err *e)
{
	if (!saved_is_large(j->saved) || !places_settled(j->places))
		return 0;
	return saved_replace(j->saved, put_all, j, e);
}

/* ---- in ---- */

struct reading_again {
	struct window_journal *j;
	const struct journal_reader *to;
};

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int read_ids(struct recent *r, struct str hex)
{
	if (hex.n % ID_HEX)
		return -1;
	for (size_t at = 0; at < hex.n; at += ID_HEX) {
		struct recent_id id = {{0, 0}};
		for (size_t i = 0; i < ID_HEX; i++) {
			int digit = hex_digit(hex.p[at + i]);
			if (digit < 0)
				return -1;
			id.part[i / 16] = id.part[i / 16] << 4 | (uint64_t)digit;
		}
		if (!recent_has(r, id))
			recent_add(r, id);
	}
	return 0;
}

static int read_place(struct window_journal *j, const struct json_scan *s, const struct json_member *file)
{
	const struct json_member *line = json_find(s, STR("line")), *hash = json_find(s, STR("hash"));
	int64_t n;
	if (file->type != JSON_STRING || !line || number_64(line->value, 1, &n) < 0 || !hash ||
	    hash->value.n != HASH_HEX + 2)
		return -1;
	place_set(places_of(j->places, json_decode(file, &j->mem)), (uint64_t)n,
	    (struct str){hash->value.p + 1, HASH_HEX}, true);
	return 0;
}

static int snapshot_line(struct window_journal *j, struct str line)
{
	struct json_scan *s = &j->scan;
	if (json_scan(s, line) < 0)
		return -1;
	const struct json_member *file = json_find(s, STR("file")), *ids = json_find(s, STR("ids"));
	if (file)
		return read_place(j, s, file);
	if (ids)
		return ids->value.n < 2 ? -1 : read_ids(j->recent, (struct str){ids->value.p + 1, ids->value.n - 2});
	return windows_restore(j->windows, line, s, &j->mem);
}

/* "123 REST": 0 with both, or -1. */
static int number_and_rest(struct str line, uint64_t *n, struct str *rest)
{
	const char *blank = memchr(line.p, ' ', line.n);
	if (!blank || str_u64((struct str){line.p, (size_t)(blank - line.p)}, n) < 0)
		return -1;
	*rest = (struct str){blank + 1, (size_t)(line.p + line.n - blank) - 1};
	return 0;
}

static int read_name(struct window_journal *j, struct str line)
{
	struct json_member name = {.value = line, .type = JSON_STRING, .escaped = true};
	if (json_check(&j->scan, line) < 0 || line.n < 2 || line.p[0] != '"')
		return -1;
	struct str origin = json_decode(&name, &j->mem);
	j->at = origin.n ? places_of(j->places, origin) : NULL;
	return 0;
}

/* A line of a batch; `last`: of the last one, of which rejects may not be out. */
static int batch_line(struct reading_again *a, struct str line, bool last, struct err *e)
{
	struct window_journal *j = a->j;
	struct str rest = {line.p + 1, line.n - 1};
	uint64_t n = 0, verdict;
	e->kind = ERR_NONE;
	switch (line.p[0]) {
	case '!':
		a->to->close(a->to->arg);
		return 0;
	case '@':
		return read_name(j, rest);
	case '+':
	case '-':
		if (number_and_rest(rest, &n, &rest) < 0)
			return -1;
		if (last && j->at)
			place_judge(j->at, n, 0);
		return a->to->record(a->to->arg, rest, line.p[0] == '+', e);
	case '?':
		if (number_and_rest(rest, &n, &rest) < 0 || str_u64(rest, &verdict) < 0 || verdict > UINT8_MAX ||
		    !j->at)
			return -1;
		if (last)
			place_judge(j->at, n, (unsigned)verdict);
		return 0;
	case '>':
		if (number_and_rest(rest, &n, &rest) < 0 || rest.n != HASH_HEX || !j->at)
			return -1;
		place_set(j->at, n, rest, !last);
		return 0;
	default:
		return -1;
	}
}

static int read_line(void *arg, size_t group, size_t groups, struct str line, struct err *e)
{
	struct reading_again *a = arg;
	if (!line.p) {
		a->j->at = NULL;
		if (group)
			a->to->settle(a->to->arg);
		return 0;
	}
	arena_reset(&a->j->mem);
	int rc = !line.n ? -1 : group == 0 ? snapshot_line(a->j, line) : batch_line(a, line, group + 1 == groups, e);
	if (rc < 0 && (group == 0 || e->kind == ERR_NONE))
		return err_set(e, ERR_ENV, "the state has a line that is not one (remove it to begin anew): %.*s",
		    (int)(line.n < 80 ? line.n : 80), line.p);
	return rc;
}

int journal_read(struct window_journal *j, const struct journal_reader *to, struct err *e)
{
	struct reading_again a = {j, to};
	return saved_read(j->saved, read_line, &a, e);
}

void journal_release(struct window_journal *j)
{
	buf_free(&j->text);
	json_scan_free(&j->scan);
	arena_free(&j->mem);
}
