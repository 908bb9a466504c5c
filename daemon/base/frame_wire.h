/*
 * Frames as clients and the daemon send them to each other. A request is a length of four bytes, most
 * significant first, and so many bytes of payload. A reply is a status of one byte, a length of the same
 * kind, and its payload. Pure.
 */
#ifndef ZYGOTED_BASE_FRAME_WIRE_H
#define ZYGOTED_BASE_FRAME_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_WIRE_REQUEST_HEAD 4
#define FRAME_WIRE_REPLY_HEAD	5

/* Symbol, name, and text for people; numbered from 0. */
#define FRAME_STATUSES(X)                                                                          \
	X(OK, "ok", "answered by the worker")                                                      \
	X(WORKER_ERROR, "worker error", "the worker failed, or answered that it did")              \
	X(TIMEOUT, "timeout", "deadline passed, or CPU time used up")                              \
	X(OVERLOADED, "overloaded", "not taken now: try again later")                              \
	X(TOO_LARGE, "too large", "the payload of the request, or of the reply, is over a limit")  \
	X(CRASHED, "crashed", "the child died before its answer was complete")                     \
	X(BAD_REQUEST, "bad request", "the request cannot be answered as it is")

enum frame_status {
#define X(symbol, name, text) FRAME_STATUS_##symbol,
	FRAME_STATUSES(X)
#undef X
		FRAME_STATUS_MAX
};

/* "worker error"; "?" for what is none. */
const char *frame_wire_status_name(unsigned status);

void frame_wire_put_request(uint32_t payload_bytes, uint8_t head_out[FRAME_WIRE_REQUEST_HEAD]);
void frame_wire_put_reply(enum frame_status status, uint32_t payload_bytes,
			  uint8_t head_out[FRAME_WIRE_REPLY_HEAD]);

/*
 * Read what has come of a head. False while it is not complete; nothing is set then. What follows the head in `data` is not
 * looked at.
 */
bool frame_wire_get_request(const uint8_t *data, size_t length, uint32_t *payload_bytes_out);
bool frame_wire_get_reply(const uint8_t *data, size_t length, unsigned *status_out,
			  uint32_t *payload_bytes_out);

#endif
