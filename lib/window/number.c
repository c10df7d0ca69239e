/* number.c - decimal digits in and out, exactly. */
#include "lib/window/number.h"

#include <math.h>

#include "lib/json/items.h"

/* Digits without an exponent, and not so many that they overflow: true. */
static bool plain(struct str s, int64_t unit, int64_t *out)
{
	bool negative = s.n && s.p[0] == '-', point = false;
	int64_t v = 0, scale = 1;
	if (s.n > 18)
		return false;
	for (size_t i = negative; i < s.n; i++) {
		char c = s.p[i];
		if (c == '.') {
			point = true;
			continue;
		}
		if (c < '0' || c > '9')
			return false;
		v = 10 * v + (c - '0');
		scale *= point ? 10 : 1;
	}
	if (scale > unit || v > INT64_MAX / (unit / scale))
		return false;
	v *= unit / scale;
	*out = negative ? -v : v;
	return true;
}

int number_scale(struct str json, int64_t unit, int64_t most, int64_t *out)
{
	if (plain(json, unit, out))
		return *out <= most && *out >= -most ? 0 : -1;
	double v = round(strtod(json.p, NULL) * (double)unit); /* a delimiter follows it */
	if (!(fabs(v) <= (double)most))
		return -1;
	*out = (int64_t)v;
	return 0;
}

/* A whole number in quotes or not, of at most `most`: 0 or -1. */
int number_whole(struct str s, uint128 most, int128 *out)
{
	if (s.n > 1 && s.p[0] == '"' && s.p[s.n - 1] == '"')
		s = (struct str){s.p + 1, s.n - 2};
	bool negative = s.n && s.p[0] == '-';
	uint128 v = 0;
	if (s.n == negative || s.n > 40)
		return -1;
	for (size_t i = negative; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9' || v > most)
			return -1;
		v = 10 * v + (uint128)(s.p[i] - '0');
	}
	if (v > most)
		return -1;
	*out = negative ? -(int128)v : (int128)v;
	return 0;
}

int number_64(struct str s, int64_t low, int64_t *out)
{
	int128 v;
	if (number_whole(s, INT64_MAX, &v) < 0 || v < low)
		return -1;
	*out = (int64_t)v;
	return 0;
}

/* The items of an array, exactly n. */
int number_items(struct str array, struct str *item, size_t n)
{
	if (!array.n || array.p[0] != '[')
		return -1;
	struct json_items it = json_items(array);
	size_t i = 0;
	struct str next;
	int rc;
	while ((rc = json_items_next(&it, &next)) > 0)
		if (i == n)
			return -1;
		else
			item[i++] = next;
	return rc == 0 && i == n ? 0 : -1;
}

void number_put(struct buf *out, int128 v)
{
	char digit[44];
	size_t at = sizeof digit;
	uint128 left = v < 0 ? -(uint128)v : (uint128)v;
	digit[--at] = '"';
	do
		digit[--at] = (char)('0' + (int)(left % 10));
	while (left /= 10);
	if (v < 0)
		digit[--at] = '-';
	digit[--at] = '"';
	buf_add(out, digit + at, sizeof digit - at);
}
