/* amqp_lib.h - rabbitmq-c, loaded when the first queue is named.
 *
 * Linked in, it would bring OpenSSL into every filter and add two milliseconds to each start, twice what senti-score
 * takes with all its lexicon. So its functions are called through a table, under their own names: include this in place
 * of <amqp.h>, and call amqp_lib_open first.
 */
#ifndef SENTI_AMQP_LIB_H
#define SENTI_AMQP_LIB_H

#include <amqp.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>

#include "lib/base/err.h"

/* What we use of it. */
#define AMQP_LIB(X)                                                                                                    \
	X(amqp_basic_ack)                                                                                              \
	X(amqp_basic_consume)                                                                                          \
	X(amqp_basic_publish)                                                                                          \
	X(amqp_basic_qos)                                                                                              \
	X(amqp_channel_open)                                                                                           \
	X(amqp_confirm_select)                                                                                         \
	X(amqp_connection_close)                                                                                       \
	X(amqp_cstring_bytes)                                                                                          \
	X(amqp_destroy_connection)                                                                                     \
	X(amqp_empty_bytes)                                                                                            \
	X(amqp_empty_table)                                                                                            \
	X(amqp_error_string2)                                                                                          \
	X(amqp_exchange_declare)                                                                                       \
	X(amqp_get_heartbeat)                                                                                          \
	X(amqp_get_rpc_reply)                                                                                          \
	X(amqp_get_sockfd)                                                                                             \
	X(amqp_login_with_properties)                                                                                  \
	X(amqp_maybe_release_buffers_on_channel)                                                                       \
	X(amqp_new_connection)                                                                                         \
	X(amqp_queue_bind)                                                                                             \
	X(amqp_queue_declare)                                                                                          \
	X(amqp_send_frame)                                                                                             \
	X(amqp_send_method)                                                                                            \
	X(amqp_set_handshake_timeout)                                                                                  \
	X(amqp_set_rpc_timeout)                                                                                        \
	X(amqp_simple_wait_frame_noblock)                                                                              \
	X(amqp_socket_open_noblock)                                                                                    \
	X(amqp_ssl_socket_new)                                                                                         \
	X(amqp_ssl_socket_set_cacert)                                                                                  \
	X(amqp_ssl_socket_set_key)                                                                                     \
	X(amqp_ssl_socket_set_ssl_versions)                                                                            \
	X(amqp_ssl_socket_set_verify_hostname)                                                                         \
	X(amqp_ssl_socket_set_verify_peer)                                                                             \
	X(amqp_tcp_socket_new)

struct amqp_lib {
#define AMQP_LIB_FIELD(name) __typeof__(name) *name;
	AMQP_LIB(AMQP_LIB_FIELD)
#undef AMQP_LIB_FIELD
};

extern struct amqp_lib amqp_lib;

/* Loads it once; an error of the environment if it is not installed. */
MUST_USE int amqp_lib_open(struct err *e);

#ifndef AMQP_LIB_PLAIN
#define amqp_basic_ack (*amqp_lib.amqp_basic_ack)
#define amqp_basic_consume (*amqp_lib.amqp_basic_consume)
#define amqp_basic_publish (*amqp_lib.amqp_basic_publish)
#define amqp_basic_qos (*amqp_lib.amqp_basic_qos)
#define amqp_channel_open (*amqp_lib.amqp_channel_open)
#define amqp_confirm_select (*amqp_lib.amqp_confirm_select)
#define amqp_connection_close (*amqp_lib.amqp_connection_close)
#define amqp_cstring_bytes (*amqp_lib.amqp_cstring_bytes)
#define amqp_destroy_connection (*amqp_lib.amqp_destroy_connection)
#define amqp_empty_bytes (*amqp_lib.amqp_empty_bytes)
#define amqp_empty_table (*amqp_lib.amqp_empty_table)
#define amqp_error_string2 (*amqp_lib.amqp_error_string2)
#define amqp_exchange_declare (*amqp_lib.amqp_exchange_declare)
#define amqp_get_heartbeat (*amqp_lib.amqp_get_heartbeat)
#define amqp_get_rpc_reply (*amqp_lib.amqp_get_rpc_reply)
#define amqp_get_sockfd (*amqp_lib.amqp_get_sockfd)
#define amqp_login_with_properties (*amqp_lib.amqp_login_with_properties)
#define amqp_maybe_release_buffers_on_channel (*amqp_lib.amqp_maybe_release_buffers_on_channel)
#define amqp_new_connection (*amqp_lib.amqp_new_connection)
#define amqp_queue_bind (*amqp_lib.amqp_queue_bind)
#define amqp_queue_declare (*amqp_lib.amqp_queue_declare)
#define amqp_send_frame (*amqp_lib.amqp_send_frame)
#define amqp_send_method (*amqp_lib.amqp_send_method)
#define amqp_set_handshake_timeout (*amqp_lib.amqp_set_handshake_timeout)
#define amqp_set_rpc_timeout (*amqp_lib.amqp_set_rpc_timeout)
#define amqp_simple_wait_frame_noblock (*amqp_lib.amqp_simple_wait_frame_noblock)
#define amqp_socket_open_noblock (*amqp_lib.amqp_socket_open_noblock)
#define amqp_ssl_socket_new (*amqp_lib.amqp_ssl_socket_new)
#define amqp_ssl_socket_set_cacert (*amqp_lib.amqp_ssl_socket_set_cacert)
#define amqp_ssl_socket_set_key (*amqp_lib.amqp_ssl_socket_set_key)
#define amqp_ssl_socket_set_ssl_versions (*amqp_lib.amqp_ssl_socket_set_ssl_versions)
#define amqp_ssl_socket_set_verify_hostname (*amqp_lib.amqp_ssl_socket_set_verify_hostname)
#define amqp_ssl_socket_set_verify_peer (*amqp_lib.amqp_ssl_socket_set_verify_peer)
#define amqp_tcp_socket_new (*amqp_lib.amqp_tcp_socket_new)
#endif

#endif
