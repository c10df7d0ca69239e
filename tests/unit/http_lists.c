/* Header values that are lists, with quoted strings, weights and blanks in all places. */
#include "lib/http/lists.h"

#include "lib/base/buf.h"
#include "tests/unit/tap.h"

/* Items between bars, their parameters in parentheses. */
static void is_list(const char *list, const char *want)
{
	struct str rest = str_of(list), name, value;
	struct list_item item;
	struct buf got = {0};
	while (list_next(&rest, &item)) {
		buf_printf(&got, "|%.*s", STR_FMT(item.value));
		while (list_param(&item.params, &name, &value))
			buf_printf(&got, "(%.*s:%.*s)", STR_FMT(name), STR_FMT(value));
	}
	is_str(got.n ? buf_view(&got) : STR(""), str_of(want), "[%s]", list);
	buf_free(&got);
}

static const struct {
	const char *list, *name;
	int weight;
} weights[] = {
    {"gzip", "gzip", 1000},
    {"GZIP", "gzip", 1000},
    {"br, gzip;q=0.5", "gzip", 500},
    {"br;q=0.1,gzip ; Q=0.25 , *", "gzip", 250},
    {"gzip;q=0", "gzip", 0},
    {"gzip;q=0.000", "gzip", 0},
    {"gzip;q=0.001", "gzip", 1},
    {"gzip;q=1.000", "gzip", 1000},
    {"gzip;q=7", "gzip", 1000},
    {"gzip;q=", "gzip", 0},
    {"gzip;q=high", "gzip", 0},
    {"gzip;q=05", "gzip", 0},
    {"gzip;level=\"q=0\"", "gzip", 1000},
    {"gzip;seq=0", "gzip", 1000},
    {"xgzip, gzipx, x-gzip", "gzip", -1},
    {"note=\", gzip\"", "gzip", -1},
    {"*", "gzip", 1000},
    {"*;q=0", "gzip", 0},
    {"*;q=0, gzip", "gzip", 1000},
    {"gzip;q=0, *", "gzip", 0},
    {"", "gzip", -1},
};

static const struct {
	const char *list, *name, *value; /* NULL: absent */
} preferences[] = {
    {"wait=5", "wait", "5"},
    {"respond-async, wait=5", "wait", "5"},
    {"respond-async, wait=5", "respond-async", ""},
    {"WAIT = \"5\" ; foo", "wait", "5"},
    {"wait=1, wait=2", "wait", "1"},
    {"note=\"a, wait=9\", wait=3", "wait", "3"},
    {"note=\"\\\", wait=9\", wait=3", "wait", "3"},
    {"note=\"wait=9", "wait", NULL},
    {"waits=5, await=5", "wait", NULL},
    {"wait", "wait", ""},
    {"wait=", "wait", ""},
    {"", "wait", NULL},
};

int main(void)
{
	is_list("", "");
	is_list(" , ,\t,", "");
	is_list("a", "|a");
	is_list("a,b , c", "|a|b|c");
	is_list("a;x=1;y=2, b", "|a(x:1)(y:2)|b");
	is_list("a ; x = 1 ;; y", "|a(x:1)(y:)");
	is_list("a;x=\"1,2;3\", b", "|a(x:1,2;3)|b");
	is_list("a;x=\"\\\",\", b", "|a(x:\\\",)|b");
	is_list("a;x=\"open, b", "|a(x:\"open, b)");
	is_list("a;x=\"ends\\", "|a(x:\"ends\\)");
	for (size_t i = 0; i < COUNT_OF(weights); i++) {
		int got = list_weight(str_of(weights[i].list), weights[i].name);
		ok(got == weights[i].weight, "[%s] gives %s %d, not %d", weights[i].list, weights[i].name,
		    weights[i].weight, got);
	}
	for (size_t i = 0; i < COUNT_OF(preferences); i++)
		is_str(list_preference(str_of(preferences[i].list), preferences[i].name),
		    preferences[i].value ? str_of(preferences[i].value) : STR_NONE, "[%s] %s", preferences[i].list,
		    preferences[i].name);
	ok(list_weight(STR_NONE, "gzip") == -1, "an absent header names nothing");
	return tap_done();
}
