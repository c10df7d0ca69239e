/* embed.h - files compiled into the program: lexicons, SQL. */
#ifndef SENTI_EMBED_H
#define SENTI_EMBED_H

#include "lib/base/base.h"

/* EMBED(words, "lexicons/vader/words.tsv") defines `static struct str words(void)`. 64 zero bytes follow the
 * content. */
#define EMBED(name, path)                                                                                              \
	__asm__(".pushsection .rodata,\"a\",@progbits\n" #name "_begin:\n.incbin \"" path "\"\n" #name "_end:\n"       \
		".zero 64\n.popsection\n");                                                                            \
	extern const char name##_begin[] __attribute__((visibility("hidden")));                                        \
	extern const char name##_end[] __attribute__((visibility("hidden")));                                          \
	static struct str name(void)                                                                                   \
	{                                                                                                              \
		return (struct str){name##_begin, (size_t)(name##_end - name##_begin)};                                \
	}

#endif
