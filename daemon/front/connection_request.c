/*
 * Requests of a connection, one after the other: parsing heads, refusing bad ones.
 *
 * Runs in: front. After a malformed head nothing more is read as a request: the connection ends.
 */
#include "base/log.h"
#include "front/access_log.h"
#include "front/connection.h"
#include "front/front.h"
#include "front/protocol_ops.h"
#include "front/request_id.h"
#include "front/response.h"
#include "front/seed.h"
#include "front/source.h"

#include <string.h>

/*
 * Requests that end at once, because they are refused, are a matter of four bytes each: after so many of a
 * connection the others have their turn.
 */
#define PROCESS_BATCH 16

void
connection_make_request_id(struct connection *connection)
{
	unsigned char bytes[16];

	/* Without random numbers it is still different from the others, and the log can be searched for it. */
	if (!seed_take(bytes, sizeof(bytes))) {
		memset(bytes, 0, sizeof(bytes));
		memcpy(bytes, &connection->front->next_id, sizeof(connection->front->next_id));
		connection->front->next_id++;
	}
	request_id_format(bytes, connection->request_id);
}

void
connection_refuse(struct connection *connection, enum outcome outcome, int status, const char *text)
{
	const struct response_error error = {
		.outcome = outcome,
		.status = status,
		.text = text,
		.minor = 1,
		.request_id = connection->request_id,
	};

	front_count_outcome(connection->front, outcome);
	source_charge(connection->front, &connection->source, penalty_outcome_points(outcome));
	access_log_refused(connection, outcome, status, text);
	connection->front->requests++;
	connection->close_after = true;
	connection_change_state(connection, CONNECTION_FLUSH);
	connection_set_timer(connection, NULL);
	if (connection->ops->add_error(connection->out, &error) < 0)
		connection_close(connection);
}

static void
on_bad_request(struct connection *connection, const struct protocol_fault *fault)
{
	connection_make_request_id(connection);
	log_event(LOG_DEBUG, "bad request",
		  "peer=%s listener=%s request=%s status=%d reason=\"%s\"",
		  connection->peer_address, connection->listener->name, connection->request_id,
		  fault->status, fault->reason);
	connection_refuse(connection, OUTCOME_BAD_REQUEST, fault->status, fault->reason);
}

static void
begin(struct connection *connection)
{
	if (connection_is_scraper(connection)) {
		connection_change_state(connection, CONNECTION_SCRAPE);
		scrape_begin(connection);
	} else {
		connection_change_state(connection, CONNECTION_EXCHANGE);
		exchange_begin(connection);
	}
}

/* One head out of `in`, if it is complete. */
static void
parse_head(struct connection *connection)
{
	size_t length = evbuffer_get_length(connection->in);
	const char *data = (const char *)evbuffer_pullup(connection->in, -1);
	struct protocol_fault fault = { 0, NULL };

	if (data == NULL) {
		connection_close(connection);
		return;
	}
	switch (connection->ops->read_head(connection, data, length, &fault)) {
	case HTTP_MORE:
		break;
	case HTTP_BAD:
		on_bad_request(connection, &fault);
		break;
	case HTTP_DONE:
		connection->requests++;
		begin(connection);
		break;
	}
}

static const struct timeval *
idle_timeout(const struct connection *connection)
{
	const struct front *front = connection->front;

	return connection->leaving ? front->leave_timeout : front->idle_timeout;
}

/* Requests one after the other as long as they end at once; a loop, so that pipelining does not
 * deepen the stack. */
void
connection_process(struct connection *connection)
{
	static const struct timeval now = { 0, 0 };

	if (connection->processing)
		return;
	connection->processing = true;
	for (unsigned done = 0;; done++) {
		if (connection->state == CONNECTION_IDLE) {
			connection->ops->start(connection);
			if (evbuffer_get_length(connection->in) == 0) {
				connection_set_timer(connection, idle_timeout(connection));
				break;
			}
			if (done == PROCESS_BATCH) {
				connection_set_timer(connection, &now); /* comes back here */
				break;
			}
			connection_change_state(connection, CONNECTION_HEAD);
			connection_set_timer(connection, connection->front->header_timeout);
		}
		if (connection->state != CONNECTION_HEAD)
			break;
		parse_head(connection);
		if (connection->state == CONNECTION_HEAD)
			break;
		connection_flush(connection);
	}
	connection->processing = false;
	connection_update(connection);
}

void
connection_on_exchange_end(struct connection *connection)
{
	if (connection_is_closed(connection))
		return;
	connection_change_state(connection, CONNECTION_FLUSH);
	connection_set_timer(connection, NULL);
	if (!connection->processing)
		connection_flush(connection);
}
