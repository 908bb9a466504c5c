/*
 * Gathering answers.
 *
 * Runs in: front. Rule: the bytes are counted from gather_add until the client has taken them or is gone,
 * so that gather_memory bounds them whatever clients do; one answer is bounded by the exchange.
 */
#include "front/gather.h"

#include "front/connection.h"
#include "front/exchange.h"
#include "front/front.h"

struct evbuffer *
gather_begin(struct exchange *exchange)
{
	exchange->gathers = true;
	exchange->gathered_head = 0;
	if (exchange->gathered == NULL)
		exchange->gathered = evbuffer_new();
	return exchange->gathered;
}

void
gather_end_head(struct exchange *exchange)
{
	exchange->gathered_head = evbuffer_get_length(exchange->gathered);
}

bool
gather_add(struct exchange *exchange, const unsigned char *data, size_t length)
{
	struct connection *connection = exchange->connection;
	struct front *front = connection->front;

	if (length > front->heritage->gather_bytes ||
	    front->gathered_bytes > front->heritage->gather_bytes - length ||
	    evbuffer_add(exchange->gathered, data, length) < 0)
		return false;
	front->gathered_bytes += length;
	connection->gathered_bytes += length;
	return true;
}

size_t
gather_body_bytes(const struct exchange *exchange)
{
	return evbuffer_get_length(exchange->gathered) - exchange->gathered_head;
}

bool
gather_move_head(struct exchange *exchange)
{
	const size_t length = exchange->gathered_head;

	exchange->gathered_head = 0;
	return evbuffer_remove_buffer(exchange->gathered, exchange->connection->out, length) ==
	       (int)length;
}

bool
gather_move_body(struct exchange *exchange)
{
	return evbuffer_add_buffer(exchange->connection->out, exchange->gathered) == 0;
}

void
gather_drop(struct exchange *exchange)
{
	if (exchange->gathered != NULL)
		evbuffer_drain(exchange->gathered, evbuffer_get_length(exchange->gathered));
}

void
gather_release(struct connection *connection)
{
	connection->front->gathered_bytes -= connection->gathered_bytes;
	connection->gathered_bytes = 0;
}
