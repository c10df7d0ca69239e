/* mhd_lib.h - libmicrohttpd, loaded when the first endpoint opens.
 *
 * Linked in, it would bring GnuTLS into every filter, for an option that few runs use. So its functions are called
 * through a table, under their own names: include this in place of <microhttpd.h>, and call mhd_lib_open first. A
 * program that links the library too shares it.
 */
#ifndef SENTI_MHD_LIB_H
#define SENTI_MHD_LIB_H

#include <microhttpd.h>

#include "lib/base/err.h"

/* What we use of it. */
#define MHD_LIB(X)                                                                                                     \
	X(MHD_add_response_header)                                                                                     \
	X(MHD_create_response_from_buffer)                                                                             \
	X(MHD_destroy_response)                                                                                        \
	X(MHD_lookup_connection_value)                                                                                 \
	X(MHD_queue_response)                                                                                          \
	X(MHD_start_daemon)                                                                                            \
	X(MHD_stop_daemon)

struct mhd_lib {
#define MHD_LIB_FIELD(name) __typeof__(name) *name;
	MHD_LIB(MHD_LIB_FIELD)
#undef MHD_LIB_FIELD
};

extern struct mhd_lib mhd_lib;

/* Loads it once; an error of the environment if it is not installed. */
MUST_USE int mhd_lib_open(struct err *e);

#ifndef MHD_LIB_PLAIN
#define MHD_add_response_header (*mhd_lib.MHD_add_response_header)
#define MHD_create_response_from_buffer (*mhd_lib.MHD_create_response_from_buffer)
#define MHD_destroy_response (*mhd_lib.MHD_destroy_response)
#define MHD_lookup_connection_value (*mhd_lib.MHD_lookup_connection_value)
#define MHD_queue_response (*mhd_lib.MHD_queue_response)
#define MHD_start_daemon (*mhd_lib.MHD_start_daemon)
#define MHD_stop_daemon (*mhd_lib.MHD_stop_daemon)
#endif

#endif
