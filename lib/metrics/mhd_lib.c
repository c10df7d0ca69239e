/* mhd_lib.c - loading libmicrohttpd. */
#define MHD_LIB_PLAIN /* the names themselves are wanted here */
#include "lib/metrics/mhd_lib.h"

#include <dlfcn.h>

struct mhd_lib mhd_lib;

int mhd_lib_open(struct err *e)
{
	static void *handle;
	static const char name[] = "libmicrohttpd.so.12";
	if (handle)
		return 0;
	void *lib = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	if (!lib)
		return err_set(e, ERR_ENV, "--metrics needs libmicrohttpd (Debian: libmicrohttpd12): %s", dlerror());
#define MHD_LIB_LOAD(function)                                                                                         \
	*(void **)&mhd_lib.function = dlsym(lib, #function);                                                           \
	if (!mhd_lib.function)                                                                                         \
		return err_set(e, ERR_ENV, "%s has no function " #function, name);
	MHD_LIB(MHD_LIB_LOAD)
	handle = lib;
	return 0;
}
