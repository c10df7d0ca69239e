/* tree.h - a JSON value as a tree, for the few who need all of it; records are never read that way.
 *
 *     if (json_scan(&s, text) == 0)
 *             const struct json_node *n = json_tree(text, &mem);
 */
#ifndef SENTI_JSON_TREE_H
#define SENTI_JSON_TREE_H

#include "lib/json/scan.h"

struct json_node {
	enum json_type type;
	struct str text; /* of a string what it means, of a number its spelling */
	struct str name; /* of a member of an object */
	struct json_node *first, *next;
	size_t n; /* items or members */
};

/* New in mem, in time linear in the text, which a scan has found valid and which is lent for the tree's life. */
struct json_node *json_tree(struct str text, struct arena *mem);
/* The last member of that name, or NULL. */
const struct json_node *json_tree_member(const struct json_node *object, struct str name);

#endif
