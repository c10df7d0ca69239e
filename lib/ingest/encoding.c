/* encoding.c - tries encodings in turn for each line. */
#include "lib/ingest/encoding.h"

#include <errno.h>
#include <iconv.h>
#include <strings.h>

#include "lib/base/buf.h"
#include "lib/base/utf8.h"

enum { MOST = 4 };

struct encoding {
	struct charset {
		iconv_t iconv; /* (iconv_t)-1: UTF-8, which is only checked */
		bool ascii;    /* a line of ASCII means itself */
	} set[MOST];
	size_t n;
	const char *names;
	struct buf out;
};

static const iconv_t none = (iconv_t)-1;

static bool is_utf8(struct str name)
{
	return (name.n == 5 && strncasecmp(name.p, "utf-8", 5) == 0) ||
	       (name.n == 4 && strncasecmp(name.p, "utf8", 4) == 0);
}

/* The whole line into c->out; false if it is not in this encoding. */
static bool convert(struct encoding *c, iconv_t set, struct str line)
{
	char *in = (char *)(uintptr_t)line.p;
	size_t left = line.n;
	iconv(set, NULL, NULL, NULL, NULL);
	buf_clear(&c->out);
	for (bool flushing = false;;) {
		char *to = buf_reserve(&c->out, left * 2 + 16);
		size_t room = c->out.cap - c->out.n, before = room;
		size_t rc = iconv(set, flushing ? NULL : &in, flushing ? NULL : &left, &to, &room);
		c->out.n += before - room;
		if (rc == (size_t)-1 && errno != E2BIG)
			return false;
		if (rc != (size_t)-1 && flushing)
			return true;
		flushing |= rc != (size_t)-1;
	}
}

/* True if each byte of ASCII means itself, alone: no escape begins with it, as in ISO-2022-JP. */
static bool keeps_ascii(struct encoding *c, iconv_t set)
{
	for (char byte = 1; byte > 0 && byte < 0x7f; byte++)
		if (!convert(c, set, (struct str){&byte, 1}) || !str_eq(buf_view(&c->out), (struct str){&byte, 1}))
			return false;
	return true;
}

static int bad(struct str name, struct err *e)
{
	return err_set(e, ERR_USAGE,
	    "--encoding takes up to %d names that iconv knows (iconv -l), separated by commas, not '%.*s'", MOST,
	    STR_FMT(name));
}

static int add(struct encoding *c, struct str name, struct err *e)
{
	if (c->n == MOST || !name.n || memchr(name.p, '/', name.n))
		return bad(name, e);
	struct charset *s = &c->set[c->n];
	*s = (struct charset){none, true};
	if (!is_utf8(name)) {
		char *z = str_dup(name);
		s->iconv = iconv_open("UTF-8", z);
		free(z);
		if (s->iconv == none)
			return bad(name, e);
		s->ascii = keeps_ascii(c, s->iconv);
	}
	c->n++;
	return 0;
}

struct encoding *encoding_new(const char *names, struct err *e)
{
	struct encoding *c = xcalloc(1, sizeof *c);
	c->names = names;
	for (const char *at = names, *end; at; at = *end ? end + 1 : NULL) {
		end = strchrnul(at, ',');
		if (add(c, str_trim((struct str){at, (size_t)(end - at)}), e) == 0)
			continue;
		encoding_free(c);
		return NULL;
	}
	return c;
}

/* Its bytes are UTF-8 by chance, which would hide that they are something else. */
static struct str spoil(struct encoding *c, struct str line)
{
	size_t ends = line.n;
	while (ends && (line.p[ends - 1] == '\n' || line.p[ends - 1] == '\r'))
		ends--;
	buf_clear(&c->out);
	buf_add(&c->out, line.p, ends);
	buf_char(&c->out, '\xff');
	buf_add(&c->out, line.p + ends, line.n - ends);
	return buf_view(&c->out);
}

struct str encoding_utf8(struct encoding *c, struct str line)
{
	bool ascii = utf8_is_ascii(line);
	for (size_t i = 0; i < c->n; i++) {
		const struct charset *s = &c->set[i];
		if ((ascii && s->ascii) || (s->iconv == none && utf8_valid_prefix(line) == line.n))
			return line;
		if (s->iconv != none && convert(c, s->iconv, line))
			return buf_view(&c->out);
	}
	return utf8_valid_prefix(line) < line.n ? line : spoil(c, line);
}

struct encoding *encoding_again(const struct encoding *c)
{
	struct err e;
	return encoding_new(c->names, &e);
}

void encoding_free(struct encoding *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n; i++)
		if (c->set[i].iconv != none)
			iconv_close(c->set[i].iconv);
	buf_free(&c->out);
	free(c);
}
