/* options.c - reads options by their tables, and prints the tables. */
#include "cmd/options.h"

#include "lib/base/guess.h"
#include "lib/base/redact.h"
#include "lib/base/utf8.h"

int option_bad(const char *name, const char *value, const char *wanted, struct err *e)
{
	return err_set(e, ERR_USAGE, "--%s takes %s, not '%s'", name, wanted, REDACTED(value));
}

/* ---- values ---- */

/* Into a member of any integer type. */
static void put(const struct option_def *d, void *to, uint64_t n)
{
	const uint8_t byte = (uint8_t)n;
	const uint32_t half = (uint32_t)n;
	memcpy(to, d->size == 1 ? (const void *)&byte : d->size == sizeof half ? (const void *)&half : &n, d->size);
}

static int read_number(const struct option_def *d, void *to, const char *value, struct err *e)
{
	uint64_t n;
	char wanted[80];
	if (str_u64(str_of(value), &n) < 0 || n < d->min || n > d->max) {
		snprintf(wanted, sizeof wanted, "a number from %llu to %llu", (unsigned long long)d->min,
		    (unsigned long long)d->max);
		return option_bad(d->name, value, wanted, e);
	}
	put(d, to, d->scale ? n * d->scale : n);
	return 0;
}

/* In the largest unit that is exact. */
static void put_size(char *out, size_t room, uint64_t size)
{
	static const char *const unit[] = {"", "K", "M", "G"};
	size_t u = 0;
	for (; size && u + 1 < COUNT_OF(unit) && size % 1024 == 0; u++)
		size /= 1024;
	snprintf(out, room, "%llu%s", (unsigned long long)size, unit[u]);
}

static int bad_size(const struct option_def *d, const char *value, struct err *e)
{
	char least[32], most[32], wanted[80];
	put_size(least, sizeof least, d->min);
	put_size(most, sizeof most, d->max);
	snprintf(wanted, sizeof wanted, "a size from %s to %s", least, most);
	return option_bad(d->name, value, wanted, e);
}

static int read_size(const struct option_def *d, void *to, const char *value, struct err *e)
{
	uint64_t size;
	size_t n = strlen(value);
	const char *unit = n ? strchr("KMG", value[n - 1]) : NULL;
	int shift = unit ? 10 * (int)(strchr("KMG", *unit) - "KMG" + 1) : 0;
	if (str_u64((struct str){value, n - (shift > 0)}, &size) < 0)
		return option_bad(d->name, value, "a size in bytes such as 64K or 2M", e);
	if (size > d->max >> shift || (size <<= shift) < d->min)
		return bad_size(d, value, e);
	put(d, to, size);
	return 0;
}

static int read_duration(const struct option_def *d, void *to, const char *value, struct err *e)
{
	static const struct {
		char unit;
		int64_t ms;
	} units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}};
	size_t n = strlen(value);
	uint64_t count;
	for (size_t i = 0; n && i < COUNT_OF(units); i++)
		if (value[n - 1] == units[i].unit && str_u64((struct str){value, n - 1}, &count) == 0 &&
		    count >= d->min && count <= 36500) {
			*(int64_t *)to = (int64_t)count * units[i].ms;
			return 0;
		}
	return option_bad(d->name, value, "a duration such as 90s, 30m, 12h or 7d", e);
}

static int read_decimal(const struct option_def *d, double *to, const char *value, struct err *e)
{
	char *end, wanted[80];
	*to = strtod(value, &end);
	if (end != value && !*end && *to >= d->low && *to <= d->high)
		return 0;
	snprintf(wanted, sizeof wanted, "a number from %g to %g", d->low, d->high);
	return option_bad(d->name, value, wanted, e);
}

static int read_string(const struct option_def *d, const char **to, const char *value, struct err *e)
{
	*to = value;
	return strlen(value) >= d->min ? 0
				       : err_set(e, ERR_USAGE, "--%s takes a %s that is not empty", d->name, d->arg);
}

/* It becomes a member's name or value, or is compared with one. */
static int read_slice(const struct option_def *d, struct str *to, const char *value, struct err *e)
{
	*to = str_of(value);
	return utf8_valid_prefix(*to) == to->n ? 0 : option_bad(d->name, value, "UTF-8", e);
}

static int read_choice(const struct option_def *d, void *to, const char *value, struct err *e)
{
	char wanted[160];
	int n = 0;
	for (size_t i = 0; d->choices[i]; i++) {
		if (strcmp(value, d->choices[i]) == 0) {
			put(d, to, d->min + i);
			return 0;
		}
		if ((size_t)n < sizeof wanted)
			n += snprintf(wanted + n, sizeof wanted - (size_t)n, "%s%s",
			    i == 0		? ""
			    : d->choices[i + 1] ? ", "
						: " or ",
			    d->choices[i]);
	}
	return option_bad(d->name, value, wanted, e);
}

static int read_list(struct option_words *to, const char *value)
{
	to->word = xreallocarray(to->word, to->n + 1, sizeof *to->word);
	to->word[to->n++] = value;
	return 0;
}

int option_value(const struct option_def *d, void *to, const char *value, struct err *e)
{
	switch (d->type) {
	case OPTION_SET:
		put(d, to, d->min);
		return 0;
	case OPTION_COUNT:
		++*(int *)to;
		return 0;
	case OPTION_NUMBER:
		return read_number(d, to, value, e);
	case OPTION_SIZE:
		return read_size(d, to, value, e);
	case OPTION_DURATION:
		return read_duration(d, to, value, e);
	case OPTION_DECIMAL:
		return read_decimal(d, to, value, e);
	case OPTION_STRING:
		return read_string(d, to, value, e);
	case OPTION_SLICE:
		return read_slice(d, to, value, e);
	case OPTION_CHOICE:
		return read_choice(d, to, value, e);
	case OPTION_LIST:
		return read_list(to, value);
	case OPTION_CALL:
		return d->call(to, value, e);
	}
	return -1;
}

/* ---- tables ---- */

void options_add(struct option_list *l, const struct option_def *table, void *base, unsigned mask)
{
	size_t before = l->n;
	for (const struct option_def *d = table; d && d->name; d++) {
		bool taken = false;
		if (d->only && !(d->only & mask))
			continue;
		for (size_t i = 0; d->letter && i < before; i++)
			taken |= l->entry[i].letter == d->letter;
		if (taken && d->only)
			continue;
		if (l->n == MOST_OPTIONS)
			abort(); /* the tables are constant, so this is a bug */
		l->entry[l->n++] = (struct option_entry){.def = d, .base = base, .letter = taken ? 0 : d->letter};
	}
}

bool options_given(const struct option_list *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->entry[i].given && strcmp(l->entry[i].def->name, name) == 0)
			return true;
	return false;
}

void options_help(const struct option_list *l, size_t from, size_t to)
{
	for (const struct option_entry *o = l->entry + from; o < l->entry + to; o++) {
		const struct option_def *d = o->def;
		int n = o->letter ? printf("  -%c, --%s", o->letter, d->name) : printf("      --%s", d->name);
		n += d->arg ? printf(" %s", d->arg) : 0;
		printf("%*s", n < 26 ? 26 - n : 1, "");
		for (const char *p = d->help; *p; p++)
			printf(*p == '\n' ? "%c%26s" : "%c", *p, "");
		putchar('\n');
	}
}

/* ---- argv ---- */

static int set(struct option_entry *o, const char *value, struct err *e)
{
	o->given = true;
	return option_value(o->def, (char *)o->base + o->def->at, value, e);
}

static int ambiguous(const struct option_list *l, struct str name, struct err *e)
{
	char which[320] = "";
	size_t n = 0;
	for (size_t i = 0; i < l->n; i++)
		if (strncmp(l->entry[i].def->name, name.p, name.n) == 0 && n < sizeof which)
			n += (size_t)snprintf(
			    which + n, sizeof which - n, "%s--%s", n ? ", " : "", l->entry[i].def->name);
	return err_set(e, ERR_USAGE, "option '--%.*s' is ambiguous: %s", STR_FMT(name), which);
}

static int unknown(const struct option_list *l, struct str name, struct err *e)
{
	char word[64];
	snprintf(word, sizeof word, "%.*s", STR_FMT(name));
	struct guess g = {.word = word};
	for (size_t i = 0; i < l->n; i++)
		guess_try(&g, l->entry[i].def->name);
	return err_set(e, ERR_USAGE, "unknown option '--%.*s'%s", STR_FMT(name), guess_hint(&g, "--"));
}

/* The option of that name, or the only one with that prefix. */
static struct option_entry *find(struct option_list *l, struct str name, struct err *e)
{
	struct option_entry *found = NULL;
	bool several = false;
	for (struct option_entry *o = l->entry; name.n && o < l->entry + l->n; o++) {
		if (strncmp(o->def->name, name.p, name.n) != 0)
			continue;
		if (!o->def->name[name.n])
			return o;
		several |= found != NULL;
		found = o;
	}
	if (several)
		ambiguous(l, name, e);
	else if (!found)
		unknown(l, name, e);
	return several ? NULL : found;
}

static int lacks_argument(const char *word, struct err *e)
{
	return err_set(e, ERR_USAGE, "option '%s' takes an argument", word);
}

/* Reads the option at **at, and moves *at if its value is the next word. */
static int read_long(struct option_list *l, char ***at, struct err *e)
{
	const char *word = **at, *equals = strchr(word, '=');
	struct str name = equals ? (struct str){word + 2, (size_t)(equals - word) - 2} : str_of(word + 2);
	struct option_entry *o = find(l, name, e);
	if (!o)
		return -1;
	if (!o->def->arg)
		return equals ? err_set(e, ERR_USAGE, "option '--%.*s=%s' takes no argument", STR_FMT(name),
				    REDACTED(equals + 1))
			      : set(o, NULL, e);
	const char *value = equals ? equals + 1 : *++*at;
	return value ? set(o, value, e) : lacks_argument(word, e);
}

/* A word of letters, the last of which may take a value: the rest of the word, or the next one. */
static int read_letters(struct option_list *l, char ***at, struct err *e)
{
	const char *word = **at;
	for (const char *p = word + 1; *p; p++) {
		struct option_entry *o = l->entry;
		while (o < l->entry + l->n && o->letter != *p)
			o++;
		if (o == l->entry + l->n)
			return err_set(e, ERR_USAGE, "unknown option '-%c'", *p);
		if (o->def->arg) {
			const char *value = p[1] ? p + 1 : *++*at;
			return value ? set(o, value, e) : lacks_argument(word, e);
		}
		if (set(o, NULL, e) < 0)
			return -1;
	}
	return 0;
}

int options_read(struct option_list *l, char **argv, size_t *noperands, struct err *e)
{
	char **operand = argv + 1, **at = argv + 1;
	for (; *at && strcmp(*at, "--") != 0; at++)
		if ((*at)[0] != '-' || !(*at)[1])
			*operand++ = *at;
		else if (((*at)[1] == '-' ? read_long(l, &at, e) : read_letters(l, &at, e)) < 0)
			return -1;
	for (at += *at != NULL; *at; at++)
		*operand++ = *at;
	*operand = NULL;
	*noperands = (size_t)(operand - argv) - 1;
	return 0;
}
