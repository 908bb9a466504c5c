/*
 * Frames: requests and replies that are a length and a payload, for programs (base/frame_wire.h).
 *
 * Runs in: front. Trusts nobody. Rule: a reply's length comes before its payload, so an answer leaves when
 * it is complete, and until then any failure still becomes a reply.
 */
#include "front/access_line.h"
#include "front/connection.h"
#include "front/exchange.h"
#include "front/frame_reply.h"
#include "front/front.h"
#include "front/gather.h"
#include "front/pool.h"
#include "front/protocol_ops.h"
#include "front/response.h"
#include "front/route.h"
#include "worker.h"

#include <stdio.h>
#include <string.h>

/* What a worker and the access log see. */
#define METHOD	 "FRAME"
#define TARGET	 "/"
#define PROTOCOL "FRAME"

#define ERROR_TEXT_MAX 256

/* ---- requests ---- */

static void
start(struct connection *connection)
{
	connection->payload_bytes = 0;
}

static enum http_result
read_head(struct connection *connection, const char *data, size_t length,
	  struct protocol_fault *fault_out)
{
	(void)fault_out; /* no head is bad */
	return frame_wire_get_request((const uint8_t *)data, length, &connection->payload_bytes)
		       ? HTTP_DONE
		       : HTTP_MORE;
}

static void
describe(struct exchange *exchange, const char *head)
{
	(void)head;
	connection_make_request_id(exchange->connection);
	exchange->head_bytes = FRAME_WIRE_REQUEST_HEAD;
	exchange->chunked_body = false;
	exchange->body_left = exchange->connection->payload_bytes;
	exchange->body_done = exchange->body_left == 0;
	exchange->expect_continue = false;
	exchange->head_method = false;
	exchange->minor = 1;
	exchange->keep_alive = true;
	exchange->gathers = true;
}

static bool
find_pool(struct exchange *exchange, const char *head)
{
	const struct connection *connection = exchange->connection;
	struct front *front = connection->front;
	int index = route_find_frame(front->heritage->pools, front->heritage->pools_count,
				     connection->listener->pool, &exchange->route);

	(void)head;
	if (index < 0)
		return false;
	exchange->pool = &front->pools[index];
	exchange->route_bytes = 0;
	return true;
}

static void
add_fields(const struct exchange *exchange, const char *head, struct protocol_text *fields)
{
	const bool is_tls = exchange->connection->transport.tls != NULL;

	(void)head;
	fields[ZY_METHOD] = (struct protocol_text){ METHOD, strlen(METHOD) };
	fields[ZY_PATH] = fields[ZY_ROUTE] = (struct protocol_text){ TARGET, strlen(TARGET) };
	fields[ZY_PROTOCOL] = (struct protocol_text){ PROTOCOL, strlen(PROTOCOL) };
	fields[ZY_SCHEME] = (struct protocol_text){ is_tls ? "frames" : "frame", is_tls ? 6 : 5 };
}

static void
add_no_headers(const struct exchange *exchange, const char *head, struct request_frame *frame)
{
	(void)exchange;
	(void)head;
	(void)frame;
}

static void
tell_access(const struct connection *connection, struct access_request *out)
{
	(void)connection;
	out->protocol = PROTOCOL;
	out->method = (struct access_text){ METHOD, strlen(METHOD) };
	out->target = (struct access_text){ TARGET, strlen(TARGET) };
}

/* ---- replies ---- */

static bool
add_head(struct exchange *exchange, const unsigned char *data, const struct reply_event *event)
{
	(void)data;
	(void)event;
	return gather_begin(exchange) != NULL;
}

static bool
add_end(struct exchange *exchange)
{
	uint8_t head[FRAME_WIRE_REPLY_HEAD];

	frame_wire_put_reply(frame_reply_of_status(exchange->status),
			     (uint32_t)gather_body_bytes(exchange), head);
	exchange->head_sent = true;
	return evbuffer_add(exchange->connection->out, head, sizeof(head)) == 0 &&
	       gather_move_body(exchange);
}

/* The payload is the outcome's name, as it stands in statistics, and its text. */
static int
add_error(struct evbuffer *out, const struct response_error *error)
{
	const char *text = error->text != NULL ? error->text : proto_outcome_text(error->outcome);
	uint8_t head[FRAME_WIRE_REPLY_HEAD];
	char payload[ERROR_TEXT_MAX];
	int length = snprintf(payload, sizeof(payload), "%s: %s",
			      proto_outcome_name(error->outcome), text);

	if (length < 0 || (size_t)length >= sizeof(payload))
		length = (int)strlen(payload);
	frame_wire_put_reply(frame_reply_of_outcome(error->outcome), (uint32_t)length, head);
	return evbuffer_add(out, head, sizeof(head)) < 0 ||
			       evbuffer_add(out, payload, (size_t)length) < 0
		       ? -1
		       : 0;
}

const struct protocol_ops protocol_frame = {
	.truncated = "the frame's length broke off",
	.start = start,
	.read_head = read_head,
	.describe = describe,
	.find_pool = find_pool,
	.add_fields = add_fields,
	.add_headers = add_no_headers,
	.tell_access = tell_access,
	.add_head = add_head,
	.add_body = gather_add,
	.add_end = add_end,
	.add_error = add_error,
};
