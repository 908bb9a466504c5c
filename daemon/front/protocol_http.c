/*
 * HTTP/1.1 and 1.0, as clients and scrapers speak it.
 *
 * Runs in: front. Heads are parsed by http_request.c, which trusts nobody; no raw byte of a head reaches
 * a child. A reply's head has been checked by reply_parse.c.
 */
#include "base/request_frame.h"
#include "front/access_line.h"
#include "front/connection.h"
#include "front/exchange.h"
#include "front/front.h"
#include "front/gather.h"
#include "front/http_reply.h"
#include "front/pool.h"
#include "front/protocol_ops.h"
#include "front/request_id.h"
#include "front/response.h"
#include "front/route.h"
#include "worker.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct http_request *
request_of(const struct exchange *exchange)
{
	return &exchange->connection->parser.request;
}

/* ---- requests ---- */

static void
start(struct connection *connection)
{
	http_parser_init(&connection->parser);
}

static enum http_result
read_head(struct connection *connection, const char *data, size_t length,
	  struct protocol_fault *fault_out)
{
	const enum http_result result = http_parser_feed(&connection->parser, data, length);

	fault_out->status = connection->parser.status;
	fault_out->reason = connection->parser.reason;
	return result;
}

static void
describe(struct exchange *exchange, const char *head)
{
	struct connection *connection = exchange->connection;
	const struct http_request *request = &connection->parser.request;

	if (!request_id_find(request, head, connection->request_id))
		connection_make_request_id(connection);
	exchange->head_bytes = request->head_bytes;
	exchange->chunked_body = request->body == HTTP_BODY_CHUNKED;
	exchange->body_left = request->content_length;
	exchange->body_done = !exchange->chunked_body && request->content_length == 0;
	exchange->expect_continue = request->expect_continue;
	exchange->head_method = request->method.length == 4 &&
				memcmp(head + request->method.offset, "HEAD", 4) == 0;
	exchange->minor = request->minor;
	exchange->keep_alive = request->keep_alive;
	http_chunked_init(&exchange->chunked);
}

static bool
find_pool(struct exchange *exchange, const char *head)
{
	struct front *front = exchange->connection->front;
	const struct http_request *request = request_of(exchange);
	const char *route;
	size_t matched;
	int index = route_find(front->heritage->pools, front->heritage->pools_count,
			       head + request->path.offset, request->path.length, &route, &matched);

	if (index < 0)
		return false;
	exchange->pool = &front->pools[index];
	exchange->route = route;
	exchange->route_bytes = (uint32_t)matched;
	return true;
}

static void
add_fields(const struct exchange *exchange, const char *head, struct protocol_text *fields)
{
	const struct http_request *request = request_of(exchange);
	const char *path = head + request->path.offset;
	const bool is_https = exchange->connection->transport.tls != NULL;

	fields[ZY_METHOD] =
		(struct protocol_text){ head + request->method.offset, request->method.length };
	fields[ZY_PATH] = (struct protocol_text){ path, request->path.length };
	fields[ZY_QUERY] =
		(struct protocol_text){ head + request->query.offset, request->query.length };
	fields[ZY_ROUTE] = (struct protocol_text){ exchange->route, strlen(exchange->route) };
	fields[ZY_REST] = (struct protocol_text){ path + exchange->route_bytes,
						  request->path.length - exchange->route_bytes };
	fields[ZY_HOST] =
		(struct protocol_text){ head + request->host.offset, request->host.length };
	fields[ZY_PROTOCOL] =
		(struct protocol_text){ request->minor == 1 ? "HTTP/1.1" : "HTTP/1.0", 8 };
	fields[ZY_SCHEME] = (struct protocol_text){ is_https ? "https" : "http", is_https ? 5 : 4 };
}

static void
add_request_headers(const struct exchange *exchange, const char *head, struct request_frame *frame)
{
	const struct http_request *request = request_of(exchange);

	for (uint32_t i = 0; i < request->headers_count; i++) {
		const struct http_header *header = &request->headers[i];
		if (header->hop_by_hop == HTTP_HEADER_FORWARD)
			request_frame_add_header(frame, head + header->name.offset,
						 header->name.length, head + header->value.offset,
						 header->value.length);
	}
}

static void
tell_access(const struct connection *connection, struct access_request *out)
{
	const struct http_request *request = &connection->parser.request;
	const char *head = (const char *)evbuffer_pullup(connection->in, -1);

	out->protocol = request->minor == 1 ? "HTTP/1.1" : "HTTP/1.0";
	out->method = (struct access_text){ head + request->method.offset, request->method.length };
	out->target = (struct access_text){ head + request->target.offset, request->target.length };
	for (uint32_t i = 0; i < request->headers_count; i++) {
		const struct http_header *header = &request->headers[i];
		const char *name = head + header->name.offset;
		const struct access_text value = { head + header->value.offset,
						   header->value.length };
		if (http_equals(name, header->name.length, "referer"))
			out->referer = value;
		else if (http_equals(name, header->name.length, "user-agent"))
			out->agent = value;
	}
}

/* ---- answers ---- */

static int
add_headers(struct evbuffer *out, const unsigned char *data, const struct reply_event *event)
{
	struct reply_header header;
	size_t cursor = 0;

	while (reply_header_next(data, event, &cursor, &header)) {
		/* The front has written it: programs that pass on the one that they got may do so. */
		if (http_equals(header.name, header.name_length, "x-request-id"))
			continue;
		if (evbuffer_add(out, header.name, header.name_length) < 0 ||
		    evbuffer_add(out, ": ", 2) < 0 ||
		    evbuffer_add(out, header.value, header.value_length) < 0 ||
		    evbuffer_add(out, "\r\n", 2) < 0)
			return -1;
	}
	return 0;
}

/* How the client will know where the body ends. */
static int
add_framing(struct exchange *exchange, struct evbuffer *out, const struct reply_event *event)
{
	char line[48];
	int length;

	if (!http_reply_has_body(event->status))
		return 0;
	if (event->content_length != UINT64_MAX) {
		length = snprintf(line, sizeof(line), "Content-Length: %" PRIu64 "\r\n",
				  event->content_length);
		return evbuffer_add(out, line, (size_t)length);
	}
	if (exchange->gathers)
		return 0; /* add_end knows it */
	if (exchange->minor == 0) {
		exchange->keep_alive = exchange->no_body && exchange->keep_alive;
		return 0;
	}
	exchange->chunked_reply = !exchange->no_body;
	return evbuffer_add(out, "Transfer-Encoding: chunked\r\n", 28);
}

/*
 * To an HTTP/1.0 client the end of the connection is the end of a body without a length, and a Unix socket
 * cannot be reset: one that broke off would look complete. TLS tells the difference.
 */
static bool
must_gather(const struct exchange *exchange, const struct reply_event *event)
{
	const struct connection *connection = exchange->connection;

	return exchange->minor == 0 && connection->is_local && connection->transport.tls == NULL &&
	       !exchange->no_body && event->content_length == UINT64_MAX;
}

static bool
add_head(struct exchange *exchange, const unsigned char *data, const struct reply_event *event)
{
	struct evbuffer *out = exchange->connection->out;

	exchange->no_body = exchange->head_method || !http_reply_has_body(event->status);
	if (must_gather(exchange, event) && (out = gather_begin(exchange)) == NULL)
		return false;
	exchange->head_sent = !exchange->gathers;
	if (response_add_status(out, (int)event->status) < 0 ||
	    response_add_request_id(out, exchange->connection->request_id) < 0 ||
	    add_framing(exchange, out, event) < 0 || add_headers(out, data, event) < 0 ||
	    response_add_connection(out, exchange->minor, exchange->keep_alive) < 0)
		return false;
	if (!exchange->gathers)
		return evbuffer_add(out, "\r\n", 2) == 0;
	gather_end_head(exchange);
	return true;
}

static bool
add_body(struct exchange *exchange, const unsigned char *data, size_t length)
{
	struct evbuffer *out = exchange->connection->out;
	char size[24];

	if (exchange->no_body)
		return true;
	if (exchange->gathers)
		return gather_add(exchange, data, length);
	if (!exchange->chunked_reply)
		return evbuffer_add(out, data, length) == 0;
	int digits = snprintf(size, sizeof(size), "%zx\r\n", length);
	return evbuffer_add(out, size, (size_t)digits) == 0 &&
	       evbuffer_add(out, data, length) == 0 && evbuffer_add(out, "\r\n", 2) == 0;
}

static bool
add_gathered(struct exchange *exchange)
{
	char line[48];
	int length = snprintf(line, sizeof(line), "Content-Length: %zu\r\n\r\n",
			      gather_body_bytes(exchange));

	exchange->head_sent = true;
	return gather_move_head(exchange) &&
	       evbuffer_add(exchange->connection->out, line, (size_t)length) == 0 &&
	       gather_move_body(exchange);
}

static bool
add_end(struct exchange *exchange)
{
	if (exchange->gathers)
		return add_gathered(exchange);
	return !exchange->chunked_reply ||
	       evbuffer_add(exchange->connection->out, "0\r\n\r\n", 5) == 0;
}

#define HTTP_OPERATIONS                                                                            \
	.start = start, .read_head = read_head, .describe = describe, .find_pool = find_pool,      \
	.add_fields = add_fields, .add_headers = add_request_headers, .tell_access = tell_access,  \
	.add_head = add_head, .add_body = add_body, .add_end = add_end,                            \
	.add_error = response_add_error

const struct protocol_ops protocol_http = { HTTP_OPERATIONS };

const struct protocol_ops protocol_metrics = { .is_scraper = true, HTTP_OPERATIONS };
