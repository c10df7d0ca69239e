/* base.h - what every file includes first: types, checked allocation, strings as slices.
 *
 * A `struct str` is a slice: a pointer and a length. It owns nothing, is not terminated by NUL, and lives as long as
 * what it points into; each function that returns one says what that is. A slice whose `p` is NULL is absent, which
 * differs from an empty one.
 *
 * Ownership words used in all headers: "lent" (the caller must not free it; the comment says until when it is valid),
 * "taken" (the callee frees it), "new" (the caller frees it).
 *
 * Running out of memory ends the program with status 3; no caller checks for it.
 */
#ifndef SENTI_BASE_H
#define SENTI_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define NORETURN __attribute__((noreturn))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define COUNT_OF(a) (sizeof(a) / sizeof *(a))

/* Exit statuses, the same for all tools (senti(7)). */
enum status { STATUS_OK = 0, STATUS_REJECTS = 1, STATUS_USAGE = 2, STATUS_ENVIRONMENT = 3, STATUS_EMPTY = 99 };

struct str {
	const char *p;
	size_t n;
};

#define STR(lit) ((struct str){(lit), sizeof(lit) - 1})
#define STR_FMT(s) (int)((s).n > 4096 ? 4096 : (s).n), (s).p /* for "%.*s" in messages */
#define STR_NONE ((struct str){NULL, 0})

static inline struct str str_of(const char *cstr)
{
	return (struct str){cstr, cstr ? strlen(cstr) : 0};
}

static inline bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Orders slices as strcmp does: by their bytes, then the shorter one first. */
int str_cmp(struct str a, struct str b);

/* Parses decimal digits only, without a sign or blanks: 0 and *out, or -1 (also on overflow). */
MUST_USE int str_u64(struct str s, uint64_t *out);

void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
/* Resizes to n elements of `size` bytes; the product is checked. */
void *xreallocarray(void *p, size_t n, size_t size);
/* Makes room for one more than the n items of an array: doubles *cap if it is used up (from 0 it becomes `first`). */
static inline void *xgrow(void *array, size_t n, size_t *cap, size_t first, size_t size)
{
	if (n < *cap)
		return array;
	*cap = *cap ? *cap * 2 : first;
	return xreallocarray(array, *cap, size);
}

/* qsort, which also takes the array that there is not: NULL with n = 0. */
static inline void sort(void *p, size_t n, size_t size, int (*compare)(const void *, const void *))
{
	if (n > 1)
		qsort(p, n, size, compare);
}

char *xstrdup(const char *s);
/* Returns a new, NUL-terminated copy of a slice. */
char *str_dup(struct str s);
/* Strips blanks and tabs from both ends. */
struct str str_trim(struct str s);

/* Returns the value of an environment variable (lent), or NULL if it is unset or empty. */
static inline const char *env_get(const char *name)
{
	const char *value = getenv(name);
	return value && *value ? value : NULL;
}

/* Functions that senti must not use. (With _FORTIFY_SOURCE and clang, sprintf is a macro.) */
#undef sprintf
#pragma GCC poison strcpy strcat sprintf vsprintf gets strtok atoi atol atof strncpy strncat getenv

#endif
