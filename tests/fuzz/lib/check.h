/* check.h - what fuzz targets share: checks that end the program, cutting inputs, files. */
#ifndef SENTI_FUZZ_CHECK_H
#define SENTI_FUZZ_CHECK_H

#include "lib/base/base.h"
#include "tests/fuzz/fuzz.h"

/* Aborts with the condition and its place unless it holds. */
#define CHECK(good) ((good) ? (void)0 : fuzz_find(#good, __FILE__, __LINE__))
NORETURN void fuzz_find(const char *what, const char *file, int line);

static inline struct str fuzz_input(const uint8_t *data, size_t size)
{
	return (struct str){(const char *)data, size};
}

/* Cuts n bytes off the front of *in, or as many as there are. */
struct str fuzz_cut(struct str *in, size_t n);
/* Cuts one byte off; 0 at the end. */
uint8_t fuzz_byte(struct str *in);
/* Cuts a line off, without its end. */
struct str fuzz_line(struct str *in);

/* New: a copy with JSON_PAD zeros after it, in a block of its own, so that the sanitizer sees each byte read beyond
 * it. */
char *fuzz_copy(struct str s);
/* New, NUL-terminated; NULL if the bytes hold a NUL. */
char *fuzz_cstr(struct str s);

/* Checks that the text is JSON; and that it spans no lines. */
void fuzz_check_json(struct str text);
void fuzz_check_line(struct str text);

/* A folder of this process, removed when the program ends. Constant. */
const char *fuzz_folder(void);
/* Writes the bytes to the file `name` of that folder. New: its path. */
char *fuzz_file(const char *name, struct str bytes);

#endif
