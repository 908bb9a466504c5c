/*
 * Replies of children.
 *
 * Runs in: front. Trusts nobody: a child is as hostile as the client that it serves. Pure. An order
 * of frames, a size or a byte that the runtime would not have produced means that somebody else is
 * speaking: BAD, and the child is killed. Every length is checked against a constant before it is
 * added to anything.
 */
#include "front/reply_parse.h"

#include "base/proto.h"
#include "front/http_reply.h"

#include <string.h>

enum state {
	STATE_HEAD,   /* FRAME_REPLY or FRAME_ERROR */
	STATE_FRAME,  /* FRAME_BODY, FRAME_END or FRAME_ERROR */
	STATE_BODY,   /* within a body frame */
	STATE_CLOSED, /* nothing may follow */
	STATE_BAD,
	STATE_MAX
};

/* What one call works on. */
struct feed {
	const uint8_t *data;
	size_t length;
	size_t consumed;
	struct reply_event *event;
};

void
reply_parser_init(struct reply_parser *parser)
{
	memset(parser, 0, sizeof(*parser));
	parser->state = STATE_HEAD;
}

static enum reply_kind
refuse(struct reply_parser *parser, const char *reason)
{
	parser->state = STATE_BAD;
	parser->reason = reason;
	return REPLY_BAD;
}

/* ---- strings of a head ---- */

/* A uint16_t length, that many bytes, one NUL: the string at *offset, which moves behind it. NULL:
 * it is not there. */
static const char *
take_string(const uint8_t *data, size_t length, size_t *offset, uint32_t *length_out)
{
	size_t at = *offset;
	uint16_t size;

	if (length - at < sizeof(size))
		return NULL;
	memcpy(&size, data + at, sizeof(size));
	at += sizeof(size);
	if (length - at < (size_t)size + 1 || data[at + size] != '\0')
		return NULL;
	*offset = at + size + 1;
	*length_out = size;
	return (const char *)data + at;
}

bool
reply_header_next(const uint8_t *data, const struct reply_event *event, size_t *cursor,
		  struct reply_header *header_out)
{
	const uint8_t *headers = data + event->offset;

	header_out->name = take_string(headers, event->length, cursor, &header_out->name_length);
	if (!header_out->name)
		return false;
	header_out->value = take_string(headers, event->length, cursor, &header_out->value_length);
	return header_out->value != NULL;
}

/* NULL when the event's headers are as many as it says, all allowed, with nothing behind them. */
static const char *
check_headers(const uint8_t *data, const struct reply_event *event)
{
	struct reply_header header;
	size_t cursor = 0;

	for (unsigned i = 0; i < event->headers; i++) {
		const char *reason;

		if (!reply_header_next(data, event, &cursor, &header))
			return "header cut off";
		reason = http_reply_header_check(header.name, header.name_length, header.value,
						 header.value_length);
		if (reason)
			return reason;
	}
	return cursor == event->length ? NULL : "bytes behind the headers";
}

/* ---- frames ---- */

static const char *
check_head(const struct frame_reply *head)
{
	if (!http_reply_status_is_valid(head->status))
		return "status";
	if (head->headers > FRAME_HEADERS_MAX)
		return "too many headers";
	if (head->padding != 0)
		return "padding";
	if (!http_reply_has_body(head->status) && head->content_length != 0 &&
	    head->content_length != UINT64_MAX)
		return "length promised for a status without body";
	return NULL;
}

/* All of the frame is in `data`, from `at` on. */
static enum reply_kind
take_head(struct reply_parser *parser, struct feed *feed, size_t at, uint32_t size)
{
	struct reply_event *event = feed->event;
	struct frame_reply head;
	const char *reason;

	memcpy(&head, feed->data + at, sizeof(head));
	reason = check_head(&head);
	if (reason)
		return refuse(parser, reason);
	event->status = head.status;
	event->headers = head.headers;
	event->content_length = head.content_length;
	event->offset = at + sizeof(head);
	event->length = size - sizeof(head);
	reason = check_headers(feed->data, event);
	if (reason)
		return refuse(parser, reason);
	parser->promised = head.content_length != UINT64_MAX;
	parser->body_left = head.content_length;
	parser->has_body = http_reply_has_body(head.status);
	parser->head_told = true;
	parser->state = STATE_FRAME;
	feed->consumed = at + size;
	return REPLY_HEAD;
}

static enum reply_kind
take_error(struct reply_parser *parser, struct feed *feed, size_t at, uint32_t size)
{
	feed->event->offset = at;
	feed->event->length = size;
	feed->consumed = at + size;
	parser->state = STATE_CLOSED;
	return REPLY_ERROR;
}

static enum reply_kind
take_end(struct reply_parser *parser, struct feed *feed, size_t at, uint32_t size)
{
	(void)size;
	if (parser->promised && parser->body_left > 0 && !parser->is_head)
		return refuse(parser, "body shorter than promised");
	feed->consumed = at;
	parser->state = STATE_CLOSED;
	return REPLY_END;
}

/* Only the frame's header is looked at here; its bytes are passed on as they come. */
static enum reply_kind
begin_body(struct reply_parser *parser, struct feed *feed, size_t at, uint32_t size)
{
	if (!parser->has_body)
		return refuse(parser, "body for a status without body");
	if (size > parser->body_left)
		return refuse(parser, "body longer than promised");
	parser->frame_left = size;
	parser->state = STATE_BODY;
	feed->consumed = at;
	return REPLY_MORE;
}

static enum reply_kind
take_body(struct reply_parser *parser, struct feed *feed)
{
	size_t size = feed->length - feed->consumed;

	if (size == 0)
		return REPLY_MORE;
	if (size > parser->frame_left)
		size = parser->frame_left;
	feed->event->offset = feed->consumed;
	feed->event->length = size;
	feed->consumed += size;
	parser->frame_left -= (uint32_t)size;
	/* Without a promise it cannot run out: that would be 2^64 bytes. */
	parser->body_left -= size;
	if (parser->frame_left == 0)
		parser->state = STATE_FRAME;
	return REPLY_BODY;
}

/* One row per frame that a child may send. */
static const struct frame_rule {
	enum reply_kind (*take)(struct reply_parser *, struct feed *, size_t at, uint32_t size);
	uint32_t min;
	uint32_t max;
	bool whole;	 /* all of it must be there first */
	bool first;	 /* may open the reply */
	bool after_head; /* may follow the head */
} rules[FRAME_TYPE_MAX] = {
	[FRAME_REPLY] = { take_head, sizeof(struct frame_reply), FRAME_HEAD_MAX, true, true,
			  false },
	[FRAME_BODY] = { begin_body, 1, FRAME_BODY_MAX, false, false, true },
	[FRAME_END] = { take_end, 0, 0, true, false, true },
	[FRAME_ERROR] = { take_error, 0, FRAME_ERROR_MAX, true, true, true },
};

static enum reply_kind
take_frame(struct reply_parser *parser, struct feed *feed)
{
	const struct frame_rule *rule;
	struct frame_header header;
	size_t here = feed->length - feed->consumed;

	if (here < sizeof(header))
		return REPLY_MORE;
	memcpy(&header, feed->data + feed->consumed, sizeof(header));
	if (header.type >= FRAME_TYPE_MAX || !rules[header.type].take)
		return refuse(parser, "frame type");
	rule = &rules[header.type];
	if (parser->state == STATE_HEAD ? !rule->first : !rule->after_head)
		return refuse(parser, "frame out of order");
	if (header.length < rule->min || header.length > rule->max)
		return refuse(parser, "frame length");
	if (rule->whole && here - sizeof(header) < header.length)
		return REPLY_MORE;
	return rule->take(parser, feed, feed->consumed + sizeof(header), header.length);
}

static enum reply_kind
next_event(struct reply_parser *parser, struct feed *feed)
{
	enum reply_kind kind = REPLY_MORE;

	if (parser->state == STATE_BAD)
		return REPLY_BAD;
	if (parser->state == STATE_HEAD || parser->state == STATE_FRAME)
		kind = take_frame(parser, feed);
	if (parser->state == STATE_BODY)
		kind = take_body(parser, feed);
	if (parser->state == STATE_CLOSED && feed->consumed < feed->length) {
		parser->trailing = true;
		return refuse(parser, "bytes after the end");
	}
	return kind;
}

enum reply_kind
reply_parser_feed(struct reply_parser *parser, const uint8_t *data, size_t length,
		  size_t *consumed_out, struct reply_event *event_out)
{
	bool after_head = parser->head_told;
	struct feed feed = { .data = data, .length = length, .event = event_out };
	enum reply_kind kind;

	memset(event_out, 0, sizeof(*event_out));
	kind = next_event(parser, &feed);
	event_out->after_head = after_head;
	event_out->reason = parser->reason;
	*consumed_out = feed.consumed;
	return kind;
}
