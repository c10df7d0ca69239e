/* Rows of all kinds through every store: any UTF-8 in every text, SQL in every text, large batches, many pages in every
 * order, and queries compared with a plain model of what they promise. */
#include "tests/unit/stores.h"

#include "lib/data/fold.h"

/* What trips those who build SQL, arrays, COPY or JSON out of text. */
static const char *const texts[] = {
    "",
    " ",
    "'",
    "''",
    "\"",
    "\\",
    "\\\\",
    "\\.",
    "\\N",
    "NULL",
    "null",
    ",",
    "{}",
    "{a,b}",
    "{\"a\",NULL}",
    "(a,b)",
    "a\tb",
    "a\nb",
    "a\r\nb\r",
    "\n",
    "\\n",
    "\b\f\v\x01\x1f\x7f",
    "$1",
    "$$",
    "$a$b$a$",
    "%s%n",
    "%_",
    "E'\\''",
    "--",
    "/* */",
    ";",
    "'; DROP TABLE message; --",
    "'); DELETE FROM senti.message; --",
    "' OR '1'='1",
    "\"; DROP SCHEMA senti CASCADE; --",
    "é",
    "e\xcc\x81",
    "\xc2\x80",
    "\xdf\xbf",
    "\xe0\xa0\x80",
    "\xed\x9f\xbf",
    "\xee\x80\x80",
    "\xef\xbb\xbf",
    "\xef\xbf\xbe",
    "\xef\xbf\xbf",
    "\xf0\x90\x80\x80",
    "\xf4\x8f\xbf\xbf",
    "\xe2\x80\xae"
    "abc",
    "a\xe2\x80\xa8"
    "b",
    "ÀÉß ΣΟΦΟΣ İı ﬁ",
    "日本語 👩‍👩‍👧 🇩🇪",
    "COPY message FROM STDIN",
    "\xc2\xa0",
};

static struct str quoted(struct str text)
{
	struct buf b = {0};
	buf_str(&b, STR("{\"x\":"));
	buf_char(&b, '"');
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		if (c < 0x20)
			buf_printf(&b, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			buf_printf(&b, "\\%c", c);
		else
			buf_char(&b, text.p[i]);
	}
	buf_str(&b, STR("\"}"));
	buf_char(&b, 0);
	struct str out = json(b.p);
	buf_free(&b);
	return out;
}

/* A message with the text in every place that takes any. */
static struct message everywhere(struct str text, size_t number)
{
	struct message m = {.text = text, .source = text, .model = text, .label = STR("neutral")};
	m.id = text.n ? text : arena_printf(&mem, "#%zu", number);
	m.sentiment = quoted(text);
	m.extra = quoted(text);
	return m;
}

static bool same(struct str a, struct str b)
{
	return str_eq(a, b) && !a.p == !b.p;
}

static bool same_message(const struct message *a, const struct message *b)
{
	return same(a->id, b->id) && same(a->text, b->text) && same(a->source, b->source) && same(a->label, b->label) &&
	       same(a->model, b->model) && same(a->sentiment, b->sentiment) && same(a->extra, b->extra) &&
	       a->has_time == b->has_time && (!a->has_time || a->time == b->time) && a->has_score == b->has_score &&
	       (!a->has_score || a->score == b->score) && a->version == b->version;
}

/* Reads the messages back: how many are as they were put. */
static size_t read_back(struct store *s, const struct message *want, size_t n)
{
	struct message *got = xcalloc(n, sizeof *got), **row = xcalloc(n, sizeof *row);
	size_t good = 0;
	for (size_t i = 0; i < n; i++) {
		got[i].id = want[i].id;
		row[i] = &got[i];
	}
	if (s->get(s, row, n, &mem, &e) < 0)
		printf("# %s\n", e.msg);
	for (size_t i = 0; i < n; i++)
		if (got[i].fate == MESSAGE_FOUND && same_message(&got[i], &want[i]))
			good++;
		else
			printf("# '%.*s' came back as '%.*s'\n", STR_FMT(want[i].id), STR_FMT(got[i].text));
	free(got);
	free(row);
	return good;
}

static void rows_of(struct message *m, struct message **row, size_t n)
{
	for (size_t i = 0; i < n; i++)
		row[i] = &m[i];
}

static size_t count_fate(const struct message *m, size_t n, enum message_fate fate)
{
	size_t count = 0;
	for (size_t i = 0; i < n; i++)
		count += m[i].fate == fate;
	return count;
}

static void test_texts(struct store *s)
{
	enum { N = COUNT_OF(texts) };
	struct message m[N], *row[N];
	for (size_t i = 0; i < N; i++)
		m[i] = everywhere(str_of(texts[i]), i);
	rows_of(m, row, N);
	ok(store_put(s, row, N, &mem, &e) == 0 && count_fate(m, N, MESSAGE_STORED) == N,
	    "texts of all kinds in every place are stored");
	is_u64(read_back(s, m, N), N, "and come back byte for byte");
	size_t versions = 0, found = 0, corrected = 0;
	for (size_t i = 0; i < N; i++) {
		struct message again = everywhere(str_of(texts[i]), i);
		versions += put_one(s, &again) == 0 && again.fate == MESSAGE_UNCHANGED && again.version == m[i].version;
		struct filter f = {.source = str_of(texts[i]), .model = str_of(texts[i]), .text = str_of(texts[i])};
		struct str wanted = arena_printf(&mem, "%.*s,", STR_FMT(m[i].id));
		found += str_eq(ids_of(s, f, 3), wanted);
		char *id = str_dup(m[i].id);
		corrected += correct_one(s, id, "positive").fate == MESSAGE_FOUND;
		free(id);
	}
	is_u64(versions, N, "each alone, once more, is unchanged");
	is_u64(found, N, "each is found by source, model and text");
	is_u64(corrected, N, "each can be corrected");
	is_u64((uint64_t)s->query(s, &(struct filter){.text = STR("%%")}, m, 1, 1, &mem, &e), 0, "no wildcards");
	struct store_stats stats;
	ok(s->stats(s, &stats, &e) == 0 && stats.messages == N && stats.positive == N && stats.corrected == N,
	    "nothing else has happened");
	size_t readers = 0;
	for (size_t i = 0; i < N; i++) {
		struct change c[2 * N];
		if (*texts[i])
			readers += s->outbox->changes(s->outbox, texts[i], c, 2 * N, &mem, &e) == 2 * N &&
				   s->outbox->seen(s->outbox, texts[i], c, 2 * N, &e) == 0 &&
				   s->outbox->changes(s->outbox, texts[i], c, 2 * N, &mem, &e) == 0;
	}
	is_u64(readers, N - 1, "a reader may have any name");
	for (size_t i = 0; i < N; i++)
		m[i] = everywhere(str_of(texts[i]), i);
	ok(remove_rows(s, row, N) == 0 && count_fate(m, N, MESSAGE_FOUND) == N, "each is deleted");
	uint64_t gone;
	ok(s->outbox->prune(s->outbox, INT64_C(253402300799999), &gone, &e) == 0 && gone == 3 * N,
	    "readers of the far past and their entries go");
}

/* NUL is a character of UTF-8 that not all databases have: stored as it is, or refused alone. */
static void test_nul(struct store *s)
{
	struct message m[3] = {message("n1", "fine"), message("n2", ""), message("n3", "fine")}, *row[3];
	m[1].text = (struct str){"a\0b", 3};
	rows_of(m, row, 3);
	ok(store_put(s, row, 3, &mem, &e) == 0 && m[0].fate == MESSAGE_STORED && m[2].fate == MESSAGE_STORED,
	    "a text with NUL does no harm to the others");
	struct message got = get_one(s, "n2");
	if (m[1].fate == MESSAGE_STORED)
		is_str(got.text, m[1].text, "and comes back");
	else
		ok(m[1].fate == MESSAGE_REFUSED && m[1].why.n && got.fate == MESSAGE_MISSING, "and is refused: %.*s",
		    STR_FMT(m[1].why));
	ok(remove_rows(s, row, 3) == 0, "removed");
}

enum { MANY = 6000 };

/* New, unchanged, changed and corrected rows in one batch that is large enough for any way of loading. */
static void test_large(struct store *s)
{
	struct message *m = xcalloc(MANY, sizeof *m), **row = xcalloc(MANY, sizeof *row);
	for (size_t i = 0; i < MANY; i++) {
		struct str id = arena_printf(&mem, "big%zu", i);
		m[i] = (struct message){.id = id, .text = str_of(texts[i % COUNT_OF(texts)]), .source = STR("big")};
		m[i].has_time = i % 3 > 0;
		m[i].time = (int64_t)(i * 1000003 % 100000);
	}
	rows_of(m, row, MANY);
	ok(store_put(s, row, MANY, &mem, &e) == 0 && count_fate(m, MANY, MESSAGE_STORED) == MANY,
	    "%d messages in a batch", MANY);
	is_u64(read_back(s, m, MANY), MANY, "come back");
	ok(store_put(s, row, MANY, &mem, &e) == 0 && count_fate(m, MANY, MESSAGE_UNCHANGED) == MANY,
	    "again: all are unchanged");
	is_u64(read_back(s, m, MANY), MANY, "with their versions");
	for (size_t i = 0; i < MANY; i += 10)
		m[i].text = arena_printf(&mem, "new %zu", i);
	m[5].id = STR("");
	m[MANY - 2].id = STR("");
	ok(store_put(s, row, MANY, &mem, &e) == 0, "some changed, two refused");
	is_u64(count_fate(m, MANY, MESSAGE_STORED), MANY / 10, "the changed ones are stored");
	is_u64(count_fate(m, MANY, MESSAGE_REFUSED), 2, "the refused ones stand alone");
	is_u64(count_fate(m, MANY, MESSAGE_UNCHANGED), MANY - MANY / 10 - 2, "the others were not touched");
	m[5].id = STR("big5");
	m[MANY - 2].id = arena_printf(&mem, "big%d", MANY - 2);
	m[5].version = get_one(s, "big5").version;
	m[MANY - 2].version = get_one(s, m[MANY - 2].id.p).version;
	is_u64(read_back(s, m, MANY), MANY, "all are as they should be");
	struct buf ids = {0};
	for (enum order order = ORDER_OLDEST; order <= ORDER_ID; order++) {
		buf_clear(&ids);
		add_ids(s, (struct filter){.source = STR("big"), .order = order}, 500, &ids);
		size_t n = 0;
		for (size_t i = 0; i < ids.n; i++)
			n += ids.p[i] == ',';
		is_u64(n, MANY, "order %d: all come, once", order);
	}
	buf_free(&ids);
	ok(remove_rows(s, row, MANY) == 0 && count_fate(m, MANY, MESSAGE_FOUND) == MANY, "all are deleted");
	free(m);
	free(row);
}

static void test_huge(struct store *s)
{
	enum { SIZE = 4 << 20 };
	char *text = xmalloc(SIZE + 1);
	memset(text, 'x', SIZE);
	text[SIZE] = 0;
	struct message m = message("huge", text);
	ok(put_one(s, &m) == 0 && m.fate == MESSAGE_STORED && str_eq(get_one(s, "huge").text, m.text),
	    "a text of 4 MiB");
	ok(put_one(s, &m) == 0 && m.fate == MESSAGE_UNCHANGED, "unchanged");
	struct message *const one = &m;
	ok(remove_rows(s, &one, 1) == 0, "removed");
	free(text);
}

/* Corrections and deletions are one transaction, in their order. */
static void test_edits(struct store *s)
{
	struct message a = scored("ea", "x", "positive", "m@1"), b = scored("eb", "y", "positive", "m@1");
	ok(put_one(s, &a) == 0 && put_one(s, &b) == 0, "two rows");
	struct message m[6], *row[6];
	m[0] = message("ea", ""); /* corrected, and deleted by the version that it had before: refused */
	m[0].label = STR("negative");
	m[1] = message("ea", "");
	m[1].remove = true;
	m[1].only_version = a.version;
	m[2] = message("eb", ""); /* corrected by its version, and once more by the same, which is gone */
	m[2].label = STR("negative");
	m[2].only_version = b.version;
	m[3] = m[2];
	m[3].label = STR("neutral");
	m[4] = message("eb", ""); /* deleted, and not there to be corrected */
	m[4].remove = true;
	m[5] = m[0];
	m[5].id = STR("eb");
	rows_of(m, row, 6);
	ok(s->edit(s, row, 6, &mem, &e) == 0, "edits of both kinds (%s)", e.msg);
	ok(m[0].fate == MESSAGE_FOUND && m[0].version > a.version && m[1].fate == MESSAGE_CHANGED,
	    "a deletion sees the correction before it");
	ok(m[2].fate == MESSAGE_FOUND && m[3].fate == MESSAGE_CHANGED && m[3].version == m[2].version,
	    "a correction sees the one before it");
	is_str(m[3].label, STR("negative"), "and shows the row as it is");
	ok(m[4].fate == MESSAGE_FOUND && m[5].fate == MESSAGE_MISSING, "what is deleted cannot be corrected");
	ok(get_one(s, "eb").fate == MESSAGE_MISSING && remove_rows(s, row, 1) == 0 && m[0].fate == MESSAGE_FOUND,
	    "as the rows say");
}

/* The verbs may name one message twice. */
static void test_twice(struct store *s)
{
	struct message m = scored("tw", "x", "positive", "m@1");
	ok(put_one(s, &m) == 0, "stored");
	struct message two[2], *row[2] = {&two[0], &two[1]};
	two[0] = two[1] = message("tw", "");
	two[0].label = STR("negative");
	two[1].label = STR("neutral");
	ok(s->edit(s, row, 2, &mem, &e) == 0 && two[0].fate == MESSAGE_FOUND && two[1].fate == MESSAGE_FOUND,
	    "two corrections of one message");
	is_str(get_one(s, "tw").label, STR("neutral"), "the last one counts");
	ok(two[1].version == get_one(s, "tw").version, "and shows the version");
	two[0] = two[1] = message("tw", "");
	ok(s->get(s, row, 2, &mem, &e) == 0 && str_eq(two[0].text, STR("x")) && str_eq(two[1].text, STR("x")),
	    "asked for twice, shown twice");
	two[0] = two[1] = message("tw", "");
	ok(remove_rows(s, row, 2) == 0 && two[0].fate == MESSAGE_FOUND && two[1].fate == MESSAGE_MISSING,
	    "deleted once");
	test_edits(s);
	ok(s->get(s, row, 0, &mem, &e) == 0 && s->edit(s, row, 0, &mem, &e) == 0 && remove_rows(s, row, 0) == 0,
	    "nothing may be asked for");
}

/* ---- queries beside a model ---- */

enum { ROWS = 400, FILTERS = 400 };

static uint64_t random_state = 7;

static size_t pick(size_t n)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (size_t)(random_state >> 33) % n;
}

static const char *const labels[] = {"positive", "neutral", "negative"};
static const char *const sources[] = {"a", "B", "b", "ä", "Z z", ""};
static const char *const models[] = {"m@1", "M@1", "m@2"};
static const char *const words[] = {"Ärger", "ärger", "GUT", "gut", "ΟΔΟΣ", "x"};
/* Ids that a language sorts in another order than their bytes. */
static const char *const letters[] = {"a", "B", "b", "A", "ä", "Ä", "z", "-", "_", "10", "9", " "};

/* Others' members, and what each value of "k" reads as. */
static const char *const extras[] = {"{\"k\":\"v\"}", "{\"k\":\"\\u00e4\"}", "{\"a\":1,\"k\":5}", "{\"k\":true}",
    "{\"k\":null}", "{\"k\":[]}", "{\"k\":{}}", "{\"a\":\"v\"}"};
static const char *const meant[] = {"v", "ä", "5", "true", NULL, NULL, NULL, NULL};
static const struct member_is wanted[] = {
    {{"k", 1}, {"v", 1}}, {{"k", 1}, {"ä", 2}}, {{"k", 1}, {"5", 1}}, {{"k", 1}, {"true", 4}}, {{"k", 1}, {"[]", 2}}};

static struct message random_message(size_t i)
{
	struct message m = {
	    .id = arena_printf(&mem, "%s%s%zu", letters[pick(COUNT_OF(letters))], letters[pick(COUNT_OF(letters))], i)};
	m.text = arena_printf(&mem, "%s and %s", words[pick(COUNT_OF(words))], words[pick(COUNT_OF(words))]);
	if (pick(5))
		m.source = str_of(sources[pick(COUNT_OF(sources))]);
	m.has_time = pick(4) > 0;
	m.time = (int64_t)pick(12) - 3;
	if (pick(3))
		m.extra = json(extras[pick(COUNT_OF(extras))]);
	if (!pick(3))
		return m;
	m.label = str_of(labels[pick(3)]);
	m.model = str_of(models[pick(3)]);
	m.sentiment = json(arena_printf(&mem, "{\"label\":\"%s\"}%c", m.label.p, 0).p);
	m.has_score = pick(5) > 0;
	m.score = (double)pick(9) / 4 - 1;
	return m;
}

static struct filter random_filter(void)
{
	struct filter f = {.order = (enum order)pick(5)};
	if (!pick(4))
		f.label = str_of(labels[pick(3)]);
	if (!pick(4))
		f.source = str_of(sources[pick(COUNT_OF(sources))]);
	if (!pick(4))
		f.model = str_of(models[pick(3)]);
	if (!pick(5))
		f.not_model = str_of(models[pick(3)]);
	if (!pick(5))
		f.text = str_of(words[pick(COUNT_OF(words))]);
	f.unscored = !pick(6);
	f.corrected = !pick(6);
	f.scored = !pick(8);
	f.not_corrected = !pick(8);
	f.has_least = !pick(6);
	f.least = (double)pick(9) / 4 - 1;
	f.has_most = !pick(6);
	f.most = (double)pick(9) / 4 - 1;
	f.where = &wanted[pick(COUNT_OF(wanted))];
	f.nwhere = !pick(6);
	f.has_since = !pick(4);
	f.since = (int64_t)pick(12) - 3;
	f.has_until = !pick(4);
	f.until = (int64_t)pick(12) - 3;
	return f;
}

static bool has_member(const struct message *m, const struct member_is *wanted_one)
{
	for (size_t i = 0; i < COUNT_OF(extras); i++)
		if (m->extra.p && str_eq(m->extra, str_of(extras[i])))
			return meant[i] && str_eq(wanted_one->value, str_of(meant[i]));
	return false;
}

static bool lets_score_through(const struct filter *f, const struct message *m)
{
	return (!f->scored || m->sentiment.p) && (!f->not_corrected || !m->why.p) &&
	       (!f->has_least || (m->has_score && m->score >= f->least)) &&
	       (!f->has_most || (m->has_score && m->score <= f->most)) && (!f->nwhere || has_member(m, f->where));
}

/* m->why is set where a person has corrected the row. */
static bool lets_through(const struct filter *f, const struct message *m)
{
	static struct buf folded, scratch;
	buf_clear(&folded);
	fold_text(&folded, f->text.p ? f->text : STR(""));
	return lets_score_through(f, m) && (!f->label.p || same(f->label, m->label)) &&
	       (!f->source.p || same(f->source, m->source)) && (!f->model.p || same(f->model, m->model)) &&
	       (!f->not_model.p || !same(f->not_model, m->model)) &&
	       fold_contains(m->text, buf_view(&folded), &scratch) && (!f->unscored || !m->sentiment.p) &&
	       (!f->corrected || m->why.p) && (!f->has_since || (m->has_time && m->time >= f->since)) &&
	       (!f->has_until || (m->has_time && m->time < f->until));
}

static enum order sorting;

static int compare(const void *left, const void *right)
{
	const struct message *a = left, *b = right;
	bool scores = sorting == ORDER_SCORE_UP || sorting == ORDER_SCORE_DOWN;
	int sign = sorting == ORDER_NEWEST || sorting == ORDER_SCORE_DOWN ? -1 : 1;
	if (scores && a->has_score != b->has_score)
		return a->has_score ? -1 : 1;
	if (scores && a->has_score && (a->score < b->score || a->score > b->score))
		return sign * (a->score < b->score ? -1 : 1);
	if (scores)
		return sign * str_cmp(a->id, b->id);
	if (sorting != ORDER_ID && a->has_time != b->has_time)
		return a->has_time ? -1 : 1;
	if (sorting != ORDER_ID && a->has_time && a->time != b->time)
		return sign * (a->time < b->time ? -1 : 1);
	return sign * str_cmp(a->id, b->id);
}

static struct str model_ids(struct message *m, const struct filter *f)
{
	static struct buf out;
	sorting = f->order;
	qsort(m, ROWS, sizeof *m, compare);
	buf_clear(&out);
	buf_reserve(&out, 1);
	for (size_t i = 0; i < ROWS; i++)
		if (lets_through(f, &m[i])) {
			buf_str(&out, m[i].id);
			buf_char(&out, ',');
		}
	return buf_view(&out);
}

static void test_queries(struct store *s)
{
	static struct message m[ROWS];
	struct message *row[ROWS];
	for (size_t i = 0; i < ROWS; i++)
		m[i] = random_message(i);
	rows_of(m, row, ROWS);
	ok(store_put(s, row, ROWS, &mem, &e) == 0 && count_fate(m, ROWS, MESSAGE_STORED) == ROWS, "rows for queries");
	size_t good = 0, hits = 0;
	for (size_t i = 0; i < ROWS; i += 7) {
		struct str own = m[i].label;
		m[i].label = str_of(labels[pick(3)]);
		m[i].why = same(own, m[i].label) ? STR_NONE : STR("corrected");
		good += s->edit(s, (struct message *[]){&(struct message){.id = m[i].id, .label = m[i].label}}, 1, &mem,
			    &e) == 0;
	}
	is_u64(good, (ROWS + 6) / 7, "some are corrected");
	good = 0;
	for (size_t i = 0; i < FILTERS; i++) {
		struct filter f = random_filter();
		struct str want = model_ids(m, &f), got = ids_of(s, f, 1 + pick(16));
		hits += want.n > 0;
		good += str_eq(want, got);
		if (!str_eq(want, got))
			printf("# filter %zu\n#  got: %.*s\n# want: %.*s\n", i, STR_FMT(got), STR_FMT(want));
	}
	is_u64(good, FILTERS, "queries answer as the model does");
	ok(hits > FILTERS / 4, "%zu of them found something", hits);
	rows_of(m, row, ROWS);
	ok(remove_rows(s, row, ROWS) == 0, "removed");
}

/* ---- two handles ---- */

static void test_two_handles(struct store *a, struct store *b)
{
	static struct change c[4096];
	int n_before;
	while ((n_before = a->outbox->changes(a->outbox, "left", c, COUNT_OF(c), &mem, &e)) > 0)
		a->outbox->seen(a->outbox, "left", c, (size_t)n_before, &e);
	uint64_t gone;
	ok(a->outbox->prune(a->outbox, 0, &gone, &e) == 0, "a clean start");
	struct message m = message("h1", "x"), n = message("h2", "x"), *const one = &m;
	ok(put_one(a, &m) == 0 && put_one(b, &n) == 0, "each handle puts one");
	ok(get_one(b, "h1").version == m.version && n.version > m.version, "one sequence of versions");
	ok(b->outbox->changes(b->outbox, "left", c, 8, &mem, &e) == 2, "a reader is known to every handle");
	is_str(c[0].id, STR("h1"), "with both changes");
	ok(b->outbox->seen(b->outbox, "left", c, 1, &e) == 0 &&
		a->outbox->changes(a->outbox, "left", c, 8, &mem, &e) == 1,
	    "what one handle has seen, the other does not see again");
	is_str(c[0].id, STR("h2"), "one is left");
	ok(b->outbox->changes(b->outbox, "right", c, 8, &mem, &e) == 2 &&
		b->outbox->seen(b->outbox, "right", c, 2, &e) == 0,
	    "another reader sees both");
	uint64_t total;
	ok(a->outbox->prune(a->outbox, 0, &total, &e) == 0 && total <= 1, "what one has yet to see is not pruned");
	ok(b->outbox->changes(b->outbox, "left", c, 8, &mem, &e) == 1 &&
		b->outbox->seen(b->outbox, "left", c, 1, &e) == 0,
	    "the other stays until it is seen");
	ok(b->outbox->changes(b->outbox, "left", c, 8, &mem, &e) == 0 &&
		a->outbox->changes(a->outbox, "right", c, 8, &mem, &e) == 0,
	    "then there is nothing");
	ok(a->outbox->prune(a->outbox, 0, &gone, &e) == 0 && total + gone == 2, "what both have seen is pruned");
	ok(remove_rows(b, &one, 1) == 0 && get_one(a, "h1").fate == MESSAGE_MISSING,
	    "what one deletes, the other misses");
	ok(a->outbox->changes(a->outbox, "left", c, 8, &mem, &e) == 1 && c[0].op == CHANGE_DELETE &&
		c[0].version > n.version,
	    "and hears of");
}

static void suite(const struct kind *k)
{
	struct store *s = k->open(k->path, STORE_CREATE, &e);
	if (!ok(s != NULL, "opens: %s", s ? "" : e.msg))
		return;
	test_texts(s);
	test_nul(s);
	test_large(s);
	test_huge(s);
	test_twice(s);
	test_queries(s);
	if (k->shared) {
		struct store *other = k->open(k->path, STORE_EXISTING, &e);
		ok(other != NULL, "a second handle");
		if (other)
			test_two_handles(s, other);
		ok(other && other->close(other, &e) == 0, "closes");
	}
	ok(s->close(s, &e) == 0, "closes");
}

int main(void)
{
	stores_each(suite);
	return tap_done();
}
