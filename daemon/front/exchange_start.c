/*
 * The first half of a request's life: route, admission, handing the head over to a child.
 *
 * Runs in: front. What a child gets is written by request_frame from the parsed head; no raw byte
 * of the client's head reaches it.
 */
#include "base/log.h"
#include "base/request_frame.h"
#include "front/access_log.h"
#include "front/connection.h"
#include "front/exchange.h"
#include "front/front.h"
#include "front/memory_look.h"
#include "front/pool.h"
#include "front/protocol_ops.h"
#include "front/sample.h"
#include "front/seed.h"
#include "front/source.h"
#include "front/tls_session.h"
#include "worker.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static void
on_child_readable(evutil_socket_t fd, short what, void *argument)
{
	struct exchange *exchange = argument;

	(void)fd;
	(void)what;
	exchange_reply_on_readable(exchange);
	connection_update(exchange->connection);
}

static void
on_child_writable(evutil_socket_t fd, short what, void *argument)
{
	struct exchange *exchange = argument;

	(void)fd;
	(void)what;
	exchange_on_child_writable(exchange);
	connection_update(exchange->connection);
}

static void
watch_child(struct exchange *exchange)
{
	struct event_base *base = exchange->connection->front->base;

	event_assign(&exchange->child_read, base, exchange->child_fd, EV_READ | EV_PERSIST,
		     on_child_readable, exchange);
	event_assign(&exchange->child_write, base, exchange->child_fd, EV_WRITE | EV_PERSIST,
		     on_child_writable, exchange);
	event_add(&exchange->child_read, NULL);
}

static struct tls_info
tls_of(const struct connection *connection)
{
	struct tls_info info = { "", "", "", "", "" };

	if (connection->transport.tls != NULL)
		tls_session_info(connection->transport.tls, &info);
	return info;
}

/* What the connection knows of itself, and what the protocol finds in the head. */
static void
add_fields(struct request_frame *frame, const struct exchange *exchange, const char *head)
{
	const struct connection *connection = exchange->connection;
	const struct tls_info tls = tls_of(connection);
	struct protocol_text fields[ZY_FIELD_MAX] = {
		[ZY_PEER_ADDRESS] = { connection->peer_address, strlen(connection->peer_address) },
		[ZY_PEER_PORT] = { connection->peer_port, strlen(connection->peer_port) },
		[ZY_LISTENER] = { connection->listener->name, strlen(connection->listener->name) },
		[ZY_TLS_VERSION] = { tls.version, strlen(tls.version) },
		[ZY_TLS_CIPHER] = { tls.cipher, strlen(tls.cipher) },
		[ZY_TLS_SERVER_NAME] = { tls.server_name, strlen(tls.server_name) },
		[ZY_CLIENT_SUBJECT] = { tls.subject, strlen(tls.subject) },
		[ZY_CLIENT_SAN] = { tls.san, strlen(tls.san) },
		[ZY_REQUEST_ID] = { connection->request_id, strlen(connection->request_id) },
		[ZY_POOL] = { exchange->pool->config->name, strlen(exchange->pool->config->name) },
	};

	connection->ops->add_fields(exchange, head, fields);
	for (int i = 0; i < ZY_FIELD_MAX; i++)
		request_frame_add_field(frame, fields[i].text, fields[i].length);
}

/* Writes FRAME_REQUEST, and FRAME_END when there is no body. Its length, 0 on failure. */
static size_t
write_request(const struct exchange *exchange, const char *head, unsigned char *data, size_t size)
{
	const struct frame_header end = { .type = FRAME_END };
	struct request_frame frame;
	struct frame_request fixed = {
		.id = exchange->id,
		.deadline_ns = exchange->taken_ns + exchange->pool->config->timeout_ms * 1000000ull,
		.content_length = exchange->chunked_body ? UINT64_MAX : exchange->body_left,
		.flags = exchange->is_sample ? FRAME_REQUEST_HOLD : 0,
	};
	size_t length;

	if (!seed_take(fixed.seed, sizeof(fixed.seed)))
		return 0;
	request_frame_begin(&frame, data, size - sizeof(end));
	add_fields(&frame, exchange, head);
	exchange->connection->ops->add_headers(exchange, head, &frame);
	length = request_frame_end(&frame, &fixed);
	explicit_bzero(fixed.seed, sizeof(fixed.seed));
	if (length == 0 || !exchange->body_done)
		return length;
	memcpy(data + length, &end, sizeof(end));
	return length + sizeof(end);
}

enum handed { HANDED_OVER, HANDED_TO_DEAD, HANDED_FAILED };

/* The socket's buffer takes the whole head but for the largest ones. */
static enum handed
send_request(struct exchange *exchange, const unsigned char *data, size_t length)
{
	ssize_t sent = send(exchange->child_fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent < 0 && errno != EAGAIN && errno != EINTR)
		return HANDED_TO_DEAD;
	if (sent == (ssize_t)length)
		return HANDED_OVER;
	if (sent < 0)
		sent = 0;
	if (!exchange_open_to_child(exchange))
		return HANDED_FAILED;
	if (evbuffer_add(exchange->to_child, data + sent, length - (size_t)sent) < 0)
		return HANDED_FAILED;
	event_add(&exchange->child_write, NULL);
	return HANDED_OVER;
}

/* The head stays in `in` when the child turns out to be dead: the next one gets it. */
static enum handed
hand_over(struct exchange *exchange)
{
	static unsigned char data[FRAME_HEAD_MAX + 1024];
	struct connection *connection = exchange->connection;
	const char *head =
		(const char *)evbuffer_pullup(connection->in, (ev_ssize_t)exchange->head_bytes);
	size_t length = head != NULL ? write_request(exchange, head, data, sizeof(data)) : 0;
	enum handed handed = length > 0 ? send_request(exchange, data, length) : HANDED_FAILED;

	if (handed == HANDED_TO_DEAD)
		return handed;
	evbuffer_drain(connection->in, exchange->head_bytes);
	exchange->head_pending = false;
	return handed;
}

static void
take_child(struct exchange *exchange, struct child *child)
{
	const struct connection *connection = exchange->connection;

	exchange->child = child;
	exchange->child_fd = child->fd;
	exchange->child_is_nonblocking = false;
	child->fd = -1;
	child->request = exchange->id;
	child->route = exchange->route;
	child->source = connection->source;
	memcpy(child->peer, connection->peer_address, sizeof(child->peer));
	memcpy(child->request_id, connection->request_id, sizeof(child->request_id));
	exchange->taken_ns = child->taken_ns;
	exchange->is_sample = sample_is_due(child);
	exchange->served_by.generation = child->generation->number;
	exchange_on_forked(exchange, child);
	watch_child(exchange);
}

static void
count_wait(const struct exchange *exchange)
{
	struct msg_stats *stats = &exchange->pool->stats;
	const uint64_t queue_us = (exchange->taken_ns - exchange->received_ns) / 1000;

	histogram_count(&exchange->pool->times.times[POOL_TIME_QUEUE], queue_us);
	stats->queue_us += queue_us;
	if (queue_us > stats->queue_us_max)
		stats->queue_us_max = queue_us;
}

bool
exchange_run(struct exchange *exchange, struct child *child)
{
	struct connection *connection = exchange->connection;
	enum handed handed;

	take_child(exchange, child);
	handed = hand_over(exchange);
	if (handed == HANDED_TO_DEAD) {
		exchange_release_child(exchange, true);
		exchange->taken_ns = 0;
		return false;
	}
	exchange->state = EXCHANGE_RUNNING;
	count_wait(exchange);
	memory_look_start(connection->front);
	reply_parser_init(&exchange->parser);
	exchange->parser.is_head = exchange->head_method;
	exchange->reply_max_bytes = exchange->pool->config->reply_max_bytes;
	connection_set_timer(connection, exchange->pool->timeout);
	if (handed == HANDED_FAILED) {
		exchange_fail(exchange, OUTCOME_INTERNAL);
		connection_update(connection);
		return true;
	}
	if (exchange->expect_continue && evbuffer_get_length(connection->in) == 0) {
		evbuffer_add(connection->out, "HTTP/1.1 100 Continue\r\n\r\n", 25);
		connection_flush(connection);
	}
	exchange_on_input(exchange);
	connection_update(connection);
	return true;
}

static void
prepare(struct exchange *exchange)
{
	struct connection *connection = exchange->connection;
	struct front *front = connection->front;
	const char *head = (const char *)evbuffer_pullup(connection->in, -1);

	front->requests++;
	front->active_count++;
	exchange->state = EXCHANGE_RUNNING;
	exchange->head_pending = true;
	exchange->pool = NULL;
	exchange->probe = false;
	exchange->id = front->next_id++;
	exchange->received_ns = front_now_ns();
	exchange->taken_ns = 0;
	exchange->body_bytes = exchange->reply_bytes = 0;
	exchange->child_deaf = exchange->exit_known = false;
	exchange->status = 0;
	exchange->head_sent = exchange->chunked_reply = exchange->no_body = false;
	exchange->gathers = false;
	connection->ops->describe(exchange, head);
	exchange->keep_alive &=
		!connection->leaving && connection->requests < front->heritage->requests_max;
	access_log_begin(exchange);
}

static enum outcome
choose_pool(struct exchange *exchange)
{
	const struct connection *connection = exchange->connection;
	const char *head = (const char *)evbuffer_pullup(connection->in, -1);

	if (!connection->ops->find_pool(exchange, head))
		return OUTCOME_NO_ROUTE;
	if (!exchange->chunked_body &&
	    exchange->body_left > exchange->pool->config->body_max_bytes) {
		exchange->pool->stats.requests++;
		return OUTCOME_BODY_TOO_LARGE;
	}
	return OUTCOME_OK;
}

/* A source under penalty gets no further request in on this connection. */
static enum outcome
judge_source(struct exchange *exchange)
{
	struct connection *connection = exchange->connection;

	exchange->retry_after = source_refused(connection->front, &connection->source);
	if (exchange->retry_after == 0)
		return OUTCOME_OK;
	exchange->keep_alive = false;
	return OUTCOME_PENALTY;
}

void
exchange_begin(struct connection *connection)
{
	struct exchange *exchange = &connection->exchange;
	enum outcome refusal;

	prepare(exchange);
	refusal = judge_source(exchange);
	if (refusal == OUTCOME_OK)
		refusal = choose_pool(exchange);
	if (refusal == OUTCOME_OK) {
		exchange->state = EXCHANGE_QUEUED;
		connection_set_timer(connection, exchange->pool->queue_timeout);
		refusal = pool_submit(exchange->pool, exchange);
		if (refusal != OUTCOME_OK)
			exchange->state = EXCHANGE_RUNNING; /* it never was in the queue */
	}
	if (refusal != OUTCOME_OK)
		exchange_fail(exchange, refusal);
}
