/* result.c - the only writer of results. */
#include "lib/json/write.h"
#include "lib/score/engine.h"

static void put_number(struct buf *b, struct str name, double v, const struct result *r, int digits)
{
	buf_str(b, name);
	if (r->exact)
		json_put_double(b, v);
	else
		json_put_fixed(b, v, digits);
}

static void put_why(struct buf *b, const struct why *why, struct str text)
{
	buf_str(b, STR(",\"why\":["));
	for (size_t i = 0; i < why->n; i++) {
		const struct reason *r = &why->reason[i];
		buf_str(b, i ? STR(",{\"at\":[") : STR("{\"at\":["));
		buf_u64(b, r->from);
		buf_char(b, ',');
		buf_u64(b, r->to);
		buf_str(b, STR("],\"word\":"));
		json_put_string(b, (struct str){text.p + r->from, r->to - r->from});
		buf_str(b, STR(",\"value\":"));
		json_put_double(b, json_round(r->value, 9)); /* drops the noise that summing leaves in the last bits */
		buf_str(b, STR(",\"rule\":"));
		json_put_string(b, str_of(r->rule));
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

void result_put(struct buf *b, const struct model *m, const struct result *r, const struct why *why, struct str text)
{
	buf_reserve(b, 256);
	buf_str(b, STR("{\"label\":\""));
	buf_str(b, str_of(label_name(r->label)));
	put_number(b, STR("\",\"score\":"), r->score, r, r->score_digits);
	if (r->has_shares) {
		put_number(b, STR(",\"neg\":"), r->neg, r, r->share_digits);
		put_number(b, STR(",\"neu\":"), r->neu, r, r->share_digits);
		put_number(b, STR(",\"pos\":"), r->pos, r, r->share_digits);
	}
	if (r->has_subjectivity)
		put_number(b, STR(",\"subjectivity\":"), r->subjectivity, r, r->share_digits);
	buf_str(b, STR(",\"model\":\""));
	buf_str(b, str_of(m->name));
	buf_char(b, '"');
	if (why)
		put_why(b, why, text);
	buf_char(b, '}');
}
