/* tap.h - what a unit test needs: numbered results in the Test Anything Protocol, on stdout.
 *
 *     int main(void)
 *     {
 *         ok(1 + 1 == 2, "sums");
 *         is_str(view, STR("abc"), "reads what was written");
 *         return tap_done();
 *     }
 */
#ifndef SENTI_TAP_H
#define SENTI_TAP_H

#include <stdarg.h>
#include "lib/base/base.h"

static int tap_count, tap_failed;

PRINTF_LIKE(3, 4) static inline bool tap_ok(bool good, const char *where, const char *fmt, ...)
{
	va_list ap;
	printf("%s %d - ", good ? "ok" : "not ok", ++tap_count);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("%s%s\n", good ? "" : " # at ", good ? "" : where);
	tap_failed += !good;
	return good;
}

#define TAP_TEXT(x) #x
#define TAP_LINE(x) TAP_TEXT(x)
#define ok(good, ...) tap_ok((good), __FILE__ ":" TAP_LINE(__LINE__), __VA_ARGS__)
#define is_str(got, want, ...) tap_is_str((got), (want), __FILE__ ":" TAP_LINE(__LINE__), __VA_ARGS__)
#define is_u64(got, want, ...) tap_is_u64((got), (want), __FILE__ ":" TAP_LINE(__LINE__), __VA_ARGS__)

PRINTF_LIKE(4, 5)
static inline bool tap_is_str(struct str got, struct str want, const char *where, const char *fmt, ...)
{
	char name[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(name, sizeof name, fmt, ap);
	va_end(ap);
	if (tap_ok(str_eq(got, want) && !got.p == !want.p, where, "%s", name))
		return true;
	printf("#  got: %.*s\n# want: %.*s\n", STR_FMT(got), STR_FMT(want));
	return false;
}

PRINTF_LIKE(4, 5)
static inline bool tap_is_u64(uint64_t got, uint64_t want, const char *where, const char *fmt, ...)
{
	char name[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(name, sizeof name, fmt, ap);
	va_end(ap);
	if (tap_ok(got == want, where, "%s", name))
		return true;
	printf("#  got: %llu\n# want: %llu\n", (unsigned long long)got, (unsigned long long)want);
	return false;
}

/* Prints the plan; main's return value. */
static inline int tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed != 0;
}

#endif
