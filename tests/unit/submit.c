/* stage_submit over every store: what becomes of a record is what scoring it, putting it and reading its row would
 * give. */
#include "lib/stage/submit.h"

#include "lib/data/memory.h"
#include "lib/score/model.h"
#include "tests/unit/stores.h"

static struct model *model;
static struct json_scan scan;

/* The row as a record, or "". */
static struct str row_of(struct store *s, struct str id)
{
	struct message m = {.id = id}, *const one = &m;
	struct buf b = {0};
	if (s->get(s, &one, 1, &mem, &e) == 0 && m.fate == MESSAGE_FOUND)
		ok(message_write(&m, &b, &scan) == 0, "a row that can be shown");
	struct str out = arena_str(&mem, buf_view(&b));
	buf_free(&b);
	return out;
}

/* What the cache shows of a message, or "". */
static struct str cached(struct cache *c, struct str id, uint64_t *version)
{
	struct buf key = {0};
	cache_key_message(&key, id);
	struct entry en = {.kind = ENTRY_MESSAGE, .key = buf_view(&key)}, *const one = &en;
	ok(c->get(c, &one, 1, &mem, &e) == 0, "the cache answers");
	*version = en.version;
	buf_free(&key);
	return en.state == ENTRY_HIT ? en.value : STR("");
}

static void run(struct submit *s, const char *const *line, size_t n, struct batch *b)
{
	batch_reset(b);
	for (size_t i = 0; i < n; i++)
		batch_add(b)->line = json_padded(&b->mem, str_of(line[i]));
	ok(stage_submit.run(stage_submit.open(s, &e), b, &e) == 0, "a batch is submitted (%s)", e.msg);
}

static struct str out_of(const struct rec *r)
{
	static struct buf b;
	buf_clear(&b);
	rec_put(&b, r);
	return buf_view(&b);
}

/* What a stage before had to scan again is scored just the same: the result that senti-score would have spliced in. */
static void scored_like_score(const struct rec *r, const char *text)
{
	struct scratch *scratch = scratch_new(model);
	struct result result;
	struct arena room = {0};
	struct str padded = json_padded(&room, str_of(text));
	struct buf b = {0};
	buf_str(&b, STR("\"sentiment\":"));
	model->engine->score(model, scratch, padded, &result, NULL);
	result_put(&b, model, &result, NULL, padded);
	ok(memmem(r->line.p, r->line.n, b.p, b.n) != NULL, "%s: with the model's result", text);
	model->engine->scratch_free(scratch);
	arena_free(&room);
	buf_free(&b);
}

static void test_rows(struct store *store, struct cache *cache)
{
	static const char *const line[] = {
	    "{\"text\":\"I love it\"}",
	    "{\"id\":null,\"text\":\"so so\",\"id\":null}",
	    "{\"id\":\"n\",\"text\":\"awful\",\"n\":1.50,\"o\":{\"a\":\n[1,\r\n2]},\"\\u0065\":\"\\u00e9\"}",
	    "{\"id\":\"s1\",\"source\":5,\"text\":\"good\"}",
	    "{\"id\":\"s2\",\"source\":5,\"text\":\"good\",\"source\":\"x\"}",
	    "{\"id\":\"s3\",\"source\":\"x\",\"text\":\"good\",\"source\":5}",
	    "{\"id\":\"t\",\"time\":\"2024-05-01T14:00:00+02:00\",\"text\":\"bad \\\"day\\\"\",\"version\":9}",
	    "{\"id\":\"old\",\"text\":\"great\",\"sentiment\":{\"label\":\"negative\",\"score\":-1,\"model\":\"x@1\"}}",
	    "{\"id\":\"none\",\"text\":\"great\",\"sentiment\":null}",
	    "{\"id\":\"twice\",\"text\":\"great\",\"sentiment\":null,\"sentiment\":{\"label\":\"neutral\"}}",
	    "{\"id\":\"dup\",\"text\":\"first\"}",
	    "{\"id\":\"dup\",\"text\":\"second wonderful\"}",
	};
	struct submit_conf conf = {.store = store, .cache = cache, .model = model, .max_record = 1 << 20};
	struct submit *s = submit_new(&conf);
	struct batch b = {0};
	run(s, line, COUNT_OF(line), &b);
	for (size_t i = 0; i < b.n; i++) {
		uint64_t version = 0;
		if (!ok(b.rec[i].fate == FATE_OUT && b.rec[i].id.n, "%s goes out with an id", line[i]))
			continue;
		is_str(out_of(&b.rec[i]), row_of(store, b.rec[i].id), "and shows its row");
		is_str(cached(cache, b.rec[i].id, &version), out_of(&b.rec[i]), "as the cache does");
		ok(version > 0, "in its version");
	}
	scored_like_score(&b.rec[0], "I love it");
	scored_like_score(&b.rec[7], "great");
	scored_like_score(&b.rec[10], "second wonderful");
	is_u64(b.counter[COUNTER_SCORED], COUNT_OF(line), "each is scored");
	is_u64(b.counter[COUNTER_STORED], COUNT_OF(line), "and stored");
	struct message m = get_one(store, "n");
	ok(m.has_score && m.score < 0 && str_eq(m.model, str_of(model->name)), "with the columns of its result");
	/* what comes back unchanged, after a correction */
	struct buf again = {0};
	buf_str(&again, out_of(&b.rec[2]));
	buf_char(&again, 0);
	ok(correct_one(store, "n", "positive").fate == MESSAGE_FOUND, "a person corrects one");
	const char *const back[] = {again.p, "{\"id\":\"n\",\"text\":\"awful\",\"n\":1.5}"};
	run(s, back, 1, &b);
	is_str(out_of(&b.rec[0]), row_of(store, STR("n")), "handed in again it shows the correction");
	ok(b.counter[COUNTER_KEPT] == 1 && b.counter[COUNTER_UNCHANGED] == 1, "and is neither scored nor stored");
	run(s, back + 1, 1, &b);
	is_str(out_of(&b.rec[0]), row_of(store, STR("n")), "so does another record of the same text");
	ok(memmem(b.rec[0].line.p, b.rec[0].line.n, "\"corrected\":true", 16) != NULL, "which says so");
	const struct str row = row_of(store, STR("n"));
	buf_clear(&again);
	buf_str(&again, row);
	buf_char(&again, 0);
	const char *const shown[] = {again.p};
	run(s, shown, 1, &b);
	is_str(out_of(&b.rec[0]), row, "and so does the row itself, handed in");
	buf_free(&again);
	batch_free(&b);
	submit_free(s);
}

static void test_rejects(struct store *store)
{
	char id[600], long_line[700];
	snprintf(id, sizeof id, "{\"text\":\"x\",\"id\":\"%0520d\"}", 0);
	snprintf(long_line, sizeof long_line, "{\"text\":\"%0650d\"}", 0);
	const char *const line[] = {"{\"id\":\"\",\"text\":\"x\"}", "{\"id\":7,\"text\":\"x\"}", "{\"text\":7}", "[]",
	    id, long_line, "{\"id\":\"r\",\"text\":\"fine\"}"};
	static const char *const code[] = {"no_id", "bad_id", "bad_text", "not_object", "bad_id", "too_long"};
	struct submit_conf conf = {.store = store, .model = model, .max_record = 600};
	struct submit *s = submit_new(&conf);
	struct batch b = {0};
	run(s, line, COUNT_OF(line), &b);
	for (size_t i = 0; i < COUNT_OF(code); i++)
		is_str(
		    str_of(b.rec[i].code ? b.rec[i].code : "none"), str_of(code[i]), "what is no message is rejected");
	ok(b.rec[6].fate == FATE_OUT, "and harms no other");
	batch_free(&b);
	submit_free(s);
}

/* With a queue: nothing is stored, the line passes with an id, and the cache learns of it when it is confirmed. */
static void test_queue(struct cache *cache)
{
	static const char *const line[] = {
	    "{\"id\":\"q\", \"text\":\"a \\u0062\",\"n\":1.50}", "{\"text\":\"no name\"}"};
	struct submit_conf conf = {.cache = cache, .model = model, .max_record = 1 << 20};
	struct submit *s = submit_new(&conf);
	struct batch b = {0};
	uint64_t version = 7;
	run(s, line, 2, &b);
	is_str(out_of(&b.rec[0]), str_of(line[0]), "a record passes byte for byte");
	ok(b.rec[1].id.n == 36 && memmem(out_of(&b.rec[1]).p, out_of(&b.rec[1]).n, "\"id\":\"", 6), "or gets an id");
	is_str(cached(cache, STR("q"), &version), STR(""), "the cache shows nothing before the confirmation");
	submit_confirmed(s, &b);
	is_str(cached(cache, STR("q"), &version), STR("{\"id\":\"q\",\"text\":\"a b\",\"n\":1.50,\"version\":0}"),
	    "and then what was submitted");
	is_u64(version, 0, "which is not stored yet");
	batch_free(&b);
	submit_free(s);
}

static void suite(const struct kind *k)
{
	struct store *store = k->open(k->path, STORE_CREATE, &e);
	if (!ok(store != NULL, "%s opens (%s)", k->name, e.msg))
		return;
	struct cache *cache = memory_cache(1 << 20, NULL);
	test_rows(store, cache);
	test_rejects(store);
	test_queue(cache);
	cache->close(cache);
	struct message m[64], *row[64];
	int n = store->query(store, &(struct filter){0}, m, 64, 1 << 20, &mem, &e);
	for (int i = 0; i < n; i++)
		row[i] = &m[i];
	ok(n > 0 && remove_rows(store, row, (size_t)n) == 0 && store->close(store, &e) == 0, "emptied and closed");
}

int main(void)
{
	model = model_load(&(struct model_conf){.spec = "vader"}, &e);
	if (ok(model != NULL, "a model"))
		stores_each(suite);
	model_free(model);
	json_scan_free(&scan);
	return tap_done();
}
