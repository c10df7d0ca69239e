/* connections.c - deadlines of connections, and their number by address. */
#include "lib/http/connections.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/base/timedwait.h"

enum { WATCH_MS = 500 };
/* Connections that linger: how many, how long, how long without a byte; how often they are read, and how much then. */
enum {
	LINGERING = 64,
	LINGER_MS = 30000,
	LINGER_IDLE_MS = 2000,
	LINGER_TICK_MS = 5,
	LINGER_BYTES = 4 << 20,
};
enum { LEAST_RATE = 4096 }; /* bytes of a long answer that a client must take a second */

/* IPv4 in its mapped form; of IPv6 the first half, since a client usually has the whole /64. */
struct address_key {
	unsigned char byte[16];
};

struct address {
	struct address_key key;
	unsigned n;
};

struct connection {
	struct connection *next, *prev;
	struct connections *all;
	struct address *address; /* NULL: not counted */
	int fd;
	bool gone; /* the watcher has seen it hang up once */
	/* Written by the connection's thread, read by the watcher, independently of each other. */
	_Atomic int phase; /* enum phase */
	_Atomic int64_t since;
	atomic_uint extra_s; /* for PHASE_SEND */
	atomic_bool fresh;   /* no request has come yet */
	bool lingers;	     /* the connection's thread's own */
};

struct lingering {
	int fd;
	int64_t until, idle_until;
};

struct connections {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	struct connection list; /* head of the ring */
	struct map addresses;	/* by their key */
	struct connection_limits limits;
	struct lingering lingering[LINGERING];
	size_t nlingering;
	bool stop;
};

/* ---- deadlines ---- */

static unsigned limit_of(const struct connection_limits *limits, const struct connection *p)
{
	switch ((enum phase)atomic_load_explicit(&p->phase, memory_order_relaxed)) {
	case PHASE_HEADERS:
		return limits->header_s;
	case PHASE_BODY:
		return limits->body_s;
	case PHASE_SEND:
		return limits->body_s + atomic_load_explicit(&p->extra_s, memory_order_relaxed);
	case PHASE_ANSWER:
		return 0;
	case PHASE_IDLE:
		break;
	}
	return atomic_load_explicit(&p->fresh, memory_order_relaxed) ? limits->header_s : limits->idle_s;
}

static bool overdue(const struct connection_limits *limits, const struct connection *p, int64_t now)
{
	unsigned limit = limit_of(limits, p);
	return limit && now - atomic_load_explicit(&p->since, memory_order_relaxed) > (int64_t)limit * 1000;
}

/* True if the client has hung up in the middle of its request, on the second look: a piece that came just before may
 * still be unread. The library notices late if data came right before the end. */
static bool hung_up(struct connection *p)
{
	int phase = atomic_load_explicit(&p->phase, memory_order_relaxed);
	char byte;
	bool before = p->gone;
	p->gone =
	    (phase == PHASE_HEADERS || phase == PHASE_BODY) && recv(p->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
	return p->gone && before;
}

/* Drops what has come; false once nothing more will, or the time is over. */
static bool drop_input(struct lingering *l, int64_t now)
{
	ssize_t n = recv(l->fd, NULL, LINGER_BYTES, MSG_TRUNC | MSG_DONTWAIT);
	if (n > 0)
		l->idle_until = now + LINGER_IDLE_MS;
	bool open = n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
	return open && now < l->until && now < l->idle_until;
}

/* The lock is held. */
static void drain_lingering(struct connections *all, int64_t now)
{
	for (size_t i = 0; i < all->nlingering;) {
		if (drop_input(&all->lingering[i], now)) {
			i++;
			continue;
		}
		close(all->lingering[i].fd);
		all->lingering[i] = all->lingering[--all->nlingering];
	}
}

static void *watch(void *arg)
{
	struct connections *all = arg;
	int64_t next = clock_mono_ms() + WATCH_MS;
	pthread_mutex_lock(&all->lock);
	while (!all->stop) {
		int64_t now = clock_mono_ms();
		cond_wait_until(&all->ended, &all->lock, all->nlingering ? now + LINGER_TICK_MS : next);
		now = clock_mono_ms();
		drain_lingering(all, now);
		if (now < next)
			continue;
		next = now + WATCH_MS;
		for (struct connection *p = all->list.next; p != &all->list; p = p->next)
			if (overdue(&all->limits, p, now) || hung_up(p))
				shutdown(p->fd, SHUT_RDWR);
	}
	for (size_t i = 0; i < all->nlingering; i++)
		close(all->lingering[i].fd);
	pthread_mutex_unlock(&all->lock);
	return NULL;
}

struct connections *connections_new(const struct connection_limits *limits, struct err *e)
{
	struct connections *all = xcalloc(1, sizeof *all);
	all->limits = *limits;
	all->list.next = all->list.prev = &all->list;
	pthread_mutex_init(&all->lock, NULL);
	cond_init(&all->ended);
	errno = pthread_create(&all->thread, NULL, watch, all);
	if (errno) {
		err_sys(e, "cannot start a thread");
		free(all);
		return NULL;
	}
	return all;
}

void connections_free(struct connections *all)
{
	pthread_mutex_lock(&all->lock);
	all->stop = true;
	pthread_cond_signal(&all->ended);
	pthread_mutex_unlock(&all->lock);
	pthread_join(all->thread, NULL);
	pthread_mutex_destroy(&all->lock);
	pthread_cond_destroy(&all->ended);
	map_free(&all->addresses);
	free(all);
}

/* A few milliseconds late at most, and several times cheaper than clock_mono_ms: it is read five times a request. */
static int64_t about_now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void connection_enter(struct connection *p, enum phase phase)
{
	atomic_store_explicit(&p->since, about_now_ms(), memory_order_relaxed);
	atomic_store_explicit(&p->fresh, false, memory_order_relaxed);
	atomic_store_explicit(&p->phase, phase, memory_order_relaxed);
}

void connection_send(struct connection *p, uint64_t bytes)
{
	uint64_t s = bytes / LEAST_RATE;
	atomic_store_explicit(&p->extra_s, s > 1000000 ? 1000000 : (unsigned)s, memory_order_relaxed);
	connection_enter(p, PHASE_SEND);
}

/* ---- by address ---- */

static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff}; /* ::ffff:0:0/96 */

/* False if it is neither IPv4 nor IPv6. */
static bool bytes_of(const struct sockaddr *a, struct address_key *out)
{
	if (a && a->sa_family == AF_INET) {
		memcpy(out->byte, mapped, sizeof mapped);
		memcpy(out->byte + 12, &((const struct sockaddr_in *)(const void *)a)->sin_addr, 4);
		return true;
	}
	if (!a || a->sa_family != AF_INET6)
		return false;
	memcpy(out->byte, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr, 16);
	return true;
}

bool address_is_local(const struct sockaddr *a)
{
	struct address_key k;
	static const unsigned char one[16] = {[15] = 1};
	if (!bytes_of(a, &k))
		return a && a->sa_family == AF_UNIX;
	bool v4 = memcmp(k.byte, mapped, sizeof mapped) == 0;
	return v4 ? k.byte[12] == 127 : memcmp(k.byte, one, sizeof one) == 0;
}

static struct str key_str(const struct address_key *k)
{
	return (struct str){(const char *)k->byte, sizeof k->byte};
}

/* Counts one more connection of the address. The lock is held. */
static struct address *count(struct connections *all, const struct sockaddr *from)
{
	struct address_key k;
	if (all->limits.per_address == 0 || address_is_local(from) || !bytes_of(from, &k))
		return NULL;
	if (memcmp(k.byte, mapped, sizeof mapped) != 0)
		memset(k.byte + 8, 0, 8);
	struct map_slot *known = map_get(&all->addresses, key_str(&k));
	struct address *a = known ? known->v.ptr : xcalloc(1, sizeof *a);
	if (!known) {
		a->key = k;
		map_put(&all->addresses, key_str(&a->key), NULL)->v.ptr = a;
	}
	a->n++;
	return a;
}

static void uncount(struct connections *all, struct address *a)
{
	if (!a || --a->n)
		return;
	map_remove(&all->addresses, key_str(&a->key));
	free(a);
}

struct connection *connections_join(struct connections *all, int fd, const struct sockaddr *address)
{
	struct connection *p = xcalloc(1, sizeof *p);
	p->fd = fd;
	p->all = all;
	atomic_init(&p->since, clock_mono_ms());
	atomic_init(&p->fresh, true);
	pthread_mutex_lock(&all->lock);
	p->address = count(all, address);
	bool over = p->address && p->address->n > all->limits.per_address;
	p->next = all->list.next;
	p->prev = &all->list;
	p->next->prev = p->prev->next = p;
	pthread_mutex_unlock(&all->lock);
	if (over) {
		shutdown(fd, SHUT_RDWR);
		log_debug("too many connections of one address", NULL);
	}
	return p;
}

void connection_linger(struct connection *p)
{
	p->lingers = true;
}

/* A second descriptor keeps the connection when the library closes its own. The lock is held. */
static void linger(struct connections *all, int fd)
{
	int64_t now = clock_mono_ms();
	int kept = all->nlingering < LINGERING && !all->stop ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
	if (kept < 0)
		return;
	shutdown(kept, SHUT_WR);
	all->lingering[all->nlingering++] =
	    (struct lingering){.fd = kept, .until = now + LINGER_MS, .idle_until = now + LINGER_IDLE_MS};
	pthread_cond_signal(&all->ended);
}

void connections_leave(struct connection *p)
{
	struct connections *all = p->all;
	pthread_mutex_lock(&all->lock);
	if (p->lingers)
		linger(all, p->fd);
	p->next->prev = p->prev;
	p->prev->next = p->next;
	uncount(all, p->address);
	pthread_mutex_unlock(&all->lock);
	free(p);
}
