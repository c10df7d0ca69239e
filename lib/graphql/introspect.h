/* introspect.h - a schema as its own data: who answers for __schema, __type and all below (October 2021, section 4). */
#ifndef SENTI_GQL_INTROSPECT_H
#define SENTI_GQL_INTROSPECT_H

#include "lib/graphql/execute.h"

/* Binds the resolvers of introspection. To be called once, before the schema is used by more than one thread. */
void gql_introspection_bind(struct gql_schema *s);

#endif
