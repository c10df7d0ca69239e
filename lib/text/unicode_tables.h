/* unicode_tables.h - the layout of unicode_tables.c. Only unicode.c includes it. */
#ifndef SENTI_UNICODE_TABLES_H
#define SENTI_UNICODE_TABLES_H

#include "lib/base/base.h"

/* A property byte: two bits of enum unicode_case, then flags. Must match scripts/build-unicode. */
enum {
	PROPERTY_CASE = 3,
	PROPERTY_SPACE = 4,
	PROPERTY_ALPHA = 8,
	PROPERTY_ALNUM = 16,
	PROPERTY_SIGMA_CASED = 32,   /* makes a following sigma final */
	PROPERTY_SIGMA_SKIPPED = 64, /* case-ignorable: the final-sigma rule looks past it */
	PROPERTY_LOWERS = 128,	     /* differs from its lower case */
};

/* Below UNICODE_PAGED: unicode_class[unicode_page[c / UNICODE_PAGE] * UNICODE_PAGE + c % UNICODE_PAGE]. */
#define UNICODE_PAGED 0x20000
#define UNICODE_PAGE 128
extern const unsigned char unicode_property[], unicode_page[];
extern const char unicode_class[];

/* At and above UNICODE_PAGED: the ranges whose property byte is not 0, sorted. */
extern const struct unicode_range {
	uint32_t first, last;
	unsigned char property;
} unicode_high[];
extern const size_t unicode_high_count;

/* Lower case, sorted: from `first` up to the next entry, each character that has PROPERTY_LOWERS lowers to itself plus
 * delta. U+0130, which lowers to two code points, is not included. */
extern const struct unicode_lowering {
	uint32_t first;
	int32_t delta;
} unicode_lowering[];
extern const size_t unicode_lowering_count;

#endif
