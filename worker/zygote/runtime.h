/*
 * One request in its child: what zy_* calls work on. Everything that belongs to a request hangs off
 * struct zy_request; nothing is kept in process-wide variables.
 */
#ifndef ZYGOTED_ZYGOTE_RUNTIME_H
#define ZYGOTED_ZYGOTE_RUNTIME_H

#include "base/proto.h"
#include "worker.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define REPLY_BUFFER_BYTES  16384 /* of body, before it is sent */
#define REQUEST_AHEAD_BYTES 4096  /* of the body, read to find the next frame's header */

/* A request's head, and what came along with it. */
#define REQUEST_BYTES (sizeof(struct frame_header) + FRAME_HEAD_MAX + 8192)
/* A reply's head, its first body frame, the end, and a byte for printf's NUL. */
#define REPLY_BYTES (3 * sizeof(struct frame_header) + FRAME_HEAD_MAX + REPLY_BUFFER_BYTES + 1)

struct request_header {
	const char *name;
	const char *value;
};

/* Bytes that have been read and not used: position..end. */
struct input {
	unsigned char *bytes;
	uint32_t position;
	uint32_t end;
};

struct zy_request {
	/* the request; strings point into memory */
	struct frame_request head;
	const char *fields[ZY_FIELD_MAX];
	struct request_header headers[FRAME_HEADERS_MAX];

	/* its body */
	struct input input;
	uint64_t body_bytes; /* of all frames so far */
	uint32_t frame_left; /* bytes of the current frame that have not been handed out */
	bool is_body_ended;
	bool is_program_started;

	/*
	 * The answer. Until the head has left, out holds FRAME_REPLY (head_bytes of it), then
	 * FRAME_BODY; afterwards just FRAME_BODY. buffered counts the bytes in that frame.
	 */
	bool is_body_begun;
	uint16_t status; /* 0: not set */
	unsigned char *out;
	uint64_t promised; /* ZY_LENGTH_UNKNOWN: nothing */
	uint64_t written;
	uint32_t head_bytes; /* 0: it has left */
	uint32_t buffered;
	uint16_t headers_count;

	int fd;

	/* The reply begins where the request ends: a small one and its answer dirty one page. */
	_Alignas(16) unsigned char memory[REQUEST_BYTES + REPLY_BYTES + 16];
	unsigned char ahead[REQUEST_AHEAD_BYTES];
};

/* ---- channel.c: both end the child when the front has gone ---- */

/* Reads at least one byte. 0 at the end of the channel. */
size_t channel_read(int fd, void *buffer, size_t size) __attribute__((warn_unused_result));
/* Writes all of it; uses up `parts`. */
void channel_write(int fd, struct iovec *parts, int count);

/* ---- request.c ---- */

/*
 * Parks until the request is there. *request is zero before. Ends the child when the channel ends first
 * (ZY_EXIT_OK: it was not needed) or what comes is no request (ZY_EXIT_REQUEST).
 */
void request_receive(struct zy_request *request, int fd);

/* Takes apart a FRAME_REQUEST of `length` bytes behind its frame header. 0, -1 when malformed.
 * Pure. */
int request_parse(struct zy_request *request, const unsigned char *frame, size_t length)
	__attribute__((warn_unused_result));

/* ---- reply.c ---- */

/* Sends what is left, complete (result 0) or as an error, and ends the child. */
_Noreturn void reply_finish(struct zy_request *request, int result);

/* NULL if a reply may carry the header. Pure. */
const char *reply_header_error(const char *name, const char *value);

#endif
