/* work.h - threads that do what takes long for a request, so that no connection's thread has to: slice by slice, all
 * requests in turns.
 *
 *     request_defer(r);                  // or request_pause, in route->piece
 *     work_pool_do(pool, r, slice);
 *
 * The request belongs to the pool until a slice says that it is done; the pool resumes it then.
 */
#ifndef SENTI_WORK_H
#define SENTI_WORK_H

#include "lib/base/err.h"
#include "lib/http/request.h"

/* A body or a part of one that is larger is worked on here. */
enum { WORK_FROM = 64 << 10 };

/* What a slice says: answered, or the rest of its body is to be read; call again, after the others; call again in a
 * moment; somebody else resumes the request. */
enum work_result { WORK_DONE, WORK_MORE, WORK_STALLED, WORK_ELSEWHERE };
typedef enum work_result work_slice(struct request *r, void *app);

struct work_pool;
/* New, running. NULL and *e on failure. */
struct work_pool *work_pool_start(unsigned threads, struct err *e);
/* Calls `slice` with the request, and its route's app, until it is done. Thread-safe. */
void work_pool_do(struct work_pool *p, struct request *r, work_slice *slice);
/* Does what is waiting, then ends and frees it. */
void work_pool_stop(struct work_pool *p);

#endif
