/*
 * The request's head: one read in most cases, then strings that stay where they are.
 *
 * Runs in: child. The front's frames are checked before anything is used, although the front is
 * ours: what it forwards comes from a client, and a mistake here would be met with the worker's
 * state in memory.
 */
#include "bytes.h"
#include "runtime.h"
#include "sys.h"

#include <string.h>
#include <unistd.h>

/* What is left of a frame while it is taken apart. */
struct rest {
	const unsigned char *at;
	size_t left;
};

/*
 * A uint16_t length, that many bytes without NUL, one NUL. NULL when that is not what stands there.
 */
static const char *
take_string(struct rest *rest)
{
	uint16_t length;

	if (rest->left < sizeof(length))
		return NULL;
	memcpy(&length, rest->at, sizeof(length));
	const char *text = (const char *)rest->at + sizeof(length);
	const size_t size = sizeof(length) + length + 1;
	if (rest->left < size || bytes_length(text, (size_t)length + 1) != length)
		return NULL;
	rest->at += size;
	rest->left -= size;
	return text;
}

int
request_parse(struct zy_request *request, const unsigned char *frame, size_t length)
{
	struct rest rest = { frame + sizeof(request->head), length - sizeof(request->head) };

	if (length < sizeof(request->head) || length > FRAME_HEAD_MAX)
		return -1;
	memcpy(&request->head, frame, sizeof(request->head));
	if (request->head.fields != ZY_FIELD_MAX || request->head.headers > FRAME_HEADERS_MAX)
		return -1;
	for (size_t i = 0; i < ZY_FIELD_MAX; i++)
		if ((request->fields[i] = take_string(&rest)) == NULL)
			return -1;
	for (size_t i = 0; i < request->head.headers; i++) {
		struct request_header *header = &request->headers[i];
		if ((header->name = take_string(&rest)) == NULL || header->name[0] == '\0' ||
		    (header->value = take_string(&rest)) == NULL)
			return -1;
	}
	return rest.left == 0 ? 0 : -1;
}

/* Reads on until `size` bytes are there. */
static void
fill(struct zy_request *request, size_t size)
{
	struct input *input = &request->input;

	while (input->end < size) {
		size_t count = channel_read(request->fd, input->bytes + input->end,
					    REQUEST_BYTES - input->end);
		if (count == 0)
			sys_exit(input->end == 0 ? ZY_EXIT_OK : ZY_EXIT_CHANNEL);
		input->end += (uint32_t)count;
	}
}

void
request_receive(struct zy_request *request, int fd)
{
	struct frame_header header;

	request->fd = fd;
	request->input.bytes = request->memory;
	fill(request, sizeof(header));
	memcpy(&header, request->memory, sizeof(header));
	if (header.type != FRAME_REQUEST || header.length > FRAME_HEAD_MAX)
		sys_exit(ZY_EXIT_REQUEST);
	fill(request, sizeof(header) + header.length);
	request->input.position = (uint32_t)sizeof(header) + header.length;
	if (request_parse(request, request->memory + sizeof(header), header.length) < 0)
		sys_exit(ZY_EXIT_REQUEST);
	request->out = request->memory + ((request->input.end + 15) & ~15u);
	request->head_bytes = sizeof(struct frame_header) + sizeof(struct frame_reply);
	request->promised = ZY_LENGTH_UNKNOWN;
}

/* ---- what a worker asks ---- */

const char *
zy_field(const struct zy_request *request, enum zy_field field)
{
	return (unsigned)field < ZY_FIELD_MAX ? request->fields[field] : "";
}

size_t
zy_headers(const struct zy_request *request)
{
	return request->head.headers;
}

const char *
zy_header_name(const struct zy_request *request, size_t index)
{
	return index < request->head.headers ? request->headers[index].name : NULL;
}

const char *
zy_header_value(const struct zy_request *request, size_t index)
{
	return index < request->head.headers ? request->headers[index].value : NULL;
}

const char *
zy_header(const struct zy_request *request, const char *name)
{
	for (size_t i = 0; i < request->head.headers; i++)
		if (bytes_equal(request->headers[i].name, name))
			return request->headers[i].value;
	return NULL;
}

const uint8_t *
zy_seed(const struct zy_request *request)
{
	return request->head.seed;
}

uint64_t
zy_id(const struct zy_request *request)
{
	return request->head.id;
}

uint64_t
zy_deadline_ns(const struct zy_request *request)
{
	return request->head.deadline_ns;
}

uint64_t
zy_content_length(const struct zy_request *request)
{
	return request->head.content_length;
}
