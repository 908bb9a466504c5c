/*
 * PROXY headers of connections.
 *
 * Runs in: front. Rule: who may say who the client is was decided by the peer's own address, before a
 * byte of his was read; on such a listener nobody gets further without a header. The header is taken
 * from the socket and not a byte behind it: that is TLS, or a request.
 */
#include "front/preamble.h"

#include "base/log.h"
#include "front/connection.h"
#include "front/front.h"
#include "front/proxy_header.h"
#include "front/room.h"
#include "front/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct preamble {
	size_t length;
	unsigned char data[PROXY_V2_MAX];
};

bool
preamble_is_due(const struct heritage_listener *listener)
{
	return listener->proxies.count > 0 || listener->proxies.local != 0;
}

bool
preamble_may_begin(const struct heritage_listener *listener, const struct sockaddr_storage *peer)
{
	if (!preamble_is_due(listener))
		return true;
	if (peer->ss_family == AF_UNIX)
		return listener->proxies.local != 0;
	return source_is_among(peer, &listener->proxies);
}

bool
preamble_begin(struct connection *connection)
{
	connection->preamble = calloc(1, sizeof(*connection->preamble));
	if (connection->preamble == NULL)
		return false;
	connection_change_state(connection, CONNECTION_PREAMBLE);
	connection_set_timer(connection, connection->front->header_timeout);
	connection_update(connection);
	return true;
}

void
preamble_fini(struct connection *connection)
{
	free(connection->preamble);
	connection->preamble = NULL;
}

static void
refuse(struct connection *connection, const char *reason)
{
	log_event(LOG_WARNING, "connection of a proxy refused", "peer=%s listener=%s reason=\"%s\"",
		  connection->peer_address, connection->listener->name, reason);
	connection_reset(connection);
}

static void
finish(struct connection *connection, const struct proxy_header *header)
{
	preamble_fini(connection);
	if (header->is_known)
		connection_set_peer(connection, &header->source);
	if (!room_enter_source(connection)) {
		connection_reset(connection);
		return;
	}
	connection_begin(connection);
}

/* Takes bytes that were looked at. False when the socket has not got them any more. */
static bool
take(struct connection *connection, size_t length)
{
	struct preamble *preamble = connection->preamble;
	ssize_t count = recv(connection->transport.fd, preamble->data + preamble->length, length,
			     MSG_DONTWAIT);

	if (count != (ssize_t)length)
		return false;
	preamble->length += length;
	return true;
}

void
preamble_on_readable(struct connection *connection)
{
	struct preamble *preamble = connection->preamble;
	const size_t before = preamble->length;
	struct proxy_header header;
	enum proxy_result result;
	ssize_t count = recv(connection->transport.fd, preamble->data + before,
			     sizeof(preamble->data) - before, MSG_PEEK | MSG_DONTWAIT);

	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (count <= 0) {
		connection_close(connection);
		return;
	}
	result = proxy_header_parse(preamble->data, before + (size_t)count, &header);
	if (result == PROXY_BAD)
		refuse(connection, header.reason);
	else if (!take(connection, result == PROXY_DONE ? header.bytes - before : (size_t)count))
		connection_close(connection);
	else if (result == PROXY_DONE)
		finish(connection, &header);
}
