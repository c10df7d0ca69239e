/* What every store promises (lib/data/store.h), by one suite over its contract, and the verbs on top of it. */
#include "tests/unit/stores.h"

#include "lib/data/fold.h"
#include "lib/flow/counts.h"
#include "lib/flow/mem.h"

static void test_put(struct store *s)
{
	struct message a = scored("a", "fine", "positive", "m@1");
	a.extra = json("{\"n\":1.50}");
	ok(put_one(s, &a) == 0 && a.fate == MESSAGE_STORED && a.version > 0,
	    "a new message is stored and has a version");
	uint64_t first = a.version;
	ok(put_one(s, &a) == 0 && a.fate == MESSAGE_UNCHANGED && a.version == first, "the same again changes nothing");
	a.extra = json("{\"n\":1.5}");
	ok(put_one(s, &a) == 0 && a.fate == MESSAGE_STORED && a.version > first, "another spelling is a change");
	struct message got = get_one(s, "a");
	ok(got.fate == MESSAGE_FOUND && got.version == a.version, "get finds it");
	is_str(got.extra, STR("{\"n\":1.5}"), "other members come back as spelled");
	is_str(got.sentiment, a.sentiment, "so does the result");
	ok(got.has_score && got.score == 0.5 && !got.has_time && !got.source.p,
	    "columns come back, absent ones absent");
	ok(get_one(s, "nobody").fate == MESSAGE_MISSING, "get tells what is missing");

	struct message bare = message("a", "fine");
	bare.extra = a.extra;
	ok(put_one(s, &bare) == 0 && bare.fate == MESSAGE_UNCHANGED, "unscored, with the same text: the result stays");
	bare.text = STR("finer");
	ok(put_one(s, &bare) == 0 && bare.fate == MESSAGE_STORED, "unscored, with another text: stored");
	got = get_one(s, "a");
	ok(!got.sentiment.p && !got.label.p && !got.model.p && !got.has_score,
	    "and the result of the old text is gone");
}

static void test_times(struct store *s)
{
	static const int64_t times[] = {0, -1, 1714557600123, -62135596800000, 253402300799999};
	for (size_t i = 0; i < COUNT_OF(times); i++) {
		struct message m = message("t", "x");
		m.has_time = true;
		m.time = times[i];
		bool good = put_one(s, &m) == 0 && m.fate == MESSAGE_STORED;
		struct message got = get_one(s, "t");
		ok(good && got.has_time && got.time == times[i], "time %lld comes back", (long long)times[i]);
	}
}

/* The message as a record; lent until the next call but one. */
static struct str shown(const struct message *m)
{
	static struct buf out[2];
	static int turn;
	struct json_scan scan = {0};
	struct buf *b = &out[turn ^= 1];
	buf_clear(b);
	ok(message_write(m, b, &scan) == 0, "can be written");
	json_scan_free(&scan);
	return buf_view(b);
}

static struct str shown_row(struct store *s, const char *id)
{
	struct message m = get_one(s, id);
	return shown(&m);
}

static void test_correction(struct store *s)
{
	struct message m = scored("c", "fine", "positive", "m@1");
	ok(put_one(s, &m) == 0, "stored");
	struct message got = correct_one(s, "c", "negative");
	ok(got.fate == MESSAGE_FOUND && got.version > m.version, "a correction is a change");
	is_str(got.label, STR("negative"), "correct gives the row as it then is");
	uint64_t version = got.version;
	ok(correct_one(s, "c", "negative").version == version, "the same correction again is none");
	m = scored("c", "fine", "positive", "m@1");
	ok(put_one(s, &m) == 0 && m.fate == MESSAGE_UNCHANGED, "the old result again changes nothing");
	is_str(m.corrected, STR("negative"), "put tells of the correction of an unchanged row");
	m = scored("c", "fine", "neutral", "m@2");
	ok(put_one(s, &m) == 0 && m.fate == MESSAGE_STORED, "a new result of the same text is stored");
	is_str(m.corrected, STR("negative"), "put tells of the correction of a changed row");
	is_str(m.label, STR("neutral"), "and leaves the message's own label alone");
	is_str(shown(&m), shown_row(s, "c"), "so the message shows what the row shows, without being read back");
	got = get_one(s, "c");
	is_str(got.label, STR("negative"), "and the correction outlives it");
	is_str(got.model, STR("m@2"), "beside the new model");
	m = scored("c", "not fine", "positive", "m@2");
	ok(put_one(s, &m) == 0 && !m.corrected.p, "another text is stored, of which nothing is corrected");
	is_str(get_one(s, "c").label, STR("positive"), "and drops the correction");
	ok(correct_one(s, "nobody", "neutral").fate == MESSAGE_MISSING, "correct tells what is missing");
}

static void test_remove(struct store *s)
{
	struct message m = message("r", "x"), *const one = &m;
	ok(put_one(s, &m) == 0, "stored");
	uint64_t version = m.version;
	ok(remove_rows(s, &one, 1) == 0 && m.fate == MESSAGE_FOUND, "remove finds it");
	ok(remove_rows(s, &one, 1) == 0 && m.fate == MESSAGE_MISSING, "once");
	ok(put_one(s, &m) == 0 && m.version > version + 1, "a new life has newer versions than the deletion");
}

static void test_refusal(struct store *s)
{
	struct message m[3] = {message("x1", "x"), message("", "no id"), message("x3", "x")};
	m[2].label = STR("great");
	struct message *row[] = {&m[0], &m[1], &m[2]};
	ok(store_put(s, row, 3, &mem, &e) == 0, "what the database refuses is not an error");
	ok(m[0].fate == MESSAGE_STORED && m[1].fate == MESSAGE_REFUSED && m[2].fate == MESSAGE_REFUSED,
	    "it alone is refused");
	ok(m[1].why.n > 0, "with the reason: %.*s", STR_FMT(m[1].why));
	ok(get_one(s, "x1").fate == MESSAGE_FOUND && get_one(s, "x3").fate == MESSAGE_MISSING, "the others are stored");
}

static void test_query(struct store *s)
{
	/* By time: q1 = q2 < q3; q4 and q5 have none. */
	struct message m[5] = {scored("q1", "Der ÄRGER", "positive", "m@1"), scored("q2", "two", "negative", "m@1"),
	    scored("q3", "three", "neutral", "m@2"), message("q4", "four ΟΔΟΣ"),
	    scored("q5", "five", "positive", "m@2")};
	struct message *row[5];
	for (size_t i = 0; i < 5; i++) {
		m[i].source = i == 4 ? STR("other") : STR("q");
		m[i].has_time = i < 3;
		m[i].time = i < 2 ? 1000 : 2000;
		row[4 - i] = &m[i];
	}
	ok(store_put(s, row, 5, &mem, &e) == 0, "five are stored");
	struct filter all = {.source = STR("q")};
	for (size_t page = 1; page <= 5; page++)
		is_str(ids_of(s, all, page), STR("q1,q2,q3,q4,"), "oldest first, by time and id, pages of %zu", page);
	struct filter newest = {.source = STR("q"), .order = ORDER_NEWEST};
	for (size_t page = 1; page <= 5; page++)
		is_str(ids_of(s, newest, page), STR("q3,q2,q1,q4,"), "newest first, without a time last, pages of %zu",
		    page);
	struct filter by_id = {.source = STR("q"), .order = ORDER_ID};
	for (size_t page = 1; page <= 5; page++)
		is_str(ids_of(s, by_id, page), STR("q1,q2,q3,q4,"), "by id, pages of %zu", page);
	struct filter since = {.source = STR("q"), .has_since = true, .since = 1000};
	is_str(ids_of(s, since, 2), STR("q1,q2,q3,"), "since is inclusive, and leaves out what has no time");
	since.since = 1001;
	is_str(ids_of(s, since, 2), STR("q3,"), "since");
	since.after = (struct place){.set = true, .has_time = true, .time = 1000, .id = STR("q1")};
	is_str(ids_of(s, since, 2), STR("q3,"), "since beyond the place to go on from");
	struct filter until = {.source = STR("q"), .has_until = true, .until = 2000};
	is_str(ids_of(s, until, 2), STR("q1,q2,"), "until is exclusive");
	until.order = ORDER_NEWEST;
	is_str(ids_of(s, until, 1), STR("q2,q1,"), "until, newest first");
	until.after = (struct place){.set = true, .has_time = true, .time = 2000, .id = STR("q3")};
	is_str(ids_of(s, until, 1), STR("q2,q1,"), "until below the place to go on from");
	struct filter both = {
	    .has_since = true, .since = 1000, .has_until = true, .until = 1001, .order = ORDER_NEWEST};
	is_str(ids_of(s, both, 1), STR("q2,q1,"), "both bounds, newest first");
	is_str(ids_of(s, (struct filter){.source = STR("q"), .label = STR("negative")}, 3), STR("q2,"), "label");
	is_str(ids_of(s, (struct filter){.model = STR("m@2"), .has_since = true}, 3), STR("q3,"), "model");
	is_str(ids_of(s, (struct filter){.source = STR("q"), .not_model = STR("m@1")}, 3), STR("q3,q4,"),
	    "not-model takes other models and none");
	is_str(ids_of(s, (struct filter){.source = STR("q"), .unscored = true}, 3), STR("q4,"), "unscored");
	is_str(
	    ids_of(s, (struct filter){.source = STR("q"), .text = STR("ärger")}, 3), STR("q1,"), "text, in any case");
	is_str(ids_of(s, (struct filter){.source = STR("q"), .text = STR("οδος")}, 3), STR("q4,"), "final sigmas too");
	is_str(ids_of(s, (struct filter){.source = STR("q"), .text = STR("%")}, 3), STR(""), "no wildcards in text");
	is_str(ids_of(s, (struct filter){.source = STR("' OR 1 --")}, 3), STR(""), "SQL in a filter stays text");
	ok(correct_one(s, "q2", "positive").fate == MESSAGE_FOUND &&
		correct_one(s, "q4", "neutral").fate == MESSAGE_FOUND,
	    "two are corrected, one of them unscored");
	is_str(ids_of(s, (struct filter){.source = STR("q"), .corrected = true}, 3), STR("q2,q4,"), "corrected");
	is_str(ids_of(s, (struct filter){.source = STR("q"), .label = STR("positive")}, 3), STR("q1,q2,"),
	    "label is the truth");
	is_str(ids_of(s, (struct filter){.source = STR("q"), .unscored = true}, 3), STR("q4,"),
	    "labelled, still unscored");
	struct str id[9];
	struct filter some = {.source = STR("q")}, with = {.text = STR("ÄRGER")}, none = {.source = STR("none")};
	ok(s->sample(s, &some, id, 9, &mem, &e) == 4, "a sample of all");
	ok(s->sample(s, &some, id, 2, &mem, &e) == 2 && !str_eq(id[0], id[1]) && id[0].p[0] == 'q', "of some");
	ok(s->sample(s, &with, id, 2, &mem, &e) == 1 && str_eq(id[0], STR("q1")), "of those with a text");
	ok(s->sample(s, &none, id, 2, &mem, &e) == 0, "of none");
	struct message one[4];
	struct filter wide = {.source = STR("q")};
	ok(s->query(s, &wide, one, 4, 1, &mem, &e) == 1, "a page ends at its bytes, with one row at least");
}

/* ---- the verbs ---- */

static struct str run(struct store *s, const struct stage *stage, const char *const *line, size_t n, struct batch *b)
{
	static struct buf out;
	struct mem_source source;
	struct limits limits = {.records = 100, .bytes = 1 << 20, .max_record = 1 << 20};
	mem_source_init(&source, line, n);
	batch_reset(b);
	buf_clear(&out);
	buf_reserve(&out, 1);
	void *ctx = stage->open(s, &e);
	if (source.port.next(&source.port, b, &limits, -1, &e) == NEXT_BATCH && stage->run(ctx, b, &e) == 0)
		for (size_t i = 0; i < b->n; i++) {
			if (b->rec[i].fate == FATE_OUT)
				rec_put(&out, &b->rec[i]);
			else
				buf_str(&out, str_of(b->rec[i].code));
			buf_char(&out, '\n');
		}
	else
		buf_printf(&out, "(%s)", e.msg);
	stage->close(ctx);
	return buf_view(&out);
}

#define RUN(stage, b, ...)                                                                                             \
	run(s, stage, (const char *const[]){__VA_ARGS__}, COUNT_OF(((const char *const[]){__VA_ARGS__})), b)

static void test_verbs(struct store *s)
{
	struct batch b = {0};
	char want[2000];
	struct str out = RUN(&stage_store_put, &b, "{\"id\":\"v1\",\"text\":\"a\"}",
	    "{\"id\":\"v2\",\"text\":\"b\",\"version\":5}", "{\"id\":\"v3\"}", "{\"id\":\"v1\", \"text\":\"c\" }");
	unsigned long long v1 = get_one(s, "v1").version, v2 = get_one(s, "v2").version;
	snprintf(want, sizeof want,
	    "{\"id\":\"v1\",\"text\":\"a\",\"version\":%llu}\n{\"id\":\"v2\",\"text\":\"b\",\"version\":%llu}\nno_"
	    "text\n"
	    "{\"id\":\"v1\", \"text\":\"c\" ,\"version\":%llu}\n",
	    v1, v2, v1);
	is_str(out, str_of(want), "of one id the last wins, and all get its version");
	is_str(get_one(s, "v1").text, STR("c"), "the last of them is stored");
	ok(b.counter[COUNTER_STORED] == 3 && b.counter[COUNTER_UNCHANGED] == 0, "counters");
	RUN(&stage_store_put, &b, "{\"text\":\"anonymous\"}", "{\"id\":null,\"text\":\"anonymous\"}");
	ok(b.rec[0].id.n == 36 && b.rec[1].id.n == 36 && !str_eq(b.rec[0].id, b.rec[1].id), "no id: a fresh UUID each");
	is_str(RUN(&stage_store_put, &b, "{\"id\":7,\"text\":\"a\"}", "{\"id\":\"\",\"text\":\"a\"}",
		   "{\"id\":\"z\",\"text\":\"a\",\"time\":\"now\"}", "{\"id\":\"z\",\"text\":\"a\",\"time\":5}",
		   "{\"id\":\"z\",\"text\":\"a\",\"sentiment\":\"good\"}",
		   "{\"id\":\"z\",\"text\":\"a\",\"sentiment\":{\"label\":\"good\"}}",
		   "{\"id\":\"z\",\"text\":\"a\",\"sentiment\":{\"label\":\"neutral\",\"score\":2}}",
		   "{\"id\":\"z\",\"text\":\"a\",\"sentiment\":{\"label\":\"neutral\",\"score\":1e999}}", "{\"id\""),
	    STR("bad_id\nno_id\nbad_time\nbad_time\nbad_sentiment\nbad_label\nbad_sentiment\nbad_sentiment\nbad_"
		"json\n"),
	    "what is wrong with a record is said by its code");
	static const char whole[] =
	    "{\"n\":1.50,\"id\":\"w\",\"text\":\"\\u00e9\\n\\\"\",\"sentiment\":{\"label\":\"positive\",\"score\":5e-1 "
	    ","
	    "\"x\":[]},\"\\u0074ime\":\"2024-05-01T12:00:00.5+02:00\",\"source\":5, \"e\" : \"\\u00e9\",\"n\":2}";
	RUN(&stage_store_put, &b, whole);
	is_u64(b.counter[COUNTER_STORED], 1, "a record of all kinds of members is stored");
	snprintf(want, sizeof want,
	    "{\"id\":\"w\",\"text\":\"é\\n\\\"\",\"time\":\"2024-05-01T10:00:00.500Z\",\"n\":1.50,\"source\":5,\"e\":"
	    "\"\\u00e9\","
	    "\"n\":2,\"sentiment\":{\"label\":\"positive\",\"score\":5e-1 "
	    ",\"x\":[]},\"version\":%llu}\nnot_found\nno_id\n",
	    (unsigned long long)get_one(s, "w").version);
	is_str(RUN(&stage_store_get, &b, "{\"id\":\"w\"}", "{\"id\":\"nobody\"}", "{}"), str_of(want),
	    "get shows the stored record: known members first, the others as spelled");
	struct str shown = RUN(&stage_store_correct, &b, "{\"id\":\"w\",\"label\":\"negative\"}");
	ok(memmem(shown.p, shown.n, "{\"label\":\"negative\",\"corrected\":true,\"score\":5e-1,\"x\":[]}", 57) != NULL,
	    "correct shows the label, and that a person set it");
	is_u64(b.counter[COUNTER_CORRECTED], 1, "and counts it");
	uint64_t version = get_one(s, "w").version;
	char *again = str_dup((struct str){shown.p, shown.n - 1});
	RUN(&stage_store_put, &b, again);
	ok(b.counter[COUNTER_UNCHANGED] == 1 && get_one(s, "w").version == version,
	    "put back as shown, nothing changes");
	free(again);
	is_str(RUN(&stage_store_correct, &b, "{\"id\":\"w\",\"label\":\"good\"}", "{\"id\":\"w\"}",
		   "{\"id\":\"nobody\",\"label\":\"neutral\"}"),
	    STR("bad_label\nbad_label\nnot_found\n"), "correct rejects other labels and ids");
	is_str(RUN(&stage_store_delete, &b, "{\"id\":\"w\" ,\"a\":1}", "{\"id\":\"w\"}"),
	    STR("{\"id\":\"w\" ,\"a\":1}\nnot_found\n"), "delete passes the record on, and finds it once");
	batch_free(&b);
}

/* `refused` ends a record that the database does not take. */
static void test_refused_duplicate(struct store *s, struct str refused)
{
	struct batch b = {0};
	struct buf bad = {0};
	buf_str(&bad, STR("{\"id\":\"k\","));
	buf_str(&bad, refused);
	buf_char(&bad, 0);
	RUN(&stage_store_put, &b, "{\"id\":\"k\",\"text\":\"first\"}", "{\"id\":\"k\",\"text\":\"second\"}", bad.p,
	    "{\"id\":\"k2\",\"text\":\"x\"}");
	ok(b.rec[2].fate == FATE_REJECTED && strcmp(b.rec[2].code, "refused") == 0,
	    "the database refuses the last of three");
	is_str(get_one(s, "k").text, STR("second"), "so the one before it wins");
	ok(b.rec[0].fate == FATE_OUT && str_eq(b.rec[0].add, b.rec[1].add) && b.rec[1].add.n,
	    "and gives both its version");
	ok(b.rec[3].fate == FATE_OUT && b.counter[COUNTER_STORED] == 3, "the others are stored");
	RUN(&stage_store_put, &b, bad.p, bad.p);
	ok(b.rec[0].fate == FATE_REJECTED && b.rec[1].fate == FATE_REJECTED, "where all are refused, all are rejected");
	buf_free(&bad);
	batch_free(&b);
}

static void test_places(void)
{
	static const struct {
		struct message m;
		enum order order;
		const char *want;
	} known[] = {
	    {{.id = {"a:b", 3}, .has_time = true, .time = -5}, ORDER_NEWEST, "-5:a:b"},
	    {{.id = {"a", 1}}, ORDER_ID, "-:a"},
	    {{.id = {"a", 1}, .has_score = true, .score = 0.1}, ORDER_SCORE_UP, "s0.10000000000000001:a"},
	    {{.id = {"a", 1}, .has_score = true, .score = -1}, ORDER_SCORE_DOWN, "s-1:a"},
	    {{.id = {"a", 1}, .has_time = true}, ORDER_SCORE_DOWN, "s-:a"},
	};
	for (size_t i = 0; i < COUNT_OF(known); i++) {
		struct buf text = {0};
		const struct message *m = &known[i].m;
		struct place p;
		place_put(&text, m, known[i].order);
		is_str(buf_view(&text), str_of(known[i].want), "a place");
		ok(place_read(buf_view(&text), known[i].order, &p) && p.set && p.has_score == m->has_score &&
			p.score == m->score && p.time == m->time && str_eq(p.id, m->id),
		    "is read back");
		enum order other = known[i].want[0] == 's' ? ORDER_OLDEST : ORDER_SCORE_UP;
		ok(!place_read(buf_view(&text), other, &p), "but not in another order");
		buf_free(&text);
	}
	static const char *const bad[] = {
	    "", ":", "x", "x:a", "1", "s:a", "s2:a", "s1x:a", "snan:a", "s0x1:a", "253402300800000:a", "--1:a", "+1:a"};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct place p;
		enum order order = bad[i][0] == 's' ? ORDER_SCORE_UP : ORDER_OLDEST;
		ok(!place_read(str_of(bad[i]), order, &p), "'%s' is not a place", bad[i]);
	}
}

static void test_query_source(struct store *s)
{
	struct limits limits = {.records = 2, .bytes = 1 << 20, .max_record = 1 << 20};
	struct filter f = {.source = STR("q")};
	struct batch b = {0};
	struct source *q = source_query(s, &f, 3);
	size_t n = 0, batches = 0;
	while (q->next(q, &b, &limits, -1, &e) == NEXT_BATCH) {
		n += b.n;
		batches++;
		batch_reset(&b);
	}
	ok(n == 3 && batches == 2, "a query gives its limit, in batches");
	ok(q->close(q, &e) == 0, "and closes");
	batch_free(&b);
}

/* ---- halving, by a store that takes no batch with a bad message in it ---- */

static size_t put_calls;

static int picky_put(struct store *s, struct message *const *m, size_t n, struct arena *a, struct err *why)
{
	(void)s;
	(void)a;
	put_calls++;
	for (size_t i = 0; i < n; i++)
		if (str_eq(m[i]->text, STR("bad")))
			return err_set(why, ERR_ENV, "bad among %zu", n), STORE_REFUSED;
		else if (str_eq(m[i]->text, STR("broken")))
			return err_set(why, ERR_ENV, "gone");
	for (size_t i = 0; i < n; i++)
		m[i]->fate = MESSAGE_STORED;
	return 0;
}

static void test_halving(void)
{
	struct store picky = {.put = picky_put};
	struct message m[64], *row[64];
	for (size_t i = 0; i < 64; i++) {
		m[i] = message("h", i == 20 || i == 63 ? "bad" : "good");
		row[i] = &m[i];
	}
	ok(store_put(&picky, row, 64, &mem, &e) == 0, "a batch that is refused is halved");
	size_t stored = 0, refused = 0;
	for (size_t i = 0; i < 64; i++) {
		stored += m[i].fate == MESSAGE_STORED;
		refused += m[i].fate == MESSAGE_REFUSED && (i == 20 || i == 63);
	}
	ok(stored == 62 && refused == 2, "until the bad ones stand alone");
	is_str(m[20].why, STR("bad among 1"), "each with its reason");
	ok(put_calls <= 2 * 2 * 6 + 1, "in %zu puts", put_calls);
	m[5].text = STR("broken");
	ok(store_put(&picky, row, 64, &mem, &e) < 0, "an error of the environment ends it");
	ok(store_put(&picky, row, 0, &mem, &e) == 0, "no messages, no put");
}

static void test_fold(void)
{
	struct buf b = {0}, scratch = {0};
	fold_text(&b, STR("ÀB\xff\xe2\x82Σς"));
	is_str(buf_view(&b), STR("àb\xff\xe2\x82σσ"), "folding: lower case, one sigma, broken bytes as they are");
	ok(fold_contains(STR("xÀBy"), STR("àb"), &scratch) && !fold_contains(STR("xÀ"), STR("àb"), &scratch),
	    "contains");
	ok(fold_contains(STR(""), STR(""), &scratch), "nothing is in nothing");
	buf_free(&b);
	buf_free(&scratch);
}

static void test_extra(void)
{
	struct message m = message("a", "fine");
	struct json_scan scan = {0};
	struct buf out = {0};
	m.extra = json(
	    "{ \"n\" : 1.50, \"id\":\"b\", \"\\u0074ext\":5, \"time\":0, \"sentiment\":0, \"version\":9,\"source\":5}");
	ok(message_write(&m, &out, &scan) == 0, "a row whose extra names what columns hold");
	is_str(buf_view(&out), STR("{\"id\":\"a\",\"text\":\"fine\",\"n\":1.50,\"source\":5,\"version\":0}"),
	    "is shown as its columns say");
	m.source = STR("web");
	buf_clear(&out);
	ok(message_write(&m, &out, &scan) == 0, "with a source as well");
	is_str(buf_view(&out), STR("{\"id\":\"a\",\"text\":\"fine\",\"source\":\"web\",\"n\":1.50,\"version\":0}"),
	    "that of extra gives way");
	json_scan_free(&scan);
	buf_free(&out);
}

/* ---- reads that end early ---- */

static bool count_looks(void *arg)
{
	++*(int *)arg;
	return *(int *)arg > 1;
}

static int read_some(struct store *s, bool groups)
{
	static struct message m[10];
	static struct stats_group g[10];
	/* No row has the text, so that all are read. */
	struct filter f = {.text = STR("no such text")};
	struct stats_question q = {.filter = &f};
	return groups ? s->aggregate(s, &q, g, COUNT_OF(g), &mem, &e)
		      : s->query(s, &f, m, COUNT_OF(m), 1 << 20, &mem, &e);
}

static void test_interrupt(struct store *s)
{
	for (int groups = 0; groups < 2; groups++) {
		struct interrupt late = {.deadline = 1};
		s->interrupt = &late;
		ok(read_some(s, groups) < 0 && late.why == INTERRUPT_DEADLINE,
		    "a deadline that has passed ends a read");
		int looks = 1;
		struct interrupt gone = {.gone = count_looks, .arg = &looks};
		s->interrupt = &gone;
		ok(read_some(s, groups) < 0 && gone.why == INTERRUPT_GONE && looks == 2,
		    "so does that nobody waits for it, which is asked once");
		looks = -1000;
		struct interrupt none = {.gone = count_looks, .arg = &looks, .deadline = INT64_MAX};
		s->interrupt = &none;
		ok(read_some(s, groups) >= 0 && none.why == INTERRUPT_NONE, "a read in time is whole");
		s->interrupt = NULL;
		ok(read_some(s, groups) >= 0, "and the handle serves on");
	}
}

static void suite(const struct kind *k)
{
	struct store *s = k->open(k->path, STORE_CREATE, &e);
	if (!ok(s != NULL, "opens: %s", s ? "" : e.msg))
		return;
	ok(s->migrate(s, &e) == 0, "opening has migrated; there is no more to do");
	test_put(s);
	test_times(s);
	test_correction(s);
	test_remove(s);
	test_refusal(s);
	test_query(s);
	test_query_source(s);
	test_verbs(s);
	test_interrupt(s);
	test_refused_duplicate(s, k->refused);
	ok(s->close(s, &e) == 0, "closes");
}

int main(void)
{
	test_fold();
	test_extra();
	test_halving();
	test_places();
	stores_each(suite);
	return tap_done();
}
