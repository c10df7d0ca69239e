/* model.c - a model file: any bytes are refused with a reason, or score any text with figures in their range. With
 * an even first byte the rest is the file; with an odd one it is laid over a good file's head, whose checksum then
 * fits, from the lexicon's name on or (bit 1) from the features on. Cells and words seen are made from the same
 * bytes. */
#include "lib/json/scan.h"
#include "lib/score/linear.h"
#include "lib/score/model.h"
#include "tests/fuzz/lib/check.h"

enum { BITS_LEAST = 10, BITS_MOST = 12 }; /* of the tables here; a file may say anything */

static void score(const struct model *m, struct str text)
{
	struct scratch *s = scratch_new(m);
	struct arena mem = {0};
	struct why why = {.mem = &mem};
	struct result r;
	struct buf out = {0};
	char *copy = fuzz_copy(text);
	text.p = copy;
	m->engine->score(m, s, text, &r, &why);
	CHECK(r.score >= -1 && r.score <= 1 && r.neg >= 0 && r.neu >= 0 && r.pos >= 0);
	result_put(&out, m, &r, &why, text);
	fuzz_check_line(buf_view(&out));
	free(copy);
	buf_free(&out);
	arena_free(&mem);
	m->engine->scratch_free(s);
}

static struct linear_head good_head(void)
{
	struct linear_head h = {
	    .features = {.bits = BITS_LEAST, .pairs = 1, .char_min = 3, .char_max = 5, .negation = 1, .lexicon = 1},
	    .classes = 3,
	    .label = {0, 1, 2},
	    .gain = {1, 1},
	    .rarity = 1,
	    .scale = {1, 1, 1},
	    .seen_none = 0.1,
	    .seen_all = 0.9};
	struct err e;
	struct model *plus = model_load(&(struct model_conf){.spec = "plus"}, &e);
	CHECK(plus);
	for (size_t i = 0; i < LINEAR_CLASSES; i++)
		h.mix[i][i] = 1;
	snprintf(h.lexicon, sizeof h.lexicon, "%s", plus->name);
	model_free(plus);
	return h;
}

/* A file with the head, over tables of the size that its features ask for if that is small. */
static void put_file(struct linear_head h, struct str in, struct buf *out)
{
	uint32_t asked = h.features.bits;
	if (asked < BITS_LEAST || asked > BITS_MOST)
		h.features.bits = BITS_LEAST;
	size_t slots = (size_t)1 << h.features.bits;
	struct linear_cell *cell = xcalloc(slots, sizeof *cell);
	unsigned char *seen = xcalloc(SEEN_BYTES(h.features.bits), 1);
	for (size_t i = 0; i < slots && in.n; i++)
		cell[i] = (struct linear_cell){{in.p[i % in.n], in.p[i * 7 % in.n]}, (uint8_t)in.p[i * 3 % in.n]};
	memset(seen, in.n ? in.p[in.n - 1] : 0, SEEN_BYTES(h.features.bits));
	linear_write(&h, cell, seen, STR("{}"), out);
	memcpy(out->p + offsetof(struct linear_head, features.bits), &asked, sizeof asked);
	free(cell);
	free(seen);
}

static void lay_over(struct linear_head *h, size_t from, struct str in)
{
	size_t room = sizeof *h - from;
	memcpy((char *)h + from, in.p, in.n < room ? in.n : room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct linear_head good;
	struct str in = fuzz_input(data, size);
	struct err e = {0};
	struct buf file = {0};
	uint8_t mode = fuzz_byte(&in);
	if (!in.n)
		return 0;
	if (!good.classes)
		good = good_head();
	if (mode & 1) {
		struct linear_head h = good;
		lay_over(
		    &h, mode & 2 ? offsetof(struct linear_head, features) : offsetof(struct linear_head, lexicon), in);
		put_file(h, in, &file);
	} else {
		buf_str(&file, in);
	}
	char *path = fuzz_file("model.senti", buf_view(&file));
	struct model *m = model_load(&(struct model_conf){.spec = path}, &e);
	CHECK(m || e.msg[0]);
	if (m) {
		score(m, STR("I don't love this awful Thing!! \xf0\x9f\x98\x80 WOW http://x.y @me #GoodDay n\xc3\xa9"));
		score(m, STR(""));
	}
	model_free(m);
	buf_free(&file);
	free(path);
	return 0;
}
