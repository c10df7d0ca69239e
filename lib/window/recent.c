/* recent.c - a ring of ids, and a table of their places with linear probing at a load of at most a half. */
#include "lib/window/recent.h"

#include "lib/text/sha256.h"

struct recent_id recent_of(struct str id)
{
	unsigned char digest[SHA256_BYTES];
	struct recent_id out;
	struct sha256 s;
	sha256_init(&s);
	sha256_add(&s, id.p, id.n);
	sha256_end(&s, digest);
	memcpy(out.part, digest, sizeof out.part);
	return out;
}

static bool same(const struct recent *r, uint32_t slot, struct recent_id id)
{
	return r->id[slot - 1][0] == id.part[0] && r->id[slot - 1][1] == id.part[1];
}

/* Where it is, or the empty place where it would be. */
static size_t place(const struct recent *r, struct recent_id id)
{
	size_t i = (size_t)id.part[0] & (r->slots - 1);
	while (r->slot[i] && !same(r, r->slot[i], id))
		i = (i + 1) & (r->slots - 1);
	return i;
}

bool recent_has(const struct recent *r, struct recent_id id)
{
	return r->n && r->slot[place(r, id)];
}

static struct recent_id id_at(const struct recent *r, size_t i)
{
	return (struct recent_id){{r->id[i][0], r->id[i][1]}};
}

static void grow(struct recent *r)
{
	r->cap = r->cap ? 2 * r->cap : 256;
	r->cap = r->cap < r->most ? r->cap : r->most;
	r->id = xreallocarray(r->id, r->cap, sizeof *r->id);
	if (2 * r->cap <= r->slots)
		return;
	while (r->slots < 2 * r->cap)
		r->slots = r->slots ? 2 * r->slots : 512;
	free(r->slot);
	r->slot = xcalloc(r->slots, sizeof *r->slot);
	for (size_t i = 0; i < r->n; i++)
		r->slot[place(r, id_at(r, i))] = (uint32_t)i + 1;
}

/* Empties a place; what follows in the same run moves up unless its probe begins after it. */
static void forget(struct recent *r, struct recent_id id)
{
	size_t mask = r->slots - 1, gap = place(r, id);
	for (size_t i = (gap + 1) & mask; r->slot[i]; i = (i + 1) & mask) {
		size_t wanted = (size_t)r->id[r->slot[i] - 1][0] & mask;
		if (((i - wanted) & mask) < ((i - gap) & mask))
			continue;
		r->slot[gap] = r->slot[i];
		gap = i;
	}
	r->slot[gap] = 0;
}

void recent_add(struct recent *r, struct recent_id id)
{
	if (!r->most)
		return;
	size_t at = r->n;
	if (r->n == r->most) {
		at = r->next;
		r->next = (r->next + 1) % r->most;
		forget(r, id_at(r, at));
	} else {
		if (r->n == r->cap)
			grow(r);
		r->n++;
	}
	r->id[at][0] = id.part[0];
	r->id[at][1] = id.part[1];
	r->slot[place(r, id)] = (uint32_t)at + 1;
}

struct recent_id recent_at(const struct recent *r, size_t i)
{
	return id_at(r, (r->next + i) % r->n);
}

size_t recent_bytes(const struct recent *r)
{
	return r->cap * sizeof *r->id + r->slots * sizeof *r->slot;
}

void recent_free(struct recent *r)
{
	free(r->id);
	free(r->slot);
	*r = (struct recent){.most = r->most};
}
