/*
 * Where lines of the access log go: a descriptor that the supervisor opened, behind a buffer. Who
 * puts a line never waits; what a slow or dead reader makes too much is lost and counted.
 */
#ifndef ZYGOTED_FRONT_ACCESS_SINK_H
#define ZYGOTED_FRONT_ACCESS_SINK_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ACCESS_SINK_BYTES (256u << 10) /* that may wait for the reader */
#define ACCESS_SINK_BATCH (64u << 10)  /* written at once when so much is there */

struct access_sink {
	int fd; /* -1: not there yet */
	bool is_socket;
	bool blocked;  /* a pipe is full: the timer tries again */
	bool mid_line; /* the last byte written did not end a line */
	struct event timer;
	size_t start; /* of what is not yet written */
	size_t end;
	uint64_t lost; /* lines */
	char data[ACCESS_SINK_BYTES];
};

void access_sink_init(struct access_sink *sink, struct event_base *base);

/* Takes the descriptor over, and closes the one before it. */
void access_sink_set_fd(struct access_sink *sink, int fd);

/* One line, with its newline: written within a few milliseconds, with others. */
void access_sink_put(struct access_sink *sink, const char *line, size_t length);

/* Writes what the descriptor takes now. */
void access_sink_flush(struct access_sink *sink);

#endif
