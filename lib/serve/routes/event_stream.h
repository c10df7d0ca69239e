/* event_stream.h - scored messages as server-sent events, an answer that goes on until one side ends it.
 *
 * It handles heartbeats, the server's end and slow clients; the form says what an event looks like.
 */
#ifndef SENTI_EVENT_STREAM_H
#define SENTI_EVENT_STREAM_H

#include "lib/http/request.h"
#include "lib/serve/subscribers.h"

#define MEDIA_EVENTS "text/event-stream"

struct event_form {
	/* Appends what comes first. `from`: the entry of the log after which the events begin. */
	void (*begin)(void *arg, struct buf *out, uint64_t from);
	/* Appends an event, or nothing to skip it. True: its record and an empty line follow what was appended. */
	bool (*put)(void *arg, struct buf *out, const struct feed_event *ev);
	void (*drop)(void *arg); /* NULL: nothing to do */
};

/* Answers the request with a stream of what conf asks for; its callbacks and credential need not be set. `arg` is the
 * form's, whose drop is called when the stream has ended. */
void event_stream(struct request *r, struct subscribers *all, const struct subscriber_conf *conf,
    const struct event_form *form, void *arg);

#endif
