/* problem.c - problem details. */
#include "lib/http/problem.h"

#include "lib/base/visible.h"

void problem_put(struct buf *out, const struct problem *p)
{
	buf_printf(out, "{\"type\":\"urn:%s:problem:%s\",\"title\":\"%s\",\"status\":%u,\"detail\":", p->vendor,
	    p->kind, p->title, p->status);
	buf_char(out, '"');
	visible_put(out, p->detail, VISIBLE_JSON);
	buf_printf(out, "\",\"instance\":\"urn:%s:request:%s\"}\n", p->vendor, p->request_id);
}

void problem_add_member(struct buf *out, const char *name, struct str json)
{
	out->n -= sizeof "}\n" - 1;
	buf_printf(out, ",\"%s\":", name);
	buf_str(out, json);
	buf_str(out, STR("}\n"));
}
