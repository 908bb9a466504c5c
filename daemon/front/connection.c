/*
 * Client connections: socket I/O, states, closing. Opening is in connection_open.c, deadlines are in
 * connection_deadline.c, requests in connection_request.c, TLS handshakes in handshake.c.
 *
 * Runs in: front. Everything read is hostile; it reaches the parsers and nobody else. Rules: one
 * state at a time, each with a deadline (connection_set_timer) or under the minimum rate
 * (connection_tick); memory is bounded because reading stops when `in` holds FRONT_IO_BYTES, and
 * replies are not read while `out` holds any.
 */
#include "front/connection.h"

#include "front/departure.h"
#include "front/front.h"
#include "front/listener.h"
#include "front/preamble.h"
#include "front/protocol_ops.h"
#include "front/room.h"
#include "front/supervisor_link.h"

#include <errno.h>
#include <stdlib.h>

/* A client that goes on sending after an error answer is read at most this far. */
#define LINGER_BYTES_MAX (16u << 20)

bool
connection_is_closed(const struct connection *connection)
{
	return connection->state == CONNECTION_CLOSED;
}

void
connection_set_timer(struct connection *connection, const struct timeval *timeout)
{
	if (timeout == NULL)
		evtimer_del(&connection->timer);
	else
		evtimer_add(&connection->timer, timeout);
}

/* ---- closing ---- */

static void
on_bury(evutil_socket_t fd, short what, void *argument)
{
	struct connection *connection = argument;

	(void)fd;
	(void)what;
	exchange_fini(&connection->exchange);
	preamble_fini(connection);
	evbuffer_free(connection->in);
	evbuffer_free(connection->out);
	free(connection);
}

static void
end(struct connection *connection, bool reset)
{
	static const struct timeval now = { 0, 0 };
	struct front *front = connection->front;
	const bool was_full = room_is_full(front, connection->listener);
	const bool complete = connection->state == CONNECTION_IDLE;

	if (connection->state == CONNECTION_CLOSED)
		return;
	scrape_forget(connection);
	connection_change_state(connection, CONNECTION_CLOSED);
	if (connection->exchange.state != EXCHANGE_NONE)
		exchange_abandon(&connection->exchange, OUTCOME_CLIENT_GONE);
	event_del(&connection->read_event);
	event_del(&connection->write_event);
	departure_watch(connection, false);
	evtimer_del(&connection->timer);
	handshake_forget(connection);
	if (reset)
		transport_reset(&connection->transport);
	else
		transport_close(&connection->transport, complete);
	TAILQ_REMOVE(&front->connections, connection, link);
	room_leave(connection);
	if (was_full)
		listener_resume(front);
	supervisor_link_check_drained(front);
	evtimer_assign(&connection->timer, front->base, on_bury, connection);
	evtimer_add(&connection->timer, &now);
}

void
connection_close(struct connection *connection)
{
	end(connection, false);
}

void
connection_reset(struct connection *connection)
{
	end(connection, true);
}

/* Everything is written: tell the client so, and read on until it has noticed. */
static void
start_linger(struct connection *connection)
{
	if (!transport_end(&connection->transport)) {
		connection_close(connection);
		return;
	}
	if (transport_pending(&connection->transport) > 0) {
		event_add(&connection->write_event, NULL); /* comes back here */
		return;
	}
	connection_change_state(connection, CONNECTION_LINGER);
	if (connection->eof) {
		connection_close(connection);
		return;
	}
	evbuffer_drain(connection->in, evbuffer_get_length(connection->in));
	connection_set_timer(connection, connection->front->linger_timeout);
}

/* ---- output ---- */

static void
after_flush(struct connection *connection)
{
	if (connection->state == CONNECTION_EXCHANGE) {
		exchange_on_output(&connection->exchange);
	} else if (connection->state == CONNECTION_FLUSH) {
		if (connection->close_after) {
			start_linger(connection);
		} else {
			connection_change_state(connection, CONNECTION_IDLE);
			connection_process(connection);
		}
	}
}

bool
connection_is_drained(const struct connection *connection)
{
	return evbuffer_get_length(connection->out) == 0 &&
	       transport_pending(&connection->transport) == 0;
}

void
connection_flush(struct connection *connection)
{
	if (connection_is_closed(connection))
		return;
	if (!transport_write(&connection->transport, connection->out)) {
		connection_close(connection);
		return;
	}
	if (connection_is_drained(connection))
		event_del(&connection->write_event);
	else
		event_add(&connection->write_event, NULL);
	if (connection->state == CONNECTION_FLUSH && connection_is_drained(connection))
		after_flush(connection);
}

static void
on_writable(evutil_socket_t fd, short what, void *argument)
{
	struct connection *connection = argument;

	(void)fd;
	(void)what;
	connection_flush(connection);
	if (connection->state == CONNECTION_EXCHANGE)
		after_flush(connection);
	connection_update(connection);
}

/* ---- input ---- */

void
connection_update(struct connection *connection)
{
	if (connection_is_closed(connection))
		return;
	if (connection_input_room(connection) > 0) {
		departure_watch(connection, false);
		event_add(&connection->read_event, NULL);
		return;
	}
	event_del(&connection->read_event);
	departure_watch(connection, connection->state == CONNECTION_EXCHANGE ||
					    connection->handshake == HANDSHAKE_WAITING);
}

static void
on_eof(struct connection *connection)
{
	connection->eof = true;
	if (connection->state == CONNECTION_FLUSH) {
		connection->close_after = true; /* the answer is complete: let it go out */
		connection_update(connection);
		return;
	}
	if (connection->state == CONNECTION_HEAD && connection->ops->truncated != NULL) {
		connection_make_request_id(connection);
		connection_refuse(connection, OUTCOME_BAD_REQUEST, 0, connection->ops->truncated);
		connection_flush(connection);
		connection_update(connection);
		return;
	}
	connection_close(connection);
}

static void
take_input(struct connection *connection, const unsigned char *data, size_t length)
{
	if (evbuffer_add(connection->in, data, length) < 0) {
		connection_close(connection);
		return;
	}
	if (connection->state == CONNECTION_EXCHANGE)
		exchange_on_input(&connection->exchange);
	else
		connection_process(connection);
	connection_update(connection);
}

/* Whatever comes after an answer that ends the connection is of no interest. */
static void
drop_input(struct connection *connection)
{
	ssize_t count = transport_discard(&connection->transport, connection->front->scratch);

	if (count > 0)
		connection->linger_bytes += (uint64_t)count;
	else if (count == 0 || (errno != EAGAIN && errno != EINTR))
		connection_close(connection);
	if (connection->linger_bytes > LINGER_BYTES_MAX)
		connection_close(connection);
}

static void
read_input(struct connection *connection)
{
	unsigned char *scratch = connection->front->scratch;
	const size_t room = connection_input_room(connection);
	ssize_t count;
	int error;

	if (room == 0) { /* a read of nothing would look like the end */
		connection_update(connection);
		return;
	}
	count = transport_read(&connection->transport, scratch, room);
	error = errno;
	if (connection->state == CONNECTION_HANDSHAKE && !handshake_step(connection, count))
		return;
	if (count > 0) {
		take_input(connection, scratch, (size_t)count);
		if (!connection_is_closed(connection) &&
		    transport_has_ended(&connection->transport))
			on_eof(connection);
	} else if (count == 0) {
		on_eof(connection);
	} else if (error != EAGAIN && error != EINTR) {
		connection_close(connection);
	}
}

static void
on_readable(evutil_socket_t fd, short what, void *argument)
{
	struct connection *connection = argument;

	(void)fd;
	(void)what;
	if (connection->state == CONNECTION_LINGER)
		drop_input(connection);
	else if (connection->state == CONNECTION_PREAMBLE)
		preamble_on_readable(connection);
	else if (connection->state != CONNECTION_HANDSHAKE || handshake_admit(connection))
		read_input(connection);
}

/* ---- watching ---- */

void
connection_watch(struct connection *connection)
{
	struct event_base *base = connection->front->base;
	const int fd = connection->transport.fd;

	event_assign(&connection->read_event, base, fd, EV_READ | EV_PERSIST, on_readable,
		     connection);
	event_assign(&connection->write_event, base, fd, EV_WRITE | EV_PERSIST, on_writable,
		     connection);
	evtimer_assign(&connection->timer, base, connection_on_timer, connection);
}
