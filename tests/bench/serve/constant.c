/* constant.c - what libmicrohttpd itself can do: reads a request with its body and answers always the same, from one
 * response object.
 *
 *     constant PORT FILE [HEADER VALUE]...  on loopback, with the daemon's flags and limits of senti-serve; FILE is the
 *                                           answer
 *
 * It looks at nothing of the request and keeps nothing of it; what a server does beyond that is its own work.
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static struct MHD_Response *response;

static void fail(const char *what)
{
	perror(what);
	exit(3);
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *url, const char *method,
    const char *version, const char *piece, size_t *n, void **context)
{
	static int begun;
	(void)arg, (void)url, (void)method, (void)version, (void)piece;
	if (!*context) {
		*context = &begun;
		return MHD_YES;
	}
	if (*n) {
		*n = 0;
		return MHD_YES;
	}
	return MHD_queue_response(c, MHD_HTTP_OK, response);
}

static void read_answer(const char *path)
{
	static char body[65536];
	FILE *f = fopen(path, "rb");
	if (!f)
		fail(path);
	size_t n = fread(body, 1, sizeof body, f);
	if (ferror(f) || fclose(f))
		fail(path);
	response = MHD_create_response_from_buffer(n, body, MHD_RESPMEM_PERSISTENT);
}

int main(int argc, char **argv)
{
	sigset_t stop;
	int got;
	if (argc < 3 || argc % 2 == 0) {
		fprintf(stderr, "usage: constant PORT FILE [HEADER VALUE]...\n");
		return 2;
	}
	read_answer(argv[2]);
	for (int i = 3; i < argc; i += 2)
		if (MHD_add_response_header(response, argv[i], argv[i + 1]) != MHD_YES)
			fail(argv[i]);
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	struct sockaddr_in here = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)atoi(argv[1])),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct MHD_Daemon *d =
	    MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL,
		NULL, on_request, NULL, MHD_OPTION_SOCK_ADDR, &here, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)16 << 10, MHD_OPTION_CONNECTION_TIMEOUT, 60u, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
	if (!d)
		fail("cannot start");
	printf("127.0.0.1:%u\n", (unsigned)MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT)->port);
	fflush(stdout);
	sigwait(&stop, &got);
	MHD_stop_daemon(d);
	MHD_destroy_response(response);
	return 0;
}
