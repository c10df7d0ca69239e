/* lex.h - the tokens of a GraphQL document (October 2021, section 2.1).
 *
 *     struct gql_lexer l;
 *     gql_lex_start(&l, text, &arena);
 *     while (gql_lex(&l) == 0 && l.token.kind != GQL_END)
 *             ... l.token ...
 *
 * The document is UTF-8; a token is a slice of it, and the value of a string is new in the arena only where it
 * differs from its spelling. Comments, commas, blanks, line ends and byte-order marks are passed over. What a
 * character may be follows graphql-js 16: any Unicode scalar value.
 */
#ifndef SENTI_GQL_LEX_H
#define SENTI_GQL_LEX_H

#include "lib/base/arena.h"

enum gql_token_kind {
	GQL_START, /* before the first */
	GQL_END,
	GQL_BANG,
	GQL_DOLLAR,
	GQL_AMP,
	GQL_PAREN_OPEN,
	GQL_PAREN_CLOSE,
	GQL_SPREAD,
	GQL_COLON,
	GQL_EQUALS,
	GQL_AT,
	GQL_BRACKET_OPEN,
	GQL_BRACKET_CLOSE,
	GQL_BRACE_OPEN,
	GQL_PIPE,
	GQL_BRACE_CLOSE,
	GQL_NAME,
	GQL_INT,
	GQL_FLOAT,
	GQL_STRING,
	GQL_BLOCK_STRING
};

struct gql_token {
	enum gql_token_kind kind;
	uint32_t at, end; /* bytes of the document */
	struct str value; /* of a name or number its spelling, of a string what it means */
};

struct gql_lexer {
	struct str text;
	struct arena *mem; /* lent */
	struct gql_token token;
	size_t count; /* tokens read so far, the end not counted */
	/* Once gql_lex has failed. */
	uint32_t error_at;
	struct str error; /* in mem: "Unterminated string." */
};

/* text is lent as long as the tokens are used. It must be valid UTF-8 of less than 4 GiB. */
void gql_lex_start(struct gql_lexer *l, struct str text, struct arena *mem);
/* Reads the next token into l->token: 0, or -1 with l->error. */
MUST_USE int gql_lex(struct gql_lexer *l);
/* How a token reads in a message: `Name "a"`, `"{"`, `<EOF>`. */
struct str gql_token_show(const struct gql_token *t, struct arena *mem);
const char *gql_token_name(enum gql_token_kind kind);

/* A place as graphql-js counts it: lines end in \n, \r or \r\n, columns are UTF-16 units; both count from 1. */
struct gql_place {
	uint32_t line, column;
};
struct gql_place gql_place_of(struct str text, uint32_t at);
/* Moves a place on from one offset to another one after it. */
void gql_place_move(struct gql_place *place, struct str text, uint32_t from, uint32_t to);

#endif
