/* amqp_frame.h - puts messages together from frames. */
#ifndef SENTI_AMQP_FRAME_H
#define SENTI_AMQP_FRAME_H

#include "lib/net/amqp_link.h"

/* Takes the next frame of a link. What it returns is in l->message, or in l->tag and l->multiple. */
enum amqp_got frame_take(struct amqp_link *l, const amqp_frame_t *f, struct err *e);

#endif
