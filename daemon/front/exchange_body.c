/*
 * Request bodies: from the connection's `in`, decoded, in frames to the child.
 *
 * Runs in: front. Bytes are moved, not copied, but for small pieces. Rule: at most about FRONT_IO_BYTES wait for a child;
 * then the client is not read from.
 */
#include "front/connection.h"
#include "front/exchange.h"
#include "front/front.h"
#include "front/pool.h"

#include <errno.h>
#include <fcntl.h>

#define COPIED_MAX 4096

bool
exchange_wants_input(const struct exchange *exchange)
{
	return exchange->state == EXCHANGE_RUNNING && !exchange->body_done &&
	       (exchange->to_child == NULL || evbuffer_get_length(exchange->to_child) == 0);
}

static bool
has_room(const struct exchange *exchange)
{
	return exchange->to_child == NULL ||
	       evbuffer_get_length(exchange->to_child) < FRONT_IO_BYTES;
}

/*
 * evbuffer_write has no MSG_DONTWAIT, so our end of the socket must not block (the child's does). Most requests are
 * handed over by one send and never come here.
 */
bool
exchange_open_to_child(struct exchange *exchange)
{
	if (exchange->to_child == NULL && (exchange->to_child = evbuffer_new()) == NULL)
		return false;
	if (exchange->child_is_nonblocking)
		return true;
	exchange->child_is_nonblocking = fcntl(exchange->child_fd, F_SETFL, O_NONBLOCK) == 0;
	return exchange->child_is_nonblocking;
}

/* A piece that is moved keeps its buffer: bytes that dribble in would cost a buffer each. */
static bool
add_part(struct exchange *exchange, size_t length)
{
	struct evbuffer *in = exchange->connection->in;
	const void *data;

	if (length > COPIED_MAX)
		return evbuffer_remove_buffer(in, exchange->to_child, length) == (int)length;
	data = evbuffer_pullup(in, (ev_ssize_t)length);
	return data != NULL && evbuffer_add(exchange->to_child, data, length) == 0 &&
	       evbuffer_drain(in, length) == 0;
}

/* Moves `length` bytes from the start of `in` into a body frame; drops them when the child does not
 * read. */
static bool
move_piece(struct exchange *exchange, size_t length)
{
	struct evbuffer *in = exchange->connection->in;

	exchange->body_bytes += length;
	if (exchange->child_deaf)
		return evbuffer_drain(in, length) == 0;
	while (length > 0) {
		size_t part = length < FRAME_BODY_MAX ? length : FRAME_BODY_MAX;
		const struct frame_header header = { .type = FRAME_BODY, .length = (uint32_t)part };

		if (evbuffer_add(exchange->to_child, &header, sizeof(header)) < 0 ||
		    !add_part(exchange, part))
			return false;
		length -= part;
	}
	return true;
}

static bool
add_end(struct exchange *exchange)
{
	const struct frame_header end = { .type = FRAME_END };

	exchange->body_done = true;
	return exchange->child_deaf || evbuffer_add(exchange->to_child, &end, sizeof(end)) == 0;
}

/* Each step takes something from `in`; OUTCOME_OK means so far so good. */
static enum outcome
pump_length(struct exchange *exchange)
{
	struct evbuffer *in = exchange->connection->in;
	size_t there = evbuffer_get_length(in);
	size_t piece = there < exchange->body_left ? there : (size_t)exchange->body_left;

	exchange->body_left -= piece;
	if (!move_piece(exchange, piece))
		return OUTCOME_INTERNAL;
	if (exchange->body_left == 0 && !add_end(exchange))
		return OUTCOME_INTERNAL;
	return OUTCOME_OK;
}

static enum outcome
pump_chunked(struct exchange *exchange)
{
	struct evbuffer *in = exchange->connection->in;
	struct http_piece piece;
	size_t consumed;

	while (!exchange->body_done && evbuffer_get_length(in) > 0 && has_room(exchange)) {
		size_t length = evbuffer_get_contiguous_space(in);
		const char *data = (const char *)evbuffer_pullup(in, (ev_ssize_t)length);
		if (data == NULL)
			return OUTCOME_INTERNAL;
		switch (http_chunked_feed(&exchange->chunked, data, length, &consumed, &piece)) {
		case HTTP_BAD:
			return OUTCOME_BAD_REQUEST;
		case HTTP_DONE:
			evbuffer_drain(in, consumed);
			if (!add_end(exchange))
				return OUTCOME_INTERNAL;
			break;
		case HTTP_MORE:
			if (exchange->body_bytes + piece.length >
			    exchange->pool->config->body_max_bytes)
				return OUTCOME_BODY_TOO_LARGE;
			evbuffer_drain(in, piece.offset);
			if (!move_piece(exchange, piece.length))
				return OUTCOME_INTERNAL;
			evbuffer_drain(in, consumed - piece.offset - piece.length);
			break;
		}
	}
	return OUTCOME_OK;
}

/* evbuffer_write of nothing fails without setting errno: that is no word of the child's. */
static void
write_to_child(struct exchange *exchange)
{
	struct evbuffer *to_child = exchange->to_child;

	if (evbuffer_get_length(to_child) == 0 ||
	    evbuffer_write(to_child, exchange->child_fd) >= 0 || errno == EAGAIN || errno == EINTR)
		return;
	/* It has stopped reading; what it has to say still counts. */
	exchange->child_deaf = true;
	evbuffer_drain(to_child, evbuffer_get_length(to_child));
}

static void
send_to_child(struct exchange *exchange)
{
	write_to_child(exchange);
	if (evbuffer_get_length(exchange->to_child) > 0)
		event_add(&exchange->child_write, NULL);
	else
		event_del(&exchange->child_write);
}

void
exchange_on_child_writable(struct exchange *exchange)
{
	send_to_child(exchange);
	exchange_body_pump(exchange);
}

static bool
may_pump(const struct exchange *exchange)
{
	return exchange->state == EXCHANGE_RUNNING && !exchange->body_done && has_room(exchange) &&
	       evbuffer_get_length(exchange->connection->in) > 0;
}

/* What the child took at once made room for more, and no event will say so. Each round takes something from `in`. */
void
exchange_body_pump(struct exchange *exchange)
{
	enum outcome outcome;

	while (may_pump(exchange)) {
		if (!exchange_open_to_child(exchange))
			outcome = OUTCOME_INTERNAL;
		else
			outcome = exchange->chunked_body ? pump_chunked(exchange)
							 : pump_length(exchange);
		if (outcome != OUTCOME_OK) {
			exchange_fail(exchange, outcome);
			return;
		}
		send_to_child(exchange);
	}
}
