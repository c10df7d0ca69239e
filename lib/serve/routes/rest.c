/* rest.c - what the REST routes share. */
#include "lib/serve/routes/rest.h"

#include "lib/base/clock.h"
#include "lib/http/conditions.h"
#include "lib/http/query.h"

void rest_unsupported(struct request *r)
{
	request_set(r, "Accept-Post", "%s, %s", MEDIA_JSON, MEDIA_NDJSON);
	request_problem(r, 415, "unsupported_media_type", "send records as %s or %s, not as '%s'", MEDIA_JSON,
	    MEDIA_NDJSON, r->media);
}

unsigned rest_status_of(const char *code)
{
	if (strcmp(code, CODE_TOO_LONG) == 0)
		return 413;
	return strcmp(code, CODE_BAD_JSON) == 0 || strcmp(code, CODE_BAD_UTF8) == 0 ? 400 : 422;
}

void rest_problem(struct request *r, const struct rec *rec)
{
	request_problem(r, rest_status_of(rec->code), rec->code, "%.*s", STR_FMT(rec->why));
}

bool rest_query_bool(struct request *r, const char *name, bool *out)
{
	struct str v = request_query(r, name);
	if (!v.p)
		return true;
	*out = v.n == 0 || str_eq(v, STR("true")) || str_eq(v, STR("1"));
	if (*out || str_eq(v, STR("false")) || str_eq(v, STR("0")))
		return true;
	request_problem(r, 400, "bad_query", "%s is true or false, not '%.*s'", name, STR_FMT(v));
	return false;
}

static bool query_time(struct request *r, const char *name, bool *has, int64_t *ms)
{
	struct str v = request_query(r, name);
	*has = v.p != NULL;
	if (!v.p || time_parse(v, ms) == 0)
		return true;
	request_problem(r, 400, "bad_query", "%s is a time such as 2026-01-31T12:00:00Z, not '%.*s'", name, STR_FMT(v));
	return false;
}

bool rest_query_number(struct request *r, const char *name, uint64_t least, uint64_t most, uint64_t *out)
{
	struct str v = request_query(r, name);
	if (!v.p || (str_u64(v, out) == 0 && *out >= least && *out <= most))
		return true;
	request_problem(r, 400, "bad_query", "%s is a number from %llu to %llu, not '%.*s'", name,
	    (unsigned long long)least, (unsigned long long)most, STR_FMT(v));
	return false;
}

static bool query_score(struct request *r, const char *name, bool *has, double *score)
{
	struct str v = request_query(r, name);
	*has = v.p != NULL;
	if (!v.p || filter_read_score(v, score))
		return true;
	request_problem(r, 400, "bad_query", "%s is a score from -1 to 1, not '%.*s'", name, STR_FMT(v));
	return false;
}

/* Absent: neither of them restricts. */
static bool query_either(struct request *r, const char *name, bool *yes, bool *no)
{
	bool value = false;
	if (!rest_query_bool(r, name, &value))
		return false;
	*yes = value;
	*no = !value && request_query(r, name).p;
	return true;
}

static bool query_members(struct request *r, struct rest_filter *f)
{
	for (const struct param *p = request_queries(r); p; p = p->next) {
		if (!str_eq(p->name, STR("where")))
			continue;
		if (f->filter.nwhere == FILTER_MEMBERS) {
			request_problem(
			    r, 400, "bad_query", "there are at most %d members to look for", FILTER_MEMBERS);
			return false;
		}
		if (!filter_read_member(p->value, &f->where[f->filter.nwhere++])) {
			request_problem(r, 400, "bad_query", "where is a member and its value, NAME=VALUE, not '%.*s'",
			    STR_FMT(p->value));
			return false;
		}
	}
	f->filter.where = f->where;
	return true;
}

bool rest_query_filter(struct request *r, struct rest_filter *to)
{
	enum label known;
	struct filter *f = &to->filter;
	f->label = request_query(r, "label");
	f->source = request_query(r, "source");
	f->model = request_query(r, "model");
	f->text = request_query(r, "q");
	if (!f->text.n)
		f->text = STR_NONE;
	if (f->label.p && label_parse(f->label, &known) < 0) {
		request_problem(
		    r, 400, "bad_query", "label is positive, neutral or negative, not '%.*s'", STR_FMT(f->label));
		return false;
	}
	return query_time(r, "since", &f->has_since, &f->since) && query_time(r, "until", &f->has_until, &f->until) &&
	       query_score(r, "score_min", &f->has_least, &f->least) &&
	       query_score(r, "score_max", &f->has_most, &f->most) &&
	       query_either(r, "unscored", &f->unscored, &f->scored) &&
	       query_either(r, "corrected", &f->corrected, &f->not_corrected) && query_members(r, to);
}

void rest_put_query(struct buf *out, struct request *r, const char *name)
{
	struct str v = request_query(r, name);
	if (!v.p)
		return;
	buf_printf(out, "&%s=", name);
	percent_encode(out, v);
}

void rest_put_filter(struct buf *out, struct request *r)
{
	static const char *const name[] = {
	    "label", "source", "model", "since", "until", "q", "score_min", "score_max", "unscored", "corrected"};
	for (size_t i = 0; i < COUNT_OF(name); i++)
		rest_put_query(out, r, name[i]);
	for (const struct param *p = request_queries(r); p; p = p->next)
		if (str_eq(p->name, STR("where"))) {
			buf_str(out, STR("&where="));
			percent_encode(out, p->value);
		}
}

void rest_put_path(struct buf *out, struct str id)
{
	buf_str(out, STR("/v1/messages/"));
	percent_encode(out, id);
}

void rest_set_tag(struct request *r, uint64_t version)
{
	request_set(r, "ETag", "\"%llu\"", (unsigned long long)version);
}

bool rest_is_conditional(const struct request *r)
{
	return request_header(r, "If-Match") || request_header(r, "If-None-Match");
}

void rest_changed(struct request *r, uint64_t version)
{
	rest_set_tag(r, version);
	request_problem(r, 412, "changed", "the message's version is %llu now", (unsigned long long)version);
}

bool rest_condition(struct request *r, uint64_t version)
{
	struct str match = request_header_list(r, "If-Match"), none = request_header_list(r, "If-None-Match");
	bool reads = *r->method == 'G' || *r->method == 'H';
	char tag[24];
	snprintf(tag, sizeof tag, "%llu", (unsigned long long)version);
	bool failed = match.p && !tag_in_list(match, str_of(tag), TAG_STRONG);
	bool same = none.p && tag_in_list(none, str_of(tag), TAG_WEAK);
	if (failed || (same && !reads)) {
		rest_changed(r, version);
	} else if (same) {
		rest_set_tag(r, version);
		request_answer(r, 304, NULL);
	}
	return !failed && !same;
}
