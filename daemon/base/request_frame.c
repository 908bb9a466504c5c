/*
 * Canonical request heads: lengths before strings, nothing for a child to parse.
 *
 * Runs in: front; zygote, for the self-test.
 */
#include "base/request_frame.h"

#include <string.h>

#define FIXED_BYTES (sizeof(struct frame_header) + sizeof(struct frame_request))

void
request_frame_begin(struct request_frame *frame, void *data, size_t size)
{
	*frame = (struct request_frame){ .data = data, .size = size, .length = FIXED_BYTES };
	frame->failed = size < FIXED_BYTES;
}

static unsigned char *
add_string(struct request_frame *frame, const char *text, size_t length)
{
	const uint16_t prefix = (uint16_t)length;
	unsigned char *place;

	if (frame->failed || length > UINT16_MAX ||
	    frame->size - frame->length < sizeof(prefix) + length + 1) {
		frame->failed = true;
		return NULL;
	}
	memcpy(frame->data + frame->length, &prefix, sizeof(prefix));
	place = frame->data + frame->length + sizeof(prefix);
	if (length > 0)
		memcpy(place, text, length);
	place[length] = '\0';
	frame->length += sizeof(prefix) + length + 1;
	return place;
}

void
request_frame_add_field(struct request_frame *frame, const char *text, size_t length)
{
	frame->fields++;
	(void)add_string(frame, text, length);
}

void
request_frame_add_header(struct request_frame *frame, const char *name, size_t name_length,
			 const char *value, size_t value_length)
{
	unsigned char *place = add_string(frame, name, name_length);

	for (size_t i = 0; place != NULL && i < name_length; i++)
		if (place[i] >= 'A' && place[i] <= 'Z')
			place[i] = (unsigned char)(place[i] - 'A' + 'a');
	(void)add_string(frame, value, value_length);
	frame->headers++;
}

size_t
request_frame_end(struct request_frame *frame, const struct frame_request *fixed)
{
	struct frame_header header = { .type = FRAME_REQUEST };
	struct frame_request head = *fixed;

	if (frame->failed || frame->length - sizeof(header) > FRAME_HEAD_MAX)
		return 0;
	header.length = (uint32_t)(frame->length - sizeof(header));
	head.fields = frame->fields;
	head.headers = frame->headers;
	memcpy(frame->data, &header, sizeof(header));
	memcpy(frame->data + sizeof(header), &head, sizeof(head));
	return frame->length;
}
