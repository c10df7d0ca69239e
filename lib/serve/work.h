/* work.h - threads that do long work for requests, slice by slice and in turns, so that connections' threads need not.
 *
 *     request_defer(r);                  // or request_pause, in route->piece
 *     work_pool_do(pool, r, slice);
 *
 * The request belongs to the pool until a slice says that it is done; the pool then resumes it.
 */
#ifndef SENTI_WORK_H
#define SENTI_WORK_H

#include "lib/base/err.h"
#include "lib/http/request.h"

/* Larger bodies and pieces are worked on here. */
enum { WORK_FROM = 64 << 10 };

/* A slice's result: the request is answered or reads on; call again after the others; call again in a moment; somebody
 * else resumes the request. */
enum work_result { WORK_DONE, WORK_MORE, WORK_STALLED, WORK_ELSEWHERE };
typedef enum work_result work_slice(struct request *r, void *app);

struct work_pool;
/* New, running. NULL and *e on failure. */
struct work_pool *work_pool_start(unsigned threads, struct err *e);
/* Calls `slice` with the request and its route's app until it is done. Thread-safe. */
void work_pool_do(struct work_pool *p, struct request *r, work_slice *slice);
/* Finishes what is waiting, then frees it. */
void work_pool_stop(struct work_pool *p);

#endif
