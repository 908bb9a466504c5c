/*
 * For tests of the reply parser: builds a child's stream of frames, has it read in one piece, byte
 * by byte and cut in two at each position, and tells what the parser made of it as one line of
 * text. Needs cmocka's headers before it.
 */
#ifndef TESTS_UNIT_REPLY_STORY_H
#define TESTS_UNIT_REPLY_STORY_H

#include "base/proto.h"
#include "front/reply_parse.h"

#define UNKNOWN UINT64_MAX

/* The stream under construction. */
extern struct stream {
	uint8_t bytes[4 * FRAME_BODY_MAX];
	size_t length;
} stream;

/* A set-up function of cmocka. */
int stream_clear(void **state);

void stream_put(const void *data, size_t length);
/* Only the frame's header. */
void stream_put_frame(uint32_t type, uint32_t length);
/* As in a head: length, bytes, NUL. */
void stream_put_string(const char *text);
/* A head whose headers take `size` bytes; they are put by the caller. */
void stream_put_head(unsigned status, uint64_t content_length, unsigned headers, size_t size);
/* A head with one header. */
void stream_put_header(const char *name, const char *value);
/* A frame that carries text, or that many zeroes. */
void stream_put_text(uint32_t type, const char *text);
void stream_put_bytes(uint32_t type, uint32_t count);

/* What was made of it: "head 200 5 a=b; body hello; end". Adjacent pieces of the body are one. */
struct story {
	struct reply_parser parser;
	char text[1024];
	uint8_t pending[4 * FRAME_BODY_MAX]; /* not consumed yet */
	size_t pending_length;
	uint64_t body;
	bool in_body;
	bool over;
};

/* Reads the stream in deliveries of `step` bytes, the first one of `first`. */
void stream_read(struct story *story, size_t first, size_t step);

/* Reads it in all ways, fails the test when the story is not this one, and clears it. */
void stream_assert_story(const char *expected);

#endif
