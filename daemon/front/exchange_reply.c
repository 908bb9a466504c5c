/*
 * Replies: from the child's socket, checked frame by frame, to the connection's `out`.
 *
 * Runs in: front. The child is hostile: whatever it sends goes through reply_parser, and a reply
 * that does not hold what it promised is never completed towards the client.
 */
#include "base/log.h"
#include "front/connection.h"
#include "front/exchange.h"
#include "front/front.h"
#include "front/pool.h"
#include "front/protocol_ops.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define ERROR_SHOWN 600

/* ---- parts ---- */

static bool
send_head(struct exchange *exchange, const unsigned char *data, const struct reply_event *event)
{
	const struct connection *connection = exchange->connection;

	exchange->status = event->status;
	if (connection->close_after || connection->leaving)
		exchange->keep_alive = false;
	return connection->ops->add_head(exchange, data, event);
}

static bool
send_body(struct exchange *exchange, const unsigned char *data, size_t length)
{
	exchange->reply_bytes += length;
	return exchange->connection->ops->add_body(exchange, data, length);
}

/* ---- events ---- */

static void
log_complaint(const struct exchange *exchange, const char *event, const char *text, size_t length)
{
	char shown[ERROR_SHOWN];

	log_event(LOG_WARNING, event, "pool=%s pid=%d request=%s text=\"%s\"",
		  exchange->pool->config->name, exchange->child != NULL ? exchange->child->pid : 0,
		  exchange->connection->request_id, log_escape(text, length, shown, sizeof(shown)));
}

/* Over the limit by what the head promises, or by what has come; the limit stays what it is while more comes. */
static bool
is_too_large(const struct exchange *exchange, enum reply_kind kind, const struct reply_event *event)
{
	uint64_t most = exchange->reply_max_bytes;

	if (exchange->gathers && most > exchange->connection->gather_max_bytes)
		most = exchange->connection->gather_max_bytes;
	if (kind == REPLY_HEAD)
		return event->content_length != UINT64_MAX && event->content_length > most;
	return kind == REPLY_BODY && event->length > most - exchange->reply_bytes;
}

/* Acts on one event. False when the exchange has ended. */
static bool
on_event(struct exchange *exchange, enum reply_kind kind, const unsigned char *data,
	 const struct reply_event *event)
{
	bool added = true;

	if (is_too_large(exchange, kind, event)) {
		exchange_fail(exchange, OUTCOME_REPLY_TOO_LARGE);
		return false;
	}
	switch (kind) {
	case REPLY_HEAD:
		added = send_head(exchange, data, event);
		break;
	case REPLY_BODY:
		added = send_body(exchange, data + event->offset, event->length);
		break;
	case REPLY_END:
		added = exchange->connection->ops->add_end(exchange);
		if (added) {
			exchange_complete(exchange);
			return false;
		}
		break;
	case REPLY_ERROR:
		log_complaint(exchange, "worker error", (const char *)data + event->offset,
			      event->length);
		exchange_fail(exchange, OUTCOME_WORKER_ERROR);
		return false;
	case REPLY_BAD:
	default:
		log_complaint(exchange, "bad reply", event->reason, strlen(event->reason));
		exchange_fail(exchange, OUTCOME_BAD_REPLY);
		return false;
	}
	if (!added)
		exchange_fail(exchange, OUTCOME_INTERNAL);
	return added;
}

/* Feeds all of `data`. Bytes used; the rest must come again with more behind. SIZE_MAX: the
 * exchange has ended. */
static size_t
feed(struct exchange *exchange, const unsigned char *data, size_t length)
{
	size_t used = 0;

	for (;;) {
		struct reply_event event;
		size_t consumed;
		enum reply_kind kind = reply_parser_feed(&exchange->parser, data + used,
							 length - used, &consumed, &event);
		if (kind == REPLY_MORE)
			return used + consumed;
		if (!on_event(exchange, kind, data + used, &event))
			return SIZE_MAX;
		used += consumed;
	}
}

/* A frame head that came in pieces is gathered in `partial`. */
static bool
feed_gathered(struct exchange *exchange, const unsigned char *data, size_t length)
{
	struct evbuffer *partial = exchange->partial;
	const unsigned char *all;
	size_t used;

	if (evbuffer_add(partial, data, length) < 0 || (all = evbuffer_pullup(partial, -1)) == NULL)
		return false;
	used = feed(exchange, all, evbuffer_get_length(partial));
	if (used != SIZE_MAX)
		evbuffer_drain(partial, used);
	return true;
}

static bool
feed_fresh(struct exchange *exchange, const unsigned char *data, size_t length)
{
	size_t used = feed(exchange, data, length);

	if (used == SIZE_MAX || used == length)
		return true;
	if (exchange->partial == NULL && (exchange->partial = evbuffer_new()) == NULL)
		return false;
	return evbuffer_add(exchange->partial, data + used, length - used) == 0;
}

static void
on_hang_up(struct exchange *exchange)
{
	/* How long the child's exit report may take after its socket has closed: it tells the client why, so it is waited for
	 * where the zygote gets no processor for a while. Only a child that hangs up and lives on takes all of it. */
	static const struct timeval exit_wait = { 2, 0 };

	event_del(&exchange->child_read);
	event_del(&exchange->child_write);
	exchange->state = EXCHANGE_EXIT_WAIT;
	if (exchange->exit_known) {
		const struct child_exit ended = exchange->exit;
		exchange_on_exit(exchange, &ended);
		return;
	}
	connection_set_timer(exchange->connection, &exit_wait);
}

/*
 * The client takes the answer slower than the child makes it: let the child wait. The socket's
 * buffer is what keeps a fast client busy; bytes behind a full one would only be memory for a slow
 * client to hold.
 */
static void
pause_child(struct exchange *exchange)
{
	if (exchange->state == EXCHANGE_RUNNING && !connection_is_drained(exchange->connection))
		event_del(&exchange->child_read);
}

void
exchange_reply_on_readable(struct exchange *exchange)
{
	struct connection *connection = exchange->connection;
	unsigned char *scratch = connection->front->scratch;
	ssize_t count = recv(exchange->child_fd, scratch, FRONT_IO_BYTES, MSG_DONTWAIT);
	bool kept;

	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (count <= 0) {
		on_hang_up(exchange);
		return;
	}
	if (exchange->partial != NULL && evbuffer_get_length(exchange->partial) > 0)
		kept = feed_gathered(exchange, scratch, (size_t)count);
	else
		kept = feed_fresh(exchange, scratch, (size_t)count);
	if (!kept)
		exchange_fail(exchange, OUTCOME_INTERNAL);
	if (exchange->state != EXCHANGE_RUNNING)
		return;
	connection_flush(connection);
	pause_child(exchange);
}

void
exchange_on_output(struct exchange *exchange)
{
	if (exchange->state == EXCHANGE_RUNNING && connection_is_drained(exchange->connection))
		event_add(&exchange->child_read, NULL);
}
