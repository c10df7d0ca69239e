/* audit.c - finds what makes a request ambiguous. */
#include "lib/http/audit.h"

#include <strings.h>

static void look_at_bytes(struct audit *a, const char *name, const char *value)
{
	const unsigned char *p = (const unsigned char *)name;
	a->bad_name |= !*name;
	for (; *p; p++)
		a->bad_name |= *p <= ' ' || *p >= 127;
	a->bytes += (size_t)((const char *)p - name);
	for (p = (const unsigned char *)value; p && *p; p++)
		a->bad_value |= (*p < ' ' && *p != '\t') || *p == 127;
	a->bytes += value ? (size_t)((const char *)p - value) : 0;
	a->lines++;
	/* libmicrohttpd 0.9.75 takes a line that continues a header for more of its name, so that "Content-Length: 5"
	 * would not be a length. It moves such a name after the values, where no other name stands. */
	a->folded |= value && (uintptr_t)value < (uintptr_t)name;
}

void audit_header(struct audit *a, const char *name, const char *value)
{
	look_at_bytes(a, name, value);
	switch (name[0] | 0x20) {
	case 'a':
		a->credentials += strcasecmp(name, "Authorization") == 0;
		break;
	case 'c':
		if (strcasecmp(name, "Content-Length") == 0) {
			a->lengths++;
			a->content_length = value;
		} else if (strcasecmp(name, "Content-Type") == 0) {
			a->content_type = value;
		} else if (strcasecmp(name, "Content-Encoding") == 0) {
			a->encodings++;
			a->content_encoding = value;
		}
		break;
	case 'h':
		if (strcasecmp(name, "Host") == 0) {
			a->hosts++;
			a->host = value;
		}
		break;
	case 'o':
		if (strcasecmp(name, "Origin") == 0)
			a->origin = value;
		break;
	case 's':
		if (strcasecmp(name, "Sec-Fetch-Site") == 0)
			a->fetch_site = value;
		break;
	case 't':
		if (strcasecmp(name, "Transfer-Encoding") == 0) {
			a->codings++;
			a->bad_coding |= !value || strcasecmp(value, "chunked") != 0;
		} else if (strcasecmp(name, "traceparent") == 0) {
			a->traceparent = value;
		}
		break;
	case 'x':
		if (strcasecmp(name, "X-Request-Id") == 0)
			a->request_id = value;
		else if (strcasecmp(name, "X-Forwarded-Proto") == 0)
			a->forwarded_proto = value;
		break;
	}
}

const char *audit_verdict(const struct audit *a, const char *target, bool http_1_0)
{
	for (const unsigned char *p = (const unsigned char *)target; *p; p++)
		if (*p <= ' ' || *p == 127)
			return "a blank or a control character in the path";
	return a->bad_name			 ? "a header's name is empty, or holds a blank or a control character"
	       : a->bad_value			 ? "a header's value holds a control character"
	       : a->folded			 ? "a header is continued on a second line"
	       : a->hosts == 0 && !http_1_0	 ? "no Host header"
	       : a->hosts > 1			 ? "two Host headers"
	       : a->credentials > 1		 ? "two Authorization headers"
	       : a->lengths > 1			 ? "two Content-Length headers"
	       : a->lengths && a->codings	 ? "Content-Length together with Transfer-Encoding"
	       : a->codings && http_1_0		 ? "Transfer-Encoding in HTTP/1.0"
	       : a->codings > 1 || a->bad_coding ? "a Transfer-Encoding other than chunked"
						 : NULL;
}
