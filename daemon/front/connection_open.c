/*
 * New connections: whose they are, whether there is room for them, what they begin with.
 *
 * Runs in: front. Rule: who the peer is comes from the kernel, or from a proxy that the configuration
 * trusts.
 */
#include "front/connection.h"

#include "base/log.h"
#include "front/front.h"
#include "front/preamble.h"
#include "front/protocol_ops.h"
#include "front/room.h"
#include "front/source.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
format_peer(struct connection *connection, const struct sockaddr_storage *peer)
{
	const struct sockaddr_in *v4 = (const void *)peer;
	const struct sockaddr_in6 *v6 = (const void *)peer;
	const bool is_v6 = peer->ss_family == AF_INET6;

	if (peer->ss_family == AF_UNIX) {
		snprintf(connection->peer_address, sizeof(connection->peer_address), "unix:");
		connection->peer_port[0] = '\0';
		return;
	}
	inet_ntop(peer->ss_family,
		  is_v6 ? (const void *)&v6->sin6_addr : (const void *)&v4->sin_addr,
		  connection->peer_address, sizeof(connection->peer_address));
	snprintf(connection->peer_port, sizeof(connection->peer_port), "%u",
		 ntohs(is_v6 ? v6->sin6_port : v4->sin_port));
}

/* Before it was one of the front's. */
static void
discard(struct connection *connection)
{
	transport_reset(&connection->transport);
	evbuffer_free(connection->in);
	evbuffer_free(connection->out);
	free(connection);
}

void
connection_set_peer(struct connection *connection, const struct sockaddr_storage *peer)
{
	format_peer(connection, peer);
	connection->source = source_of(connection->front, peer);
}

void
connection_begin(struct connection *connection)
{
	if (connection->state != CONNECTION_IDLE)
		connection_change_state(connection, CONNECTION_IDLE);
	if (connection->listener->tls != 0)
		handshake_begin(connection);
	else
		connection_process(connection);
}

int
connection_open(struct front *front, const struct heritage_listener *listener, int fd,
		const struct sockaddr_storage *peer)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	const int on = 1;

	if (connection == NULL || (connection->in = evbuffer_new()) == NULL ||
	    (connection->out = evbuffer_new()) == NULL) {
		if (connection != NULL && connection->in != NULL)
			evbuffer_free(connection->in);
		free(connection);
		close(fd);
		return -1;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	connection->front = front;
	connection->listener = listener;
	connection->ops = protocol_ops_of((enum protocol)listener->protocol);
	connection->is_local = peer->ss_family == AF_UNIX;
	connection->gather_max_bytes = listener->gather_bytes;
	connection->state = CONNECTION_IDLE;
	transport_open(&connection->transport, fd);
	connection->leaving = front->draining;
	connection->exchange.connection = connection;
	connection->exchange.child_fd = -1;
	connection->credit_ms = front->heritage->body_grace_ms;
	connection_set_peer(connection, peer);
	if (!preamble_may_begin(listener, peer)) {
		log_event(LOG_DEBUG, "peer is no trusted proxy", "peer=%s listener=%s",
			  connection->peer_address, listener->name);
		discard(connection);
		return -1;
	}
	if (!preamble_is_due(listener) && !room_enter_source(connection)) {
		discard(connection);
		return -1;
	}
	connection_watch(connection);
	TAILQ_INSERT_TAIL(&front->connections, connection, link);
	connection_count_open(connection);
	room_enter(connection);
	if (!preamble_is_due(listener))
		connection_begin(connection);
	else if (!preamble_begin(connection))
		connection_close(connection);
	return 0;
}
