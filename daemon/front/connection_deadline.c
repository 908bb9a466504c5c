/*
 * How long a client may take: deadlines of states, minimum rates, and the end of connections when the
 * daemon drains or a listener goes.
 *
 * Runs in: front.
 */
#include "front/connection.h"
#include "front/front.h"

void
connection_on_timer(evutil_socket_t fd, short what, void *argument)
{
	struct connection *connection = argument;

	(void)fd;
	(void)what;
	switch (connection->state) {
	case CONNECTION_HANDSHAKE:
		handshake_on_timeout(connection);
		break;
	case CONNECTION_IDLE:
		if (evbuffer_get_length(connection->in) > 0)
			connection_process(connection);
		else
			connection_close(connection);
		break;
	case CONNECTION_HEAD:
		connection_make_request_id(connection);
		connection_refuse(connection, OUTCOME_HEADER_TIMEOUT, 0, NULL);
		connection_flush(connection);
		connection_update(connection);
		break;
	case CONNECTION_EXCHANGE:
		exchange_on_timeout(&connection->exchange);
		connection_update(connection);
		break;
	case CONNECTION_SCRAPE:
		scrape_on_timeout(connection);
		break;
	default:
		connection_close(connection);
	}
}

/*
 * The client must keep up body_rate_bytes whenever we wait for it; a stretch of less is forgiven as
 * long as the credit lasts, and every byte earns some of it back.
 */
void
connection_tick(struct connection *connection)
{
	const struct heritage_front *limits = connection->front->heritage;
	const bool wants_answer = !connection_is_drained(connection);
	const bool sends_body = connection->state == CONNECTION_EXCHANGE &&
				exchange_wants_input(&connection->exchange);
	const uint64_t moved = connection->transport.moved_bytes;

	connection->transport.moved_bytes = 0;
	if (!wants_answer && !sends_body) {
		connection->credit_ms = limits->body_grace_ms;
		return;
	}
	connection->credit_ms += (int64_t)(moved * 1000 / limits->body_rate_bytes) - 1000;
	if (connection->credit_ms > limits->body_grace_ms)
		connection->credit_ms = limits->body_grace_ms;
	if (connection->credit_ms >= 0)
		return;
	if (connection->state == CONNECTION_EXCHANGE) {
		exchange_fail(&connection->exchange,
			      wants_answer ? OUTCOME_CLIENT_SLOW : OUTCOME_BODY_TOO_SLOW);
		connection_update(connection);
	} else {
		connection_reset(connection);
	}
}

/*
 * An idle one is not closed at once: its client may have sent a request just now, and would lose it. A
 * handshake has its own bound.
 */
void
connection_leave_all(struct front *front, const struct heritage_listener *listener)
{
	struct connection *connection;

	TAILQ_FOREACH (connection, &front->connections, link) {
		if (listener != NULL && connection->listener != listener)
			continue;
		if (listener == NULL && connection_is_scraper(connection))
			continue; /* metrics are told to the end */
		connection->leaving = true;
		if (connection->state == CONNECTION_IDLE)
			connection_set_timer(connection, front->leave_timeout);
	}
}

/* All that its request needs of the listener has been taken from it. */
static bool
has_begun(const struct connection *connection)
{
	switch (connection->state) {
	case CONNECTION_EXCHANGE:
		return connection->exchange.state != EXCHANGE_QUEUED;
	case CONNECTION_SCRAPE:
	case CONNECTION_FLUSH:
	case CONNECTION_LINGER:
		return true;
	default:
		return false;
	}
}

void
connection_cut_all(struct front *front, const struct heritage_listener *listener)
{
	struct connection *connection = TAILQ_FIRST(&front->connections);

	while (connection != NULL) {
		struct connection *next = TAILQ_NEXT(connection, link);
		if (connection->listener == listener && has_begun(connection))
			connection->close_after = true;
		else if (connection->listener == listener)
			connection_close(connection);
		connection = next;
	}
}
