/* place.c - a place in a file that is followed, as a state file keeps it. */
#include "lib/ingest/place.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/base/statx.h"
#include "lib/json/write.h"

size_t place_birth(int fd, char out[PLACE_BIRTH])
{
	struct statx x = {0};
	if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &x) < 0 || !(x.stx_mask & STATX_BTIME))
		x.stx_btime = (struct statx_timestamp){0};
	return (size_t)snprintf(out, PLACE_BIRTH, "%lld.%u", (long long)x.stx_btime.tv_sec, x.stx_btime.tv_nsec);
}

bool place_made(const char *birth, int64_t *ns)
{
	long long seconds;
	unsigned rest;
	if (sscanf(birth, "%lld.%u", &seconds, &rest) != 2 || (!seconds && !rest))
		return false;
	*ns = seconds * INT64_C(1000000000) + rest;
	return true;
}

static void hash_head(struct str head, char out[HASH_HEX + 1])
{
	hash_list_xxh3(&head, 1, out);
	out[HASH_HEX] = 0;
}

bool place_holds(int fd, const struct file_place *p, bool *truncated)
{
	struct stat st;
	char birth[PLACE_BIRTH], head[PLACE_HEAD], hash[HASH_HEX + 1];
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_ino != p->inode)
		return false;
	place_birth(fd, birth);
	if (strcmp(birth, p->birth) != 0)
		return false;
	ssize_t n = pread(fd, head, p->head, 0);
	hash_head((struct str){head, n < 0 ? 0 : (size_t)n}, hash);
	*truncated = (uint64_t)st.st_size < p->offset || (p->head && strcmp(hash, p->head_hash) != 0);
	return true;
}

void place_of_head(struct file_place *p, int fd, struct str head)
{
	p->head = head.n;
	hash_head(head, p->head_hash);
	place_birth(fd, p->birth);
	memset(p->life, '0', HASH_HEX);
}

char *place_find(const char *path, const struct file_place *p)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? str_dup((struct str){path, (size_t)(slash - path) + 1}) : xstrdup("./"), *found = NULL;
	DIR *dir = opendir(folder);
	for (struct dirent *d; dir && !found && (d = readdir(dir));) {
		struct buf b = {0};
		bool truncated = false;
		buf_printf(&b, "%s%s%c", folder, d->d_name, 0);
		int fd = d->d_ino == p->inode ? open(b.p, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
		if (fd >= 0 && place_holds(fd, p, &truncated) && !truncated)
			found = xstrdup(b.p);
		if (fd >= 0)
			close(fd);
		buf_free(&b);
	}
	if (dir)
		closedir(dir);
	free(folder);
	return found;
}

void place_put(struct buf *out, const char *path, const struct file_place *p)
{
	buf_str(out, STR("{\"path\":"));
	json_put_lossy(out, str_of(path));
	buf_printf(out, ",\"offset\":%llu,\"line\":%llu,\"inode\":%llu,\"truncations\":%llu,\"head\":%llu",
	    (unsigned long long)p->offset, (unsigned long long)p->line, (unsigned long long)p->inode,
	    (unsigned long long)p->truncations, (unsigned long long)p->head);
	buf_printf(out, ",\"birth\":\"%s\",\"hash\":\"%s\",\"life\":\"%s\"}\n", p->birth, p->head_hash, p->life);
}

static bool number_member(const struct json_scan *j, const char *name, uint64_t *out)
{
	const struct json_member *m = json_find(j, str_of(name));
	return m && m->type == JSON_NUMBER && str_u64(m->value, out) == 0;
}

static bool string_member(const struct json_scan *j, const char *name, char *out, size_t size)
{
	const struct json_member *m = json_find(j, str_of(name));
	if (!m || m->type != JSON_STRING || m->escaped || m->value.n - 2 >= size)
		return false;
	memcpy(out, m->value.p + 1, m->value.n - 2);
	out[m->value.n - 2] = 0;
	return true;
}

bool place_read(const struct json_scan *j, struct file_place *p)
{
	return number_member(j, "offset", &p->offset) && number_member(j, "line", &p->line) &&
	       number_member(j, "inode", &p->inode) && number_member(j, "truncations", &p->truncations) &&
	       number_member(j, "head", &p->head) && p->head <= PLACE_HEAD &&
	       string_member(j, "birth", p->birth, sizeof p->birth) &&
	       string_member(j, "hash", p->head_hash, sizeof p->head_hash) &&
	       string_member(j, "life", p->life, sizeof p->life) && strlen(p->life) == HASH_HEX;
}
