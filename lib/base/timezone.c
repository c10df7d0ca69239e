/* timezone.c - looks where the C library does. */
#include "lib/base/timezone.h"

#include <ctype.h>
#include <sys/stat.h>

#include "lib/base/buf.h"

static bool is_file(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool in_database(const char *name)
{
	struct buf path = {0};
	const char *folder = env_get("TZDIR");
	buf_printf(&path, "%s/%s%c", folder ? folder : "/usr/share/zoneinfo", name, 0);
	bool found = is_file(path.p);
	buf_free(&path);
	return found;
}

/* The name of standard time and its offset, which every rule begins with: "CET-1", "<+0530>-5:30". */
static bool is_rule(const char *s)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t n = *s == '<' ? strcspn(s, ">") : strspn(s, letters);
	if (n < 3)
		return false;
	s += n + (s[n] == '>');
	s += *s == '+' || *s == '-';
	return isdigit((unsigned char)*s);
}

bool timezone_known(const char *tz)
{
	const char *name = tz + (*tz == ':');
	return strcmp(name, "UTC") == 0 || (*name == '/' ? is_file(name) : *name && in_database(name)) || is_rule(tz);
}
