/*
 * The answer: a head, body frames, an end, in as few writes as it takes. A small answer is one
 * write.
 *
 * Runs in: child. Calls that the front would refuse are refused here, so that a mistake is the
 * worker's to see and not the client's. The head leaves with the first body bytes that do not fit
 * the buffer, or with the end.
 */
#include "bytes.h"
#include "runtime.h"
#include "sys.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where the bytes of the current body frame are gathered. */
static unsigned char *
body_of(const struct zy_request *request)
{
	return request->out + request->head_bytes + sizeof(struct frame_header);
}

static void
put_frame_header(unsigned char *place, enum frame_type type, size_t length)
{
	const struct frame_header header = { (uint32_t)type, (uint32_t)length };

	memcpy(place, &header, sizeof(header));
}

static int
has_body(unsigned status)
{
	return status != 204 && status != 304; /* RFC 9110, 15.3.5 and 15.4.5 */
}

/* The promised length then is what a GET would get (RFC 9110, 9.3.2); the front drops a body that is written all the same. */
static bool
is_head(const struct zy_request *request)
{
	return bytes_equal(request->fields[ZY_METHOD], "HEAD");
}

/* An answer to HEAD that promised a length and leaves it at that. */
static bool
is_without_body(const struct zy_request *request)
{
	return request->written == 0 && request->promised != ZY_LENGTH_UNKNOWN && is_head(request);
}

/* ---- the head ---- */

int
zy_status(struct zy_request *request, int status)
{
	if (status < 200 || status > 599 || request->is_body_begun)
		return -1;
	if (!has_body((unsigned)status) && request->promised != ZY_LENGTH_UNKNOWN &&
	    request->promised > 0)
		return -1;
	request->status = (uint16_t)status;
	return 0;
}

static unsigned char *
put_string(unsigned char *place, const char *text, size_t length)
{
	const uint16_t prefix = (uint16_t)length;

	memcpy(place, &prefix, sizeof(prefix));
	bytes_copy(place + sizeof(prefix), text, length + 1);
	return place + sizeof(prefix) + length + 1;
}

int
zy_header_add(struct zy_request *request, const char *name, const char *value)
{
	if (request->is_body_begun || request->headers_count == FRAME_HEADERS_MAX ||
	    reply_header_error(name, value) != NULL)
		return -1;
	const size_t name_length = bytes_length(name, SIZE_MAX);
	const size_t value_length = bytes_length(value, SIZE_MAX);
	const size_t size = name_length + value_length + 2 * (sizeof(uint16_t) + 1);
	if (request->head_bytes - sizeof(struct frame_header) + size > FRAME_HEAD_MAX)
		return -1;
	unsigned char *place = request->out + request->head_bytes;
	put_string(put_string(place, name, name_length), value, value_length);
	request->head_bytes += (uint32_t)size;
	request->headers_count++;
	return 0;
}

int
zy_length(struct zy_request *request, uint64_t bytes)
{
	if (request->is_body_begun || bytes == ZY_LENGTH_UNKNOWN)
		return -1;
	if (bytes > 0 && !has_body(request->status))
		return -1;
	request->promised = bytes;
	return 0;
}

static void
put_head(struct zy_request *request, bool is_complete)
{
	struct frame_reply head = {
		.status = request->status != 0 ? request->status : 200,
		.headers = request->headers_count,
		.content_length = request->promised,
	};

	if (is_complete && !is_without_body(request))
		head.content_length = request->written;
	put_frame_header(request->out, FRAME_REPLY,
			 request->head_bytes - sizeof(struct frame_header));
	memcpy(request->out + sizeof(struct frame_header), &head, sizeof(head));
}

/* ---- the body ---- */

/*
 * Sends what is gathered, with `size` more bytes at `data` in the same frame, and the end if it is
 * the last. Together at most FRAME_BODY_MAX.
 */
static void
send_out(struct zy_request *request, const void *data, size_t size, bool is_last)
{
	const size_t body = request->buffered + size;
	size_t length = request->head_bytes;
	struct iovec parts[2];
	int count = 1;

	if (request->head_bytes > 0)
		put_head(request, is_last);
	if (body > 0) {
		put_frame_header(request->out + length, FRAME_BODY, body);
		length += sizeof(struct frame_header) + request->buffered;
	}
	if (is_last) {
		put_frame_header(request->out + length, FRAME_END, 0);
		length += sizeof(struct frame_header);
	}
	parts[0] = (struct iovec){ request->out, length };
	if (size > 0)
		parts[count++] = (struct iovec){ (void *)data, size };
	if (length > 0)
		channel_write(request->fd, parts, count);
	request->head_bytes = 0;
	request->buffered = 0;
}

/* Whether `size` more bytes may be written; after this the head is settled. */
static int
begin_body(struct zy_request *request, size_t size)
{
	if (size > request->promised - request->written)
		return -1;
	if (size > 0 && !has_body(request->status))
		return -1;
	request->is_body_begun = true;
	return 0;
}

int
zy_write(struct zy_request *request, const void *data, size_t size)
{
	const unsigned char *bytes = data;

	if (begin_body(request, size) < 0)
		return -1;
	request->written += size;
	while (size > REPLY_BUFFER_BYTES - request->buffered) {
		size_t part = FRAME_BODY_MAX - request->buffered;
		if (part > size)
			part = size;
		send_out(request, bytes, part, false);
		bytes += part;
		size -= part;
	}
	if (size > 0)
		bytes_copy(body_of(request) + request->buffered, bytes, size);
	request->buffered += (uint32_t)size;
	return 0;
}

/* Text longer than the buffer. */
static int __attribute__((format(printf, 3, 0)))
write_long_text(struct zy_request *request, size_t length, const char *format, va_list arguments)
{
	char *text = malloc(length + 1);

	if (text == NULL)
		return -1;
	vsnprintf(text, length + 1, format, arguments);
	int result = zy_write(request, text, length);
	free(text);
	return result;
}

int
zy_printf(struct zy_request *request, const char *format, ...)
{
	const size_t room = REPLY_BUFFER_BYTES - request->buffered;
	va_list arguments;
	int result = 0;

	/* Straight into the buffer, where it counts only once it is known to fit. */
	va_start(arguments, format);
	int length = vsnprintf((char *)body_of(request) + request->buffered, room + 1, format,
			       arguments);
	va_end(arguments);
	if (length < 0 || begin_body(request, (size_t)length) < 0)
		return -1;
	if ((size_t)length > room) {
		va_start(arguments, format);
		result = write_long_text(request, (size_t)length, format, arguments);
		va_end(arguments);
		return result;
	}
	request->written += (uint64_t)length;
	request->buffered += (uint32_t)length;
	return 0;
}

int
zy_flush(struct zy_request *request)
{
	request->is_body_begun = true;
	send_out(request, NULL, 0, false);
	return 0;
}

/* ---- the end ---- */

static _Noreturn void
finish_failed(struct zy_request *request)
{
	unsigned char frame[sizeof(struct frame_header)];
	struct iovec part = { frame, sizeof(frame) };

	/*
	 * What is still gathered stays here: if the head has not left, the client gets a clean 500.
	 */
	put_frame_header(frame, FRAME_ERROR, 0);
	channel_write(request->fd, &part, 1);
	sys_exit(ZY_EXIT_WORKER);
}

/*
 * Waits for the end of the channel and touches nothing: the request's memory is being looked at. What the client sent
 * and nobody read stays unread.
 */
static void
hold(const struct zy_request *request)
{
	struct pollfd channel = { .fd = request->fd };

	while (sys_call5(SYS_ppoll, (long)&channel, 1, 0, 0, 0) == -EINTR)
		continue;
}

void
reply_finish(struct zy_request *request, int result)
{
	const bool is_short = request->promised != ZY_LENGTH_UNKNOWN &&
			      request->promised != request->written && !is_without_body(request);

	if (result != 0 || is_short)
		finish_failed(request);
	if (request->status == 0 && request->written == 0 && !is_without_body(request))
		request->status = 204;
	send_out(request, NULL, 0, true);
	if ((request->head.flags & FRAME_REQUEST_HOLD) != 0)
		hold(request);
	sys_exit(ZY_EXIT_OK);
}
