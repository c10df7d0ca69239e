/* optional_lib.c - loading shared libraries. */
#include "lib/base/optional_lib.h"

#include <dlfcn.h>

int optional_lib_open(struct optional_lib *l, struct err *e)
{
	if (l->handle)
		return 0;
	void *lib = dlopen(l->file, RTLD_NOW | RTLD_LOCAL);
	if (!lib)
		return err_set(e, ERR_ENV, "%s: %s", l->needed, dlerror());
	for (size_t i = 0; i < l->n; i++) {
		void *call = dlsym(lib, l->name[i]);
		if (!call)
			return err_set(e, ERR_ENV, "%s has no function %s; %s", l->file, l->name[i], l->old);
		memcpy((char *)l->call + i * sizeof call, &call, sizeof call);
	}
	l->handle = lib;
	return 0;
}
