/* but.c - the rule for "but" without its quadratic cost.
 *
 * At step k the package looks up the first index whose current value equals value k. Indices above k are still
 * unchanged, so the answer is at most k. For each distinct value we keep the indices up to k that currently hold it in
 * a pairing heap whose root is the smallest, and find the heap through a hash table. Changing a value moves one index
 * from one heap to another.
 */
#include "lib/score/but.h"

#include "lib/base/map.h"

enum { FEW = 24, NONE = UINT32_MAX };

struct but_node {
	uint32_t child, next; /* of a pairing heap; an index is its own key */
	uint32_t root;	      /* as an entry of the hash table: the heap of the value... */
	uint64_t bits;	      /* ...with these bits */
};

void but_grow(struct but_values *b)
{
	b->cap = b->cap ? b->cap * 2 : 64;
	b->value = xreallocarray(b->value, b->cap, sizeof *b->value);
}

void but_copy(struct but_values *to, const struct but_values *from)
{
	*to = (struct but_values){.n = from->n, .cap = from->n};
	to->value = xreallocarray(NULL, from->n, sizeof *to->value);
	if (from->n)
		memcpy(to->value, from->value, from->n * sizeof *to->value);
}

void but_free(struct but_values *b)
{
	free(b->value);
	free(b->node);
	free(b->slot);
	*b = (struct but_values){0};
}

/* The changed value. A value at "but" itself (which a user's lexicon may give it) does not change. */
static double shifted(double v, size_t token, size_t but)
{
	return token < but ? v * 0.5 : token > but ? v * 1.5 : v;
}

static void shift_few(struct but_values *b, size_t but)
{
	for (size_t k = 0; k < b->n; k++) {
		size_t i = 0;
		while (b->value[i].v != b->value[k].v)
			i++;
		b->value[i].v = shifted(b->value[k].v, b->value[i].token, but);
	}
}

static uint32_t meld(struct but_node *node, uint32_t a, uint32_t b)
{
	if (a == NONE || b == NONE)
		return a == NONE ? b : a;
	uint32_t low = a < b ? a : b, high = a < b ? b : a;
	node[high].next = node[low].child;
	node[low].child = high;
	return low;
}

/* Removes the root: its children are melded in pairs, then from the back. */
static uint32_t pop(struct but_node *node, uint32_t root)
{
	uint32_t pairs = NONE, rest = node[root].child, heap = NONE;
	while (rest != NONE) {
		uint32_t a = rest, b = node[a].next;
		rest = b == NONE ? NONE : node[b].next;
		node[a].next = NONE;
		if (b != NONE)
			node[b].next = NONE;
		uint32_t m = meld(node, a, b);
		node[m].next = pairs;
		pairs = m;
	}
	while (pairs != NONE) {
		uint32_t next = node[pairs].next;
		node[pairs].next = NONE;
		heap = meld(node, heap, pairs);
		pairs = next;
	}
	return heap;
}

static uint64_t bits_of(double v)
{
	uint64_t bits;
	memcpy(&bits, &v, sizeof bits);
	return bits;
}

/* Returns the table's entry for a value, adding an empty one if missing. Entries are never removed; there are at most
 * two per value. */
static struct but_node *heap_of(struct but_values *b, size_t *used, double v)
{
	uint64_t bits = bits_of(v);
	size_t i = hash_bytes((struct str){(const char *)&bits, sizeof bits});
	for (;; i++) {
		uint32_t *slot = &b->slot[i % b->slots];
		if (*slot == NONE) {
			*slot = (uint32_t)(*used)++;
			b->node[*slot].bits = bits;
			b->node[*slot].root = NONE;
		}
		if (b->node[*slot].bits == bits)
			return &b->node[*slot];
	}
}

static void push(struct but_values *b, struct but_node *heap, uint32_t i)
{
	b->node[i].child = b->node[i].next = NONE;
	heap->root = meld(b->node, heap->root, i);
}

void but_shift(struct but_values *b, size_t but)
{
	if (b->n <= FEW) {
		shift_few(b, but);
		return;
	}
	size_t need = 2 * b->n, used = 0;
	if (b->nodes < need) {
		b->nodes = need;
		b->node = xreallocarray(b->node, need, sizeof *b->node);
	}
	if (b->slots < 2 * need) {
		b->slots = 4 * b->n;
		b->slot = xreallocarray(b->slot, b->slots, sizeof *b->slot);
	}
	memset(b->slot, 0xff, b->slots * sizeof *b->slot);
	for (size_t k = 0; k < b->n; k++) {
		double v = b->value[k].v;
		struct but_node *heap = heap_of(b, &used, v);
		push(b, heap, (uint32_t)k);
		uint32_t i = heap->root;
		double now = shifted(v, b->value[i].token, but);
		if (now == v)
			continue;
		heap->root = pop(b->node, i);
		b->value[i].v = now;
		if (now != 0)
			push(b, heap_of(b, &used, now), i);
	}
}
