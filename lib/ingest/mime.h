/* mime.h - what a message of mail says, by GMime, which is loaded when it is first needed.
 *
 * Work is bounded by the message's length: GMime follows nested parts to a depth of 1024.
 */
#ifndef SENTI_MIME_H
#define SENTI_MIME_H

#include "lib/base/err.h"

struct mime;

/* Headers are decoded (RFC 2047) and unfolded, each the first of its name; p is NULL if absent. */
struct mail {
	struct str from, to, subject, date, id;
	/* The first part of plain text that is not an attachment and not blank; else the first such part of HTML, as it
	 * is; else a blank one. Decoded, in UTF-8 if its charset, UTF-8 or windows-1252 fits, with LF at the end of
	 * lines and none at its own end. p is NULL if no part is text. */
	struct str text;
	const char *type; /* of that part: text/plain or text/html */
};

/* New; NULL with *e (ERR_ENV) if GMime is not installed. */
struct mime *mime_new(struct err *e);
/* Reads a message: false if it is none. *out is lent until the next call. */
bool mime_read(struct mime *m, struct str message, struct mail *out);
void mime_free(struct mime *m);

#endif
