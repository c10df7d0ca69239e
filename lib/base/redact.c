/* redact.c - finds the secrets of addresses, however they are written. */
#include "lib/base/redact.h"

#include <strings.h>

#include "lib/base/buf.h"

/* True if an argument of this name, in any case, holds a secret: password, sslpassword, passfile, ... */
static bool is_secret(const char *name, size_t n)
{
	static const char *const part[] = {
	    "pass", "pwd", "secret", "token", "auth", "credential", "apikey", "api_key", "accesskey", "access_key"};
	for (size_t i = 0; i < COUNT_OF(part); i++)
		for (size_t at = 0, len = strlen(part[i]); at + len <= n; at++)
			if (strncasecmp(name + at, part[i], len) == 0)
				return true;
	return false;
}

/* Handles ?password=x&..., libpq's host=h password=x (where values may be 'quoted'), and Uid=u;Pwd=x. */
static const char *put_argument(struct buf *out, const char *p)
{
	const char *name = p, *value = p + strcspn(p, "=&?; ");
	if (*value != '=') {
		p = value + (*value != 0);
		buf_add(out, name, (size_t)(p - name));
		return p;
	}
	value++;
	const char *end = value + strcspn(value, value[0] == '\'' ? "" : "&; ");
	for (const char *q = value + 1; value[0] == '\'' && q < end; q++)
		if (*q == '\'' && q[-1] != '\\')
			end = q + 1;
	buf_add(out, name, (size_t)(value - name));
	if (is_secret(name, (size_t)(value - 1 - name)))
		buf_str(out, STR("***"));
	else
		buf_add(out, value, (size_t)(end - value));
	return end;
}

/* Of these the word after the colon is a name or a path, which may hold an '@'. */
static bool takes_a_name(const char *s, size_t n)
{
	static const char *const scheme[] = {"amqp", "amqps", "sqlite", "unix", "file", "memory"};
	for (size_t i = 0; i < COUNT_OF(scheme); i++)
		if (strlen(scheme[i]) == n && strncasecmp(scheme[i], s, n) == 0)
			return true;
	return false;
}

/* The colon before a password; NULL if absent. `at` is the last '@'. A password may hold unescaped
 * special characters, so it extends to there. */
static const char *password_of(const char *s, const char *at)
{
	const char *slashes = strstr(s, "://"), *start = slashes ? slashes + 3 : s,
		   *colon = start + strcspn(start, ":/?");
	if (!at || *colon != ':' || colon > at)
		return NULL;
	if (slashes)
		return colon;
	/* SCHEME:USER:PASSWORD@HOST or USER:PASSWORD@HOST */
	const char *second = colon + 1 + strcspn(colon + 1, ":/?");
	if (*second == ':' && second < at)
		return second;
	return takes_a_name(s, (size_t)(colon - s)) ? NULL : colon;
}

char *redact(const char *s)
{
	struct buf out = {0};
	const char *at = strrchr(s, '@'), *colon = password_of(s, at);
	if (colon) {
		buf_add(&out, s, (size_t)(colon + 1 - s));
		buf_str(&out, STR("***"));
		s = at;
	}
	while (*s)
		s = put_argument(&out, s);
	buf_char(&out, 0);
	return out.p;
}

const char *redact_into(struct redacted *room, const char *s)
{
	char *shown = redact(s);
	snprintf(room->text, sizeof room->text, "%s", shown);
	free(shown);
	return room->text;
}

/* The quote that ends the word that begins at p: one with no letter after it, for a word may hold some. */
static const char *closing(const char *p)
{
	const char *q = strchr(p, '\'');
	while (q && q[1] && !strchr(" ,:;.)'", q[1]))
		q = strchr(q + 1, '\'');
	return q;
}

char *redact_quoted(const char *message)
{
	struct buf out = {0};
	for (const char *p = message; *p;) {
		bool opens = *p == '\'' && (p == message || strchr(" (", p[-1]));
		const char *end = opens ? closing(p + 1) : NULL;
		buf_char(&out, *p++);
		if (!end)
			continue;
		char *word = str_dup((struct str){p, (size_t)(end - p)}), *shown = redact(word);
		buf_str(&out, str_of(shown));
		free(shown);
		free(word);
		p = end;
	}
	buf_char(&out, 0);
	return out.p;
}
