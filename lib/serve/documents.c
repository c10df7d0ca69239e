/* documents.c - the folder of trusted documents: read, checked, looked up by hash. */
#include "lib/serve/documents.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>

#include "lib/base/io.h"
#include "lib/base/map.h"
#include "lib/base/utf8.h"
#include "lib/text/sha256.h"

enum { MOST_BYTES = 1 << 20, MOST_DOCUMENTS = 100000 };

struct document_set {
	struct arena mem;
	struct map by_hash; /* to the struct str of a text */
	size_t n;	    /* files */
};

struct documents {
	char *dir;
	document_check *check;
	void *arg;
	pthread_rwlock_t lock;
	struct document_set set;
};

void documents_hash(struct str text, char out[DOCUMENT_HASH])
{
	static const char digit[] = "0123456789abcdef";
	unsigned char sum[SHA256_BYTES];
	struct sha256 s;
	sha256_init(&s);
	sha256_add(&s, text.p, text.n);
	sha256_end(&s, sum);
	for (size_t i = 0; i < SHA256_BYTES; i++) {
		out[2 * i] = digit[sum[i] >> 4];
		out[2 * i + 1] = digit[sum[i] & 15];
	}
}

static void add(struct document_set *set, struct str hashed, struct str *text)
{
	char *hash = arena_alloc(&set->mem, DOCUMENT_HASH);
	documents_hash(hashed, hash);
	map_put(&set->by_hash, (struct str){hash, DOCUMENT_HASH}, NULL)->v.ptr = text;
}

static int read_one(struct documents *d, struct document_set *set, const char *path, struct err *e)
{
	struct buf content = {0};
	struct err why;
	int rc = io_read_file(path, MOST_BYTES, &content, e);
	struct str *text = arena_alloc(&set->mem, sizeof *text);
	*text = arena_str(&set->mem, buf_view(&content));
	buf_free(&content);
	if (rc < 0)
		return -1;
	if (set->n++ == MOST_DOCUMENTS)
		return err_set(e, ERR_USAGE, "'%s' has more than %d documents", d->dir, MOST_DOCUMENTS);
	if (utf8_valid_prefix(*text) < text->n)
		return err_set(e, ERR_USAGE, "'%s' is not UTF-8", path);
	if (d->check(*text, d->arg, &why) < 0)
		return err_set(e, ERR_USAGE, "'%s': %s", path, why.msg);
	add(set, *text, text);
	if (text->n && text->p[text->n - 1] == '\n')
		add(set, (struct str){text->p, text->n - 1}, text);
	return 0;
}

static void set_free(struct document_set *set)
{
	map_free(&set->by_hash);
	arena_free(&set->mem);
}

static bool is_document(const char *name)
{
	static const char end[] = ".graphql";
	size_t n = strlen(name);
	return n > sizeof end - 1 && strcmp(name + n - (sizeof end - 1), end) == 0;
}

static int read_all(struct documents *d, struct document_set *set, struct err *e)
{
	DIR *dir = opendir(d->dir);
	struct buf path = {0};
	int rc = 0;
	if (!dir)
		return err_sys(e, "cannot open '%s'", d->dir);
	for (const struct dirent *at; rc == 0 && (at = readdir(dir));) {
		if (!is_document(at->d_name))
			continue;
		buf_clear(&path);
		buf_printf(&path, "%s/%s", d->dir, at->d_name);
		buf_char(&path, 0);
		rc = read_one(d, set, path.p, e);
	}
	closedir(dir);
	buf_free(&path);
	return rc;
}

int documents_reload(struct documents *d, struct err *e)
{
	struct document_set fresh = {0};
	int rc = read_all(d, &fresh, e);
	if (rc == 0) {
		pthread_rwlock_wrlock(&d->lock);
		struct document_set old = d->set;
		d->set = fresh;
		pthread_rwlock_unlock(&d->lock);
		fresh = old;
	}
	set_free(&fresh);
	return rc;
}

struct documents *documents_open(const char *dir, document_check *check, void *arg, struct err *e)
{
	struct documents *d = xcalloc(1, sizeof *d);
	d->dir = xstrdup(dir);
	d->check = check;
	d->arg = arg;
	pthread_rwlock_init(&d->lock, NULL);
	if (documents_reload(d, e) == 0)
		return d;
	documents_free(d);
	return NULL;
}

void documents_free(struct documents *d)
{
	if (!d)
		return;
	set_free(&d->set);
	pthread_rwlock_destroy(&d->lock);
	free(d->dir);
	free(d);
}

size_t documents_count(struct documents *d)
{
	pthread_rwlock_rdlock(&d->lock);
	size_t n = d->set.n;
	pthread_rwlock_unlock(&d->lock);
	return n;
}

struct str documents_find(struct documents *d, struct str hash, struct arena *mem)
{
	struct str found = STR_NONE;
	pthread_rwlock_rdlock(&d->lock);
	const struct map_slot *slot = map_get(&d->set.by_hash, hash);
	if (slot)
		found = arena_str(mem, *(const struct str *)slot->v.ptr);
	pthread_rwlock_unlock(&d->lock);
	return found;
}
