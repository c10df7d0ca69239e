/* redact.h - addresses without their secrets: whatever shows an argument or a setting of a user's goes through here.
 *
 * err_set and err_sys do it by themselves for what stands in single quotes, and the log for values with "://", so that
 * a message that names a file need not know whether an address was given in its place.
 */
#ifndef SENTI_REDACT_H
#define SENTI_REDACT_H

#include "lib/base/base.h"

/* New: the address with *** in place of the password and of each argument whose name says that it is a secret. Takes
 * whatever a user may have typed: of any scheme or none, with or without slashes, what url_parse refuses, and libpq's
 * "host=h password=x". Anything else stays as it is. */
char *redact(const char *s);
/* New: the message with each word that stands in single quotes redacted. */
char *redact_quoted(const char *message);

struct redacted {
	char text[256];
};
/* The same as redact, cut to the room; returns room->text. */
const char *redact_into(struct redacted *room, const char *s);
/* For an argument of printf; the text lives as long as the block around it. */
#define REDACTED(s) redact_into(&(struct redacted){{0}}, s)

#endif
