/*
 * A child's stream of frames, and the story that the reply parser tells of it.
 *
 * Runs in: unit tests. Every delivery lies in an allocation of exactly its size, so that the
 * address sanitizer sees a read beyond it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "reply_story.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONG_STREAM 2048

struct stream stream;

int
stream_clear(void **state)
{
	(void)state;
	stream.length = 0;
	return 0;
}

void
stream_put(const void *data, size_t length)
{
	assert_true(stream.length + length <= sizeof(stream.bytes));
	memcpy(stream.bytes + stream.length, data, length);
	stream.length += length;
}

void
stream_put_frame(uint32_t type, uint32_t length)
{
	struct frame_header header = { type, length };

	stream_put(&header, sizeof(header));
}

void
stream_put_string(const char *text)
{
	uint16_t length = (uint16_t)strlen(text);

	stream_put(&length, sizeof(length));
	stream_put(text, length + 1);
}

void
stream_put_head(unsigned status, uint64_t content_length, unsigned headers, size_t size)
{
	struct frame_reply head = { .status = (uint16_t)status,
				    .headers = (uint16_t)headers,
				    .content_length = content_length };

	stream_put_frame(FRAME_REPLY, (uint32_t)(sizeof(head) + size));
	stream_put(&head, sizeof(head));
}

void
stream_put_text(uint32_t type, const char *text)
{
	stream_put_frame(type, (uint32_t)strlen(text));
	stream_put(text, strlen(text));
}

void
stream_put_bytes(uint32_t type, uint32_t count)
{
	static const uint8_t zeroes[FRAME_BODY_MAX + 1];

	stream_put_frame(type, count);
	stream_put(zeroes, count < sizeof(zeroes) ? count : sizeof(zeroes));
}

void
stream_put_header(const char *name, const char *value)
{
	stream_put_head(200, UNKNOWN, 1, strlen(name) + strlen(value) + 6);
	stream_put_string(name);
	stream_put_string(value);
}

__attribute__((format(printf, 2, 3))) static void
tell(struct story *story, const char *format, ...)
{
	size_t used = strlen(story->text);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(story->text + used, sizeof(story->text) - used, format, arguments);
	va_end(arguments);
}

static void
tell_head(struct story *story, const uint8_t *data, const struct reply_event *event)
{
	struct reply_header header;
	size_t cursor = 0;
	unsigned count = 0;

	if (event->content_length == UNKNOWN)
		tell(story, "head %u -", event->status);
	else
		tell(story, "head %u %" PRIu64, event->status, event->content_length);
	while (reply_header_next(data, event, &cursor, &header)) {
		assert_int_equal(strlen(header.name), header.name_length);
		assert_int_equal(strlen(header.value), header.value_length);
		tell(story, " %s=%s", header.name, header.value);
		count++;
	}
	assert_int_equal(count, event->headers);
}

static void
tell_event(struct story *story, enum reply_kind kind, const uint8_t *data,
	   const struct reply_event *event)
{
	const char *bytes = (const char *)data + event->offset;

	if (story->text[0] && !(kind == REPLY_BODY && story->in_body))
		tell(story, "; ");
	if (kind == REPLY_BODY && !story->in_body)
		tell(story, "body ");
	story->in_body = kind == REPLY_BODY;
	if (kind == REPLY_HEAD)
		tell_head(story, data, event);
	else if (kind == REPLY_BODY)
		tell(story, "%.*s", (int)event->length, bytes);
	else if (kind == REPLY_END)
		tell(story, "end");
	else if (kind == REPLY_ERROR)
		tell(story, "error%s %.*s", event->after_head ? " late" : "", (int)event->length,
		     bytes);
	else
		tell(story, "bad%s %s", event->after_head ? " late" : "", event->reason);
	story->over = kind == REPLY_BAD;
	story->body += kind == REPLY_BODY ? event->length : 0;
}

static void
check_event(const struct reply_event *event, enum reply_kind kind, size_t length, size_t consumed)
{
	assert_true(consumed <= length);
	if (kind == REPLY_MORE)
		assert_true(length - consumed < FRAME_HEAD_MAX + sizeof(struct frame_header));
	if (kind == REPLY_HEAD || kind == REPLY_BODY || kind == REPLY_ERROR)
		assert_true(event->offset + event->length == consumed);
	assert_true(kind != REPLY_BODY || event->length > 0);
}

/* One delivery: what was left over comes again in front of it, in an allocation of its own. */
static void
deliver(struct story *story, const uint8_t *data, size_t length)
{
	memcpy(story->pending + story->pending_length, data, length);
	story->pending_length += length;
	while (!story->over) {
		struct reply_event event;
		enum reply_kind kind;
		uint8_t *copy = malloc(story->pending_length ? story->pending_length : 1);
		size_t consumed;

		assert_non_null(copy);
		memcpy(copy, story->pending, story->pending_length);
		kind = reply_parser_feed(&story->parser, copy, story->pending_length, &consumed,
					 &event);
		check_event(&event, kind, story->pending_length, consumed);
		if (kind != REPLY_MORE)
			tell_event(story, kind, copy, &event);
		free(copy);
		story->pending_length -= consumed;
		memmove(story->pending, story->pending + consumed, story->pending_length);
		if (kind == REPLY_MORE)
			break;
	}
}

void
stream_read(struct story *story, size_t first, size_t step)
{
	size_t size = first;

	memset(story, 0, sizeof(*story));
	reply_parser_init(&story->parser);
	for (size_t at = 0; at < stream.length; size = step) {
		if (size > stream.length - at)
			size = stream.length - at;
		deliver(story, stream.bytes + at, size);
		at += size;
	}
}

/* Bytes behind the end are told at once or later, depending on when they come; the rest must be the
 * same. */
static void
assert_told(const struct story *story, const char *expected, size_t cut)
{
	static const char trailing[] = "; end; bad late bytes after the end";
	char other[1024];
	char *end;

	snprintf(other, sizeof(other), "%s", story->text);
	end = strstr(other, trailing);
	if (end)
		memmove(end, end + strlen("; end"), strlen(end + strlen("; end")) + 1);
	if (strcmp(other, expected) != 0)
		fail_msg("cut at %zu: \"%s\" instead of \"%s\"", cut, story->text, expected);
}

void
stream_assert_story(const char *expected)
{
	size_t step = stream.length <= LONG_STREAM ? 1 : 1999;
	static struct story story;

	stream_read(&story, stream.length, stream.length);
	assert_told(&story, expected, 0);
	if (stream.length <= LONG_STREAM) {
		stream_read(&story, 1, 1);
		assert_told(&story, expected, 1);
	}
	for (size_t cut = 1; cut < stream.length; cut += step) {
		stream_read(&story, cut, stream.length);
		assert_told(&story, expected, cut);
	}
	stream.length = 0;
}
