/* optional_lib.h - a shared library that is loaded when it is first needed, and called through a table.
 *
 *     static const char *const names[] = {"first", "second"};
 *     struct { int (*first)(void); void (*second)(int); } calls;
 *     static struct optional_lib lib = {
 *         .file = "libx.so.1", .needed = "--x needs libx (Debian: libx1)", .old = "version 2 or later is needed",
 *         .name = names, .n = COUNT_OF(names), .call = &calls};
 */
#ifndef SENTI_OPTIONAL_LIB_H
#define SENTI_OPTIONAL_LIB_H

#include "lib/base/err.h"

struct optional_lib {
	const char *file;
	const char *needed;	 /* the error message if it is not installed */
	const char *old;	 /* the hint if it lacks one of the functions */
	const char *const *name; /* the functions, in the order of the pointers in `call` */
	size_t n;
	void *call; /* a struct of n pointers to functions */
	void *handle;
};

/* Loads it once and keeps it: 0, or -1 with *e (ERR_ENV). Not thread-safe. */
MUST_USE int optional_lib_open(struct optional_lib *l, struct err *e);

#endif
