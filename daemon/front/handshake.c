/*
 * TLS handshakes. They cost memory and time before anything is known about a client, so there is a
 * bound on how many are in progress; others wait in the order in which their first bytes came, unread.
 * A client that sends nothing takes no place. All are under one deadline that begins with the accept.
 *
 * Runs in: front.
 */
#include "front/handshake.h"

#include "base/log.h"
#include "front/connection.h"
#include "front/front.h"
#include "front/tls.h"
#include "front/tls_session.h"

#include <errno.h>

void
handshake_init(struct front *front)
{
	TAILQ_INIT(&front->handshakes.waiting);
	front->handshake_timeout =
		front_common_timeout(front, front->heritage->handshake_timeout_ms);
}

void
handshake_begin(struct connection *connection)
{
	connection_change_state(connection, CONNECTION_HANDSHAKE);
	connection_set_timer(connection, connection->front->handshake_timeout);
	connection_update(connection);
}

static void
activate(struct connection *connection)
{
	connection->handshake = HANDSHAKE_ACTIVE;
	connection->front->handshakes.active_count++;
}

static bool
start(struct connection *connection)
{
	struct front *front = connection->front;
	const uint32_t listener = (uint32_t)(connection->listener - front->heritage->listeners);

	if (transport_start_tls(&connection->transport, tls_set_take(front, listener)))
		return true;
	front->handshakes.failed++;
	connection_close(connection);
	return false;
}

bool
handshake_admit(struct connection *connection)
{
	struct front *front = connection->front;
	struct handshakes *handshakes = &front->handshakes;

	if (connection->handshake == HANDSHAKE_NONE) {
		if (handshakes->active_count == front->heritage->handshakes_max) {
			connection->handshake = HANDSHAKE_WAITING;
			TAILQ_INSERT_TAIL(&handshakes->waiting, connection, handshake_link);
			handshakes->waiting_count++;
			connection_update(connection);
			return false;
		}
		activate(connection);
	}
	return connection->transport.tls != NULL || start(connection);
}

void
handshake_forget(struct connection *connection)
{
	struct handshakes *handshakes = &connection->front->handshakes;
	struct connection *next = TAILQ_FIRST(&handshakes->waiting);
	const enum handshake_place place = connection->handshake;

	connection->handshake = HANDSHAKE_NONE;
	if (place == HANDSHAKE_WAITING) {
		TAILQ_REMOVE(&handshakes->waiting, connection, handshake_link);
		handshakes->waiting_count--;
	}
	if (place != HANDSHAKE_ACTIVE)
		return;
	handshakes->active_count--;
	if (next == NULL)
		return;
	TAILQ_REMOVE(&handshakes->waiting, next, handshake_link);
	handshakes->waiting_count--;
	activate(next);
	connection_update(next);
}

/* The client gets to see the alert, or, if it took this for plain HTTP, an answer. */
static void
refuse(struct connection *connection)
{
	struct tls_session *session = connection->transport.tls;
	const bool met_http = tls_session_met_http(session);

	connection->front->handshakes.failed++;
	log_event(LOG_DEBUG, "handshake failed", "peer=%s listener=%s reason=\"%s\"",
		  connection->peer_address, connection->listener->name,
		  tls_session_failure(session));
	handshake_forget(connection);
	transport_drop_tls(&connection->transport, connection->out);
	connection->close_after = true;
	connection_change_state(connection, CONNECTION_FLUSH);
	connection_set_timer(connection, NULL);
	if (met_http)
		connection_refuse(connection, OUTCOME_BAD_REQUEST, 400,
				  "this port speaks TLS: ask it by https");
	connection_flush(connection);
	connection_update(connection);
}

static void
succeed(struct connection *connection)
{
	struct handshakes *handshakes = &connection->front->handshakes;

	handshakes->ok++;
	if (tls_session_is_resumed(connection->transport.tls))
		handshakes->resumed++;
	handshake_forget(connection);
	connection_change_state(connection, CONNECTION_IDLE);
	connection_set_timer(connection, connection->front->idle_timeout);
	connection_flush(connection); /* what the socket did not take of our last messages */
}

bool
handshake_step(struct connection *connection, ssize_t count)
{
	const int error = count < 0 ? errno : 0;

	if (tls_session_is_established(connection->transport.tls)) {
		succeed(connection);
		return !connection_is_closed(connection);
	}
	if (count < 0 && (error == EAGAIN || error == EINTR)) {
		connection_flush(connection);
		connection_update(connection);
	} else if (error == EPROTO) {
		refuse(connection);
	} else {
		connection->front->handshakes.failed++;
		connection_close(connection);
	}
	return false;
}

void
handshake_on_timeout(struct connection *connection)
{
	connection->front->handshakes.timed_out++;
	connection_close(connection);
}

void
handshake_stats(const struct front *front, struct msg_stats_end *stats_out)
{
	const struct handshakes *handshakes = &front->handshakes;

	stats_out->handshaking = handshakes->active_count;
	stats_out->handshakes_waiting = handshakes->waiting_count;
	stats_out->handshakes_ok = handshakes->ok;
	stats_out->handshakes_resumed = handshakes->resumed;
	stats_out->handshakes_failed = handshakes->failed;
	stats_out->handshakes_timed_out = handshakes->timed_out;
}
