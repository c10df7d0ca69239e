/* graphql_documents.c - what lib/graphql makes of documents, for the comparison with graphql-js:
 *
 *     graphql_documents SCHEMA DATA <questions >answers
 *
 * A question is a line {"query":...,"variables":{...}}, and so is its answer, of one of the forms that
 * graphql_documents.mjs writes.
 * Fields are resolved from the JSON of DATA by their names; a string that begins with ERR is a failure. Without limits.
 */
#include <jansson.h>

#include "lib/graphql/introspect.h"

static struct gql_schema *schema;

static struct gql_out shown(json_t *v, struct gql_call *call)
{
	if (!v || json_is_null(v))
		return (struct gql_out){.kind = GQL_OUT_NULL};
	if (json_is_string(v) && strncmp(json_string_value(v), "ERR", 3) == 0)
		return gql_failure(str_of(json_string_value(v)), NULL);
	if (json_is_string(v))
		return gql_text(str_of(json_string_value(v)));
	if (json_is_integer(v))
		return gql_integer(json_integer_value(v));
	if (json_is_real(v))
		return gql_number(json_real_value(v));
	if (json_is_boolean(v))
		return gql_truth(json_is_true(v));
	if (json_is_array(v)) {
		struct gql_out list = gql_list(call, json_array_size(v));
		for (size_t i = 0; i < list.n; i++)
			list.item[i] = shown(json_array_get(v, i), call);
		return list;
	}
	struct gql_out object = gql_object(v);
	const char *type = json_string_value(json_object_get(v, "__typename"));
	object.type = type ? gql_type_find(schema, str_of(type)) : NULL;
	return object;
}

static void resolve(struct gql_call *call, size_t n, void *app)
{
	(void)app;
	for (size_t i = 0; i < n; i++)
		call[i].out =
		    shown(json_object_getn(call[i].parent, call[i].field->name.p, call[i].field->name.n), &call[i]);
}

/* "3:7 4:1" */
static void put_places(struct buf *b, const struct gql_error *e, struct str text)
{
	for (size_t i = 0; i < e->nat; i++) {
		struct gql_place p = gql_place_of(text, e->at[i]);
		buf_printf(b, "%s%u:%u", i ? " " : "", p.line, p.column);
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Prints the lines, which it takes, as a sorted JSON array. */
static void print_sorted(char **line, size_t n)
{
	qsort(line, n, sizeof *line, by_text);
	putchar('[');
	for (size_t i = 0; i < n; i++) {
		printf("%s\"%s\"", i ? "," : "", line[i]);
		free(line[i]);
	}
	putchar(']');
}

static void put_path(struct buf *b, struct str path)
{
	json_t *list = path.p ? json_loadb(path.p, path.n, 0, NULL) : NULL;
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *step = json_array_get(list, i);
		if (json_is_string(step))
			buf_printf(b, "%s%s", i ? "." : "", json_string_value(step));
		else
			buf_printf(b, "%s%lld", i ? "." : "", (long long)json_integer_value(step));
	}
	json_decref(list);
}

/* An error as "RULE PLACES" if it has a rule, else "PATH PLACES". */
static void print_errors(const struct gql_errors *errors, struct str text)
{
	char **line = xcalloc(errors->n + 2, sizeof *line);
	size_t n = 0;
	for (const struct gql_error *e = errors->first; e; e = e->next) {
		struct buf b = {0};
		if (e->rule)
			buf_str(&b, str_of(e->rule));
		else
			put_path(&b, e->path);
		buf_char(&b, ' ');
		put_places(&b, e, text);
		line[n++] = str_dup(buf_view(&b));
		buf_free(&b);
	}
	print_sorted(line, n);
	free(line);
}

static void print_run(struct gql_request *q, json_t *data, struct str text)
{
	struct buf out = {0};
	gql_request_run(q, data, NULL, &out);
	const char *at = memmem(out.p, out.n, "\"data\":", 7); /* no message of these errors holds it */
	printf("{\"errors\":");
	print_errors(&q->errors, text);
	printf(",%.*s", (int)(out.p + out.n - at), at);
	buf_free(&out);
}

static size_t count_operations(const struct gql_document *d, bool *queries)
{
	size_t n = 0;
	*queries = true;
	for (const struct gql_node *def = d->definitions; def; def = def->next)
		if (def->kind == GQL_OPERATION) {
			n++;
			*queries &= def->operation == GQL_QUERY;
		}
	return n;
}

static void answer(struct str text, struct str variables, json_t *data)
{
	struct gql_request q;
	bool queries;
	gql_request_init(&q, schema, text, &(struct gql_limits){0});
	bool good = gql_request_prepare(&q, STR_NONE, variables);
	const struct gql_error *e = q.errors.first;
	if (!good && e->code && strcmp(e->code, "GRAPHQL_PARSE_FAILED") == 0) {
		struct gql_place p = gql_place_of(text, e->at[0]);
		printf("{\"syntax\":\"%u:%u\"}\n", p.line, p.column);
	} else if (!good && e->code && strcmp(e->code, "GRAPHQL_VALIDATION_FAILED") == 0) {
		printf("{\"wrong\":");
		print_errors(&q.errors, text);
		puts("}");
	} else if (count_operations(&q.document->doc, &queries) != 1 || !queries) {
		puts("{\"valid\":true}");
	} else if (!good) {
		printf("{\"refused\":");
		print_errors(&q.errors, text);
		puts("}");
	} else {
		print_run(&q, data, text);
	}
	gql_request_free(&q);
}

static struct str read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = xmalloc(1 << 20);
	size_t n = f ? fread(text, 1, 1 << 20, f) : 0;
	if (f)
		fclose(f);
	return (struct str){text, n};
}

int main(int argc, char **argv)
{
	struct err e;
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	if (argc != 3)
		return 2;
	struct str sdl = read_file(argv[1]);
	json_t *data = json_load_file(argv[2], 0, NULL);
	schema = gql_schema_new(sdl, &e);
	if (!schema || !data) {
		fprintf(stderr, "%s\n", schema ? "the data is not JSON" : e.msg);
		return 3;
	}
	gql_introspection_bind(schema);
	for (size_t i = 0; i < schema->ntypes; i++)
		for (size_t k = 0; k < schema->types[i]->nfields; k++)
			if (!schema->types[i]->fields[k].resolve)
				schema->types[i]->fields[k].resolve = resolve;
	while ((n = getline(&line, &cap, stdin)) > 0) {
		json_t *question = json_loadb(line, (size_t)n, JSON_ALLOW_NUL, NULL);
		json_t *query = json_object_get(question, "query");
		char *variables = json_dumps(json_object_get(question, "variables"), 0);
		answer((struct str){json_string_value(query), json_string_length(query)}, str_of(variables), data);
		free(variables);
		json_decref(question);
	}
	free(line);
	json_decref(data);
	gql_schema_free(schema);
	free((char *)(uintptr_t)sdl.p);
	return 0;
}
