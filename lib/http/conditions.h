/* conditions.h - entity tags, and the headers that make a request depend on them (RFC 9110, sections 8.8.3 and
 * 13.1). */
#ifndef SENTI_CONDITIONS_H
#define SENTI_CONDITIONS_H

#include "lib/base/base.h"

/* Added inside the quotes of a tag when the content is sent compressed: other bytes need another strong tag. */
#define TAG_COMPRESSED "-gzip"

enum tag_comparison {
	TAG_STRONG, /* If-Match: a weak tag equals nothing */
	TAG_WEAK    /* If-None-Match */
};

/* True if the header's value names the entity with this tag (without its quotes), compressed or not. "*" names any. */
bool tag_in_list(struct str list, struct str tag, enum tag_comparison how);

#endif
