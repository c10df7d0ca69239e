/* pattern_tokens.c - TextBlob's tokens. */
#include "lib/score/pattern_tokens.h"

#include "lib/text/split.h"

/* Marks that are cut off at both ends of a word; 2: only at its end. */
static const uint8_t is_mark[256] = {['.'] = 2,
    [','] = 1,
    [';'] = 1,
    [':'] = 1,
    ['!'] = 1,
    ['?'] = 1,
    ['('] = 1,
    [')'] = 1,
    ['['] = 1,
    [']'] = 1,
    ['{'] = 1,
    ['}'] = 1,
    ['`'] = 1,
    ['\''] = 1,
    ['"'] = 1,
    ['@'] = 1,
    ['#'] = 1,
    ['$'] = 1,
    ['^'] = 1,
    ['&'] = 1,
    ['*'] = 1,
    ['+'] = 1,
    ['-'] = 1,
    ['|'] = 1,
    ['='] = 1,
    ['~'] = 1,
    ['_'] = 1};

static const struct str END_OF_SENTENCE = {"END-OF-SENTENCE", 15};

static inline unsigned char byte_at(const char *p, size_t i)
{
	return (unsigned char)p[i];
}

/* --- tables --- */

int pattern_add_face(struct pattern *p, struct str face)
{
	if (face.n >= sizeof p->face[0].s || p->faces == PATTERN_FACES)
		return -1;
	struct pattern_face *f = &p->face[p->faces++];
	*f = (struct pattern_face){.n = (unsigned)face.n};
	memcpy(f->s, face.p, face.n);
	return 0;
}

int pattern_add_abbreviation(struct pattern *p, struct str abbreviation)
{
	if (abbreviation.n > 8 || p->abbreviations == PATTERN_ABBREVIATIONS)
		return -1;
	memcpy(&p->abbreviation[p->abbreviations++], abbreviation.p, abbreviation.n);
	return 0;
}

static int by_first_byte_longest_first(const void *a, const void *b)
{
	const struct pattern_face *x = a, *y = b;
	if (x->s[0] != y->s[0])
		return byte_at(x->s, 0) - byte_at(y->s, 0);
	return (int)y->n - (int)x->n;
}

static void note_end(struct pattern *p, unsigned char before, unsigned char last)
{
	p->last[last] = true;
	p->ends[last][before / 64] |= (uint64_t)1 << (before % 64);
}

void pattern_ready(struct pattern *p, const struct words *words)
{
	p->words = words;
	sort(p->face, p->faces, sizeof *p->face, by_first_byte_longest_first);
	for (unsigned i = p->faces; i-- > 0;) {
		const struct pattern_face *f = &p->face[i];
		p->first[byte_at(f->s, 0)] = (uint8_t)(i + 1);
		note_end(p, byte_at(f->s, f->n - 2), byte_at(f->s, f->n - 1));
	}
	note_end(p, '!', ')');
}

/* --- joining --- */

/* Copies a sentence's characters without blanks to `flat`, and marks in `marks` each byte that ends a token. */
static void flatten(struct pattern_cut *c)
{
	buf_clear(&c->flat);
	buf_clear(&c->marks);
	for (size_t i = c->sentence; i < c->n; i++) {
		const struct pattern_token *t = &c->token[i];
		buf_add(&c->flat, c->text + t->from, t->n);
		memset(buf_reserve(&c->marks, t->n), 0, t->n);
		c->marks.n += t->n;
		c->marks.p[c->marks.n - 1] = 1;
	}
	memset(buf_reserve(&c->flat, WORDS_PAD), 0, WORDS_PAD);
}

static bool is_one(const struct pattern_cut *c, size_t i, char mark)
{
	return i < c->n && c->token[i].n == 1 && c->text[c->token[i].from] == mark;
}

/* "( ! )", the mark of sarcasm. */
static void join_sarcasm(struct pattern_cut *c)
{
	size_t at = 0;
	for (size_t i = c->sentence; i < c->n; i++) {
		if (is_one(c, i, '(') && is_one(c, i + 1, '!') && is_one(c, i + 2, ')'))
			c->marks.p[at] = c->marks.p[at + 1] = 0;
		at += c->token[i].n;
	}
}

/* The length of the face that begins here and ends with a token, or 0. */
static unsigned face_at(const struct pattern_cut *c, size_t at)
{
	const struct pattern *p = c->p;
	for (unsigned i = p->first[byte_at(c->flat.p, at)]; i && i <= p->faces; i++) {
		const struct pattern_face *f = &p->face[i - 1];
		if (f->s[0] != c->flat.p[at])
			break;
		if (at + f->n <= c->flat.n && memcmp(c->flat.p + at, f->s, f->n) == 0 && c->marks.p[at + f->n - 1])
			return f->n;
	}
	return 0;
}

static void join_faces(struct pattern_cut *c)
{
	for (size_t at = 0; at < c->flat.n;) {
		unsigned n = face_at(c, at);
		if (n > 1)
			memset(c->marks.p + at, 0, n - 1);
		at += n ? n : 1;
	}
}

static uint32_t note_joined(struct pattern_cut *c, size_t at, size_t n)
{
	c->joined = xgrow(c->joined, c->njoined, &c->joined_cap, 64, sizeof *c->joined);
	uint32_t word = n < 65536 ? words_find(c->p->words, c->flat.p + at, n) : 0;
	c->joined[c->njoined++] = (struct pattern_joined){word, (uint32_t)n};
	return (uint32_t)c->njoined;
}

/* Joins the tokens whose end marks were removed. */
static void join(struct pattern_cut *c)
{
	flatten(c);
	join_sarcasm(c);
	join_faces(c);
	size_t out = c->sentence, at = 0;
	for (size_t i = c->sentence; i < c->n; i++) {
		struct pattern_token t = c->token[i];
		size_t start = at;
		at += t.n;
		bool several = !c->marks.p[at - 1];
		for (; !c->marks.p[at - 1]; at += c->token[i].n)
			i++;
		if (several) {
			t.n = c->token[i].from + c->token[i].n - t.from;
			t.joined = note_joined(c, start, at - start);
		}
		c->token[out++] = t;
	}
	c->n = out;
}

/* --- sentences --- */

static void end_sentence(struct pattern_cut *c)
{
	if (unlikely(c->faces))
		join(c);
	c->faces = false;
	c->ending = false;
	c->sentence = c->n;
}

static inline void add(struct pattern_cut *c, size_t from, size_t n)
{
	c->token = xgrow(c->token, c->n, &c->cap, 256, sizeof *c->token);
	c->token[c->n++] = (struct pattern_token){(uint32_t)from, (uint32_t)n, 0};
}

/* Whether a face may end with this token, by the last two bytes of the sentence. All parts of a face but the first are
 * short tokens. */
static inline void watch_faces(struct pattern_cut *c, size_t from, size_t n)
{
	unsigned char last = byte_at(c->text, from + n - 1), before;
	if (likely(!c->p->last[last]) || n > sizeof c->p->face[0].s)
		return;
	if (n > 1)
		before = byte_at(c->text, from + n - 2);
	else if (c->n > c->sentence)
		before = byte_at(c->text, c->token[c->n - 1].from + c->token[c->n - 1].n - 1);
	else
		return;
	c->faces |= c->p->ends[last][before / 64] >> (before % 64) & 1;
}

static inline void add_mark(struct pattern_cut *c, size_t at)
{
	char m = c->text[at];
	bool ends = m == '.' || m == '!' || m == '?';
	if (ends)
		c->ending = true;
	else if (c->ending && m != ')')
		end_sentence(c);
	watch_faces(c, at, 1);
	add(c, at, 1);
}

static void add_ellipsis(struct pattern_cut *c, size_t at)
{
	c->ending = true;
	add(c, at, 3);
}

/* One of the four curly quotes. A closing one belongs to the sentence that it ends. */
static void add_curly(struct pattern_cut *c, size_t at)
{
	char q = c->text[at + 2];
	if (c->ending && q != '\x99' && q != '\x9d')
		end_sentence(c);
	add(c, at, 3);
}

static inline void add_word(struct pattern_cut *c, size_t from, size_t n)
{
	if (unlikely(n == END_OF_SENTENCE.n) && memcmp(c->text + from, END_OF_SENTENCE.p, n) == 0) {
		c->ending = true;
		return;
	}
	if (unlikely(c->ending))
		end_sentence(c);
	watch_faces(c, from, n);
	add(c, from, n);
}

/* --- words --- */

static bool is_letter(char c)
{
	return (unsigned)((c | 0x20) - 'a') < 26;
}

static bool is_capital(char c)
{
	return (unsigned)(c - 'A') < 26;
}

/* Consonants (not y) and '|', which the reference's character class contains by mistake. */
static bool is_consonant(char c)
{
	return (unsigned)(c - 'a') < 26 && !strchr("aeiouy", c) ? true : c == '|';
}

/* How much of a word, from its start, may be an abbreviation. Computed once, so that many full stops at its end cost
 * nothing. */
struct abbreviating {
	size_t letters;	   /* bytes of single letters with full stops, as in "U.S." */
	size_t consonants; /* bytes of a capital and consonants, as in "Mr." */
	bool known;
};

static struct abbreviating abbreviating(const char *p, size_t n)
{
	struct abbreviating a = {.known = true};
	while (a.letters + 1 < n && is_letter(p[a.letters]) && p[a.letters + 1] == '.')
		a.letters += 2;
	if (n && is_capital(p[0]))
		for (a.consonants = 1; a.consonants < n && is_consonant(p[a.consonants]); a.consonants++)
			;
	return a;
}

/* Whether the word, which ends in a full stop, keeps it. */
static bool is_abbreviation(const struct pattern *p, const struct abbreviating *a, const char *word, size_t n)
{
	if (n <= a->letters || (n > 2 && n - 1 <= a->consonants))
		return n > 1;
	uint64_t bits = 0;
	if (n > sizeof bits)
		return false;
	memcpy(&bits, word, n);
	for (unsigned i = 0; i < p->abbreviations; i++)
		if (p->abbreviation[i] == bits)
			return true;
	return false;
}

static void push_tail(struct pattern_cut *c, size_t *n, size_t from, size_t bytes)
{
	c->tail = xgrow(c->tail, *n, &c->tail_cap, 16, sizeof *c->tail);
	c->tail[(*n)++] = (struct pattern_token){(uint32_t)from, (uint32_t)bytes, 0};
}

/* Moves the marks at the end of [from, to) to c->tail and returns their number. *to becomes the new end. */
static size_t cut_tail(struct pattern_cut *c, size_t from, size_t *to)
{
	const char *p = c->text;
	struct abbreviating a = {0};
	size_t n = 0, end = *to;
	while (end > from && is_mark[byte_at(p, end - 1)]) {
		if (is_mark[byte_at(p, end - 1)] == 1) {
			end--;
			push_tail(c, &n, end, 1);
		}
		if (end - from >= 3 && memcmp(p + end - 3, "...", 3) == 0) {
			end -= 3;
			push_tail(c, &n, end, 3);
			while (end > from && p[end - 1] == '.')
				end--;
		}
		if (end > from && p[end - 1] == '.') {
			if (!a.known)
				a = abbreviating(p + from, end - from);
			if (is_abbreviation(c->p, &a, p + from, end - from))
				break;
			end--;
			push_tail(c, &n, end, 1);
		}
	}
	*to = end;
	return n;
}

/* Cuts the text between blanks and quotes. */
static void cut_marks(struct pattern_cut *c, size_t from, size_t to)
{
	while (from < to && is_mark[byte_at(c->text, from)] == 1)
		add_mark(c, from++);
	size_t tail = cut_tail(c, from, &to);
	if (from < to)
		add_word(c, from, to - from);
	while (tail-- > 0) {
		if (c->tail[tail].n == 1)
			add_mark(c, c->tail[tail].from);
		else
			add_ellipsis(c, c->tail[tail].from);
	}
}

static bool is_curly(const char *p)
{
	return p[0] == '\xe2' && p[1] == '\x80' &&
	       (p[2] == '\x98' || p[2] == '\x99' || p[2] == '\x9c' || p[2] == '\x9d');
}

/* Cuts the text between blanks, at quotes and before "n't". */
static void cut_quotes(struct pattern_cut *c, size_t from, size_t to)
{
	const char *p = c->text;
	for (size_t i = from; i < to; i++) {
		if (p[i] == '\'' || p[i] == '"') {
			if (p[i] == '\'' && i > from && p[i - 1] == 'n' && i + 1 < to && p[i + 1] == 't') {
				cut_marks(c, from, i - 1);
				from = i - 1;
			}
			cut_marks(c, from, i);
			add_mark(c, i);
			from = i + 1;
		} else if (p[i] == '\xe2' && to - i >= 3 && is_curly(p + i)) {
			cut_marks(c, from, i);
			add_curly(c, i);
			from = i + 3;
			i += 2;
		}
	}
	cut_marks(c, from, to);
}

/* ASCII letters and digits at both ends, and nothing inside that needs a closer look. */
static inline bool is_plain(const char *p, const struct span *w)
{
	if (w->core_n != w->n)
		return false;
#if defined(__SSE2__)
	if (likely(w->n <= 16)) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
		__m128i quote =
		    _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('\'')), _mm_cmpeq_epi8(v, _mm_set1_epi8('"')));
		unsigned odd = (unsigned)_mm_movemask_epi8(_mm_or_si128(v, quote));
		return !(odd & ((2U << (w->n - 1)) - 1));
	}
#endif
	for (size_t i = 0; i < w->n; i++)
		if ((p[i] & 0x80) || p[i] == '\'' || p[i] == '"')
			return false;
	return true;
}

/* Two line ends with nothing between them. "\r\n" is one line end. */
static bool ends_paragraph(const char *p, const char *end)
{
	for (; p + 1 < end; p++)
		if (*p == '\n' && (p[1] == '\n' || (p[1] == '\r' && p + 2 < end && p[2] == '\n')))
			return true;
	return false;
}

void pattern_tokens(const struct pattern *p, struct pattern_cut *c, struct str text)
{
	struct split cut = {text.p, text.n, 0};
	struct span span[8 * SPLIT_BLOCK_WORDS];
	size_t n, end = 0;
	bool lines = memchr(text.p, '\n', text.n) != NULL;
	c->p = p;
	c->text = text.p;
	c->n = c->njoined = c->sentence = 0;
	c->ending = c->faces = false;
	while ((n = split_words(&cut, span, COUNT_OF(span))))
		for (size_t i = 0; i < n; i++) {
			const struct span *w = &span[i];
			if (unlikely(lines) && ends_paragraph(text.p + end, text.p + w->from))
				c->ending = true;
			end = w->from + w->n;
			if (likely(is_plain(text.p + w->from, w)))
				add_word(c, w->from, w->n);
			else
				cut_quotes(c, w->from, end);
		}
	end_sentence(c);
}

void pattern_cut_free(struct pattern_cut *c)
{
	free(c->token);
	free(c->joined);
	free(c->tail);
	buf_free(&c->flat);
	buf_free(&c->marks);
}
