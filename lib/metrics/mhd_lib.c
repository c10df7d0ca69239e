/* mhd_lib.c - loading libmicrohttpd. */
#define MHD_LIB_PLAIN /* the real names, not the table's */
#include "lib/metrics/mhd_lib.h"

#include "lib/base/optional_lib.h"

struct mhd_lib mhd_lib;

int mhd_lib_open(struct err *e)
{
#define MHD_LIB_NAME(function) #function,
	static const char *const names[] = {MHD_LIB(MHD_LIB_NAME)};
	static struct optional_lib lib = {
	    .file = "libmicrohttpd.so.12",
	    .needed = "--metrics needs libmicrohttpd (Debian: libmicrohttpd12)",
	    .old = "a later version is needed",
	    .name = names,
	    .n = COUNT_OF(names),
	    .call = &mhd_lib,
	};
	_Static_assert(sizeof mhd_lib == sizeof names, "a pointer for each name");
	return optional_lib_open(&lib, e);
}
