/* amqp_frame.h - assembles messages from the frames of a channel. Knows no connection. */
#ifndef SENTI_AMQP_FRAME_H
#define SENTI_AMQP_FRAME_H

#include "lib/base/buf.h"
#include "lib/net/amqp_lib.h"

/* Most bytes that are kept of a rejected body. */
#define AMQP_KEEP ((size_t)8 << 20)

/* A complete message. */
struct amqp_message {
	uint64_t tag;
	bool redelivered, returned;
	struct buf body; /* its first bytes if it is longer than `keep` */
	uint64_t size;	 /* of the whole body */
	struct buf id, type, coding, trace;
	int64_t deliveries;		   /* before this one, as counted by the broker; less than INT64_MAX */
	struct buf code, why, tool, death; /* of a dead letter: x-senti-..., and the reason in x-death */
	bool truncated;			   /* x-senti-truncated */
	struct buf text;		   /* why it was returned */
};

enum amqp_got { AMQP_NOTHING, AMQP_MESSAGE, AMQP_RETURNED, AMQP_ACK, AMQP_NACK, AMQP_BROKEN };

/* All zero but `keep` before the first frame; then what the last frame brought. */
struct amqp_frames {
	size_t keep;		     /* bytes to keep of a body that is not a pack */
	struct amqp_message message; /* of AMQP_MESSAGE and AMQP_RETURNED */
	uint64_t tag;		     /* of AMQP_ACK and AMQP_NACK */
	bool multiple;		     /* of them */
	int closed;		     /* of AMQP_BROKEN: the code of the broker's close (403, 404, ...), or 0 */
	uint64_t max_size;	     /* of a close with 406: the largest message that the broker takes; else 0 */
	bool blocked;		     /* the broker reads nothing more: it is short of memory or disk */

	/* private */
	bool in_body;
	uint64_t left; /* of the body */
};

/* Takes the next frame. AMQP_BROKEN: *e says why, naming the `broker`. */
enum amqp_got frames_take(struct amqp_frames *in, const amqp_frame_t *f, const char *broker, struct err *e);
/* A new channel begins. */
void frames_reset(struct amqp_frames *in);
void frames_free(struct amqp_frames *in);

#endif
