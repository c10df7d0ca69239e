/* amqp_frame.h - puts messages together from the frames of a channel. Knows no connection. */
#ifndef SENTI_AMQP_FRAME_H
#define SENTI_AMQP_FRAME_H

#include "lib/base/buf.h"
#include "lib/net/amqp_lib.h"

/* Of a rejected body at most so much is kept. */
#define AMQP_KEEP ((size_t)8 << 20)

/* A message that has come whole. */
struct amqp_message {
	uint64_t tag;
	bool redelivered, returned;
	struct buf body; /* its first bytes where it is longer than `keep` */
	uint64_t size;	 /* of the whole body */
	struct buf id, type, trace;
	int64_t deliveries;		   /* before this one, as far as the broker counts them; less than INT64_MAX */
	struct buf code, why, tool, death; /* of a dead letter: x-senti-..., and the reason in x-death */
	bool truncated;			   /* x-senti-truncated */
	struct buf text;		   /* why it was returned */
};

enum amqp_got { AMQP_NOTHING, AMQP_MESSAGE, AMQP_RETURNED, AMQP_ACK, AMQP_NACK, AMQP_BROKEN };

/* All zero but for `keep` before the first frame; what the last one brought after it. */
struct amqp_frames {
	size_t keep;		     /* bytes to keep of a body that is no pack */
	struct amqp_message message; /* of AMQP_MESSAGE and AMQP_RETURNED */
	uint64_t tag;		     /* of AMQP_ACK and AMQP_NACK */
	bool multiple;		     /* of them */
	int closed; /* of AMQP_BROKEN: why the broker closed the channel or connection (403, 404, ...), or 0 */

	/* private */
	bool in_body;
	uint64_t left; /* of it */
};

/* Takes the next frame. AMQP_BROKEN: *e says why; it names the broker as `broker`. */
enum amqp_got frames_take(struct amqp_frames *in, const amqp_frame_t *f, const char *broker, struct err *e);
/* A new channel begins. */
void frames_reset(struct amqp_frames *in);
void frames_free(struct amqp_frames *in);

#endif
