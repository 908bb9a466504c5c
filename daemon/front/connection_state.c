/*
 * States of connections, the figures that follow from them, and how much each of them reads.
 *
 * Runs in: front. Rule: a connection's state changes in connection_change_state alone, so that the
 * counts of its listener are right at every moment.
 */
#include "front/connection.h"
#include "front/front.h"
#include "front/gather.h"
#include "front/protocol_ops.h"

static const enum connection_activity activities[CONNECTION_STATE_MAX] = {
	[CONNECTION_PREAMBLE] = ACTIVITY_HEAD,	 [CONNECTION_HANDSHAKE] = ACTIVITY_HANDSHAKE,
	[CONNECTION_IDLE] = ACTIVITY_IDLE,	 [CONNECTION_HEAD] = ACTIVITY_HEAD,
	[CONNECTION_EXCHANGE] = ACTIVITY_ACTIVE, [CONNECTION_SCRAPE] = ACTIVITY_ACTIVE,
	[CONNECTION_FLUSH] = ACTIVITY_ACTIVE,	 [CONNECTION_LINGER] = ACTIVITY_LINGER,
};

/* How many connections of the listener do what one in that state does. */
static uint32_t *
counter(const struct connection *connection, enum connection_state state)
{
	struct front *front = connection->front;
	const struct heritage_listener *first = front->heritage->listeners;

	return &front->figures[connection->listener - first].connections[activities[state]];
}

bool
connection_is_scraper(const struct connection *connection)
{
	return connection->ops->is_scraper;
}

/* By kind: scrapers have a bound of their own, so that they get in when clients are too many. */
static unsigned *
total(const struct connection *connection)
{
	struct front *front = connection->front;

	return connection_is_scraper(connection) ? &front->scrapers_count
						 : &front->connections_count;
}

/* To the other fronts: clients' connections are what is shared among them. */
static void
say_count(const struct front *front)
{
	balance_set(&front->balance, front->connections_count);
}

void
connection_count_open(const struct connection *connection)
{
	++*total(connection);
	++*counter(connection, connection->state);
	say_count(connection->front);
}

void
connection_change_state(struct connection *connection, enum connection_state state)
{
	--*counter(connection, connection->state);
	if (state != CONNECTION_CLOSED)
		++*counter(connection, state);
	else
		--*total(connection);
	connection->state = state;
	if (state == CONNECTION_IDLE || state == CONNECTION_LINGER || state == CONNECTION_CLOSED)
		gather_release(connection);
	if (state == CONNECTION_CLOSED)
		say_count(connection->front);
}

static size_t
body_room(size_t there)
{
	if (there == 0)
		return FRONT_BODY_BYTES;
	return there < FRONT_IO_BYTES ? FRONT_IO_BYTES - there : 0;
}

/* Beyond the end of a request only one read goes ahead: that is how a client which leaves is noticed. */
size_t
connection_input_room(const struct connection *connection)
{
	const size_t there = evbuffer_get_length(connection->in);

	if (connection->eof || connection->handshake == HANDSHAKE_WAITING ||
	    connection->state == CONNECTION_CLOSED ||
	    transport_pending(&connection->transport) >= FRONT_IO_BYTES)
		return 0;
	if (connection->state == CONNECTION_EXCHANGE && !connection->exchange.body_done)
		return body_room(there);
	if (connection->state == CONNECTION_EXCHANGE || connection->state == CONNECTION_SCRAPE ||
	    connection->state == CONNECTION_FLUSH || connection->state == CONNECTION_IDLE)
		return there == 0 ? FRONT_IO_BYTES : 0;
	return FRONT_IO_BYTES;
}
