/* options.c - reads the values of options. */
#include "cmd/options.h"

int opt_bad_value(const char *name, const char *value, const char *wanted, struct err *e)
{
	return err_set(e, ERR_USAGE, "--%s takes %s, not '%s'", name, wanted, value);
}

int opt_number(const char *value, const char *name, uint64_t min, uint64_t max, uint64_t *out, struct err *e)
{
	char wanted[80];
	snprintf(wanted, sizeof wanted, "a number from %llu to %llu", (unsigned long long)min, (unsigned long long)max);
	if (str_u64(str_of(value), out) < 0 || *out < min || *out > max)
		return opt_bad_value(name, value, wanted, e);
	return 0;
}

int opt_size(const char *value, const char *name, uint64_t min, uint64_t max, uint64_t *out, struct err *e)
{
	size_t n = strlen(value);
	const char *unit = n ? strchr("KMG", value[n - 1]) : NULL;
	int shift = unit && *unit ? 10 * (int)(strchr("KMG", *unit) - "KMG" + 1) : 0;
	if (str_u64((struct str){value, n - (shift > 0)}, out) < 0 || *out > UINT64_MAX >> shift ||
	    (*out <<= shift) < min || *out > max)
		return opt_bad_value(name, value, "a size in bytes such as 64K or 2M", e);
	return 0;
}

int opt_duration(const char *value, const char *name, uint64_t min, int64_t *ms, struct err *e)
{
	static const struct {
		char unit;
		int64_t ms;
	} units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}};
	size_t n = strlen(value);
	uint64_t count;
	for (size_t i = 0; n && i < COUNT_OF(units); i++)
		if (value[n - 1] == units[i].unit && str_u64((struct str){value, n - 1}, &count) == 0 && count >= min &&
		    count <= 36500) {
			*ms = (int64_t)count * units[i].ms;
			return 0;
		}
	return opt_bad_value(name, value, "a duration such as 90s, 30m, 12h or 7d", e);
}
