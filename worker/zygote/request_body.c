/*
 * The request's body: frames in, bytes out.
 *
 * Runs in: child. Large reads go straight into the worker's buffer; a small read-ahead finds the
 * frames' headers. Frames that break the protocol, or a length that does not come true, end the
 * child: half a body is never handed out as a whole one.
 */
#include "runtime.h"
#include "sys.h"

#include <string.h>
#include <unistd.h>

/* Bytes that are there already. */
static size_t
available(const struct input *input)
{
	return input->end - input->position;
}

/* Reads ahead until a frame header is there. The first input also holds the request's strings, so
 * it is left as it is. */
static void
need_header(struct zy_request *request)
{
	struct input *input = &request->input;
	const size_t left = available(input);

	if (left >= sizeof(struct frame_header))
		return;
	memmove(request->ahead, input->bytes + input->position, left);
	*input = (struct input){ .bytes = request->ahead, .end = (uint32_t)left };
	while (input->end < sizeof(struct frame_header)) {
		size_t count = channel_read(request->fd, input->bytes + input->end,
					    REQUEST_AHEAD_BYTES - input->end);
		if (count == 0)
			sys_exit(ZY_EXIT_CHANNEL);
		input->end += (uint32_t)count;
	}
}

static void
begin_frame(struct zy_request *request, const struct frame_header *header)
{
	const uint64_t expected = request->head.content_length;

	if (header->type == FRAME_END && header->length == 0) {
		if (expected != ZY_LENGTH_UNKNOWN && expected != request->body_bytes)
			sys_exit(ZY_EXIT_REQUEST);
		request->is_body_ended = true;
		return;
	}
	if (header->type != FRAME_BODY || header->length == 0 || header->length > FRAME_BODY_MAX)
		sys_exit(ZY_EXIT_REQUEST);
	if (header->length > expected - request->body_bytes)
		sys_exit(ZY_EXIT_REQUEST);
	request->body_bytes += header->length;
	request->frame_left = header->length;
}

static void
next_frame(struct zy_request *request)
{
	struct frame_header header;

	need_header(request);
	memcpy(&header, request->input.bytes + request->input.position, sizeof(header));
	request->input.position += sizeof(header);
	begin_frame(request, &header);
}

size_t
zy_read(struct zy_request *request, void *buffer, size_t size)
{
	struct input *input = &request->input;

	while (request->frame_left == 0 && !request->is_body_ended)
		next_frame(request);
	if (size > request->frame_left)
		size = request->frame_left;
	if (size == 0)
		return 0;
	if (available(input) > 0) {
		if (size > available(input))
			size = available(input);
		memcpy(buffer, input->bytes + input->position, size);
		input->position += (uint32_t)size;
	} else {
		size = channel_read(request->fd, buffer, size);
		if (size == 0)
			sys_exit(ZY_EXIT_CHANNEL);
	}
	request->frame_left -= (uint32_t)size;
	return size;
}

int
zy_body_fd(const struct zy_request *request)
{
	return request->is_body_ended || available(&request->input) > 0 ? -1 : request->fd;
}
