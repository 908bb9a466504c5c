/* A child's frames: any bytes, and the same events for one piece, and for pieces of a few bytes. */
/* LINK: daemon/front/reply_parse.c daemon/front/http_reply.c daemon/front/http_header.c */
/* LINK: daemon/front/http_token.c */
#include "front/reply_parse.h"

#include "base/proto.h"
#include "front/http_reply.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a reply amounts to, whatever the pieces. */
struct reading {
	struct reply_parser parser;
	uint64_t body_bytes;
	uint64_t body_sum; /* order-dependent */
	uint64_t promised;
	uint64_t head_sum;
	unsigned status;
	unsigned heads;
	unsigned ends;
	unsigned errors;
	bool bad;
};

static void
require(bool condition)
{
	if (!condition)
		abort();
}

static uint64_t
sum(uint64_t start, const void *data, size_t length)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < length; i++)
		start = start * 31 + bytes[i];
	return start;
}

static void
take_head(struct reading *reading, const uint8_t *data, const struct reply_event *event)
{
	struct reply_header header;
	unsigned count = 0;
	size_t cursor = 0;

	require(event->status >= 200 && event->status <= 599);
	require(strlen(http_status_phrase(event->status)) > 0);
	while (reply_header_next(data, event, &cursor, &header)) {
		require(http_reply_header_check(header.name, header.name_length, header.value,
						header.value_length) == NULL);
		reading->head_sum = sum(reading->head_sum, header.name, header.name_length);
		reading->head_sum = sum(reading->head_sum, header.value, header.value_length);
		count++;
	}
	require(count == event->headers && cursor == event->length);
	reading->status = event->status;
	reading->promised = event->content_length;
	reading->heads++;
}

static void
take_event(struct reading *reading, enum reply_kind kind, const uint8_t *data,
	   const struct reply_event *event)
{
	/* Nothing but a refusal comes after the end. */
	require(kind == REPLY_BAD || kind == REPLY_MORE ||
		(reading->ends == 0 && reading->errors == 0));
	switch (kind) {
	case REPLY_HEAD:
		take_head(reading, data, event);
		break;
	case REPLY_BODY:
		require(reading->heads == 1 && event->length > 0);
		reading->body_sum = sum(reading->body_sum, data + event->offset, event->length);
		reading->body_bytes += event->length;
		require(reading->body_bytes <= reading->promised);
		require(http_reply_has_body(reading->status));
		break;
	case REPLY_END:
		require(reading->heads == 1);
		require(reading->promised == UINT64_MAX ||
			reading->body_bytes == reading->promised);
		reading->ends++;
		break;
	case REPLY_ERROR:
		require(event->length <= FRAME_ERROR_MAX);
		reading->head_sum = sum(reading->head_sum, data + event->offset, event->length);
		reading->errors++;
		break;
	case REPLY_BAD:
		require(event->reason != NULL);
		reading->bad = true;
		break;
	case REPLY_MORE:
		break;
	}
	require(reading->heads <= 1);
}

/* Reads what is there; returns what was not consumed. */
static size_t
deliver(struct reading *reading, uint8_t *data, size_t length)
{
	size_t at = 0;

	while (!reading->bad) {
		uint8_t *copy = malloc(length - at + 1);
		struct reply_event event;
		enum reply_kind kind;
		size_t consumed;

		require(copy != NULL);
		/* One byte further on, so that nothing is aligned and the end is exact. */
		memcpy(copy + 1, data + at, length - at);
		kind = reply_parser_feed(&reading->parser, copy + 1, length - at, &consumed,
					 &event);
		require(consumed <= length - at);
		take_event(reading, kind, copy + 1, &event);
		free(copy);
		at += consumed;
		if (kind == REPLY_MORE)
			break;
	}
	memmove(data, data + at, length - at);
	return length - at;
}

static void
read_reply(struct reading *reading, const uint8_t *data, size_t size, size_t step)
{
	uint8_t *pending = malloc(size + 1);
	size_t length = 0;

	require(pending != NULL);
	memset(reading, 0, sizeof(*reading));
	reply_parser_init(&reading->parser);
	for (size_t at = 0; at < size && !reading->bad; at += step) {
		size_t more = size - at < step ? size - at : step;

		memcpy(pending + length, data + at, more);
		length = deliver(reading, pending, length + more);
		require(reading->bad || length < FRAME_HEAD_MAX + sizeof(struct frame_header));
	}
	free(pending);
}

/* The first byte says how large the pieces are. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reading whole;
	struct reading pieces;

	if (size < 2)
		return 0;
	read_reply(&whole, data + 1, size - 1, size - 1);
	read_reply(&pieces, data + 1, size - 1, data[0] % 64 + 1);
	require(whole.bad == pieces.bad && whole.heads == pieces.heads);
	require(whole.body_bytes == pieces.body_bytes && whole.body_sum == pieces.body_sum);
	/* With bytes behind the end only the cut reply may have told the end before. */
	if (whole.parser.trailing)
		return 0;
	require(whole.ends == pieces.ends && whole.errors == pieces.errors);
	require(whole.head_sum == pieces.head_sum);
	return 0;
}
